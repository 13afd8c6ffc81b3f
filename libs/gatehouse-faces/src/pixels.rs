//! Pictures in memory: RGB of 8 bits, turned, shrunk and sampled.
//!
//! Deliberately absent: files and formats (`decode`, `jpeg`).
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "pixel loops: offsets are computed from the sizes that the buffer was made with"
)]

use image::metadata::Orientation;

/// A picture: three bytes for each pixel, row by row. Neither side is zero, and the buffer is of the
/// size that the sides say; `new` is the only way to one.
#[derive(Clone)]
pub(crate) struct Rgb {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Rgb {
    /// Without the pixels, which show a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rgb({} x {})", self.width, self.height)
    }
}

impl Rgb {
    /// `None` when a side is zero, does not fit into 16 bits, or the buffer has another size.
    pub(crate) fn new(width: usize, height: usize, bytes: Vec<u8>) -> Option<Rgb> {
        let sides = 1..=usize::from(u16::MAX);
        let right =
            sides.contains(&width) && sides.contains(&height) && bytes.len() == width * height * 3;
        right.then_some(Rgb {
            width,
            height,
            bytes,
        })
    }

    pub(crate) fn width(&self) -> u32 {
        self.width as u32
    }

    pub(crate) fn height(&self) -> u32 {
        self.height as u32
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The picture as EXIF says that it is to be looked at.
    pub(crate) fn upright(self, orientation: Orientation) -> Rgb {
        let (w, h) = (self.width, self.height);
        // Where the pixel that ends up at (x, y) comes from.
        type Source = fn(usize, usize, usize, usize) -> (usize, usize);
        let (width, height, source): (usize, usize, Source) = match orientation {
            Orientation::NoTransforms => return self,
            Orientation::FlipHorizontal => (w, h, |x, y, w, _| (w - 1 - x, y)),
            Orientation::Rotate180 => (w, h, |x, y, w, h| (w - 1 - x, h - 1 - y)),
            Orientation::FlipVertical => (w, h, |x, y, _, h| (x, h - 1 - y)),
            Orientation::Rotate90FlipH => (h, w, |x, y, _, _| (y, x)),
            Orientation::Rotate90 => (h, w, |x, y, _, h| (y, h - 1 - x)),
            Orientation::Rotate270FlipH => (h, w, |x, y, w, h| (w - 1 - y, h - 1 - x)),
            Orientation::Rotate270 => (h, w, |x, y, w, _| (w - 1 - y, x)),
        };
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for y in 0..height {
            for x in 0..width {
                let (sx, sy) = source(x, y, w, h);
                bytes.extend_from_slice(&self.bytes[(sy * w + sx) * 3..][..3]);
            }
        }
        Rgb {
            width,
            height,
            bytes,
        }
    }

    /// Half as large, each pixel the mean of four; an odd last row or column is left out.
    fn halved(&self) -> Rgb {
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        let right = if self.width > 1 { 3 } else { 0 };
        let below = if self.height > 1 { self.width * 3 } else { 0 };
        let mut bytes = vec![0; width * height * 3];
        for (y, row) in bytes.chunks_exact_mut(width * 3).enumerate() {
            let above = &self.bytes[2 * y * self.width * 3..];
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                for (c, value) in pixel.iter_mut().enumerate() {
                    let i = 6 * x + c;
                    let sum = [i, i + right, i + below, i + below + right]
                        .into_iter()
                        .fold(2, |sum, k| sum + u16::from(above[k]));
                    *value = (sum / 4) as u8;
                }
            }
        }
        Rgb {
            width,
            height,
            bytes,
        }
    }

    /// Shrunk so that the longest side has at most this many pixels; `None` when it has them already.
    pub(crate) fn fitted(&self, longest_max_px: u32) -> Option<Rgb> {
        let longest = self.width().max(self.height());
        let max = longest_max_px.max(1);
        (longest > max).then(|| {
            let scaled = |side: u32| {
                let rounded = (u64::from(side) * u64::from(max) + u64::from(longest) / 2)
                    / u64::from(longest);
                (rounded as u32).max(1)
            };
            self.resized(scaled(self.width()), scaled(self.height()))
        })
    }

