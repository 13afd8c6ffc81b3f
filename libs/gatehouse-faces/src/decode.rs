//! Bytes to pixels: the format is told from the first bytes, the limits are held before a pixel is
//! decoded, damage is an error, and what EXIF says about the orientation is applied.
//!
//! JPEGs are decoded by zune-jpeg in its strict mode: `image` fills the rest of a truncated one with
//! grey and says nothing. Damage that happens to be a stream of codes again only smears the picture;
//! no decoder can tell, and whether a face is to be seen is then the question.

use crate::pixels::Rgb;
use crate::{Limits, Unreadable};
use image::codecs::{bmp::BmpDecoder, png::PngDecoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

/// The longest side that is kept. Nothing that a photo is used for needs more, and whatever is done
/// with it afterwards is bounded by this.
pub(crate) const KEPT_MAX_PX: u32 = 2048;

/// The passes of a progressive JPEG; encoders make about ten. Each one is work over the whole
/// picture, and may be a handful of bytes.
const MAX_SCANS: usize = 64;

/// A picture that was read.
pub(crate) struct Decoded {
    /// Upright, and at most [`KEPT_MAX_PX`] on the longest side.
    pub(crate) picture: Rgb,
    /// Pixels of width as it was sent, but upright.
    pub(crate) width: u32,
    /// Pixels of height as it was sent, but upright.
    pub(crate) height: u32,
}

/// Reads a picture.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, Unreadable> {
    if bytes.len() > limits.max_bytes {
        return Err(Unreadable::TooLarge {
            bytes: bytes.len(),
            max_bytes: limits.max_bytes,
        });
    }
    let read = match sniff(bytes)? {
        Format::Jpeg => jpeg,
        Format::Png => png,
        Format::Bmp => bmp,
    };
    // The decoders are others' code on bytes of strangers: a slip of theirs is a damaged picture
    // here, and not the end of whatever asked.
    let (picture, orientation) = catch_unwind(AssertUnwindSafe(|| read(bytes, limits)))
        .unwrap_or_else(|_| Err(Unreadable::Damaged("the decoder failed on it".to_owned())))?;
    let (mut width, mut height) = (picture.width(), picture.height());
    // Shrunk first: turning needs a second copy.
    let kept = picture.fitted(KEPT_MAX_PX).unwrap_or(picture);
    let sides = (kept.width(), kept.height());
    let upright = kept.upright(orientation);
    if turns(orientation) {
        (width, height) = (height, width);
        debug_assert_eq!((upright.height(), upright.width()), sides);
    }
    Ok(Decoded {
        picture: upright,
        width,
        height,
    })
}

fn turns(orientation: Orientation) -> bool {
    orientation.to_exif() >= 5
}

enum Format {
    Jpeg,
    Png,
    Bmp,
}

fn sniff(bytes: &[u8]) -> Result<Format, Unreadable> {
    let begins = |with: &[u8]| bytes.starts_with(with);
    let inside = |at: usize, word: &[u8]| bytes.get(at..at + word.len()) == Some(word);
    let format = if begins(b"\xFF\xD8\xFF") {
        return Ok(Format::Jpeg);
    } else if begins(b"\x89PNG\r\n\x1A\n") {
        return Ok(Format::Png);
    } else if begins(b"BM") {
        return Ok(Format::Bmp);
    } else if begins(b"GIF8") {
        "GIF"
    } else if begins(b"RIFF") && inside(8, b"WEBP") {
        "WebP"
    } else if begins(b"II*\0") || begins(b"MM\0*") {
        "TIFF"
    } else if inside(4, b"ftypavif") {
        "AVIF"
    } else if inside(4, b"ftyphe") || inside(4, b"ftypmif1") {
        "HEIC"
    } else if begins(b"\xFF\x0A") || inside(4, b"JXL ") {
        "JPEG XL"
    } else if begins(b"\0\0\0\x0CjP  ") {
        "JPEG 2000"
    } else {
        return Err(Unreadable::NotAPicture);
    };
    Err(Unreadable::UnsupportedFormat { format })
}

/// Refuses by what the header says. `bytes_per_pixel` is all that decoding holds at a time.
fn admit(width: u64, height: u64, bytes_per_pixel: u64, limits: &Limits) -> Result<(), Unreadable> {
    let pixels = width.saturating_mul(height);
    if width == 0 || height == 0 {
        return Err(Unreadable::Damaged("it has no pixels".to_owned()));
    }
    if width.max(height) > u64::from(limits.max_side)
        || pixels > limits.max_pixels
        || pixels.saturating_mul(bytes_per_pixel) > limits.max_alloc_bytes
    {
        return Err(Unreadable::TooManyPixels {
            width,
            height,
            max_side: limits.max_side,
            max_pixels: limits.max_pixels,
        });
    }
    Ok(())
}

