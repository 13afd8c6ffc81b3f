//! Whether a code that somebody shows admits them now, and why not. Pure: what is known comes as
//! arguments.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use gatehouse_domain::vocabulary;

vocabulary! {
    /// Why a visitor's code admits or does not.
    pub(crate) enum Reason: "reason" {
        /// The visit is under way.
        Admitted = "admitted",
        /// The code is none of this tenant's, or its visit is not there any more.
        Unknown = "unknown",
        /// The visit was cancelled.
        Cancelled = "cancelled",
        /// The visit has ended.
        Ended = "ended",
        /// The code was made for an earlier end of the visit.
        Expired = "expired",
        /// The visit is still to begin.
        NotYet = "not_yet",
        /// The person is switched off, or may never pass.
        Disabled = "disabled",
        /// The person is of type blocklist, or in a blocklist group.
        Blocklisted = "blocklisted",
    }
}

/// What is known of a visit and its person.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) starts_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
    pub(super) cancelled: bool,
    /// Switched off, or with priority `never`.
    pub(super) disabled: bool,
    pub(super) blocklisted: bool,
    /// When the code that was shown ends.
    pub(super) code_expires_at: DateTime<Utc>,
}

/// Decides; the sentence is for whoever stands at the door.
pub(super) fn decide(known: Option<Known>, now: DateTime<Utc>, zone: Tz) -> (Reason, String) {
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M");
    let Some(known) = known else {
        let sentence = "This is not a code of a visit here.";
        return (Reason::Unknown, sentence.to_owned());
    };
    let Known {
        starts_at,
        ends_at,
        cancelled,
        disabled,
        blocklisted,
        code_expires_at,
    } = known;
    if blocklisted {
        let sentence = "The visitor is on a blocklist and must not enter.";
        (Reason::Blocklisted, sentence.to_owned())
    } else if disabled {
        let sentence = "The visitor is switched off and is let in nowhere.";
        (Reason::Disabled, sentence.to_owned())
    } else if cancelled {
        (Reason::Cancelled, "The visit was cancelled.".to_owned())
    } else if ends_at <= now {
        (
            Reason::Ended,
            format!("The visit ended on {}.", local(ends_at)),
        )
    } else if code_expires_at <= now {
        let sentence = format!(
            "The code was valid until {}, and the visit was prolonged since: show the new code.",
            local(code_expires_at)
        );
        (Reason::Expired, sentence)
    } else if now < starts_at {
        let sentence = format!("The visit begins on {}, not yet.", local(starts_at));
        (Reason::NotYet, sentence)
    } else {
        let sentence = format!("The visitor is expected until {}.", local(ends_at));
        (Reason::Admitted, sentence)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2026-12-01T{hour:02}:00:00Z").parse().unwrap()
    }

    fn known() -> Known {
        Known {
            starts_at: at(8),
            ends_at: at(12),
            cancelled: false,
            disabled: false,
            blocklisted: false,
            code_expires_at: at(12),
        }
    }

    fn reason(known: Known, hour: u32) -> Reason {
        decide(Some(known), at(hour), Tz::UTC).0
    }

    #[test]
    fn a_visit_admits_from_its_beginning_until_its_end() {
        assert_eq!(reason(known(), 7), Reason::NotYet);
        assert_eq!(reason(known(), 8), Reason::Admitted);
        assert_eq!(reason(known(), 11), Reason::Admitted);
        assert_eq!(reason(known(), 12), Reason::Ended);
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        assert_eq!(decide(None, at(9), Tz::UTC).0, Reason::Unknown);
        assert_eq!(
            reason(
                Known {
                    cancelled: true,
                    ..known()
                },
                9
            ),
            Reason::Cancelled
        );
        assert_eq!(
            reason(
                Known {
                    disabled: true,
                    ..known()
                },
                9
            ),
            Reason::Disabled
        );
        let both = Known {
            disabled: true,
            blocklisted: true,
            ..known()
        };
        assert_eq!(reason(both, 9), Reason::Blocklisted);
        let prolonged = Known {
            ends_at: at(18),
            ..known()
        };
        assert_eq!(reason(prolonged, 11), Reason::Admitted);
        assert_eq!(reason(prolonged, 12), Reason::Expired);
    }

    #[test]
    fn the_sentence_tells_local_time() {
        let (_, sentence) = decide(Some(known()), at(7), Tz::Asia__Shanghai);
        assert_eq!(sentence, "The visit begins on 2026-12-01 16:00, not yet.");
    }
}
