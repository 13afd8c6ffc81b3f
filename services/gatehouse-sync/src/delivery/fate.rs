//! What an answer of the hub leads to: done, to be tried again, or left until somebody acts. Pure.
//!
//! Deliberately absent: rows (`settle_store`).

use gatehouse_contracts::DeliveryOutcome;
use gatehouse_domain::vocabulary;

vocabulary! {
    /// What becomes of an assignment after an answer, in the spelling that the SQL takes.
    pub(super) enum Fate: "fate" {
        /// The terminal confirmed it.
        Done = "done",
        /// Trying again will not mend it: it waits for a change or for somebody's hand.
        Waits = "waits",
        /// It is tried again after a while.
        Again = "again",
        /// It is tried again at once.
        AtOnce = "at_once",
    }
}

/// An outcome, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) fate: Fate,
    /// The code that a program reads; empty where it is done.
    pub(super) code: String,
    /// The sentence that a person reads.
    pub(super) message: String,
}

/// Longest message that is kept.
const MESSAGE_MAX_CHARS: usize = 300;

/// The code for a terminal that did not answer.
const NO_ANSWER: &str = "no_answer";
/// The code for a session that ended before it was sent.
const SESSION_ENDED: &str = "session_ended";

/// Judges an outcome. Taking somebody away never waits for a hand: it is tried until it is proved.
pub(super) fn judge(outcome: &DeliveryOutcome, is_removal: bool) -> Judged {
    match outcome {
        DeliveryOutcome::Applied => Judged {
            fate: Fate::Done,
            code: String::new(),
            message: String::new(),
        },
        DeliveryOutcome::Refused { code, message } => refused(code, message, is_removal),
        DeliveryOutcome::Unanswered => judged(
            Fate::Again,
            NO_ANSWER,
            "The terminal did not answer in time: it may or may not have taken it.",
        ),
        DeliveryOutcome::NotSent { code, message } => {
            let fate = match code.as_str() {
                SESSION_ENDED => Fate::AtOnce,
                "no_photo" | "unsendable" if !is_removal => Fate::Waits,
                _ => Fate::Again,
            };
            judged(fate, code, message)
        }
    }
}

fn refused(code: &str, message: &str, is_removal: bool) -> Judged {
    match known(code) {
        Some((fate, sentence)) => {
            let fate = if is_removal { Fate::Again } else { fate };
            judged(fate, code, sentence)
        }
        None if message.trim().is_empty() => judged(
            Fate::Again,
            code,
            &format!("The terminal refused it with the code {code}."),
        ),
        None => judged(Fate::Again, code, message),
    }
}

fn judged(fate: Fate, code: &str, message: &str) -> Judged {
    let clipped = |text: &str, chars| text.chars().filter(|c| *c != '\0').take(chars).collect();
    Judged {
        fate,
        code: clipped(code, 64),
        message: clipped(message, MESSAGE_MAX_CHARS),
    }
}

/// The codes of document 004, section 3, that come in answer to a person.
fn known(code: &str) -> Option<(Fate, &'static str)> {
    Some(match code {
        "300" => (
            Fate::Waits,
            "The terminal does not take the person's data. Check name, card number and validity; it is sent again when the person changes, or by hand.",
        ),
        "301" => (
            Fate::Waits,
            "The terminal found no face in the photo that it could learn. Use another photo; it is sent again when the photo changes, or by hand.",
        ),
        "302" => (
            Fate::Waits,
            "The terminal is full. It is sent again when a place becomes free there, or by hand.",
        ),
        "303" => (
            Fate::Waits,
            "The terminal could not read the photo. Use another photo; it is sent again when the photo changes, or by hand.",
        ),
        "304" => (
            Fate::Again,
            "Learning the face took the terminal too long. It is tried again.",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_with(code: &str, message: &str) -> DeliveryOutcome {
        DeliveryOutcome::Refused {
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    fn not_sent(code: &str) -> DeliveryOutcome {
        DeliveryOutcome::NotSent {
            code: code.to_owned(),
            message: "Why.".to_owned(),
        }
    }

    #[test]
    fn what_a_retry_does_not_mend_waits_for_a_hand() {
        for (code, fate) in [
            ("300", Fate::Waits),
            ("301", Fate::Waits),
            ("302", Fate::Waits),
            ("303", Fate::Waits),
            ("304", Fate::Again),
            ("200", Fate::Again),
            ("1000", Fate::Again),
            ("", Fate::Again),
        ] {
            let judged = judge(&refused_with(code, ""), false);
            assert_eq!(judged.fate, fate, "{code}");
            assert_eq!(judged.code, code);
            assert!(judged.message.ends_with('.'), "{code}: {}", judged.message);
        }
    }

    #[test]
    fn taking_away_is_tried_until_it_is_proved() {
        for outcome in [
            refused_with("300", ""),
            refused_with("302", "x"),
            not_sent("no_photo"),
            DeliveryOutcome::Unanswered,
        ] {
            assert_eq!(judge(&outcome, true).fate, Fate::Again, "{outcome:?}");
        }
    }

    #[test]
    fn what_was_not_sent_is_told_by_its_word() {
        assert_eq!(judge(&not_sent("session_ended"), false).fate, Fate::AtOnce);
        assert_eq!(judge(&not_sent("session_ended"), true).fate, Fate::AtOnce);
        assert_eq!(judge(&not_sent("no_photo"), false).fate, Fate::Waits);
        assert_eq!(
            judge(&not_sent("photo_unavailable"), false).fate,
            Fate::Again
        );
        let judged = judge(&DeliveryOutcome::Applied, false);
        assert_eq!((judged.fate, judged.code.as_str()), (Fate::Done, ""));
    }

    #[test]
    fn words_of_an_unknown_code_are_kept_and_cut() {
        let judged = judge(&refused_with("777", &"忙".repeat(1000)), false);
        assert_eq!(judged.message.chars().count(), MESSAGE_MAX_CHARS);
        assert_eq!(judged.code, "777");
    }
}
