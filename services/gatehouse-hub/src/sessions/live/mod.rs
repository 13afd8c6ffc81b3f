//! One socket, served until it ends. The machine of gatehouse-proto-terminal decides what is said;
//! this carries frames to it and its effects out ([`effects`]), and never waits for a store: uploads
//! and chores run beside the socket, a few at a time, and beyond that the socket is read later.
//! [`arrival`] is the registration, [`goodbye`] the end, [`work`] what the terminal is asked for.
//!
//! Thousands of these live on one thread, so they hold little and have no timers of their own.

mod arrival;
mod effects;
mod goodbye;
mod work;

use super::admit::Verdict;
use super::chores::{Chore, Outcomes};
use super::close::Close;
use super::gate::Knock;
use super::link::{Link, Signal, Signals};
use super::pace::Pace;
use super::transport::Entered;
use crate::deliveries::offer::Fault;
use crate::deliveries::queue::Queue;
use crate::hub::Hub;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, ProtocolError};
use chrono::Utc;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use gatehouse_proto_terminal::session::{Session, SessionSettings};
use gatehouse_proto_terminal::{Limits, RecordAnswer, Register};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;
use work::Asked;

/// Uploads of one terminal that are being stored at the same time; beyond, the socket is read later.
const UPLOADS_AT_ONCE: usize = 16;
/// Chores of one terminal that wait; beyond, the socket is read later.
const CHORES_WAITING: usize = 16;
/// Later at most by this: a store is away then, and the terminal must hear that its connection is
/// alive. Records beyond are left unanswered meanwhile; the terminal uploads them again.
const FULL_FOR: Duration = Duration::from_secs(1);
/// A terminal that takes nothing for this long is given up.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// Work beside the socket.
type Work = LocalBoxFuture<'static, Done>;

/// What came of it.
enum Done {
    Judged(Box<Verdict>, Box<Register>, Option<i64>),
    Uploaded(String, Option<RecordAnswer>),
    Chore(Outcomes),
    Photos(Uuid, Result<Vec<Arc<str>>, Fault>),
}

/// What the loop woke up for.
enum Step {
    Signals(Signals),
    Done(Option<Done>),
    Resumed,
    Frame(Option<Result<AggregatedMessage, ProtocolError>>),
}

struct Live {
    hub: Arc<Hub>,
    link: Arc<Link>,
    socket: actix_ws::Session,
    machine: Session,
    work: FuturesUnordered<Work>,
    uploads: usize,
    chores: VecDeque<Chore>,
    chore_runs: bool,
    /// Commands of this urgency, or of a lesser one, may wait.
    look: Option<i16>,
    /// What the database is being asked for.
    asks: Option<Asked>,
    /// Persons to be told, where there are any.
    queue: Option<Box<Queue>>,
    /// Whether any command was sent.
    sent: bool,
    tenant_pace: Option<Arc<Pace>>,
    /// The socket is read again at this time.
    paused_until: Option<Instant>,
    /// As much is being stored as may be since this time.
    full_since: Option<Instant>,
    /// What has begun is stored until this time, then the socket is closed.
    drains_until: Option<Instant>,
    /// Given back when the terminal has registered.
    knock: Option<Knock>,
    closing: Option<Close>,
}

/// Serves a socket until it ends.
pub(super) async fn serve(
    entered: Entered,
    socket: actix_ws::Session,
    frames: AggregatedMessageStream,
    knock: Option<Knock>,
) {
    let mut live = Box::new(Live::new(&entered, socket, knock));
    let close = live.run(frames).await;
    Box::pin(live.end(close)).await;
    drop(entered);
}

impl Live {
    fn new(entered: &Entered, socket: actix_ws::Session, knock: Option<Knock>) -> Self {
        let (hub, link) = (entered.hub.clone(), entered.link.clone());
        let now_ms = Utc::now().timestamp_millis();
        let settings = SessionSettings {
            register_within_ms: i64::from(hub.settings.register_within_ms),
            dead_after_ms: i64::from(hub.settings.dead_after_ms),
            // Small and growing, as terminals of this kind are used to, and another in each session.
            first_message_id: link.session.unsigned_abs() % 1_000_000_000,
            limits: Limits::default(),
        };
        let machine = Session::new(settings, now_ms);
        link.seen(now_ms);
        Self {
            tenant_pace: link
                .entrance
                .tenant()
                .map(|tenant| hub.gate.pace_of(tenant)),
            hub,
            link,
            socket,
            machine,
            work: FuturesUnordered::new(),
            uploads: 0,
            chores: VecDeque::new(),
            chore_runs: false,
            look: None,
            asks: None,
            queue: None,
            sent: false,
            paused_until: None,
            full_since: None,
            drains_until: None,
            knock,
            closing: None,
        }
    }

