//! Numbers with a shape, and the fault of a model that cannot be run.

/// Why a model cannot be read or run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ModelFault(pub(crate) String);

impl ModelFault {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        ModelFault(what.into())
    }
}

/// Floats with a shape; pictures and what is made of them are 1 x height x width x channels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// Height, width and channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
}

impl Size {
    pub(crate) fn len(self) -> usize {
        self.height * self.width * self.channels
    }
}

impl Tensor {
    pub(crate) fn of(size: Size, values: Vec<f32>) -> Tensor {
        Tensor {
            shape: vec![1, size.height, size.width, size.channels],
            values,
        }
    }

    /// The size of a picture-like tensor whose buffer has that size.
    pub(crate) fn size(&self) -> Result<Size, ModelFault> {
        if let [1, height, width, channels] = *self.shape.as_slice() {
            let size = Size {
                height,
                width,
                channels,
            };
            if size.len() == self.values.len() && size.len() > 0 {
                return Ok(size);
            }
        }
        Err(ModelFault(format!(
            "a tensor of shape {:?} and {} values is no picture",
            self.shape,
            self.values.len()
        )))
    }
}
