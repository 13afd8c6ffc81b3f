//! How the head is turned: the canonical face is turned and scaled until it lies best on the points
//! that were found (Procrustes, by Horn's quaternions), and its rotation is the head's.
#![expect(
    clippy::indexing_slicing,
    reason = "matrices of fixed size, and points that Geometry::read checked"
)]

use crate::mesh::POINTS;
use crate::network::ModelFault;

/// The canonical face: 468 points of a head that looks straight ahead, and which of them tell the
/// pose, with what weight.
pub(crate) struct Geometry {
    points: Vec<[f64; 3]>,
    basis: Vec<(usize, f64)>,
}

/// The head's angles in degrees. Yaw is positive to the right of the picture, pitch upwards, roll
/// against the clock as one looks at the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pose {
    pub(crate) pitch: f32,
    pub(crate) yaw: f32,
    pub(crate) roll: f32,
}

type Matrix<const N: usize> = [[f64; N]; N];

impl Geometry {
    pub(crate) fn pose(&self, observed: &[[f32; 3]; POINTS]) -> Pose {
        // The picture's y points down and its z away, the canonical face's up and to the camera.
        let seen = |index: usize| {
            let [x, y, z] = observed[index].map(f64::from);
            [x, -y, -z]
        };
        let (mut from, mut to, mut weights) = ([0.0; 3], [0.0; 3], 0.0);
        for &(index, weight) in &self.basis {
            weights += weight;
            let seen = seen(index);
            for k in 0..3 {
                from[k] += weight * self.points[index][k];
                to[k] += weight * seen[k];
            }
        }
        let mut covariance = [[0.0; 3]; 3];
        for &(index, weight) in &self.basis {
            let seen = seen(index);
            for (j, row) in covariance.iter_mut().enumerate() {
                let canonical = self.points[index][j] - from[j] / weights;
                for (k, value) in row.iter_mut().enumerate() {
                    *value += weight * canonical * (seen[k] - to[k] / weights);
                }
            }
        }
        let r = rotation(best_quaternion(&covariance));
        Pose {
            pitch: degrees(r[1][2].clamp(-1.0, 1.0).asin()),
            yaw: degrees(r[0][2].atan2(r[2][2])),
            roll: degrees(r[1][0].atan2(r[1][1])),
        }
    }
}

#[expect(clippy::as_conversions, reason = "an angle needs no more digits")]
fn degrees(radians: f64) -> f32 {
    radians.to_degrees() as f32
}

/// The rotation that turns one set of points best into the other, from their covariance: the
/// eigenvector of Horn's matrix with the largest eigenvalue.
fn best_quaternion(s: &Matrix<3>) -> [f64; 4] {
    let mut n = [
        [
            s[0][0] + s[1][1] + s[2][2],
            s[1][2] - s[2][1],
            s[2][0] - s[0][2],
            s[0][1] - s[1][0],
        ],
        [
            s[1][2] - s[2][1],
            s[0][0] - s[1][1] - s[2][2],
            s[0][1] + s[1][0],
            s[2][0] + s[0][2],
        ],
        [
            s[2][0] - s[0][2],
            s[0][1] + s[1][0],
            s[1][1] - s[0][0] - s[2][2],
            s[1][2] + s[2][1],
        ],
        [
            s[0][1] - s[1][0],
            s[2][0] + s[0][2],
            s[1][2] + s[2][1],
            s[2][2] - s[0][0] - s[1][1],
        ],
    ];
    // Shifted by a bound of all eigenvalues none is negative, and squaring again and again leaves
    // the largest alone.
    let bound: f64 = n.iter().flatten().map(|value| value.abs()).sum();
    for (k, row) in n.iter_mut().enumerate() {
        row[k] += bound;
    }
    for _ in 0..20 {
        let largest = n.iter().flatten().fold(0.0, |m: f64, v| m.max(v.abs()));
        let scaled = n.map(|row| row.map(|value| value / largest));
        n = std::array::from_fn(|i| {
            std::array::from_fn(|j| (0..4).map(|k| scaled[i][k] * scaled[k][j]).sum())
        });
    }
    // Every column is a multiple of it; the one with the largest diagonal is not near zero.
    let column = (0..4).fold(0, |best, k| if n[k][k] > n[best][best] { k } else { best });
    let vector: [f64; 4] = std::array::from_fn(|i| n[i][column]);
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    vector.map(|value| value / length)
}

fn rotation([w, x, y, z]: [f64; 4]) -> Matrix<3> {
    [
        [
            w * w + x * x - y * y - z * z,
            2.0 * (x * y - w * z),
            2.0 * (x * z + w * y),
        ],
        [
            2.0 * (x * y + w * z),
            w * w - x * x + y * y - z * z,
            2.0 * (y * z - w * x),
        ],
        [
            2.0 * (x * z - w * y),
            2.0 * (y * z + w * x),
            w * w - x * x - y * y + z * z,
        ],
    ]
}

// ---------------------------------------------------------------- the file
// MediaPipe's GeometryPipelineMetadata in Protocol Buffers: a mesh (field 3 of a long submessage:
// vertices of five floats, the first three a point) and the basis (short submessages: 1 the point, 2
// its weight).

