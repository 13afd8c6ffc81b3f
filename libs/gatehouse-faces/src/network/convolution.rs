//! Convolutions: the ordinary one as matrix products, the depthwise one as loops that vectorise.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "inner loops: sizes of weights are checked when they are read, the input's before the loops"
)]

use super::layers::{Activation, Placed, Sliding};
use super::tensor::{ModelFault, Size, Tensor};

/// Values of the unrolled input that are made at a time: what a core's cache holds beside the rest.
const BAND_VALUES: usize = 65_536;

/// Every channel of the output from every channel of the input under the window.
pub(super) struct Convolution {
    sliding: Sliding,
    channels_in: usize,
    channels_out: usize,
    /// For each output channel: rows, columns and input channels of the window.
    weights: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
}

impl Convolution {
    pub(super) fn new(
        sliding: Sliding,
        (channels_in, channels_out): (usize, usize),
        weights: Vec<f32>,
        bias: Vec<f32>,
        activation: Activation,
    ) -> Result<Convolution, ModelFault> {
        let window = sliding.extent.0 * sliding.extent.1;
        let right = channels_in > 0
            && channels_out > 0
            && weights.len() == window * channels_in * channels_out
            && bias.len() == channels_out;
        if !right {
            return Err(ModelFault::new("a convolution's weights have another size"));
        }
        Ok(Convolution {
            sliding,
            channels_in,
            channels_out,
            weights,
            bias,
            activation,
        })
    }

    pub(super) fn run(&self, input: &Tensor) -> Result<Tensor, ModelFault> {
        let size = input.size()?;
        if size.channels != self.channels_in {
            return Err(ModelFault::new("a convolution gets other channels"));
        }
        let placed = self.sliding.place(size)?;
        let to = placed.size(self.channels_out);
        let mut values = Vec::with_capacity(to.len());
        for _ in 0..to.height * to.width {
            values.extend_from_slice(&self.bias);
        }
        if self.sliding.is_pointwise() {
            self.add_product(&input.values, &mut values);
        } else {
            self.add_in_bands(&input.values, size, &placed, &mut values);
        }
        self.activation.apply(&mut values);
        Ok(Tensor::of(to, values))
    }

    /// Unrolls the windows of some rows side by side, so that they are one matrix product.
    fn add_in_bands(&self, input: &[f32], size: Size, placed: &Placed, values: &mut [f32]) {
        let (columns, depth) = (placed.columns.count, self.depth());
        let rows_at_a_time = (BAND_VALUES / (depth * columns)).max(1);
        let mut unrolled = vec![0.0; rows_at_a_time.min(placed.rows.count) * columns * depth];
        let band = rows_at_a_time * columns * self.channels_out;
        for (index, values) in values.chunks_mut(band).enumerate() {
            let pixels = values.len() / self.channels_out;
            let windows = &mut unrolled[..pixels * depth];
            for (pixel, window) in windows.chunks_exact_mut(depth).enumerate() {
                let y = index * rows_at_a_time + pixel / columns;
                self.unroll(input, size, placed, (y, pixel % columns), window);
            }
            self.add_product(windows, values);
        }
    }

    /// The input under one window; zeros beyond the edge.
    fn unroll(
        &self,
        input: &[f32],
        size: Size,
        placed: &Placed,
        (y, x): (usize, usize),
        window: &mut [f32],
    ) {
        let channels = self.channels_in;
        let across = self.sliding.extent.1 * channels;
        for (element, row) in window.chunks_exact_mut(across).enumerate() {
            let Some(iy) = placed.rows.at(y, element) else {
                row.fill(0.0);
                continue;
            };
            if let Some(ix) = placed.columns.run_at(x) {
                let at = (iy * size.width + ix) * channels;
                row.copy_from_slice(&input[at..at + across]);
                continue;
            }
            for (element, pixel) in row.chunks_exact_mut(channels).enumerate() {
                match placed.columns.at(x, element) {
                    Some(ix) => {
                        let at = (iy * size.width + ix) * channels;
                        pixel.copy_from_slice(&input[at..at + channels]);
                    }
                    None => pixel.fill(0.0),
                }
            }
        }
    }