    async fn run(&mut self, mut frames: AggregatedMessageStream) -> Close {
        loop {
            let look_at_ms = self.machine.next_tick_at_ms().unwrap_or(i64::MAX);
            self.link.look_at_ms.store(look_at_ms, Ordering::Relaxed);
            self.note_full();
            let (reading, working) = (self.reads(), !self.work.is_empty());
            let resumes_at = self.resumes_at();
            let link = self.link.clone();
            let step = tokio::select! {
                biased;
                signals = link.signalled() => Step::Signals(signals),
                done = self.work.next(), if working => Step::Done(done),
                () = resume(resumes_at) => Step::Resumed,
                frame = frames.next(), if reading => Step::Frame(frame),
            };
            // In boxes, so that a session that waits holds room for waiting only.
            match step {
                Step::Signals(signals) => Box::pin(self.on_signals(signals)).await,
                Step::Done(Some(done)) => Box::pin(self.on_done(done)).await,
                Step::Done(None) => {}
                Step::Resumed => {
                    self.paused_until = self.paused_until.filter(|until| *until > Instant::now())
                }
                Step::Frame(Some(Ok(message))) => Box::pin(self.on_message(message)).await,
                Step::Frame(Some(Err(error))) => self.closing = Some(Close::of(&error)),
                Step::Frame(None) => self.closing = Some(Close::Gone),
            }
            if let Some(close) = self.closing.or_else(|| self.drained()) {
                return close;
            }
        }
    }

    /// Whether as much is being stored as may be.
    fn is_full(&self) -> bool {
        self.uploads >= UPLOADS_AT_ONCE || self.chores.len() >= CHORES_WAITING
    }

    fn note_full(&mut self) {
        if !self.is_full() {
            self.full_since = None;
        } else if self.full_since.is_none() {
            self.full_since = Some(Instant::now());
        }
    }

    /// Whether the socket is read now.
    fn reads(&self) -> bool {
        let held_back = self
            .full_since
            .is_some_and(|since| since.elapsed() < FULL_FOR);
        !held_back && self.paused_until.is_none() && self.drains_until.is_none()
    }

    /// When to look again, if nothing happens before.
    fn resumes_at(&self) -> Option<Instant> {
        let until_read = self.full_since.map(|since| since + FULL_FOR);
        let held_back = until_read.filter(|until| *until > Instant::now());
        [self.paused_until, self.drains_until, held_back]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether everything that had begun before the stop is stored, or has had its time.
    fn drained(&self) -> Option<Close> {
        let until = self.drains_until?;
        let idle = self.uploads == 0 && self.chores.is_empty() && !self.chore_runs;
        (idle || Instant::now() >= until).then_some(Close::Restart)
    }

    async fn on_signals(&mut self, signals: Signals) {
        let causes = [
            (Signal::Replaced, Close::Replaced),
            (Signal::TokenRevoked, Close::TokenRevoked),
            (Signal::DeviceRemoved, Close::DeviceRemoved),
            (Signal::TenantDisabled, Close::TenantDisabled),
            (Signal::TooSlow, Close::TooSlow),
        ];
        if let Some((_, close)) = causes.iter().find(|(signal, _)| signals.has(*signal)) {
            self.closing = Some(*close);
            return;
        }
        if signals.has(Signal::Drain) && self.drains_until.is_none() {
            let within = Duration::from_millis(u64::from(self.hub.settings.drain_within_ms));
            self.drains_until = Some(Instant::now() + within);
            self.paused_until = None;
        }
        if signals.has(Signal::Tick) {
            let mut out = Vec::new();
            self.machine
                .on_tick(Utc::now().timestamp_millis(), &mut out);
            self.apply(out, &[]).await;
        }
        if signals.has(Signal::Nudge) {
            self.look = Some(0);
        }
        if signals.has(Signal::Offers) {
            self.queue.get_or_insert_default().note_offers();
        }
        if signals.has(Signal::Nudge) || signals.has(Signal::Offers) {
            self.work_on().await;
        }
    }

    async fn on_message(&mut self, message: AggregatedMessage) {
        let now_ms = Utc::now().timestamp_millis();
        self.link.seen(now_ms);
        let wait = self
            .hub
            .gate
            .charge(&self.link.pace, self.tenant_pace.as_deref());
        self.paused_until = wait.map(|wait| Instant::now() + wait);
        let frame = match message {
            AggregatedMessage::Text(text) => text.into_bytes(),
            AggregatedMessage::Binary(bytes) => bytes,
            AggregatedMessage::Ping(bytes) => {
                let sent = tokio::time::timeout(SEND_WITHIN, self.socket.pong(&bytes)).await;
                return self.note_sent(sent);
            }
            AggregatedMessage::Pong(_) => return,
            AggregatedMessage::Close(_) => {
                self.closing = Some(Close::Gone);
                return;
            }
        };
        let mut out = Vec::new();
        self.machine.on_frame(now_ms, &frame, &mut out);
        self.apply(out, &frame).await;
    }

    async fn on_done(&mut self, done: Done) {
        match done {
            Done::Judged(verdict, register, device_ms) => {
                self.on_verdict(*verdict, &register, device_ms).await
            }
            Done::Uploaded(message_id, answer) => {
                self.uploads = self.uploads.saturating_sub(1);
                if let Some(answer) = answer {
                    let mut out = Vec::new();
                    let now_ms = Utc::now().timestamp_millis();
                    self.machine
                        .answer_record(now_ms, &message_id, answer, &mut out);
                    self.apply(out, &[]).await;
                }
            }
            Done::Photos(offer, photos) => {
                self.on_photos(offer, photos);
                self.work_on().await;
            }
            Done::Chore(outcome) => {
                self.chore_runs = false;
                match outcome {
                    Outcomes::Told => {}
                    Outcomes::Unasked => self.on_unasked(),
                    Outcomes::Found { command, offers } => self.on_found(command, offers).await,
                }
                self.next_chore();
            }
        }
    }
}

/// Comes back at a time, or never.
async fn resume(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