impl Geometry {
    pub(crate) fn read(file: &[u8]) -> Result<Geometry, ModelFault> {
        let (mut vertices, mut basis) = (Vec::new(), Vec::new());
        for field in fields(file)? {
            let Field::Bytes(number, bytes) = field else {
                continue;
            };
            if bytes.len() > 1000 {
                for field in fields(bytes)? {
                    if let Field::Bytes(3, packed) = field {
                        vertices.extend(floats(packed));
                    }
                }
            } else if number == 2 || number == 3 {
                let (mut index, mut weight) = (0, 0.0);
                for field in fields(bytes)? {
                    match field {
                        Field::Number(1, value) => {
                            index = usize::try_from(value).unwrap_or(POINTS);
                        }
                        Field::Bytes(2, four) => weight = floats(four).next().unwrap_or(0.0),
                        Field::Number(..) | Field::Bytes(..) => {}
                    }
                }
                basis.push((index, weight));
            }
        }
        let (vertices, rest) = vertices.as_chunks::<5>();
        let points: Vec<[f64; 3]> = vertices
            .iter()
            .map(|[x, y, z, _, _]| [*x, *y, *z])
            .collect();
        let sound = points.len() == POINTS
            && rest.is_empty()
            && basis.len() > 3
            && basis
                .iter()
                .all(|(index, weight)| *index < POINTS && *weight > 0.0);
        sound
            .then_some(Geometry { points, basis })
            .ok_or_else(|| ModelFault::new("the canonical face is not as expected"))
    }
}

enum Field<'a> {
    Number(u64, u64),
    /// A submessage, packed numbers, or the four bytes of a float.
    Bytes(u64, &'a [u8]),
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f64> {
    let (fours, _) = bytes.as_chunks::<4>();
    fours
        .iter()
        .map(|four| f64::from(f32::from_le_bytes(*four)))
}

fn fields(mut bytes: &[u8]) -> Result<Vec<Field<'_>>, ModelFault> {
    let broken = || ModelFault::new("the canonical face cannot be read");
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = variable(&mut bytes)?;
        let (number, length) = match (tag >> 3, tag & 7) {
            (number, 0) => {
                fields.push(Field::Number(number, variable(&mut bytes)?));
                continue;
            }
            (number, 2) => (
                number,
                usize::try_from(variable(&mut bytes)?).map_err(|_| broken())?,
            ),
            (number, 5) => (number, 4),
            _ => return Err(broken()),
        };
        let (value, rest) = bytes.split_at_checked(length).ok_or_else(broken)?;
        fields.push(Field::Bytes(number, value));
        bytes = rest;
    }
    Ok(fields)
}

/// A number of seven bits a byte, lowest first.
fn variable(bytes: &mut &[u8]) -> Result<u64, ModelFault> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes
            .split_first()
            .ok_or_else(|| ModelFault::new("the canonical face ends too early"))?;
        *bytes = rest;
        value |= u64::from(first & 127) << shift;
        if *first < 128 {
            return Ok(value);
        }
    }
    Err(ModelFault::new(
        "a number of the canonical face is too long",
    ))
}

#[cfg(test)]
#[expect(clippy::as_conversions, reason = "tests")]
mod tests {
    use super::*;

    /// Some points that do not lie in a plane.
    fn face() -> Geometry {
        let points: Vec<[f64; 3]> = (0..POINTS)
            .map(|i| {
                let t = i as f64;
                [
                    (t * 0.7).sin() * 6.0,
                    (t * 1.3).cos() * 8.0,
                    (t * 2.1).sin() * 3.0,
                ]
            })
            .collect();
        Geometry {
            points,
            basis: (0..40).map(|i| (i * 11, 0.1 + i as f64 * 0.01)).collect(),
        }
    }

    fn turned(geometry: &Geometry, angles: [f64; 3]) -> [[f32; 3]; POINTS] {
        let [pitch, yaw, roll] = angles.map(f64::to_radians);
        std::array::from_fn(|i| {
            let [x, y, z] = geometry.points[i];
            // Roll about the axis to the camera, then pitch about the one through the ears, then yaw.
            let (x, y) = (
                x * roll.cos() - y * roll.sin(),
                x * roll.sin() + y * roll.cos(),
            );
            let (y, z) = (
                y * pitch.cos() + z * pitch.sin(),
                z * pitch.cos() - y * pitch.sin(),
            );
            let (x, z) = (x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin());
            // Into a picture: larger, elsewhere, y down, z away.
            [x * 9.0 + 200.0, 150.0 - y * 9.0, 40.0 - z * 9.0].map(|v| v as f32)
        })
    }

    #[test]
    fn angles_come_back_as_the_head_was_turned() {
        let geometry = face();
        for angles in [
            [0.0, 0.0, 0.0],
            [20.0, 0.0, 0.0],
            [-35.0, 0.0, 0.0],
            [0.0, 50.0, 0.0],
            [0.0, 0.0, 100.0],
            [0.0, 0.0, 179.0],
            [12.0, -30.0, 40.0],
            [-25.0, 60.0, -75.0],
        ] {
            let pose = geometry.pose(&turned(&geometry, angles));
            let measured = [pose.pitch, pose.yaw, pose.roll];
            for (m, a) in measured.into_iter().map(f64::from).zip(angles) {
                assert!((m - a).abs() < 0.01, "{measured:?} for {angles:?}");
            }
        }
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        for file in [
            b"".as_slice(),
            b"\x0A",
            b"\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
            b"\x0A\x05ab",
            b"\x0B",
        ] {
            assert!(Geometry::read(file).is_err(), "{file:?}");
        }
    }
}
