//! What holds whatever a terminal sends: no panic, one end per ticket, silence after a close.

use gatehouse_proto_terminal::session::{Effect, Request, Session, SessionSettings};
use gatehouse_proto_terminal::{Limits, decode};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// All frames of the uplink vectors.
fn frames() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/uplink");
    let files = std::fs::read_dir(directory).unwrap();
    let texts = files.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|line| {
            let vector: serde_json::Value = serde_json::from_str(&line).unwrap();
            vector["frame"].as_str().map(str::to_owned)
        })
        .collect()
}

#[derive(Debug, Clone)]
enum Input {
    Frame(usize, Option<String>),
    Admit,
    Submit(u8),
    Cancel(u8),
    Wait(i64),
    End,
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        8 => (any::<usize>(), prop::option::of("[0-9]")).prop_map(|(at, id)| Input::Frame(at, id)),
        2 => Just(Input::Admit),
        4 => (0u8..8).prop_map(Input::Submit),
        1 => (0u8..40).prop_map(Input::Cancel),
        2 => (0i64..40_000).prop_map(Input::Wait),
        1 => Just(Input::End),
    ]
}

fn request(number: u8) -> Request {
    match number {
        0 => Request::OpenDoor {
            message: String::new(),
        },
        1 => Request::GetParameters,
        2 => Request::SetParameters {
            changes: BTreeMap::from([("voiceVolume".into(), "3".into())]),
        },
        3 => Request::UpgradeFirmware {
            update_type: gatehouse_proto_terminal::UpdateType::Application,
            url: String::new(),
            length: 1,
        },
        4 => Request::ListPersons,
        5 => Request::ReadPerson { index: 1 },
        6 => Request::CountPersons,
        _ => Request::Reboot,
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes, &Limits::default());
    }

    #[test]
    fn mutated_frames_never_panic(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..6),
    ) {
        let frames = frames();
        let mut bytes = frames[which.index(frames.len())].clone().into_bytes();
        for (at, byte, how) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        let _ = decode(&bytes, &Limits::default());
    }

    #[test]
    fn every_ticket_ends_once_and_nothing_follows_a_close(inputs in prop::collection::vec(input(), 1..60)) {
        let frames = frames();
        let mut session = Session::new(SessionSettings::default(), 0);
        let mut now_ms = 0;
        let mut tickets: BTreeMap<u128, u32> = BTreeMap::new();
        let mut closed = false;
        session.on_frame(0, br#"{"msgType":"register","deviceNo":"FaceDevice001"}"#, &mut Vec::new());
        session.admit(0, "1508845817".to_owned(), &mut Vec::new());
        for (number, input) in (0_u128..).zip(inputs) {
            let mut out = Vec::new();
            match input {
                Input::Frame(at, id) => {
                    let frame = &frames[at % frames.len()];
                    let frame = id.map_or_else(|| frame.clone(), |id| frame.replace("000002", &id));
                    session.on_frame(now_ms, frame.as_bytes(), &mut out);
                }
                Input::Admit => session.admit(now_ms, "1508845817".to_owned(), &mut out),
                Input::Submit(kind) => {
                    if session.submit(now_ms, number, request(kind), &mut out).is_ok() {
                        tickets.insert(number, 0);
                    }
                }
                Input::Cancel(ticket) => { session.cancel(now_ms, ticket.into(), &mut out); }
                Input::Wait(ms) => {
                    now_ms += ms;
                    session.on_tick(now_ms, &mut out);
                }
                Input::End => {
                    session.end(&mut out);
                    closed = true;
                    out.retain(|effect| matches!(effect, Effect::Finished { .. }));
                }
            }
            for effect in &out {
                if let Effect::Finished { ticket, .. } = effect {
                    *tickets.get_mut(ticket).unwrap() += 1;
                } else {
                    prop_assert!(!closed, "{effect:?} after the end");
                }
                closed |= matches!(effect, Effect::Close { .. });
            }
            prop_assert_eq!(closed, session.next_tick_at_ms().is_none());
        }
        let mut out = Vec::new();
        session.end(&mut out);
        for effect in out {
            let Effect::Finished { ticket, .. } = effect else { panic!("{effect:?} at the end") };
            *tickets.get_mut(&ticket).unwrap() += 1;
        }
        prop_assert!(tickets.values().all(|ends| *ends == 1), "{:?}", tickets);
    }
}