fn jpeg(bytes: &[u8], limits: &Limits) -> Result<(Rgb, Orientation), Unreadable> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(MAX_SCANS)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged_jpeg)?;
    let info = decoder
        .info()
        .ok_or_else(|| Unreadable::Damaged("it has no header".to_owned()))?;
    // A progressive one keeps all its coefficients, two bytes each, until the last pass.
    let coefficients = if info.sof.is_sequential_dct() {
        0
    } else {
        2 * u64::from(info.components)
    };
    let (width, height) = (info.width, info.height);
    admit(
        u64::from(width),
        u64::from(height),
        3 + coefficients,
        limits,
    )?;
    // One bit for each block of 64 pixels is the least that any JPEG says. Without this, the decoder
    // fills up what a file of a few bytes only claims to have.
    let pixels = usize::from(width) * usize::from(height);
    if bytes.len() < pixels / (64 * 8) {
        return Err(Unreadable::Damaged(
            "it is too short for its size".to_owned(),
        ));
    }
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif))
        .unwrap_or(Orientation::NoTransforms);
    let pixels = decoder.decode().map_err(damaged_jpeg)?;
    let picture = Rgb::new(usize::from(width), usize::from(height), pixels)
        .ok_or_else(|| Unreadable::Damaged("it is not of the size that it says".to_owned()))?;
    Ok((picture, orientation))
}

fn damaged_jpeg(error: DecodeErrors) -> Unreadable {
    Unreadable::Damaged(error.to_string())
}

fn png(bytes: &[u8], limits: &Limits) -> Result<(Rgb, Orientation), Unreadable> {
    // The size stands at a fixed place; what else is in the header is read under these limits.
    let side = |at: usize| -> Option<u64> {
        let four = bytes.get(at..at + 4)?;
        Some(u64::from(u32::from_be_bytes(four.try_into().ok()?)))
    };
    let (Some(width), Some(height)) = (side(16), side(20)) else {
        return Err(Unreadable::Damaged("it ends in its header".to_owned()));
    };
    admit(width, height, 3, limits)?;
    let decoder =
        PngDecoder::with_limits(Cursor::new(bytes), decoder_limits(limits)).map_err(damaged)?;
    pixels(decoder, limits)
}

fn bmp(bytes: &[u8], limits: &Limits) -> Result<(Rgb, Orientation), Unreadable> {
    let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    pixels(decoder, limits)
}

fn decoder_limits(limits: &Limits) -> image::Limits {
    let mut bounds = image::Limits::default();
    bounds.max_image_width = Some(limits.max_side);
    bounds.max_image_height = Some(limits.max_side);
    bounds.max_alloc = Some(limits.max_alloc_bytes);
    bounds
}

fn pixels(
    mut decoder: impl ImageDecoder,
    limits: &Limits,
) -> Result<(Rgb, Orientation), Unreadable> {
    let (width, height) = decoder.dimensions();
    let colour = decoder.color_type();
    // Anything but RGB of 8 bits is copied into that afterwards.
    let copy = if colour == image::ColorType::Rgb8 {
        0
    } else {
        3
    };
    let per_pixel = u64::from(colour.bytes_per_pixel()) + copy;
    admit(u64::from(width), u64::from(height), per_pixel, limits)?;
    decoder
        .set_limits(decoder_limits(limits))
        .map_err(damaged)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    let image = if colour.has_alpha() {
        on_white(&image)
    } else {
        image.into_rgb8().into_raw()
    };
    let sides = (usize::try_from(width), usize::try_from(height));
    let (Ok(width), Ok(height)) = sides else {
        return Err(Unreadable::Damaged("it has no size".to_owned()));
    };
    let picture = Rgb::new(width, height, image)
        .ok_or_else(|| Unreadable::Damaged("it is not of the size that it says".to_owned()))?;
    Ok((picture, orientation))
}

/// What is transparent becomes white, as people see it in every viewer; its hidden colour may be
/// anything.
fn on_white(image: &DynamicImage) -> Vec<u8> {
    let rgba = image.to_rgba8();
    rgba.pixels()
        .flat_map(|pixel| {
            let [r, g, b, a] = pixel.0.map(u16::from);
            [r, g, b].map(|value| u8::try_from((value * a + 255 * (255 - a)) / 255).unwrap_or(255))
        })
        .collect()
}

fn damaged(error: ImageError) -> Unreadable {
    Unreadable::Damaged(error.to_string())
}
