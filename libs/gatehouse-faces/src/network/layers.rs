//! The simple operations, and what all of them share: activation, padding, windows that slide.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "inner loops: every size is checked against its buffer by Tensor::size before them"
)]

use super::tensor::{ModelFault, Size, Tensor};

/// What is applied to each value at the end of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    None,
    Relu,
    Relu6,
}

impl Activation {
    pub(super) fn apply(self, values: &mut [f32]) {
        match self {
            Activation::None => {}
            Activation::Relu => values.iter_mut().for_each(|v| *v = v.max(0.0)),
            Activation::Relu6 => values.iter_mut().for_each(|v| *v = v.clamp(0.0, 6.0)),
        }
    }
}

/// What happens at the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// The output is the input's size by the stride, and the window reaches over the edge.
    Same,
    /// The window stays inside.
    Valid,
}

/// A window that slides over rows and columns; each pair is of rows and columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sliding {
    pub(super) extent: (usize, usize),
    pub(super) stride: (usize, usize),
    pub(super) dilation: (usize, usize),
    padding: Padding,
}

/// Where a window stands on an input.
pub(super) struct Placed {
    pub(super) rows: Axis,
    pub(super) columns: Axis,
}

/// One direction of a placed window.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    /// Values of the output.
    pub(super) count: usize,
    input: usize,
    before: usize,
    extent: usize,
    stride: usize,
    dilation: usize,
}

impl Axis {
    /// Where the window's element lies in the input, or `None` beyond its edge.
    #[inline]
    pub(super) fn at(&self, output: usize, element: usize) -> Option<usize> {
        let place = (output * self.stride + element * self.dilation).checked_sub(self.before)?;
        (place < self.input).then_some(place)
    }

    /// Where the whole window begins in the input, when its elements lie side by side inside.
    #[inline]
    pub(super) fn run_at(&self, output: usize) -> Option<usize> {
        let begin = (output * self.stride).checked_sub(self.before)?;
        (self.dilation == 1 && begin + self.extent <= self.input).then_some(begin)
    }
}

impl Sliding {
    pub(super) fn new(
        extent: (usize, usize),
        stride: (usize, usize),
        dilation: (usize, usize),
        padding: Padding,
    ) -> Result<Sliding, ModelFault> {
        let sane = |pair: (usize, usize)| (1..=64).contains(&pair.0) && (1..=64).contains(&pair.1);
        if sane(extent) && sane(stride) && sane(dilation) {
            Ok(Sliding {
                extent,
                stride,
                dilation,
                padding,
            })
        } else {
            Err(ModelFault::new("a window is empty or too large"))
        }
    }

    /// Whether it looks at each pixel alone, all of them.
    pub(super) fn is_pointwise(&self) -> bool {
        self.extent == (1, 1) && self.stride == (1, 1)
    }

    pub(super) fn place(&self, size: Size) -> Result<Placed, ModelFault> {
        let axis = |input: usize, extent: usize, stride: usize, dilation: usize| {
            let reach = (extent - 1) * dilation + 1;
            let (count, before) = match self.padding {
                Padding::Valid if input < reach => {
                    return Err(ModelFault::new("a window is larger than its input"));
                }
                Padding::Valid => ((input - reach) / stride + 1, 0),
                Padding::Same => {
                    let count = input.div_ceil(stride);
                    let over = ((count - 1) * stride + reach).saturating_sub(input);
                    (count, over / 2)
                }
            };
            Ok(Axis {
                count,
                input,
                before,
                extent,
                stride,
                dilation,
            })
        };
        Ok(Placed {
            rows: axis(size.height, self.extent.0, self.stride.0, self.dilation.0)?,
            columns: axis(size.width, self.extent.1, self.stride.1, self.dilation.1)?,
        })
    }
}

impl Placed {
    pub(super) fn size(&self, channels: usize) -> Size {
        Size {
            height: self.rows.count,
            width: self.columns.count,
            channels,
        }
    }
}

pub(super) fn add(
    mut sum: Tensor,
    other: &Tensor,
    activation: Activation,
) -> Result<Tensor, ModelFault> {
    if sum.shape != other.shape || sum.values.len() != other.values.len() {
        return Err(ModelFault::new("the terms of a sum differ in shape"));
    }
    for (value, term) in sum.values.iter_mut().zip(&other.values) {
        *value += term;
    }
    activation.apply(&mut sum.values);
    Ok(sum)
}

pub(super) fn relu(mut tensor: Tensor) -> Tensor {
    Activation::Relu.apply(&mut tensor.values);
    tensor
}

