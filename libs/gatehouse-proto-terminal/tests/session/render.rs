//! Effects as lines of a script.

use gatehouse_proto_terminal::AnswerBody;
use gatehouse_proto_terminal::session::{Effect, Outcome};

pub(crate) fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Send(frame) => format!("> {frame}"),
        Effect::Register(register) => format!("register {}", register.device_no),
        Effect::Record(record) => format!("record {}", record.message_id),
        Effect::KeepAlive { position: None } => "alive".to_owned(),
        Effect::KeepAlive {
            position: Some(position),
        } => {
            format!("alive at {} {}", position.longitude, position.latitude)
        }
        Effect::ParametersReported(parameters) => {
            format!("parameters {}", serde_json::json!(parameters.as_map()))
        }
        Effect::Progress { ticket, progress } => {
            let percent = progress
                .percent
                .map_or("?".to_owned(), |percent| percent.to_string());
            format!(
                "progress {ticket} {} {percent} {}",
                progress.code, progress.message
            )
        }
        Effect::PersonListed { ticket, person } => {
            format!("listed {ticket} {} {}", person.index, person.name)
        }
        Effect::Finished { ticket, outcome } => format!("finished {ticket} {}", ended(outcome)),
        Effect::SlotChanged => "slot".to_owned(),
        Effect::Unknown {
            message_type,
            bytes_len,
        } => format!("unknown {message_type} {bytes_len}"),
        Effect::TooEarly { message_type } => format!("too early {message_type}"),
        Effect::Malformed { error } => format!("malformed {error}"),
        Effect::TokenMismatch => "token mismatch".to_owned(),
        Effect::DeviceNoDiffers { device_no } => format!("differs {device_no}"),
        Effect::LateAnswer {
            kind,
            message_id,
            error_code,
        } => {
            format!("late {kind:?} {message_id} {error_code}")
        }
        Effect::Close { code, reason } => format!("close {code} {reason}"),
    }
}

fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded(AnswerBody::None) => "succeeded".to_owned(),
        Outcome::Succeeded(AnswerBody::Parameters(parameters)) => {
            format!("succeeded {} parameters", parameters.as_map().len())
        }
        Outcome::Succeeded(AnswerBody::Person(person)) => {
            format!("succeeded person {} {}", person.index, person.name)
        }
        Outcome::Succeeded(AnswerBody::PersonCount(count)) => format!("succeeded count {count}"),
        Outcome::Succeeded(AnswerBody::Photo(photo)) => {
            let length = photo.as_ref().map_or(0, |photo| photo.as_text().len());
            format!("succeeded photo {length}")
        }
        Outcome::Failed { code, message } => format!("failed {code} {message}"),
        Outcome::TimedOut => "timed out".to_owned(),
        Outcome::Unproven { differing } => format!("unproven {}", serde_json::json!(differing)),
        Outcome::Cancelled => "cancelled".to_owned(),
        Outcome::Lost => "lost".to_owned(),
    }
}
