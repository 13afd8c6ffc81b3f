//! What a terminal uploaded last, so that a repeat costs no database: terminals upload again until
//! they are answered, and answers get lost. Beyond these few, the unique constraint of the table
//! recognises repeats.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// How many acknowledged uploads are remembered.
const REMEMBERED: usize = 16;

/// Drawn at random per process, so that a terminal cannot make two uploads look alike on purpose.
static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What names an upload of one terminal: its message id and its own time. Message ids begin again
/// after a reset, so neither is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UploadMark(u64);

impl UploadMark {
    /// The mark of an upload.
    pub(crate) fn of(message_id: &str, device_time: &str) -> Self {
        Self(HASHES.hash_one((message_id, device_time)))
    }
}

/// Whether an upload was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// No.
    New,
    /// It is being stored at this moment; its answer will come.
    UnderWay,
    /// It was stored and acknowledged.
    Acknowledged,
}

/// The last uploads of a terminal. Empty, it holds no memory.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    under_way: Vec<UploadMark>,
    acknowledged: VecDeque<UploadMark>,
}

impl Recent {
    /// An upload arrived. If it is new it is under way from now on.
    pub(crate) fn begin(&mut self, mark: UploadMark) -> Seen {
        if self.acknowledged.contains(&mark) {
            Seen::Acknowledged
        } else if self.under_way.contains(&mark) {
            Seen::UnderWay
        } else {
            self.under_way.push(mark);
            Seen::New
        }
    }

    /// It is no longer under way; it was stored or it was not.
    pub(crate) fn end(&mut self, mark: UploadMark, stored: bool) {
        self.under_way.retain(|other| *other != mark);
        if stored {
            if self.acknowledged.len() >= REMEMBERED {
                self.acknowledged.pop_front();
            }
            self.acknowledged.push_back(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_recognised_until_it_is_long_ago() {
        let mut recent = Recent::default();
        let first = UploadMark::of("1001", "2019-11-08 13:05:51.421");
        assert_eq!(recent.begin(first), Seen::New);
        assert_eq!(recent.begin(first), Seen::UnderWay);
        recent.end(first, true);
        assert_eq!(recent.begin(first), Seen::Acknowledged);
        // The same message id after a reset of the terminal is another upload.
        assert_eq!(
            recent.begin(UploadMark::of("1001", "2020-01-01 00:00:00")),
            Seen::New
        );
        for n in 0..REMEMBERED {
            let mark = UploadMark::of(&n.to_string(), "");
            recent.begin(mark);
            recent.end(mark, true);
        }
        assert_eq!(recent.begin(first), Seen::New);
    }

    #[test]
    fn what_was_not_stored_may_come_again() {
        let mut recent = Recent::default();
        let mark = UploadMark::of("7", "x");
        assert_eq!(recent.begin(mark), Seen::New);
        recent.end(mark, false);
        assert_eq!(recent.begin(mark), Seen::New);
    }
}
