//! A `.tflite` file to a [`Graph`]. Numbers of fields, operations and types are those of TensorFlow's
//! `schema.fbs`.

use super::convolution::{Convolution, Depthwise};
use super::flatbuffer::{Scalar, Table};
use super::graph::{Graph, Node, Operation};
use super::layers::{Activation, Padding, Resize, Sliding};
use super::tensor::{ModelFault, Tensor};

/// What is known of the file while its operations are read.
struct Reading {
    shapes: Vec<Vec<usize>>,
    constants: Vec<Option<Tensor>>,
    whole: Vec<Option<Vec<usize>>>,
}

impl Reading {
    fn constant(&self, input: Option<&usize>) -> Result<&Tensor, ModelFault> {
        input
            .and_then(|index| self.constants.get(*index)?.as_ref())
            .ok_or_else(|| ModelFault::new("weights are not constant"))
    }

    fn whole(&self, input: Option<&usize>) -> Result<&[usize], ModelFault> {
        input
            .and_then(|index| self.whole.get(*index)?.as_deref())
            .ok_or_else(|| ModelFault::new("a parameter is not constant"))
    }
}

/// Reads a model.
pub(super) fn read(file: &[u8]) -> Result<Graph, ModelFault> {
    if file.get(4..8) != Some(b"TFL3") {
        return Err(ModelFault::new("it is not a TensorFlow Lite model"));
    }
    let model = Table::root(file)?;
    let codes = model
        .tables(1)?
        .iter()
        .map(|code| Ok(i32::from(code.number(0, 0_u8)?).max(code.number(3, 0_i32)?)))
        .collect::<Result<Vec<i32>, ModelFault>>()?;
    let graphs = model.tables(2)?;
    let graph = graphs
        .first()
        .ok_or_else(|| ModelFault::new("it has no graph"))?;
    let mut reading = constants(graph, &model.tables(4)?)?;
    let mut nodes = Vec::new();
    for operator in graph.tables(3)? {
        let code = usize::try_from(operator.number(0, 0_u32)?)
            .ok()
            .and_then(|index| codes.get(index))
            .ok_or_else(|| ModelFault::new("an operation has no code"))?;
        let inputs = operator.indices(1)?;
        let &[output] = operator.indices(2)?.as_slice() else {
            return Err(ModelFault::new("an operation has not one output"));
        };
        if *code == DEQUANTIZE {
            // Weights of half precision were widened when they were read.
            let widened = reading.constant(inputs.first())?.clone();
            if let Some(slot) = reading.constants.get_mut(output) {
                *slot = Some(widened);
            }
            continue;
        }
        let options = operator.table(4)?;
        nodes.push(Node {
            operation: operation(*code, options, &inputs, output, &reading)?,
            inputs: if *code == ADD {
                inputs
            } else {
                inputs.into_iter().take(1).collect()
            },
            output,
        });
    }
    let &[input] = graph.indices(1)?.as_slice() else {
        return Err(ModelFault::new("it has not one input"));
    };
    let input_shape = reading.shapes.get(input).cloned().unwrap_or_default();
    Graph::new(
        nodes,
        (input, input_shape),
        graph.indices(2)?,
        reading.shapes.len(),
    )
}

/// The tensors' shapes, and the values of those that stand in the file.
fn constants(graph: &Table<'_>, buffers: &[Table<'_>]) -> Result<Reading, ModelFault> {
    let tensors = graph.tables(0)?;
    let mut reading = Reading {
        shapes: Vec::with_capacity(tensors.len()),
        constants: vec![None; tensors.len()],
        whole: vec![None; tensors.len()],
    };
    let slots = reading.constants.iter_mut().zip(&mut reading.whole);
    for (tensor, (constant, whole)) in tensors.iter().zip(slots) {
        let shape = tensor.indices(0)?;
        let buffer = usize::try_from(tensor.number(2, 0_u32)?)
            .ok()
            .and_then(|index| buffers.get(index))
            .ok_or_else(|| ModelFault::new("a tensor has no buffer"))?;
        let bytes = buffer.bytes(0)?;
        match tensor.number(1, 0_u8)? {
            _ if bytes.is_empty() => {}
            FLOAT32 => *constant = Some(tensor_of(&shape, scalars::<f32>(bytes).collect())),
            FLOAT16 => {
                let values = scalars::<u16>(bytes).map(widen).collect();
                *constant = Some(tensor_of(&shape, values));
            }
            INT32 => {
                *whole = Some(
                    scalars::<i32>(bytes)
                        .map(|value| usize::try_from(value).unwrap_or(0))
                        .collect(),
                );
            }
            _ => {}
        }
        reading.shapes.push(shape);
    }
    Ok(reading)
}

fn tensor_of(shape: &[usize], values: Vec<f32>) -> Tensor {
    Tensor {
        shape: shape.to_vec(),
        values,
    }
}

fn scalars<S: Scalar>(bytes: &[u8]) -> impl Iterator<Item = S> {
    bytes.chunks_exact(S::BYTES).filter_map(S::from_slice)
}

const FLOAT32: u8 = 0;
const FLOAT16: u8 = 1;
const INT32: u8 = 2;

