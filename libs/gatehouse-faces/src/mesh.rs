//! The 468 points of a face, and how sure the model is that it sees one.
#![expect(
    clippy::indexing_slicing,
    reason = "fixed sizes: a mesh has 468 points by its type, and the points asked for are constants below that"
)]

use crate::detector::Detection;
use crate::network::{Graph, ModelFault};
use crate::pixels::{Pyramid, Window};

/// Pixels of the model's input on a side.
const SIDE: usize = 192;
/// Points of a face.
pub(crate) const POINTS: usize = 468;
/// The window around a face, in sides of its box.
const MARGIN: f32 = 1.5;

/// Outer corners of the eyes, on the left and on the right of an upright picture.
pub(crate) const OUTER_EYES: [usize; 2] = [33, 263];

/// A face's points in pixels of the picture; the third number is depth, in pixels too, and away from
/// the camera.
pub(crate) struct Points {
    points: [[f32; 3]; POINTS],
    /// How sure it is a face, 0 to 1.
    pub(crate) presence: f32,
}

impl Points {
    pub(crate) fn all(&self) -> &[[f32; 3]; POINTS] {
        &self.points
    }

    pub(crate) fn at(&self, index: usize) -> [f32; 2] {
        let [x, y, _] = self.points[index];
        [x, y]
    }

    /// The distance of two points, depth included.
    pub(crate) fn distance(&self, a: usize, b: usize) -> f32 {
        let (a, b) = (self.points[a], self.points[b]);
        (a[0] - b[0]).hypot(a[1] - b[1]).hypot(a[2] - b[2])
    }

    /// Upper left and lower right corner of the box around all points, after turning them by an
    /// angle against the clock as one looks at it.
    fn bounds_turned(&self, angle: f32) -> [[f32; 2]; 2] {
        let (sin, cos) = angle.sin_cos();
        let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
        for [x, y, _] in self.points {
            for (k, value) in [x * cos + y * sin, y * cos - x * sin]
                .into_iter()
                .enumerate()
            {
                low[k] = low[k].min(value);
                high[k] = high[k].max(value);
            }
        }
        [low, high]
    }

    /// Upper left and lower right corner of the box around all points.
    pub(crate) fn bounds(&self) -> [[f32; 2]; 2] {
        self.bounds_turned(0.0)
    }
}

/// The loaded mesh model.
pub(crate) struct Mesh {
    graph: Graph,
}

impl Mesh {
    pub(crate) fn read(file: &[u8]) -> Result<Mesh, ModelFault> {
        let graph = Graph::read(file)?;
        if graph.input_shape() != [1, SIDE, SIDE, 3] {
            return Err(ModelFault::new("the mesh takes another input"));
        }
        Ok(Mesh { graph })
    }

    /// The points of a detected face.
    pub(crate) fn first(&self, picture: &Pyramid, face: &Detection) -> Result<Points, ModelFault> {
        let extent = face.longer_side() * MARGIN;
        self.look(
            picture,
            &Window::square(face.centre(), extent, face.inclination(), SIDE),
        )
    }

    /// The points once more, from a window that follows from them instead of from the detector's
    /// coarser box. Steadies the angles by a few degrees, and the mouth.
    pub(crate) fn again(&self, picture: &Pyramid, points: &Points) -> Result<Points, ModelFault> {
        let [left, right] = OUTER_EYES.map(|index| points.at(index));
        let angle = (right[1] - left[1]).atan2(right[0] - left[0]);
        let (sin, cos) = angle.sin_cos();
        let [low, high] = points.bounds_turned(angle);
        let [x, y] = [0, 1].map(|k| (low[k] + high[k]) / 2.0);
        let centre = [x * cos - y * sin, x * sin + y * cos];
        let extent = (high[0] - low[0]).max(high[1] - low[1]) * MARGIN;
        self.look(picture, &Window::square(centre, extent, angle, SIDE))
    }

    /// The points as if the whole picture were a face.
    pub(crate) fn anywhere(&self, picture: &Pyramid) -> Result<Points, ModelFault> {
        let (width, height) = (picture.width(), picture.height());
        let centre = [width / 2.0, height / 2.0];
        self.look(
            picture,
            &Window::square(centre, width.max(height), 0.0, SIDE),
        )
    }

    fn look(&self, picture: &Pyramid, window: &Window) -> Result<Points, ModelFault> {
        let outputs = self
            .graph
            .run(picture.crop(window, |value| value / 255.0))?;
        let [points, presence] = outputs.as_slice() else {
            return Err(ModelFault::new("the mesh has not two outputs"));
        };
        let (coordinates, rest) = points.values.as_chunks::<3>();
        let &[presence] = presence.values.as_slice() else {
            return Err(ModelFault::new("the mesh's presence is not one number"));
        };
        let coordinates: &[[f32; 3]; POINTS] = coordinates
            .try_into()
            .ok()
            .filter(|_| rest.is_empty())
            .ok_or_else(|| ModelFault::new("the mesh has another number of points"))?;
        let step = window.step();
        Ok(Points {
            points: coordinates.map(|[x, y, z]| {
                let [x, y] = window.to_picture(x, y);
                [x, y, z * step]
            }),
            presence: 1.0 / (1.0 + (-presence).exp()),
        })
    }
}
