//! One connection of a terminal, from registration to silence. Pure: frames, verdicts, requests and
//! the time go in, effects come out; the host does them in order.
//!
//! What the document leaves open is decided here:
//! - A frame that is no message: before admission the connection is closed with 1008 at once. After
//!   it, the frame is noted and not answered (the protocol has no answer for it), and the connection
//!   is closed with 1008 after 20 of them in a row. A frame over the limit closes with 1009.
//! - A message that needs a registration and has none is noted, and not answered: terminals upload
//!   again after registering.
//! - A message of an unknown type is noted, never answered, never a reason to close.
//! - A message that carries another token than was given closes with 1008 (202 has no message that
//!   could carry it); a message without a token is taken. After a second registration on the same
//!   connection, the token before still counts, for what was under way.
//! - Another `deviceNo` than the registered one is noted, and echoed in the answer.
//! - No registration in time closes with 1008, silence with 1001.
//! - A list that times out is stopped with `onlineStopGetRegister`; persons that come when nobody
//!   lists are acknowledged, because they would come for ever.
//!
//! Deliberately absent: who is admitted, what happens to a record, queueing of requests, rate limits.

mod listing;
mod requests;
mod words;
mod work;

pub use words::{Busy, Effect, Outcome, Progress, Request, SessionSettings, Slot};

use crate::{
    Answer, AnswerBody, DecodeError, Downlink, ErrorCode, KeepAlive, RecordAnswer, Register,
    Uplink, UploadRecord, decode, encode_keep_alive_resp, encode_record_resp,
    encode_register_person_ack, encode_register_resp,
};
use gatehouse_wire::ReadError;
use work::Work;

/// Malformed frames in a row after which an admitted terminal is given up.
const MOST_MALFORMED_IN_ROW: u8 = 20;
/// RFC 6455: the endpoint goes away; here, it is gone.
const CLOSE_GONE: u16 = 1001;
/// RFC 6455: against the rules.
const CLOSE_POLICY: u16 = 1008;
/// RFC 6455: too big.
const CLOSE_TOO_BIG: u16 = 1009;

/// One connection. Idle, it holds some 250 bytes; what is rare stands in boxes.
#[derive(Debug)]
pub struct Session {
    settings: SessionSettings,
    phase: Phase,
    malformed_in_row: u8,
    opened_at_ms: i64,
    heard_at_ms: i64,
    next_message_id: u64,
    /// As admitted; empty before that.
    device_no: Box<str>,
    /// Of the registration that waits for its verdict.
    candidate: Option<Box<str>>,
    token: Option<Box<str>>,
    /// Of the registration before, on this connection.
    earlier_token: Option<Box<str>>,
    /// The last differing number that was noted.
    noted_device_no: Option<Box<str>>,
    /// The number that records use, where it differs.
    record_device_no: Option<Box<str>>,
    /// The request in flight.
    foreground: Option<Box<Work>>,
    /// A long-running one that lets urgent ones pass.
    background: Option<Box<Work>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has come.
    Fresh,
    /// The host looks at a registration.
    Judging,
    /// Admitted.
    Online,
    /// Over.
    Closed,
}

impl Session {
    /// A connection was just accepted.
    #[must_use]
    pub fn new(settings: SessionSettings, now_ms: i64) -> Self {
        Self {
            settings,
            phase: Phase::Fresh,
            malformed_in_row: 0,
            opened_at_ms: now_ms,
            heard_at_ms: now_ms,
            next_message_id: settings.first_message_id,
            device_no: Box::default(),
            candidate: None,
            token: None,
            earlier_token: None,
            noted_device_no: None,
            record_device_no: None,
            foreground: None,
            background: None,
        }
    }

    /// A frame arrived.
    pub fn on_frame(&mut self, now_ms: i64, bytes: &[u8], out: &mut Vec<Effect>) {
        if self.phase == Phase::Closed {
            return;
        }
        self.heard_at_ms = now_ms;
        let slot = self.slot();
        match decode(bytes, &self.settings.limits) {
            Ok(uplink) => {
                self.malformed_in_row = 0;
                self.on_uplink(now_ms, uplink, bytes.len(), out);
            }
            Err(error) => self.on_malformed(error, out),
        }
        self.note_slot(slot, out);
    }

