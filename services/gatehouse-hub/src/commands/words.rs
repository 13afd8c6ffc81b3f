//! Why a command did not succeed, in a code for programs and a sentence for people. A terminal's
//! own codes (document 004, section 3) stand as they are, with their meaning in words.

use gatehouse_domain::vocabulary;
use gatehouse_proto_terminal::ErrorCode;

vocabulary! {
    /// Our own codes, beside those of the terminal.
    pub(crate) enum Reason: "reason" {
        /// Sent, and not answered in time.
        NoAnswer = "no_answer",
        /// Sent, and the connection ended.
        ConnectionLost = "connection_lost",
        /// The terminal is not there, and the command does not wait.
        NotOnline = "not_online",
        /// The terminal is there and did not take it at once, and the command does not wait.
        NotTaken = "not_taken",
        /// It waited for the terminal longer than it was worth.
        Expired = "expired",
        /// The terminal confirmed, and then reported something else.
        Unproven = "unproven",
        /// What is stored of it cannot be sent.
        Unsendable = "unsendable",
        /// The terminal answered without a picture.
        NoPicture = "no_picture",
        /// What it sent as a picture is none.
        PictureUnreadable = "picture_unreadable",
        /// The picture arrived and could not be kept.
        PictureNotKept = "picture_not_kept",
        /// It was stopped on the way.
        Cancelled = "cancelled",
    }
}

impl Reason {
    /// The sentence that goes with the code, where there is nothing particular to say.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::NoAnswer => {
                "Sent; the terminal did not answer in time: it may or may not have done it."
            }
            Self::ConnectionLost => {
                "Sent; the connection ended before the terminal answered: it may or may not have done it."
            }
            Self::NotOnline => {
                "The terminal was not there to take it, and this command does not wait; try again when it is online."
            }
            Self::NotTaken => {
                "The terminal did not take it at once, because it is busy or has just gone, and this command does not wait; it was never sent. Try again."
            }
            Self::Expired => {
                "The terminal did not come within the command's time to live; it was never sent."
            }
            Self::Unproven => {
                "The terminal confirmed it, but what it then reported is not what was asked."
            }
            Self::Unsendable => {
                "What is stored of the command cannot be sent; give the command again."
            }
            Self::NoPicture => "The terminal answered without a picture: it saw no face.",
            Self::PictureUnreadable => "What the terminal sent as a picture is none.",
            Self::PictureNotKept => {
                "The terminal took the picture, but it could not be kept: the object store is away. Try again."
            }
            Self::Cancelled => "It was stopped before the terminal had finished.",
        }
    }
}

/// Longest piece of a terminal's own words that is repeated.
const WORDS_MAX_CHARS: usize = 200;

/// What a terminal's code means, and what the terminal itself says about it.
pub(crate) fn of_terminal(code: &ErrorCode, message: &str) -> String {
    let words: String = message
        .chars()
        .filter(|c| !c.is_control())
        .take(WORDS_MAX_CHARS)
        .collect();
    let words = words.trim();
    if words.is_empty() {
        code.meaning().to_owned()
    } else {
        format!("{} The terminal says: \"{words}\".", code.meaning())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_told_in_words_with_those_of_the_terminal() {
        let told = of_terminal(&ErrorCode::HashMismatch, " 哈希值校验失败\u{0} ");
        assert_eq!(
            told,
            "The firmware's hash is wrong. The terminal says: \"哈希值校验失败\"."
        );
        assert_eq!(
            of_terminal(&ErrorCode::NoFaceSeen, " \n"),
            ErrorCode::NoFaceSeen.meaning()
        );
    }

    #[test]
    fn long_words_are_cut() {
        let told = of_terminal(&ErrorCode::Failure, &"x".repeat(5_000));
        assert!(told.len() < 300, "{}", told.len());
    }

    #[test]
    fn every_reason_has_a_sentence() {
        for reason in Reason::ALL {
            let sentence = reason.sentence();
            assert!(
                sentence.ends_with('.') && sentence.len() > 20,
                "{reason}: {sentence}"
            );
        }
    }
}
