//! What a picture may cost before one pixel of it is decoded.

/// The bounds of one picture. All of them are judged from the length and the header alone, so that a
/// decompression bomb costs nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of the file.
    pub max_bytes: usize,
    /// The most pixels of width, and of height.
    pub max_side: u32,
    /// The most pixels of the picture, width times height.
    pub max_pixels: u64,
    /// The most bytes that decoding may take, by the header's own account of pixels and depth.
    pub max_alloc_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_bytes: 10 * 1024 * 1024,
            max_side: 8192,
            max_pixels: 30_000_000,
            max_alloc_bytes: 160_000_000,
        }
    }
}