    fn on_malformed(&mut self, error: DecodeError, out: &mut Vec<Effect>) {
        let is_too_large = matches!(error, DecodeError::Unreadable(ReadError::TooLarge { .. }));
        out.push(Effect::Malformed { error });
        self.malformed_in_row = self.malformed_in_row.saturating_add(1);
        if is_too_large {
            self.close(CLOSE_TOO_BIG, "message too large", out);
        } else if !self.is_admitted() {
            self.close(CLOSE_POLICY, "expected a register message", out);
        } else if self.malformed_in_row >= MOST_MALFORMED_IN_ROW {
            self.close(CLOSE_POLICY, "too many malformed messages", out);
        }
    }

    fn on_uplink(&mut self, now_ms: i64, uplink: Uplink, bytes_len: usize, out: &mut Vec<Effect>) {
        let too_early = |message_type| Effect::TooEarly { message_type };
        match uplink {
            Uplink::Register(register) => self.on_register(register, out),
            Uplink::Unknown(unknown) => out.push(Effect::Unknown {
                message_type: unknown.message_type,
                bytes_len,
            }),
            Uplink::KeepAlive(_) if !self.is_admitted() => out.push(too_early("keepAlive")),
            Uplink::UploadRecord(_) if !self.is_admitted() => out.push(too_early("uploadRecord")),
            Uplink::Answer(_) if !self.is_admitted() => out.push(too_early("answer")),
            Uplink::KeepAlive(keep_alive) => self.on_keep_alive(keep_alive, out),
            Uplink::UploadRecord(record) => self.on_record(record, out),
            Uplink::Answer(answer) => {
                if self.accepts(answer.token.as_deref(), &answer.device_no, out) {
                    self.on_answer(now_ms, *answer, out);
                }
            }
        }
    }

    fn on_register(&mut self, register: Register, out: &mut Vec<Effect>) {
        self.candidate = Some(register.device_no.as_str().into());
        self.phase = Phase::Judging;
        out.push(Effect::Register(register));
    }

    fn on_keep_alive(&mut self, keep_alive: KeepAlive, out: &mut Vec<Effect>) {
        if !self.accepts(keep_alive.token.as_deref(), &keep_alive.device_no, out) {
            return;
        }
        let device_no = self.spoken_or_own(&keep_alive.device_no);
        out.push(Effect::Send(encode_keep_alive_resp(device_no)));
        out.push(Effect::KeepAlive {
            position: keep_alive.position,
        });
    }

    fn on_record(&mut self, record: Box<UploadRecord>, out: &mut Vec<Effect>) {
        if !self.accepts(record.token.as_deref(), &record.device_no, out) {
            return;
        }
        let spoken = self.spoken_or_own(&record.device_no);
        self.record_device_no = (spoken != &*self.device_no).then(|| spoken.into());
        out.push(Effect::Record(record));
    }

    fn on_answer(&mut self, now_ms: i64, answer: Answer, out: &mut Vec<Effect>) {
        let is_for = |work: &Option<Box<Work>>, belongs: fn(&Work, &Answer) -> bool| {
            work.as_ref().is_some_and(|work| belongs(work, &answer))
        };
        let belongs: [fn(&Work, &Answer) -> bool; 2] = [Work::awaits, Work::may_list];
        for belongs in belongs {
            if is_for(&self.foreground, belongs) {
                let work = self.foreground.take();
                return self.advance(now_ms, work, answer, out);
            }
            if is_for(&self.background, belongs) {
                let work = self.background.take();
                return self.advance(now_ms, work, answer, out);
            }
        }
        self.on_late(&answer, out);
    }

    fn on_late(&self, answer: &Answer, out: &mut Vec<Effect>) {
        if let AnswerBody::Person(person) = &answer.body
            && person.person_num.is_some()
        {
            out.push(Effect::Send(encode_register_person_ack(
                &answer.message_id,
                self.spoken_or_own(&answer.device_no),
                person.index,
            )));
        }
        out.push(Effect::LateAnswer {
            kind: answer.kind,
            message_id: answer.message_id.clone(),
            error_code: answer.error_code.clone(),
        });
    }

    /// The host's verdict on [`Effect::Register`]: welcome. Sends the answer with the platform's
    /// time, then reads the parameters. Without a registration that waits, nothing happens.
    pub fn admit(&mut self, now_ms: i64, token: String, out: &mut Vec<Effect>) {
        let Some(device_no) = self.waiting_candidate() else {
            return;
        };
        self.lose_work(out); // of the registration before: the terminal has forgotten it
        self.device_no = device_no;
        self.noted_device_no = None;
        self.record_device_no = None;
        self.earlier_token = self.token.take();
        self.phase = Phase::Online;
        out.push(Effect::Send(encode_register_resp(
            &self.device_no,
            &token,
            now_ms,
            &ErrorCode::Success,
        )));
        self.token = Some(token.into());
        let message_id = self.send(&Downlink::GetParameters, out);
        self.foreground = Some(Box::new(Work::first_read(now_ms, message_id)));
    }

