//! What was seen and measured in a picture, without any judgement.

use serde::Serialize;

/// What a picture shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// Pixels of width of the upright picture, as it was sent.
    pub width: u32,
    /// Pixels of height of the upright picture, as it was sent.
    pub height: u32,
    /// How many faces were counted.
    pub faces: u32,
    /// The largest of them.
    pub face: Option<FaceFound>,
}

/// A rectangle in pixels of the upright picture as it was sent. It may reach beyond the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Area {
    /// The left edge.
    pub x: f64,
    /// The upper edge.
    pub y: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
}

/// What was measured on one face. Where nothing else is said, in the picture as terminals get it: at
/// most 500 pixels on the longest side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaceFound {
    /// Where it is: the box around all 468 points of the face, hair not included.
    #[serde(rename = "box")]
    pub area: Area,
    /// How sure the model is that this is a face, 0 to 1.
    pub presence: f64,
    /// The shorter side of the box in pixels, as terminals get it.
    pub size_px: f64,
    /// Degrees up (negative) or down (positive), 0 when the person looks at the camera.
    pub pitch: f64,
    /// Degrees to the side.
    pub yaw: f64,
    /// Degrees of the head's inclination to a shoulder.
    pub roll: f64,
    /// Mean brightness of the skin, 0 to 255.
    pub brightness: f64,
    /// Standard deviation of that brightness, 0 to 127.
    pub brightness_deviation: f64,
    /// Difference of the mean brightness of the left and the right half, 0 to 255.
    pub side_difference: f64,
    /// Variance of the Laplacian on the face, 112 x 112: below 20 is blurred, an ordinary photo has
    /// hundreds.
    pub sharpness: f64,
    /// The same as Hongtu's scale: 0 is sharp, 1 is nothing but blur.
    pub blur: f64,
    /// The gap between the lips as a share of the mouth's width: 0 is closed.
    pub mouth_open: f64,
    /// The share of places on the face whose colour is not that of the person's own skin, 0 to 1. A
    /// heuristic: it finds masks and dark glasses, and not a hand.
    pub covered: f64,
    /// The share of the face's points that lie inside the picture, 0 to 1.
    pub inside: f64,
    /// Distance of the face's centre from the picture's, as a share of its sides: 0 to 0.7.
    pub centre_distance: f64,
    /// The longer side of the box as a share of the picture's shorter side.
    pub share: f64,
}
