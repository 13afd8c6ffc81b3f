//! Photos inside frames: Base64 text, taken out of the frame and decoded only when wanted.
//! Deliberately absent: looking at the picture itself.

use std::fmt;

/// What kind of picture the bytes begin like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// Windows bitmap.
    Bmp,
}

impl PictureKind {
    /// Tells the kind from the first bytes; `None` when it is none of the three.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"BM") && bytes.len() > 26 {
            Some(Self::Bmp)
        } else {
            None
        }
    }

    /// The media type, for example `image/jpeg`.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Bmp => "image/bmp",
        }
    }
}

/// Why a photo field is not a photo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// The text is not Base64.
    #[error("the photo is not Base64 text")]
    NotBase64,
    /// The decoded bytes are no JPEG, PNG or BMP.
    #[error("the photo is neither JPEG, PNG nor BMP")]
    NotAPicture,
}

/// A photo as it stands in a frame: Base64 text, never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct PhotoField(String);

impl PhotoField {
    /// Takes the text of a field; `None` where nothing is left after trimming.
    #[must_use]
    pub fn new(text: String) -> Option<Self> {
        (!text.trim().is_empty()).then_some(Self(text))
    }

    /// The text as received.
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// The picture's bytes: a `data:` prefix and white space are removed, and what comes out must
    /// begin like a JPEG, PNG or BMP ([`PictureKind::of`] says which).
    ///
    /// # Errors
    /// [`PhotoError`] when the text is not Base64, or the bytes are no picture.
    pub fn decode(&self) -> Result<Vec<u8>, PhotoError> {
        let text = self.0.trim();
        let base64 = match text.strip_prefix("data:") {
            Some(url) => url.split_once(',').map_or(url, |(_, base64)| base64),
            None => text,
        };
        let bytes = base64_simd::forgiving_decode_to_vec(base64.as_bytes())
            .map_err(|_| PhotoError::NotBase64)?;
        match PictureKind::of(&bytes) {
            Some(_) => Ok(bytes),
            None => Err(PhotoError::NotAPicture),
        }
    }
}

impl fmt::Debug for PhotoField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhotoField({} characters)", self.0.len())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0\0\x10JFIF\0";

    fn field(text: &str) -> PhotoField {
        PhotoField::new(text.to_owned()).unwrap()
    }

    #[test]
    fn prefix_white_space_and_missing_padding_do_not_matter() {
        let base64 = base64_simd::STANDARD.encode_to_string(JPEG);
        let (front, back) = base64.split_at(5);
        for text in [
            base64.clone(),
            format!("data:image/jpeg;base64,{base64}"),
            format!(" {front}\r\n{back}\n"),
            base64.trim_end_matches('=').to_owned(),
        ] {
            assert_eq!(field(&text).decode().unwrap(), JPEG, "{text}");
        }
    }

    #[test]
    fn what_is_no_photo_is_told_apart() {
        assert_eq!(field("发行照片 1").decode(), Err(PhotoError::NotBase64));
        assert_eq!(field("aGVsbG8=").decode(), Err(PhotoError::NotAPicture));
        assert_eq!(PhotoField::new(" \r\n".to_owned()), None);
    }

    #[test]
    fn kinds_are_told_by_their_first_bytes() {
        assert_eq!(PictureKind::of(JPEG), Some(PictureKind::Jpeg));
        assert_eq!(
            PictureKind::of(b"\x89PNG\r\n\x1a\n...").map(PictureKind::media_type),
            Some("image/png")
        );
        assert_eq!(
            PictureKind::of(&[b"BM".as_slice(), &[0; 52]].concat()),
            Some(PictureKind::Bmp)
        );
        assert_eq!(PictureKind::of(b"BM, said the letter"), None);
        assert_eq!(PictureKind::of(b""), None);
    }

    #[test]
    fn debug_does_not_print_the_photo() {
        assert_eq!(format!("{:?}", field("QUJD")), "PhotoField(4 characters)");
    }
}
