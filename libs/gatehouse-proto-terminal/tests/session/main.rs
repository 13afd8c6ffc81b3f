//! The session machine, by the scripts in `vectors/session/`. A line that begins at the margin is an
//! input, the indented lines below it are the effects it must have, all of them and in this order:
//!
//! ```text
//! # a remark
//! < FRAME            a frame arrives
//! << N FRAME         the same N times (effects are those of the last)
//! admit TOKEN        refuse CODE REASON
//! submit TICKET WORD [ARGUMENT...]      cancel TICKET
//! answer MSGID CODE [STATE [MSG]]
//! at MS              the clock is moved to MS, then asked for
//! end                new (another connection)
//! slot               next (asks the session for either)
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod properties;
mod render;

use gatehouse_proto_terminal::session::{Effect, Request, Session, SessionSettings, Slot};
use gatehouse_proto_terminal::{
    ControlState, ErrorCode, PersonInfo, PersonOperation, RecordAnswer,
};
use std::path::Path;

struct Stage {
    session: Session,
    now_ms: i64,
}

#[test]
fn every_script_has_its_effects() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/session");
    let mut scripts = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        play(
            &path.display().to_string(),
            &std::fs::read_to_string(&path).unwrap(),
        );
        scripts += 1;
    }
    assert!(scripts >= 8, "only {scripts} scripts found");
}

fn play(name: &str, script: &str) {
    let mut stage = Stage {
        session: Session::new(SessionSettings::default(), 0),
        now_ms: 0,
    };
    let lines: Vec<(usize, &str)> = script
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .collect();
    let mut at = 0;
    while let Some(&(number, input)) = lines.get(at) {
        at += 1;
        let expected: Vec<&str> = lines[at..]
            .iter()
            .map(|(_, line)| *line)
            .take_while(|line| line.starts_with("  "))
            .map(str::trim)
            .collect();
        at += expected.len();
        if input == "new" {
            stage.session = Session::new(SessionSettings::default(), 0);
            stage.now_ms = 0;
            continue;
        }
        let found = stage.input(input);
        assert_eq!(found, expected, "{name}:{} {input}", number + 1);
    }
}

impl Stage {
    fn input(&mut self, line: &str) -> Vec<String> {
        let mut out = Vec::new();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let before = self.session.slot();
        let mut lines = Vec::new();
        match word {
            "<" => self
                .session
                .on_frame(self.now_ms, rest.as_bytes(), &mut out),
            "<<" => {
                let (times, frame) = rest.split_once(' ').unwrap();
                for _ in 0..times.parse::<u32>().unwrap() {
                    out.clear();
                    self.session
                        .on_frame(self.now_ms, frame.as_bytes(), &mut out);
                }
            }
            "admit" => self.session.admit(self.now_ms, rest.to_owned(), &mut out),
            "refuse" => self
                .session
                .refuse(self.now_ms, rest.into(), "refused", &mut out),
            "submit" => {
                let (ticket, request) = rest.split_once(' ').unwrap();
                let ticket = ticket.parse().unwrap();
                if let Err(busy) =
                    self.session
                        .submit(self.now_ms, ticket, request_of(request), &mut out)
                {
                    lines.push(format!("busy {busy:?}"));
                }
            }
            "cancel" => {
                if !self
                    .session
                    .cancel(self.now_ms, rest.parse().unwrap(), &mut out)
                {
                    lines.push("not cancelled".to_owned());
                }
            }
            "answer" => self.answer(rest, &mut out),
            "at" => {
                self.now_ms = rest.parse().unwrap();
                self.session.on_tick(self.now_ms, &mut out);
            }
            "end" => self.session.end(&mut out),
            "slot" => lines.push(format!("{:?}", self.session.slot())),
            "next" => lines.push(format!("{:?}", self.session.next_tick_at_ms())),
            other => panic!("{other}"),
        }
        lines.extend(out.iter().map(render::effect));
        self.check_slot(word, before, &out);
        lines
    }

    /// Whoever listens to `SlotChanged` and to what he himself submits knows the slot.
    fn check_slot(&self, word: &str, before: Slot, out: &[Effect]) {
        let told = out.contains(&Effect::SlotChanged);
        let silent =
            matches!(word, "submit" | "end" | "refuse" | "<<" | "new") || !self.session.is_online();
        assert!(
            silent || told == (before != self.session.slot()),
            "{word}: {out:?}"
        );
    }

    fn answer(&mut self, rest: &str, out: &mut Vec<Effect>) {
        let words: Vec<&str> = rest.splitn(4, ' ').collect();
        let answer = RecordAnswer {
            error_code: ErrorCode::from(words[1]),
            control_state: match words.get(2) {
                Some(&"open") => ControlState::Open,
                Some(&"close") => ControlState::Close,
                _ => ControlState::Unstated,
            },
            msg: (*words.get(3).unwrap_or(&"")).to_owned(),
        };
        self.session
            .answer_record(self.now_ms, words[0], answer, out);
    }
}

fn request_of(text: &str) -> Request {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "open_door" => Request::OpenDoor {
            message: rest.to_owned(),
        },
        "reboot" => Request::Reboot,
        "capture_photo" => Request::CapturePhoto {
            kind: rest.parse().unwrap(),
        },
        "get_parameters" => Request::GetParameters,
        "set_parameters" => Request::SetParameters {
            changes: serde_json::from_str(rest).unwrap(),
        },
        "upgrade_firmware" => Request::UpgradeFirmware {
            update_type: rest.parse().unwrap(),
            url: "http://x/f".to_owned(),
            length: 9,
        },
        "clear_records" => Request::ClearRecords,
        "count_persons" => Request::CountPersons,
        "list_persons" => Request::ListPersons,
        "read_person" => Request::ReadPerson {
            index: rest.parse().unwrap(),
        },
        "delete_person" => Request::RegisterPerson(Box::new(PersonInfo::new(
            PersonOperation::Delete,
            rest.to_owned(),
            String::new(),
        ))),
        other => panic!("{other}"),
    }
}

/// 100 000 idle sessions are the goal. What the two texts hold on the heap is counted by hand: a
/// number of 13 and a token of 32 bytes, each rounded up to what an allocator hands out.
#[test]
fn an_idle_session_is_small() {
    assert!(
        size_of::<Session>() <= 256,
        "{} bytes",
        size_of::<Session>()
    );
}

#[test]
fn message_ids_begin_where_the_host_says() {
    let settings = SessionSettings {
        first_message_id: 700,
        ..SessionSettings::default()
    };
    let mut session = Session::new(settings, 0);
    let mut out = Vec::new();
    session.on_frame(0, br#"{"msgType":"register","deviceNo":"A1"}"#, &mut out);
    session.admit(0, "t".to_owned(), &mut out);
    assert!(
        matches!(&out[2], Effect::Send(frame) if frame.contains(r#""msgID":"700""#)),
        "{out:?}"
    );
    assert_eq!(session.device_no(), "A1");
    assert!(session.is_online());
}
