//! How much of an unfinished message a connection has sent. Frame headers are not masked, so the
//! bytes that pass tell where each message begins and ends; a message that announces more than is
//! allowed is refused at its header, before anything of it is kept.
//!
//! Deliberately absent: understanding frames. That is actix-ws; this only counts.

/// A message longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

/// Counts the bytes of the message that is under way.
#[derive(Debug, Default)]
pub(super) struct FrameMeter {
    /// What arrived of the current frame's header.
    header: [u8; 10],
    header_len: u8,
    /// Bytes of the current frame so far, its header included.
    frame_len: u64,
    /// Bytes of masking key and payload that the current frame still lacks.
    lacking: u64,
    /// Bytes of the finished fragments of a message whose last one has not come.
    fragments_len: u64,
}

const FINAL: u8 = 0x80;
const CONTROL: u8 = 0x08;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7F;
const MASK_LEN: u64 = 4;

impl FrameMeter {
    /// Bytes of messages that have begun and not ended.
    pub(super) const fn unfinished(&self) -> u64 {
        self.fragments_len.saturating_add(self.frame_len)
    }

    /// Takes note of bytes that passed.
    pub(super) fn feed(&mut self, bytes: &[u8], longest: u64) -> Result<(), TooLong> {
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            if self.lacking == 0 {
                rest = after;
                self.header_byte(*first, longest)?;
            } else {
                let here = u64::try_from(rest.len())
                    .unwrap_or(u64::MAX)
                    .min(self.lacking);
                let skipped = usize::try_from(here).unwrap_or(usize::MAX);
                rest = rest.get(skipped..).unwrap_or_default();
                self.frame_len = self.frame_len.saturating_add(here);
                self.lacking -= here;
                if self.lacking == 0 {
                    self.frame_ended();
                }
            }
        }
        Ok(())
    }

    fn header_byte(&mut self, byte: u8, longest: u64) -> Result<(), TooLong> {
        if let Some(place) = self.header.get_mut(usize::from(self.header_len)) {
            *place = byte;
        }
        self.header_len = self.header_len.saturating_add(1);
        self.frame_len = self.frame_len.saturating_add(1);
        let Some(lacking) = self.announced() else {
            return Ok(());
        };
        self.header_len = 0;
        self.lacking = lacking;
        if self.unfinished().saturating_add(lacking) > longest {
            return Err(TooLong);
        }
        if lacking == 0 {
            self.frame_ended();
        }
        Ok(())
    }

    /// What follows the header, once that is whole.
    fn announced(&self) -> Option<u64> {
        let [_, second, long @ ..] = self.header;
        let len = self.header_len;
        let payload = match second & LENGTH {
            _ if len < 2 => return None,
            126 if len < 4 => return None,
            127 if len < 10 => return None,
            126 => u64::from(u16::from_be_bytes([long[0], long[1]])),
            127 => u64::from_be_bytes(long),
            short => u64::from(short),
        };
        let mask = if second & MASKED == 0 { 0 } else { MASK_LEN };
        Some(payload.saturating_add(mask))
    }

    fn frame_ended(&mut self) {
        let ended = std::mem::take(&mut self.frame_len);
        let [first, ..] = self.header;
        if first & CONTROL != 0 {
            // May stand between the fragments of a message; belongs to none.
        } else if first & FINAL != 0 {
            self.fragments_len = 0;
        } else {
            self.fragments_len = self.fragments_len.saturating_add(ended);
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]
mod tests {
    use super::*;

    const LONGEST: u64 = 100_000;

    fn frame(first: u8, payload_len: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload_len {
            0..=125 => bytes.push(MASKED | payload_len as u8),
            126..=65_535 => {
                bytes.push(MASKED | 126);
                bytes.extend_from_slice(&(payload_len as u16).to_be_bytes());
            }
            _ => {
                bytes.push(MASKED | 127);
                bytes.extend_from_slice(&(payload_len as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&[1, 2, 3, 4]);
        bytes.resize(bytes.len() + payload_len, 0xFF);
        bytes
    }

    const TEXT: u8 = FINAL | 1;
    const FIRST: u8 = 1;
    const MIDDLE: u8 = 0;
    const LAST: u8 = FINAL;
    const PING: u8 = FINAL | 9;

    #[test]
    fn whole_messages_leave_nothing_however_they_are_cut() {
        let mut stream = Vec::new();
        for (first, len) in [
            (TEXT, 0),
            (TEXT, 125),
            (FIRST, 126),
            (PING, 5),
            (MIDDLE, 0),
            (LAST, 70_000),
            (TEXT, 3),
        ] {
            stream.extend(frame(first, len));
        }
        for step in [1, 2, 3, 7, 1024, stream.len()] {
            let mut meter = FrameMeter::default();
            for piece in stream.chunks(step) {
                meter.feed(piece, LONGEST).unwrap();
            }
            assert_eq!(meter.unfinished(), 0, "step {step}");
        }
    }

    #[test]
    fn what_is_unfinished_is_counted() {
        let mut meter = FrameMeter::default();
        let message = frame(TEXT, 1_000);
        meter.feed(&message[..600], LONGEST).unwrap();
        assert_eq!(meter.unfinished(), 600);
        meter.feed(&message[600..], LONGEST).unwrap();
        assert_eq!(meter.unfinished(), 0);

        meter.feed(&frame(FIRST, 50), LONGEST).unwrap();
        meter.feed(&frame(PING, 10), LONGEST).unwrap();
        assert_eq!(meter.unfinished(), 56);
    }

    #[test]
    fn too_much_is_refused_at_its_header() {
        let mut meter = FrameMeter::default();
        assert_eq!(
            meter.feed(&frame(TEXT, 200_000)[..10], LONGEST),
            Err(TooLong)
        );

        let mut meter = FrameMeter::default();
        let huge = [
            FINAL | 2,
            MASKED | 127,
            0xFF,
            0xFF,
            0xFF,
            0xFF,
            0xFF,
            0xFF,
            0xFF,
            0xFF,
        ];
        assert_eq!(meter.feed(&huge, LONGEST), Err(TooLong));
    }

    #[test]
    fn endless_fragments_come_to_an_end() {
        let mut meter = FrameMeter::default();
        meter.feed(&frame(FIRST, 10), LONGEST).unwrap();
        let fragment = frame(MIDDLE, 0);
        let refused = (0..LONGEST).position(|_| meter.feed(&fragment, LONGEST).is_err());
        assert!(refused.is_some());
    }
}
