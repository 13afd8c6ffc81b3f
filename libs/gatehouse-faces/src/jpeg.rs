//! Encoding: every picture that leaves is a JPEG made here from pixels alone, so that no metadata,
//! colour profile, thumbnail or appended file of the sender's goes on to anybody.

use crate::pixels::Rgb;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

/// A JPEG made here: upright, sRGB as it came, without metadata.
#[derive(Clone, PartialEq, Eq)]
pub struct Jpeg {
    /// The file.
    pub bytes: Vec<u8>,
    /// Pixels of width.
    pub width: u32,
    /// Pixels of height.
    pub height: u32,
}

impl std::fmt::Debug for Jpeg {
    /// Without the picture: it shows a person, and logs are not where persons belong.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Jpeg({} x {}, {} bytes)",
            self.width,
            self.height,
            self.bytes.len()
        )
    }
}

/// What a kind of device takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Terminals of document 004: at most 500 pixels on the longest side, and at most 400 000
    /// characters in Base64.
    Terminal,
    /// Push devices (document 002, chapter 9): sides of 300 to 500 pixels. A picture more than 5/3 as
    /// long as it is wide has a shorter side below 300.
    Push,
}

/// A variant that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The photo could not be encoded ({0}). This is a fault of the server, not of the photo.")]
pub struct NoVariant(pub(crate) String);

/// 400 000 characters of Base64: three bytes are four characters.
const TERMINAL_MAX_BYTES: usize = 300_000;
/// The longest side of a variant.
pub(crate) const VARIANT_MAX_PX: u32 = 500;
/// The shortest side that push devices take.
const PUSH_MIN_PX: u32 = 300;
/// The quality that is tried first; hardly to be told from the original.
const BEST_QUALITY: u8 = 92;
const QUALITIES: [u8; 5] = [BEST_QUALITY, 85, 75, 65, 50];

/// The picture as it is.
pub(crate) fn whole(picture: &Rgb) -> Result<Jpeg, NoVariant> {
    encode(picture, BEST_QUALITY)
}

/// The picture as a kind of device takes it.
pub(crate) fn variant(picture: &Rgb, variant: Variant) -> Result<Jpeg, NoVariant> {
    match variant {
        Variant::Terminal => {
            let fitted = picture.fitted(VARIANT_MAX_PX);
            within(fitted.as_ref().unwrap_or(picture), TERMINAL_MAX_BYTES)
        }
        Variant::Push => {
            let (width, height) = push_size(picture.width(), picture.height());
            encode(&picture.resized(width, height), BEST_QUALITY)
        }
    }
}

/// Quality gives way first, then size.
fn within(picture: &Rgb, max_bytes: usize) -> Result<Jpeg, NoVariant> {
    for quality in QUALITIES {
        let jpeg = encode(picture, quality)?;
        if jpeg.bytes.len() <= max_bytes {
            return Ok(jpeg);
        }
    }
    let longest = picture.width().max(picture.height());
    match picture.fitted(longest / 4 * 3) {
        Some(smaller) if longest > 100 => within(&smaller, max_bytes),
        Some(_) | None => Err(NoVariant(format!(
            "no encoding of it fits into {max_bytes} bytes"
        ))),
    }
}

/// At most 500 on the longest side; enlarged so that the shorter one has 300, as far as that allows.
fn push_size(width: u32, height: u32) -> (u32, u32) {
    let (longest, shortest) = (width.max(height).max(1), width.min(height).max(1));
    // A fraction, multiplied before it is divided: no rounding is to cost the pixel that counts.
    let (to, from) = if longest > VARIANT_MAX_PX {
        (VARIANT_MAX_PX, longest)
    } else if shortest >= PUSH_MIN_PX {
        (1, 1)
    } else if u64::from(PUSH_MIN_PX) * u64::from(longest)
        <= u64::from(VARIANT_MAX_PX) * u64::from(shortest)
    {
        (PUSH_MIN_PX, shortest)
    } else {
        (VARIANT_MAX_PX, longest)
    };
    let scaled = |side: u32| {
        let rounded = (u64::from(side) * u64::from(to) + u64::from(from) / 2) / u64::from(from);
        u32::try_from(rounded)
            .unwrap_or(VARIANT_MAX_PX)
            .clamp(1, VARIANT_MAX_PX)
    };
    (scaled(width), scaled(height))
}

fn encode(picture: &Rgb, quality: u8) -> Result<Jpeg, NoVariant> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(
            picture.bytes(),
            picture.width(),
            picture.height(),
            ExtendedColorType::Rgb8,
        )
        .map_err(|error| NoVariant(error.to_string()))?;
    Ok(Jpeg {
        bytes,
        width: picture.width(),
        height: picture.height(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn push_devices_get_sides_of_300_to_500_pixels() {
        for (from, to) in [
            ((400, 400), (400, 400)),
            ((300, 500), (300, 500)),
            ((4000, 3000), (500, 375)),
            ((3000, 5000), (300, 500)),
            ((150, 100), (450, 300)),
            ((100, 100), (300, 300)),
            ((299, 498), (300, 500)),
            ((640, 120), (500, 94)),
            ((50, 400), (63, 500)),
            ((1, 1), (300, 300)),
            ((1, 8192), (1, 500)),
        ] {
            assert_eq!(push_size(from.0, from.1), to, "{from:?}");
        }
    }
}
