//! A model that was read, and its execution: operation after operation, in the file's order.

use super::convolution::{Convolution, Depthwise};
use super::layers::{self, Activation, Resize, Sliding};
use super::tensor::{ModelFault, Tensor};
use std::rc::Rc;

/// One step of a model.
pub(super) enum Operation {
    Convolution(Convolution),
    Depthwise(Depthwise),
    /// The sum of two tensors of one shape.
    Add(Activation),
    /// Zeros around: rows, columns and channels, before and after.
    Pad([(usize, usize); 3]),
    MaxPool(Sliding),
    Relu,
    /// Below zero, times a factor for each channel.
    Prelu(Vec<f32>),
    Reshape(Vec<usize>),
    Resize(Resize),
}

/// An operation with the numbers of the tensors that go in and come out.
pub(super) struct Node {
    pub(super) operation: Operation,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
}

/// A model. Immutable, and run as often as one likes.
pub(crate) struct Graph {
    nodes: Vec<Node>,
    input: usize,
    input_shape: Vec<usize>,
    outputs: Vec<usize>,
    /// How often each tensor is read; after the last time it is dropped.
    uses: Vec<u32>,
}

impl Graph {
    /// Reads a `.tflite` file.
    pub(crate) fn read(file: &[u8]) -> Result<Graph, ModelFault> {
        super::read::read(file)
    }

    pub(super) fn new(
        nodes: Vec<Node>,
        input: (usize, Vec<usize>),
        outputs: Vec<usize>,
        tensors: usize,
    ) -> Result<Graph, ModelFault> {
        let mut uses = vec![0; tensors];
        let read = nodes.iter().flat_map(|node| &node.inputs).chain(&outputs);
        for index in read {
            let uses = uses
                .get_mut(*index)
                .ok_or_else(|| ModelFault::new("an operation reads a tensor that is not there"))?;
            *uses += 1;
        }
        let (input, input_shape) = input;
        if input >= tensors || nodes.iter().any(|node| node.output >= tensors) {
            return Err(ModelFault::new(
                "an operation writes a tensor that is not there",
            ));
        }
        Ok(Graph {
            nodes,
            input,
            input_shape,
            outputs,
            uses,
        })
    }

    /// The shape of what [`Graph::run`] takes.
    pub(crate) fn input_shape(&self) -> &[usize] {
        &self.input_shape
    }

    /// Runs the model on its input's values.
    pub(crate) fn run(&self, values: Vec<f32>) -> Result<Vec<Tensor>, ModelFault> {
        let mut tensors = Tensors {
            slots: vec![None; self.uses.len()],
            uses: self.uses.clone(),
        };
        tensors.put(
            self.input,
            Tensor {
                shape: self.input_shape.clone(),
                values,
            },
        )?;
        for node in &self.nodes {
            let made = run_one(node, &mut tensors)?;
            tensors.put(node.output, made)?;
        }
        self.outputs
            .iter()
            .map(|index| tensors.take(*index).map(Rc::unwrap_or_clone))
            .collect()
    }
}

fn run_one(node: &Node, tensors: &mut Tensors) -> Result<Tensor, ModelFault> {
    let &[first, ref others @ ..] = node.inputs.as_slice() else {
        return Err(ModelFault::new("an operation has no input"));
    };
    let input = tensors.take(first)?;
    match &node.operation {
        Operation::Convolution(convolution) => convolution.run(&input),
        Operation::Depthwise(depthwise) => depthwise.run(&input),
        Operation::Add(activation) => {
            let &[second] = others else {
                return Err(ModelFault::new("a sum has not two terms"));
            };
            let second = tensors.take(second)?;
            layers::add(Rc::unwrap_or_clone(input), &second, *activation)
        }
        Operation::Pad(border) => layers::pad(&input, border),
        Operation::MaxPool(sliding) => layers::max_pool(&input, sliding),
        Operation::Relu => Ok(layers::relu(Rc::unwrap_or_clone(input))),
        Operation::Prelu(slopes) => layers::prelu(Rc::unwrap_or_clone(input), slopes),
        Operation::Reshape(shape) => layers::reshape(Rc::unwrap_or_clone(input), shape),
        Operation::Resize(resize) => layers::resize(&input, resize),
    }
}

