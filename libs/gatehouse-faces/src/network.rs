//! The neural networks: a reader for the `.tflite` files of MediaPipe and the kernels that they need.
//!
//! Deliberately absent: every operation that the two pinned models do not use, batches, integers, and
//! threads. A file that asks for more is refused when it is read.

mod convolution;
mod flatbuffer;
mod graph;
mod layers;
mod read;
mod tensor;

pub(crate) use graph::Graph;
pub(crate) use tensor::ModelFault;
