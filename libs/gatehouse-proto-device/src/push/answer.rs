//! The short answers: `ret` is the text `0` or `1`, `desc` says it in words.

use gatehouse_wire::ObjectWriter;

/// Whether a call was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// `"ret":"0","desc":"Success"`.
    Success,
    /// `"ret":"1"`, and why.
    Failure(&'a str),
}

impl Verdict<'_> {
    fn begin(self) -> ObjectWriter {
        let (ret, desc) = match self {
            Self::Success => ("0", "Success"),
            Self::Failure(why) => ("1", why),
        };
        let mut answer = ObjectWriter::new();
        answer.text("ret", ret).text("desc", desc);
        answer
    }
}

/// `{"ret","desc"}` (9.3, 9.4).
#[must_use]
pub fn encode_plain(verdict: Verdict<'_>) -> String {
    verdict.begin().finish()
}

/// The same with `timestamp`, which real servers add to the answer to a heartbeat (9.5).
#[must_use]
pub fn encode_with_time(verdict: Verdict<'_>, now_s: i64) -> String {
    let mut answer = verdict.begin();
    answer.number("timestamp", now_s);
    answer.finish()
}

/// The answer to a pass (9.2): whether the door opens, and after how many milliseconds it is
/// unlocked (20 to 5000).
#[must_use]
pub fn encode_door(verdict: Verdict<'_>, open: bool, unlock_delay_ms: u16) -> String {
    let mut answer = verdict.begin();
    answer
        .number("openDoor", i64::from(open))
        .number("unlockDelay", i64::from(unlock_delay_ms));
    answer.finish()
}