pub(super) fn prelu(mut tensor: Tensor, slopes: &[f32]) -> Result<Tensor, ModelFault> {
    if slopes.len() != tensor.size()?.channels {
        return Err(ModelFault::new("a slope is missing for a channel"));
    }
    for pixel in tensor.values.chunks_exact_mut(slopes.len()) {
        for (value, slope) in pixel.iter_mut().zip(slopes) {
            // Without a branch, so that it becomes vector instructions.
            *value = value.max(0.0) + slope * value.min(0.0);
        }
    }
    Ok(tensor)
}

pub(super) fn reshape(mut tensor: Tensor, shape: &[usize]) -> Result<Tensor, ModelFault> {
    if shape.iter().product::<usize>() != tensor.values.len() {
        return Err(ModelFault::new("a new shape has another number of values"));
    }
    tensor.shape = shape.to_vec();
    Ok(tensor)
}

pub(super) fn pad(tensor: &Tensor, border: &[(usize, usize); 3]) -> Result<Tensor, ModelFault> {
    let size = tensor.size()?;
    let [rows, columns, channels] = *border;
    if border
        .iter()
        .any(|(before, after)| before.max(after) > &4096)
    {
        return Err(ModelFault::new("a border is too wide"));
    }
    let to = Size {
        height: size.height + rows.0 + rows.1,
        width: size.width + columns.0 + columns.1,
        channels: size.channels + channels.0 + channels.1,
    };
    let mut values = vec![0.0; to.len()];
    for (index, pixel) in tensor.values.chunks_exact(size.channels).enumerate() {
        let (y, x) = (index / size.width + rows.0, index % size.width + columns.0);
        let at = (y * to.width + x) * to.channels + channels.0;
        values[at..at + size.channels].copy_from_slice(pixel);
    }
    Ok(Tensor::of(to, values))
}

pub(super) fn max_pool(tensor: &Tensor, sliding: &Sliding) -> Result<Tensor, ModelFault> {
    let size = tensor.size()?;
    let placed = sliding.place(size)?;
    let to = placed.size(size.channels);
    let mut values = vec![f32::NEG_INFINITY; to.len()];
    for (index, pixel) in values.chunks_exact_mut(size.channels).enumerate() {
        let (y, x) = (index / to.width, index % to.width);
        for row in (0..sliding.extent.0).filter_map(|e| placed.rows.at(y, e)) {
            for column in (0..sliding.extent.1).filter_map(|e| placed.columns.at(x, e)) {
                let from = &tensor.values[(row * size.width + column) * size.channels..];
                for (value, candidate) in pixel.iter_mut().zip(from) {
                    *value = value.max(*candidate);
                }
            }
        }
    }
    Ok(Tensor::of(to, values))
}

/// Bilinear, to exactly this size.
pub(super) struct Resize {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) align_corners: bool,
    pub(super) half_pixel_centres: bool,
}

impl Resize {
    /// For each place of the output the two of the input that it lies between, and the second one's
    /// weight.
    fn places(&self, from: usize, to: usize) -> Vec<(usize, usize, f32)> {
        let scale = if self.align_corners && to > 1 {
            (from - 1) as f32 / (to - 1) as f32
        } else {
            from as f32 / to as f32
        };
        let last = from - 1;
        (0..to)
            .map(|place| {
                let at = if self.half_pixel_centres {
                    ((place as f32 + 0.5) * scale - 0.5).max(0.0)
                } else {
                    place as f32 * scale
                };
                let first = (at as usize).min(last);
                (first, (first + 1).min(last), at - first as f32)
            })
            .collect()
    }
}

pub(super) fn resize(tensor: &Tensor, resize: &Resize) -> Result<Tensor, ModelFault> {
    let size = tensor.size()?;
    if !(1..=4096).contains(&resize.height) || !(1..=4096).contains(&resize.width) {
        return Err(ModelFault::new(
            "a picture is resized to nothing, or to too much",
        ));
    }
    let to = Size {
        height: resize.height,
        width: resize.width,
        channels: size.channels,
    };
    let columns = resize.places(size.width, to.width);
    let pixel = |y: usize, x: usize| {
        &tensor.values[(y * size.width + x) * size.channels..][..size.channels]
    };
    let mut values = Vec::with_capacity(to.len());
    for (y0, y1, fy) in resize.places(size.height, to.height) {
        for &(x0, x1, fx) in &columns {
            let above = pixel(y0, x0).iter().zip(pixel(y0, x1));
            let below = pixel(y1, x0).iter().zip(pixel(y1, x1));
            values.extend(above.zip(below).map(|((a, b), (c, d))| {
                (a * (1.0 - fx) + b * fx) * (1.0 - fy) + (c * (1.0 - fx) + d * fx) * fy
            }));
        }
    }
    Ok(Tensor::of(to, values))
}
