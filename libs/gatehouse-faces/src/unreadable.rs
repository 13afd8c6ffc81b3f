//! Why bytes are no picture that can be examined, in sentences and in the vendors' codes.

/// A photo that was refused before anybody looked for a face. The text is for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The file is longer than [`Limits::max_bytes`](crate::Limits::max_bytes).
    #[error(
        "The picture has {bytes} bytes, and at most {max_bytes} are taken. Send it smaller or more strongly compressed."
    )]
    TooLarge {
        /// Bytes of the file.
        bytes: usize,
        /// The most that is taken.
        max_bytes: usize,
    },
    /// The bytes begin like no picture at all.
    #[error("This is not a picture. Send a JPEG, PNG or BMP file.")]
    NotAPicture,
    /// A picture, in a format that is not taken.
    #[error("This is a {format} picture. Send it as JPEG, PNG or BMP.")]
    UnsupportedFormat {
        /// The format's usual name.
        format: &'static str,
    },
    /// More pixels than the limits allow, or more memory to decode them.
    #[error(
        "The picture has {width} x {height} pixels, which is more than can be taken: at most {max_side} on a side and {max_pixels} in all, and fewer where a pixel has many bits. Send it smaller; 500 x 500 is plenty."
    )]
    TooManyPixels {
        /// Pixels of width, as the header says.
        width: u64,
        /// Pixels of height, as the header says.
        height: u64,
        /// The most pixels of a side.
        max_side: u32,
        /// The most pixels in all.
        max_pixels: u64,
    },
    /// The file begins like a picture, and does not go on like one: cut off, corrupted, or of a rare
    /// kind. The decoder's own words are inside.
    #[error(
        "The picture is damaged or of a rare kind, and cannot be read ({0}). Save it anew as JPEG and send that."
    )]
    Damaged(String),
    /// The picture was read, but the face models failed on it: a fault of this program.
    #[error(
        "The photo could not be examined ({0}). This is a fault of the server, not of the photo."
    )]
    NotJudged(String),
}

impl Unreadable {
    /// Our own word for it, in snake case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Unreadable::TooLarge { .. } => "too_large",
            Unreadable::NotAPicture => "not_a_picture",
            Unreadable::UnsupportedFormat { .. } => "unsupported_format",
            Unreadable::TooManyPixels { .. } => "too_many_pixels",
            Unreadable::Damaged(_) => "damaged",
            Unreadable::NotJudged(_) => "not_judged",
        }
    }

    /// SenseLink (document 001): 30005, "Avatar File Illegal". Its list of quality codes (6.6.2) knows
    /// no file that cannot be read.
    #[must_use]
    pub fn senselink_code(&self) -> u32 {
        30005
    }

    /// Hongtu (document 003): 121021, the picture could not be obtained.
    #[must_use]
    pub fn hongtu_code(&self) -> u32 {
        121_021
    }
}