/// The tensors between operations.
struct Tensors {
    slots: Vec<Option<Rc<Tensor>>>,
    uses: Vec<u32>,
}

impl Tensors {
    fn put(&mut self, index: usize, tensor: Tensor) -> Result<(), ModelFault> {
        let slot = self
            .slots
            .get_mut(index)
            .ok_or_else(|| ModelFault::new("a tensor has no place"))?;
        *slot = Some(Rc::new(tensor));
        Ok(())
    }

    /// The last reader is the only one to hold it, and may change it in place.
    fn take(&mut self, index: usize) -> Result<Rc<Tensor>, ModelFault> {
        let missing = || ModelFault::new("a tensor is read before it is made");
        let uses = self.uses.get_mut(index).ok_or_else(missing)?;
        let slot = self.slots.get_mut(index).ok_or_else(missing)?;
        *uses = uses.saturating_sub(1);
        if *uses == 0 {
            slot.take()
        } else {
            slot.clone()
        }
        .ok_or_else(missing)
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]
mod tests {
    use super::*;
    use crate::weights::{DETECTOR, MESH, read, tests::models};
    use serde_json::Value;

    /// What LiteRT 2 made of the same input: for each output its length, the sum of its magnitudes,
    /// and every so-manieth value.
    const REFERENCE: &str = include_str!("../../fixtures/reference.json");

    fn input(low: f64, high: f64) -> Vec<f32> {
        (0..192 * 192 * 3_u64)
            .map(|i| ((i * 7919 % 2003) as f64 / 2003.0 * (high - low) + low) as f32)
            .collect()
    }

    #[test]
    fn both_models_agree_with_the_reference() {
        let reference: Value = serde_json::from_str(REFERENCE).unwrap();
        for (file, reference) in [DETECTOR, MESH].iter().zip(reference.as_array().unwrap()) {
            assert_eq!(reference["model"], file.name);
            let graph = Graph::read(&read(&models(), file).unwrap()).unwrap();
            let number = |value: &Value| value.as_f64().unwrap();
            let values = input(number(&reference["low"]), number(&reference["high"]));
            let outputs = graph.run(values).unwrap();
            let wanted = reference["outputs"].as_array().unwrap();
            assert_eq!(outputs.len(), wanted.len());
            for (output, wanted) in outputs.iter().zip(wanted) {
                assert_eq!(output.values.len() as u64, wanted["length"]);
                let sum: f64 = output.values.iter().map(|v| f64::from(v.abs())).sum();
                let sum_abs = number(&wanted["sum_abs"]);
                assert!((sum / sum_abs - 1.0).abs() < 1e-4, "{sum} for {sum_abs}");
                let every = wanted["every"].as_u64().unwrap() as usize;
                let sampled = output.values.iter().step_by(every);
                for (value, wanted) in sampled.zip(wanted["values"].as_array().unwrap()) {
                    let (value, wanted) = (f64::from(*value), number(wanted));
                    let off = (value - wanted).abs();
                    assert!(off < 1e-3 + wanted.abs() * 1e-4, "{value} for {wanted}");
                }
            }
        }
    }

    #[test]
    fn a_damaged_file_is_an_error_or_another_model_and_never_a_panic() {
        let file = read(&models(), &MESH).unwrap();
        let mut state = 1_u32;
        let mut next = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 4) as usize % below
        };
        let mut refused = 0;
        for round in 0..150 {
            let mut damaged = file.clone();
            if round % 3 == 0 {
                damaged.truncate(next(file.len()));
            } else {
                for _ in 0..20 {
                    // Most of the file is weights; what says how to read them is at its ends.
                    let at = if round % 3 == 1 {
                        file.len() - 1 - next(60_000)
                    } else {
                        next(2_000)
                    };
                    damaged[at] = next(256) as u8;
                }
            }
            refused += usize::from(Graph::read(&damaged).is_err());
        }
        assert!(refused > 50, "{refused}");
    }
}