    /// Values under one window.
    fn depth(&self) -> usize {
        self.sliding.extent.0 * self.sliding.extent.1 * self.channels_in
    }

    /// Adds windows (one a row) times weights to the output (one pixel a row).
    #[expect(
        unsafe_code,
        reason = "matrixmultiply takes pointers; the lengths are asserted right above the call"
    )]
    fn add_product(&self, windows: &[f32], output: &mut [f32]) {
        let (depth, channels) = (self.depth(), self.channels_out);
        let rows = output.len() / channels;
        assert!(
            windows.len() == rows * depth
                && output.len() == rows * channels
                && self.weights.len() == depth * channels,
            "the sizes of a product agree"
        );
        // SAFETY: row-major `rows x depth`, column-major `depth x channels` and row-major
        // `rows x channels`, each within its slice by the assertion, and the output borrowed alone.
        unsafe {
            matrixmultiply::sgemm(
                rows,
                depth,
                channels,
                1.0,
                windows.as_ptr(),
                depth as isize,
                1,
                self.weights.as_ptr(),
                1,
                depth as isize,
                1.0,
                output.as_mut_ptr(),
                channels as isize,
                1,
            );
        }
    }
}

/// Every channel of the output from the same channel of the input under the window.
pub(super) struct Depthwise {
    sliding: Sliding,
    channels: usize,
    /// For each place of the window: all channels.
    weights: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
}

impl Depthwise {
    pub(super) fn new(
        sliding: Sliding,
        channels: usize,
        weights: Vec<f32>,
        bias: Vec<f32>,
        activation: Activation,
    ) -> Result<Depthwise, ModelFault> {
        let window = sliding.extent.0 * sliding.extent.1;
        if channels == 0 || weights.len() != window * channels || bias.len() != channels {
            return Err(ModelFault::new(
                "a depthwise convolution's weights have another size",
            ));
        }
        Ok(Depthwise {
            sliding,
            channels,
            weights,
            bias,
            activation,
        })
    }

    pub(super) fn run(&self, input: &Tensor) -> Result<Tensor, ModelFault> {
        let size = input.size()?;
        if size.channels != self.channels {
            return Err(ModelFault::new(
                "a depthwise convolution gets other channels",
            ));
        }
        let placed = self.sliding.place(size)?;
        let to = placed.size(self.channels);
        let mut values = Vec::with_capacity(to.len());
        for _ in 0..to.height * to.width {
            values.extend_from_slice(&self.bias);
        }
        self.add_windows(&input.values, size, &placed, &mut values);
        self.activation.apply(&mut values);
        Ok(Tensor::of(to, values))
    }

    /// With the widest instructions that the processor has.
    #[expect(
        unsafe_code,
        reason = "the only way to instructions that are chosen at run time"
    )]
    fn add_windows(&self, input: &[f32], size: Size, placed: &Placed, values: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            // SAFETY: the processor has both.
            unsafe { self.add_windows_avx2(input, size, placed, values) };
            return;
        }
        self.add_windows_anywhere(input, size, placed, values);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn add_windows_avx2(&self, input: &[f32], size: Size, placed: &Placed, values: &mut [f32]) {
        self.add_windows_anywhere(input, size, placed, values);
    }

    #[inline(always)]
    fn add_windows_anywhere(&self, input: &[f32], size: Size, placed: &Placed, values: &mut [f32]) {
        let channels = self.channels;
        for (index, pixel) in values.chunks_exact_mut(channels).enumerate() {
            let (y, x) = (index / placed.columns.count, index % placed.columns.count);
            for row in 0..self.sliding.extent.0 {
                let Some(iy) = placed.rows.at(y, row) else {
                    continue;
                };
                for column in 0..self.sliding.extent.1 {
                    let Some(ix) = placed.columns.at(x, column) else {
                        continue;
                    };
                    let from = &input[(iy * size.width + ix) * channels..][..channels];
                    let element = row * self.sliding.extent.1 + column;
                    let weights = &self.weights[element * channels..][..channels];
                    for ((value, input), weight) in pixel.iter_mut().zip(from).zip(weights) {
                        *value += input * weight;
                    }
                }
            }
        }
    }
}