    /// The host's verdict on [`Effect::Register`]: no. Sends the code and closes. Without a
    /// registration that waits, nothing happens.
    pub fn refuse(
        &mut self,
        now_ms: i64,
        code: ErrorCode,
        reason: &'static str,
        out: &mut Vec<Effect>,
    ) {
        let Some(device_no) = self.waiting_candidate() else {
            return;
        };
        out.push(Effect::Send(encode_register_resp(
            &device_no, "", now_ms, &code,
        )));
        self.close(CLOSE_POLICY, reason, out);
    }

    fn waiting_candidate(&mut self) -> Option<Box<str>> {
        if self.phase != Phase::Judging {
            return None;
        }
        self.candidate.take()
    }

    /// Answers a record, after it is stored.
    pub fn answer_record(
        &mut self,
        _now_ms: i64,
        message_id: &str,
        answer: RecordAnswer,
        out: &mut Vec<Effect>,
    ) {
        if self.is_admitted() {
            let device_no = self.record_device_no.as_ref().unwrap_or(&self.device_no);
            out.push(Effect::Send(encode_record_resp(
                message_id, device_no, &answer,
            )));
        }
    }

    /// Looks at the clock. Call it about once a second, or at [`Session::next_tick_at_ms`].
    pub fn on_tick(&mut self, now_ms: i64, out: &mut Vec<Effect>) {
        let Some(end_at_ms) = self.ends_at_ms() else {
            return;
        };
        if now_ms < end_at_ms {
            let slot = self.slot();
            self.give_up_late_work(now_ms, out);
            self.note_slot(slot, out);
        } else if self.phase == Phase::Fresh {
            self.close(CLOSE_POLICY, "no registration in time", out);
        } else {
            self.close(CLOSE_GONE, "no sign of life", out);
        }
    }

    fn ends_at_ms(&self) -> Option<i64> {
        match self.phase {
            Phase::Closed => None,
            Phase::Fresh => Some(
                self.opened_at_ms
                    .saturating_add(self.settings.register_within_ms),
            ),
            Phase::Judging | Phase::Online => {
                Some(self.heard_at_ms.saturating_add(self.settings.dead_after_ms))
            }
        }
    }

    /// When something happens next if no frame arrives; `None` after the end.
    #[must_use]
    pub fn next_tick_at_ms(&self) -> Option<i64> {
        let works = self.foreground.iter().chain(&self.background);
        works
            .map(|work| work.deadline_ms)
            .chain(self.ends_at_ms())
            .min()
            .filter(|_| self.phase != Phase::Closed)
    }

    /// The socket is gone, or the host closes it: requests in flight end as [`Outcome::Lost`].
    pub fn end(&mut self, out: &mut Vec<Effect>) {
        self.phase = Phase::Closed;
        self.lose_work(out);
    }

    fn close(&mut self, code: u16, reason: &'static str, out: &mut Vec<Effect>) {
        self.end(out);
        out.push(Effect::Close { code, reason });
    }

    /// Whether the terminal is admitted and the session is not over.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.is_admitted()
    }

    /// The number under which the terminal was admitted; empty before that.
    #[must_use]
    pub fn device_no(&self) -> &str {
        &self.device_no
    }

    /// Admitted, and perhaps registering again.
    fn is_admitted(&self) -> bool {
        self.token.is_some() && self.phase != Phase::Closed
    }

    fn spoken_or_own<'n>(&'n self, spoken: &'n str) -> &'n str {
        if spoken.is_empty() {
            &self.device_no
        } else {
            spoken
        }
    }

    /// Checks token and number of a message; `false` where the session was closed for it.
    fn accepts(&mut self, token: Option<&str>, device_no: &str, out: &mut Vec<Effect>) -> bool {
        let mut known = self.token.iter().chain(&self.earlier_token);
        if token.is_some_and(|token| !known.any(|known| **known == *token)) {
            out.push(Effect::TokenMismatch);
            self.close(CLOSE_POLICY, "wrong token", out);
            return false;
        }
        let differs = !device_no.is_empty() && device_no != &*self.device_no;
        if differs && self.noted_device_no.as_deref() != Some(device_no) {
            self.noted_device_no = Some(device_no.into());
            out.push(Effect::DeviceNoDiffers {
                device_no: device_no.to_owned(),
            });
        }
        true
    }
}
