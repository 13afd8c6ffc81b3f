//! How far the listing of a terminal's persons is (2.2.2).

/// Indexes beyond this are acknowledged and passed on, but not counted: no terminal holds so many.
const MOST_PERSONS: u32 = 1_000_000;

/// Which persons have come, as one bit each, and how many are to come.
#[derive(Debug, Default)]
pub(super) struct Listing {
    seen: Vec<u64>,
    count: u32,
    expected: Option<u32>,
    pub(super) is_stopping: bool,
}

impl Listing {
    /// Whether a person has come already.
    pub(super) const fn has_begun(&self) -> bool {
        self.count > 0
    }

    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Notes a person; `true` where it had not come before.
    pub(super) fn note(&mut self, index: u32, person_num: Option<u32>) -> bool {
        self.expected = person_num.or(self.expected);
        if index >= MOST_PERSONS {
            return true;
        }
        let word = usize::try_from(index / 64).unwrap_or(usize::MAX);
        let bit = 1_u64 << (index % 64);
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        let Some(word) = self.seen.get_mut(word) else {
            return true;
        };
        let is_new = *word & bit == 0;
        *word |= bit;
        self.count += u32::from(is_new);
        is_new
    }

    /// Whether as many have come as the terminal said it holds.
    pub(super) fn is_complete(&self) -> bool {
        self.expected.is_some_and(|expected| self.count >= expected)
    }
}
