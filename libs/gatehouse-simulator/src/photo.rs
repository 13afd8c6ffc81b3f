//! JPEG pictures of any size, without an image library.

use crate::random::SplitMix64;

/// A real baseline JPEG of 96 x 128 pixels that shows a drawn face.
const FACE: &[u8] = include_bytes!("../assets/face.jpg");

/// Marker and length of a comment segment.
const COMMENT_HEADER: usize = 4;
/// A segment's length field counts itself and holds 16 bits.
const COMMENT_LARGEST: usize = 65_537;
/// Room for a comment that makes the bytes differ by seed even when no padding is wanted.
const SMALLEST_PADDING: usize = COMMENT_HEADER + 8;

/// A baseline JPEG of `kb` x 1024 bytes that any decoder opens: a drawn face, padded with comment
/// (COM) segments whose content follows from `seed`, so that different seeds give different bytes.
/// Below about 1.5 KB it is as small as it can be.
pub fn jpeg(kb: usize, seed: u64) -> Vec<u8> {
    let wanted = kb.saturating_mul(1024);
    let mut padding = wanted.saturating_sub(FACE.len()).max(SMALLEST_PADDING);
    let mut random = SplitMix64::new(seed);
    let mut bytes = Vec::with_capacity(FACE.len() + padding);
    let (start_of_image, rest) = FACE.split_at(2);
    bytes.extend_from_slice(start_of_image);
    while padding > 0 {
        let mut segment = padding.min(COMMENT_LARGEST);
        // What remains must hold a segment of its own.
        if (1..SMALLEST_PADDING).contains(&(padding - segment)) {
            segment -= SMALLEST_PADDING;
        }
        push_comment(&mut bytes, segment - COMMENT_HEADER, &mut random);
        padding -= segment;
    }
    bytes.extend_from_slice(rest);
    bytes
}

fn push_comment(bytes: &mut Vec<u8>, payload: usize, random: &mut SplitMix64) {
    bytes.extend_from_slice(&[0xff, 0xfe]);
    let length = u16::try_from(payload + 2).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    let end = bytes.len() + payload;
    while bytes.len() < end {
        bytes.extend_from_slice(&random.next_u64().to_le_bytes());
    }
    bytes.truncate(end);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    /// Walks the segments as a decoder does, up to the start of the scan.
    fn segments(bytes: &[u8]) -> Vec<u8> {
        assert_eq!(&bytes[..2], [0xff, 0xd8], "starts with SOI");
        assert_eq!(&bytes[bytes.len() - 2..], [0xff, 0xd9], "ends with EOI");
        let mut markers = Vec::new();
        let mut at = 2;
        loop {
            assert_eq!(bytes[at], 0xff, "a marker at {at}");
            let marker = bytes[at + 1];
            markers.push(marker);
            if marker == 0xda {
                return markers;
            }
            at += 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        }
    }

    #[test]
    fn every_size_is_exact_and_well_formed() {
        for kb in [0, 1, 2, 8, 30, 64, 65, 66, 100, 128, 400] {
            let picture = jpeg(kb, 3);
            if kb >= 2 {
                assert_eq!(picture.len(), kb * 1024);
            }
            let markers = segments(&picture);
            assert!(markers.contains(&0xc0), "baseline frame: {markers:x?}");
            assert!(markers.contains(&0xfe), "comment: {markers:x?}");
        }
    }

    #[test]
    fn the_edge_between_two_segments_is_exact() {
        for extra in 0..40 {
            let mut random = SplitMix64::new(1);
            let mut bytes = Vec::new();
            push_comment(&mut bytes, extra, &mut random);
            assert_eq!(bytes.len(), extra + COMMENT_HEADER);
        }
    }

    #[test]
    fn seeds_make_different_pictures_of_one_size() {
        assert_eq!(jpeg(20, 5), jpeg(20, 5));
        assert_ne!(jpeg(20, 5), jpeg(20, 6));
        assert_ne!(jpeg(0, 5), jpeg(0, 6));
    }
}
