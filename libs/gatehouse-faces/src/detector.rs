//! Where faces are: BlazeFace on the whole picture, and one box for each face out of the many that it
//! proposes.
//!
//! Deliberately absent: a search in tiles of the picture. It finds faces below a twentieth of the
//! side, and costs ten times as much; such a face is too small for a terminal anyway.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "fixed sizes: the lengths of the model's outputs are checked before the loop over them"
)]

use crate::network::{Graph, ModelFault};
use crate::pixels::{Pyramid, Window};

/// Pixels of the model's input on a side.
const SIDE: usize = 192;
/// Proposals: one for each cell of a grid over the input.
const GRID: usize = 48;
/// Numbers of a proposal: centre, size, and six points of the face.
const NUMBERS: usize = 16;
/// The least score of a proposal. Higher ones lose real faces; false ones are told by their mesh.
const SCORE_MIN: f32 = 0.5;
/// Proposals that overlap more are the same face.
const SAME_OVERLAP: f32 = 0.3;
/// So are those of which the smaller lies so much within the larger.
const SAME_WITHIN: f32 = 0.6;
/// More faces than anybody needs to know of: each is one run of the mesh.
const MOST_FACES: usize = 16;

/// A face's box and eyes, in pixels of the picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Detection {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    score: f32,
    /// On the left and on the right of the picture, if the head is upright.
    eyes: [[f32; 2]; 2],
}

impl Detection {
    pub(crate) fn centre(&self) -> [f32; 2] {
        [self.x + self.width / 2.0, self.y + self.height / 2.0]
    }

    pub(crate) fn longer_side(&self) -> f32 {
        self.width.max(self.height)
    }

    /// Radians by which the eyes are inclined, clockwise as one looks at the picture.
    pub(crate) fn inclination(&self) -> f32 {
        let [left, right] = self.eyes;
        (right[1] - left[1]).atan2(right[0] - left[0])
    }

    fn area(&self) -> f32 {
        self.width * self.height
    }

    fn common(&self, other: &Detection) -> f32 {
        let overlap = |a: f32, a_length: f32, b: f32, b_length: f32| {
            ((a + a_length).min(b + b_length) - a.max(b)).max(0.0)
        };
        overlap(self.x, self.width, other.x, other.width)
            * overlap(self.y, self.height, other.y, other.height)
    }

    /// Common area by the area of both.
    fn overlap(&self, other: &Detection) -> f32 {
        let common = self.common(other);
        common / (self.area() + other.area() - common).max(f32::EPSILON)
    }

    /// Common area by the area of the smaller.
    fn within(&self, other: &Detection) -> f32 {
        self.common(other) / self.area().min(other.area()).max(f32::EPSILON)
    }

    /// The numbers that are averaged.
    fn numbers(&self) -> [f32; 8] {
        let [[ax, ay], [bx, by]] = self.eyes;
        [self.x, self.y, self.width, self.height, ax, ay, bx, by]
    }

    fn of(numbers: [f32; 8], score: f32) -> Detection {
        let [x, y, width, height, ax, ay, bx, by] = numbers;
        Detection {
            x,
            y,
            width,
            height,
            score,
            eyes: [[ax, ay], [bx, by]],
        }
    }
}

/// The loaded detector.
pub(crate) struct Detector {
    graph: Graph,
}

impl Detector {
    pub(crate) fn read(file: &[u8]) -> Result<Detector, ModelFault> {
        let graph = Graph::read(file)?;
        if graph.input_shape() != [1, SIDE, SIDE, 3] {
            return Err(ModelFault::new("the detector takes another input"));
        }
        Ok(Detector { graph })
    }

    /// The faces, largest first, and sixteen at most.
    pub(crate) fn detect(&self, picture: &Pyramid) -> Result<Vec<Detection>, ModelFault> {
        // The whole picture in a square, with black on two sides.
        let extent = picture.width().max(picture.height());
        let centre = [picture.width() / 2.0, picture.height() / 2.0];
        let window = Window::square(centre, extent, 0.0, SIDE);
        let outputs = self
            .graph
            .run(picture.crop(&window, |value| value / 127.5 - 1.0))?;
        let [boxes, scores] = outputs.as_slice() else {
            return Err(ModelFault::new("the detector has not two outputs"));
        };
        let cells = GRID * GRID;
        if boxes.values.len() != cells * NUMBERS || scores.values.len() != cells {
            return Err(ModelFault::new("the detector's outputs have another size"));
        }
        let mut proposals = Vec::new();
        for (cell, score) in scores.values.iter().enumerate() {
            let score = 1.0 / (1.0 + (-score).exp());
            if score >= SCORE_MIN {
                let numbers = &boxes.values[cell * NUMBERS..][..NUMBERS];
                proposals.push(proposal(cell, numbers, score, &window));
            }
        }
        let mut faces = one_each(proposals);
        faces.sort_by(|a, b| b.longer_side().total_cmp(&a.longer_side()));
        faces.truncate(MOST_FACES);
        Ok(faces)
    }
}

/// A cell's numbers are in pixels of the input, from the cell's centre.
fn proposal(cell: usize, numbers: &[f32], score: f32, window: &Window) -> Detection {
    let cell_px = (SIDE / GRID) as f32;
    let middle = |index: usize| (index as f32 + 0.5) * cell_px;
    let (x, y) = (middle(cell % GRID), middle(cell / GRID));
    let point = |at: usize| window.to_picture(numbers[at] + x, numbers[at + 1] + y);
    let ([cx, cy], step) = (point(0), window.step());
    let (width, height) = (numbers[2] * step, numbers[3] * step);
    Detection {
        x: cx - width / 2.0,
        y: cy - height / 2.0,
        width,
        height,
        score,
        eyes: [point(4), point(6)],
    }
}

/// Proposals of the same face are averaged by their scores.
fn one_each(mut proposals: Vec<Detection>) -> Vec<Detection> {
    proposals.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut faces = Vec::new();
    while let Some(&best) = proposals.first() {
        let (mut sum, mut weight) = ([0.0; 8], 0.0);
        for one in proposals.iter().filter(|p| p.overlap(&best) > SAME_OVERLAP) {
            weight += one.score;
            for (sum, number) in sum.iter_mut().zip(one.numbers()) {
                *sum += one.score * number;
            }
        }
        // A box without area overlaps with nothing, not even with itself.
        faces.push(if weight > 0.0 {
            Detection::of(sum.map(|number| number / weight), best.score)
        } else {
            best
        });
        let mut rest = proposals.split_off(1);
        rest.retain(|p| p.overlap(&best) <= SAME_OVERLAP && p.within(&best) <= SAME_WITHIN);
        proposals = rest;
    }
    faces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detection(x: f32, width: f32, score: f32) -> Detection {
        Detection::of([x, 0.0, width, width, x, 5.0, x + 10.0, 5.0], score)
    }

    #[test]
    fn proposals_of_one_face_become_one_and_others_stay() {
        let faces = one_each(vec![
            detection(0.0, 100.0, 0.6),
            detection(10.0, 100.0, 0.9),
            detection(300.0, 50.0, 0.7),
            // Within the first, without much overlap.
            detection(20.0, 30.0, 0.5),
        ]);
        assert_eq!(faces.len(), 2);
        assert!((faces[0].x - 6.0).abs() < 1e-4, "averaged by score");
        assert_eq!(faces[1].x, 300.0);
    }

    #[test]
    fn a_box_without_area_ends_the_search_too() {
        assert_eq!(one_each(vec![detection(1.0, 0.0, 0.9); 3]).len(), 3);
    }
}
