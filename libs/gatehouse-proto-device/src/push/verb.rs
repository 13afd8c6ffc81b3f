//! The verbs, which are the last but one segment of an address.

use std::str::FromStr;

/// What a device calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `syrecord` (9.1): who is to be held.
    Record,
    /// `syface` (9.2): somebody was recognised.
    Face,
    /// `syattribute` (9.3): somebody was measured, and not recognised.
    Attribute,
    /// `syresult` (9.4): what came of `syrecord`.
    Result,
    /// `syheartbeat` (9.5): the device is there.
    Heartbeat,
}

impl Verb {
    /// As it stands in the address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "syrecord",
            Self::Face => "syface",
            Self::Attribute => "syattribute",
            Self::Result => "syresult",
            Self::Heartbeat => "syheartbeat",
        }
    }

    /// The verb and the device of an address, whatever stands before them: `a/b/syface/0001` is
    /// [`Verb::Face`] of `0001`. A slash at the end is tolerated, and any case of the verb.
    #[must_use]
    pub fn of_path(path: &str) -> Option<(Self, &str)> {
        let (before, device) = path.trim_end_matches('/').rsplit_once('/')?;
        let verb = before.rsplit('/').next()?.parse().ok()?;
        let device = device.trim();
        (!device.is_empty()).then_some((verb, device))
    }
}

/// The word is no verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a verb of a push device")]
pub struct NoVerb;

impl FromStr for Verb {
    type Err = NoVerb;

    fn from_str(text: &str) -> Result<Self, NoVerb> {
        [
            Self::Record,
            Self::Face,
            Self::Attribute,
            Self::Result,
            Self::Heartbeat,
        ]
        .into_iter()
        .find(|verb| verb.as_str().eq_ignore_ascii_case(text))
        .ok_or(NoVerb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_segments_count() {
        for (path, expected) in [
            ("syface/0001", Some((Verb::Face, "0001"))),
            ("api/v1/SyHeartBeat/SN 1 /", Some((Verb::Heartbeat, "SN 1"))),
            ("syface/syresult/7", Some((Verb::Result, "7"))),
            ("syface", None),
            ("syface/", None),
            ("/syrecord/", None),
            ("syrecord/1/more", None),
            ("sydelete/1", None),
            ("", None),
        ] {
            assert_eq!(Verb::of_path(path), expected, "{path}");
        }
    }
}
