//! The portrait, what becomes of it when it is taken badly, and files of every format.

use gatehouse_faces::{Criteria, Examined, Faces, Limits, Unreadable};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, Rgb, RgbImage, imageops};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The loaded models, once for all tests.
pub(crate) fn faces() -> &'static Faces {
    static FACES: OnceLock<Faces> = OnceLock::new();
    FACES.get_or_init(|| {
        let dir = std::env::var_os("GATEHOUSE_FACE_MODELS")
            .map_or_else(|| Path::new(ROOT).join(".run/models"), PathBuf::from);
        Faces::load(&dir).unwrap_or_else(|error| panic!("run deploy/local/models.sh: {error}"))
    })
}

/// Examines with the default limits and criteria.
pub(crate) fn examine(bytes: &[u8]) -> Result<Examined, Unreadable> {
    faces().examine(bytes, &Limits::default(), &Criteria::default())
}

/// Examines a picture as a JPEG of good quality.
pub(crate) fn look_at(picture: &RgbImage) -> Examined {
    examine(&jpeg(picture)).unwrap()
}

/// The file of the portrait: 400 x 400.
pub(crate) fn portrait_file() -> Vec<u8> {
    let path = Path::new(ROOT).join("tests/kit/fixtures/portrait.jpg");
    std::fs::read(path).expect("the portrait is in the repository")
}

pub(crate) fn portrait() -> RgbImage {
    decoded(&portrait_file())
}

pub(crate) fn decoded(bytes: &[u8]) -> RgbImage {
    image::load_from_memory(bytes).unwrap().into_rgb8()
}

pub(crate) fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 92)
        .encode_image(picture)
        .unwrap();
    bytes
}

pub(crate) fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Every value times a factor.
pub(crate) fn lit(picture: &RgbImage, factor: f32) -> RgbImage {
    let mut lit = picture.clone();
    for value in lit.iter_mut() {
        *value = (f32::from(*value) * factor).min(255.0) as u8;
    }
    lit
}

pub(crate) fn resized(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    imageops::resize(picture, width, height, imageops::FilterType::Triangle)
}

pub(crate) fn cropped(picture: &RgbImage, x: u32, y: u32, width: u32, height: u32) -> RgbImage {
    imageops::crop_imm(picture, x, y, width, height).to_image()
}

/// Turned about its middle by degrees against the clock; grey where there is nothing.
pub(crate) fn turned(picture: &RgbImage, degrees: f32) -> RgbImage {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (cx, cy) = (picture.width() as f32 / 2.0, picture.height() as f32 / 2.0);
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (dx, dy) = (x as f32 - cx, y as f32 - cy);
        imageops::interpolate_bilinear(picture, cx + dx * cos - dy * sin, cy + dx * sin + dy * cos)
            .unwrap_or(Rgb([128; 3]))
    })
}

/// One beside the other.
pub(crate) fn beside(left: &RgbImage, right: &RgbImage) -> RgbImage {
    let mut both = RgbImage::new(
        left.width() + right.width(),
        left.height().max(right.height()),
    );
    imageops::replace(&mut both, left, 0, 0);
    imageops::replace(&mut both, right, i64::from(left.width()), 0);
    both
}

/// A picture on a grey ground of another size.
pub(crate) fn on_grey(picture: &RgbImage, width: u32, height: u32, x: i64, y: i64) -> RgbImage {
    let mut ground = RgbImage::from_pixel(width, height, Rgb([128; 3]));
    imageops::replace(&mut ground, picture, x, y);
    ground
}

/// A rectangle of one colour on it.
pub(crate) fn painted(picture: &RgbImage, area: [u32; 4], colour: [u8; 3]) -> RgbImage {
    let [x, y, width, height] = area;
    let mut painted = picture.clone();
    imageops::replace(
        &mut painted,
        &RgbImage::from_pixel(width, height, Rgb(colour)),
        i64::from(x),
        i64::from(y),
    );
    painted
}

/// Pixels without any pattern: what compresses worst.
pub(crate) fn noise(width: u32, height: u32) -> RgbImage {
    let mut state = 0x2545_F491_u32;
    let mut picture = RgbImage::new(width, height);
    for value in picture.iter_mut() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *value = state.to_le_bytes()[1];
    }
    picture
}
