//! The code of a visit as a picture that terminals and telephones read.

use image::{GrayImage, ImageFormat, Luma};
use qrcode::{Color, EcLevel, QrCode};
use std::io::Cursor;

/// Smallest and largest side, pixels. Below, cameras do not tell the squares apart.
pub(super) const SIDE_PX: std::ops::RangeInclusive<u32> = 120..=1000;
/// The side where none is named.
pub(super) const USUAL_SIDE_PX: u32 = 300;
/// White around the code, in squares: readers look for it (ISO/IEC 18004, 5.3.8).
const QUIET_SQUARES: u32 = 4;
const BLACK: Luma<u8> = Luma([0]);
const WHITE: Luma<u8> = Luma([255]);

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPicture {
    #[error("the token does not fit into a code: {0}")]
    Token(#[from] qrcode::types::QrError),
    #[error("the picture cannot be encoded: {0}")]
    Png(#[from] image::ImageError),
}

/// A square PNG of the token as a QR code, with `side` pixels. Squares have whole pixels, so what is
/// left over is white margin.
pub(super) fn png(token: &str, side: u32) -> Result<Vec<u8>, NoPicture> {
    let code = QrCode::with_error_correction_level(token, EcLevel::M)?;
    let squares = u32::try_from(code.width()).unwrap_or(u32::MAX);
    let with_margin = squares.saturating_add(QUIET_SQUARES.saturating_mul(2));
    let scale = side.checked_div(with_margin).unwrap_or(1).max(1);
    let offset = side.saturating_sub(squares.saturating_mul(scale)) / 2;
    let colors = code.to_colors();
    let square_at = |px: u32| {
        let square = px.checked_sub(offset)?.checked_div(scale)?;
        (square < squares).then_some(square)
    };
    let picture = GrayImage::from_fn(side, side, |x, y| {
        let color = square_at(x).zip(square_at(y)).and_then(|(column, row)| {
            let index = row.checked_mul(squares)?.checked_add(column)?;
            colors.get(usize::try_from(index).ok()?)
        });
        match color {
            Some(Color::Dark) => BLACK,
            Some(Color::Light) | None => WHITE,
        }
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_the_wanted_size_and_a_white_margin() {
        for side in [*SIDE_PX.start(), USUAL_SIDE_PX, *SIDE_PX.end()] {
            let bytes = png(&"A".repeat(54), side).unwrap();
            let picture = image::load_from_memory(&bytes).unwrap().to_luma8();
            assert_eq!(picture.dimensions(), (side, side));
            let edge = (0..side).flat_map(|n| [(n, 0), (0, n), (n, side - 1), (side - 1, n)]);
            for (x, y) in edge {
                assert_eq!(*picture.get_pixel(x, y), WHITE);
            }
            let dark = picture.pixels().filter(|p| **p == BLACK).count();
            assert!(
                dark > usize::try_from(side * side / 6).unwrap(),
                "{dark} of {side}"
            );
        }
    }
}