const ADD: i32 = 0;
const CONV_2D: i32 = 3;
const DEPTHWISE_CONV_2D: i32 = 4;
const DEQUANTIZE: i32 = 6;
const MAX_POOL_2D: i32 = 17;
const RELU: i32 = 19;
const RESHAPE: i32 = 22;
const RESIZE_BILINEAR: i32 = 23;
const PAD: i32 = 34;
const PRELU: i32 = 54;

fn operation(
    code: i32,
    options: Option<Table<'_>>,
    inputs: &[usize],
    output: usize,
    reading: &Reading,
) -> Result<Operation, ModelFault> {
    let given = || options.ok_or_else(|| ModelFault(format!("operation {code} has no options")));
    Ok(match code {
        ADD => match options {
            Some(options) => Operation::Add(activation(options.number(0, 0)?)?),
            None => Operation::Add(Activation::None),
        },
        CONV_2D => {
            let (weights, options) = (reading.constant(inputs.get(1))?, given()?);
            let &[channels_out, rows, columns, channels_in] = weights.shape.as_slice() else {
                return Err(ModelFault::new("a filter has not four dimensions"));
            };
            Operation::Convolution(Convolution::new(
                sliding(&options, (rows, columns), Some((5, 4)))?,
                (channels_in, channels_out),
                weights.values.clone(),
                reading.constant(inputs.get(2))?.values.clone(),
                activation(options.number(3, 0)?)?,
            )?)
        }
        DEPTHWISE_CONV_2D => {
            let (weights, options) = (reading.constant(inputs.get(1))?, given()?);
            let &[1, rows, columns, channels] = weights.shape.as_slice() else {
                return Err(ModelFault::new("a filter has not three dimensions"));
            };
            Operation::Depthwise(Depthwise::new(
                sliding(&options, (rows, columns), Some((6, 5)))?,
                channels,
                weights.values.clone(),
                reading.constant(inputs.get(2))?.values.clone(),
                activation(options.number(4, 0)?)?,
            )?)
        }
        MAX_POOL_2D => {
            let options = given()?;
            let (rows, columns) = (natural(&options, 4)?, natural(&options, 3)?);
            Operation::MaxPool(sliding(&options, (rows, columns), None)?)
        }
        RELU => Operation::Relu,
        PRELU => Operation::Prelu(reading.constant(inputs.get(1))?.values.clone()),
        RESHAPE => Operation::Reshape(reading.shapes.get(output).cloned().unwrap_or_default()),
        RESIZE_BILINEAR => {
            let &[height, width] = reading.whole(inputs.get(1))? else {
                return Err(ModelFault::new("a size has not two numbers"));
            };
            let flag = |field| match options {
                Some(options) => options.number(field, 0_u8).map(|value| value != 0),
                None => Ok(false),
            };
            Operation::Resize(Resize {
                height,
                width,
                align_corners: flag(2)?,
                half_pixel_centres: flag(3)?,
            })
        }
        PAD => {
            let &[0, 0, above, below, left, right, front, back] = reading.whole(inputs.get(1))?
            else {
                return Err(ModelFault::new("a border has not eight numbers"));
            };
            Operation::Pad([(above, below), (left, right), (front, back)])
        }
        other => return Err(ModelFault(format!("operation {other} is not known here"))),
    })
}

/// Strides are fields 1 (columns) and 2 (rows) of all three options, padding is field 0.
fn sliding(
    options: &Table<'_>,
    extent: (usize, usize),
    dilation: Option<(usize, usize)>,
) -> Result<Sliding, ModelFault> {
    let dilation = match dilation {
        Some((rows, columns)) => (natural(options, rows)?, natural(options, columns)?),
        None => (1, 1),
    };
    Sliding::new(
        extent,
        (natural(options, 2)?, natural(options, 1)?),
        dilation,
        if options.number(0, 0_u8)? == 0 {
            Padding::Same
        } else {
            Padding::Valid
        },
    )
}

fn natural(options: &Table<'_>, field: usize) -> Result<usize, ModelFault> {
    usize::try_from(options.number(field, 1_i32)?)
        .map_err(|_| ModelFault::new("an option is negative"))
}

fn activation(code: u8) -> Result<Activation, ModelFault> {
    match code {
        0 => Ok(Activation::None),
        1 => Ok(Activation::Relu),
        3 => Ok(Activation::Relu6),
        other => Err(ModelFault(format!("activation {other} is not known here"))),
    }
}

/// Half precision to single, exactly.
fn widen(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let exponent = u32::from((half >> 10) & 31);
    let mantissa = u32::from(half & 1023);
    match exponent {
        0 => {
            let value = f32::from(half & 1023) * 2_f32.powi(-24);
            if sign == 0 { value } else { -value }
        }
        31 => f32::from_bits(sign | 0x7F80_0000 | (mantissa << 13)),
        _ => f32::from_bits(sign | ((exponent + 112) << 23) | (mantissa << 13)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_widens_exactly() {
        for (half, single) in [
            (0x0000, 0.0),
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x7BFF, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x8001, -5.960_464_5e-8),
            (0x3555, 0.333_251_95),
            (0x7C00, f32::INFINITY),
        ] {
            assert_eq!(widen(half).to_bits(), f32::to_bits(single), "{half:#06x}");
        }
        assert!(widen(0x7E00).is_nan());
    }
}