    /// The picture at exactly this size: halved as often as it goes, then sampled.
    pub(crate) fn resized(&self, width: u32, height: u32) -> Rgb {
        let (width, height) = (width.max(1) as usize, height.max(1) as usize);
        let mut near: Option<Rgb> = None;
        loop {
            let now = near.as_ref().unwrap_or(self);
            // A factor of 1.6 is still sampled well from four pixels.
            if now.width * 5 < width * 16 || now.height * 5 < height * 16 {
                break;
            }
            near = Some(now.halved());
        }
        let from = near.as_ref().unwrap_or(self);
        if (from.width, from.height) == (width, height) {
            return from.clone();
        }
        let step_x = from.width as f32 / width as f32;
        let step_y = from.height as f32 / height as f32;
        let mut bytes = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let at = [(x as f32 + 0.5) * step_x, (y as f32 + 0.5) * step_y];
                bytes.extend(from.sample(at, Outside::Edge).map(|v| (v + 0.5) as u8));
            }
        }
        Rgb {
            width,
            height,
            bytes,
        }
    }

    /// The colour at a point, mixed from the four pixels around it. (0.5, 0.5) is the middle of the
    /// first pixel.
    #[inline]
    fn sample(&self, at: [f32; 2], outside: Outside) -> [f32; 3] {
        let (x, y) = (at[0] - 0.5, at[1] - 0.5);
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (x - x0, y - y0);
        let (x0, y0) = (x0 as isize, y0 as isize);
        let (width, height) = (self.width as isize, self.height as isize);
        let mix = |a: u8, b: u8, c: u8, d: u8| {
            let above = f32::from(a) * (1.0 - fx) + f32::from(b) * fx;
            let below = f32::from(c) * (1.0 - fx) + f32::from(d) * fx;
            above * (1.0 - fy) + below * fy
        };
        if x0 >= 0 && y0 >= 0 && x0 + 1 < width && y0 + 1 < height {
            let above = &self.bytes[(y0 as usize * self.width + x0 as usize) * 3..][..6];
            let below = &self.bytes[((y0 as usize + 1) * self.width + x0 as usize) * 3..][..6];
            return [0, 1, 2].map(|c| mix(above[c], above[c + 3], below[c], below[c + 3]));
        }
        let pixel = |x: isize, y: isize| -> [u8; 3] {
            let (cx, cy) = (x.clamp(0, width - 1), y.clamp(0, height - 1));
            if matches!(outside, Outside::Black) && (cx, cy) != (x, y) {
                return [0; 3];
            }
            let i = (cy as usize * self.width + cx as usize) * 3;
            [self.bytes[i], self.bytes[i + 1], self.bytes[i + 2]]
        };
        let (a, b) = (pixel(x0, y0), pixel(x0 + 1, y0));
        let (c, d) = (pixel(x0, y0 + 1), pixel(x0 + 1, y0 + 1));
        [0, 1, 2].map(|k| mix(a[k], b[k], c[k], d[k]))
    }
}

/// What lies beyond the edge.
#[derive(Debug, Clone, Copy)]
enum Outside {
    /// Black, as the models were trained with.
    Black,
    /// The nearest pixel, so that a resized picture gets no dark rim.
    Edge,
}

/// A parallelogram of a picture to be sampled: where its corner is, and what one pixel to the right
/// and one pixel down are in the picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// The upper left corner.
    pub(crate) corner: [f32; 2],
    /// One pixel of the sample to the right.
    pub(crate) right: [f32; 2],
    /// One pixel of the sample down.
    pub(crate) down: [f32; 2],
    /// Pixels of the sample on a side.
    pub(crate) side: usize,
}

impl Window {
    /// A square around a centre, turned by an angle (radians, clockwise as one looks at it).
    pub(crate) fn square(centre: [f32; 2], extent: f32, angle: f32, side: usize) -> Window {
        let step = extent / side as f32;
        let (sin, cos) = angle.sin_cos();
        let (right, down) = ([cos * step, sin * step], [-sin * step, cos * step]);
        let half = side as f32 / 2.0;
        Window {
            corner: [0, 1].map(|k| centre[k] - half * (right[k] + down[k])),
            right,
            down,
            side,
        }
    }

    /// Where a point of the sample lies in the picture.
    pub(crate) fn to_picture(self, x: f32, y: f32) -> [f32; 2] {
        [0, 1].map(|k| self.corner[k] + x * self.right[k] + y * self.down[k])
    }

    /// Pixels of the picture for one of the sample.
    pub(crate) fn step(self) -> f32 {
        self.right[0].hypot(self.right[1])
    }
}

/// A picture with halved copies of itself, so that a window of any size is sampled without
/// aliasing.
pub(crate) struct Pyramid {
    levels: Vec<Rgb>,
}

impl Pyramid {
    /// The picture and up to six halvings.
    pub(crate) fn new(picture: Rgb) -> Pyramid {
        let mut levels = vec![picture];
        while levels.len() < 7 {
            let last = &levels[levels.len() - 1];
            if last.width.min(last.height) < 64 {
                break;
            }
            let next = last.halved();
            levels.push(next);
        }
        Pyramid { levels }
    }

    pub(crate) fn width(&self) -> f32 {
        self.levels[0].width as f32
    }

    pub(crate) fn height(&self) -> f32 {
        self.levels[0].height as f32
    }

    /// The window's pixels as floats, row by row, each value (0 to 255) passed through `tone`; black
    /// beyond the picture.
    pub(crate) fn crop(&self, window: &Window, tone: impl Fn(f32) -> f32) -> Vec<f32> {
        let deepest = self.levels.len() - 1;
        let level = ((window.step().max(1.0).log2() + 0.3) as usize).min(deepest);
        let (from, scale) = (&self.levels[level], 1.0 / (1_u32 << level) as f32);
        let mut values = Vec::with_capacity(window.side * window.side * 3);
        for y in 0..window.side {
            for x in 0..window.side {
                let at = window.to_picture(x as f32 + 0.5, y as f32 + 0.5);
                let colour = from.sample([at[0] * scale, at[1] * scale], Outside::Black);
                values.extend(colour.map(&tone));
            }
        }
        values
    }
}
