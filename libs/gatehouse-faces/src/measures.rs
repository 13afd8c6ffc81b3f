//! What is measured on a face that was found: position, light, sharpness, mouth.

use crate::covering::covered;
use crate::criteria::blur_of;
use crate::mesh::{Mesh, POINTS, Points};
use crate::network::ModelFault;
use crate::pixels::{Pyramid, Window};
use crate::pose::Geometry;
use crate::{Area, FaceFound};

/// Pixels of the upright crop of a face, on a side.
const CROP: usize = 112;
/// The crop's part of the face's shorter side: no hair, no background.
const CROP_SHARE: f32 = 0.8;
/// The middle of the lips, inner edge: upper and lower.
const LIPS: [usize; 2] = [13, 14];
/// Inner corners of the mouth.
const MOUTH: [usize; 2] = [78, 308];

/// Measures one face. `scale` is pixels of the picture as it was sent for one of the examined one.
pub(crate) fn measure(
    picture: &Pyramid,
    mesh: &Mesh,
    geometry: &Geometry,
    first: &Points,
    scale: f64,
) -> Result<FaceFound, ModelFault> {
    let points = mesh.again(picture, first)?;
    let pose = geometry.pose(points.all());
    let [[left, top], [right, bottom]] = points.bounds();
    let (width, height) = (right - left, bottom - top);
    let centre = [(left + right) / 2.0, (top + bottom) / 2.0];
    let light = light(picture, centre, width.min(height), pose.roll);
    let inside = points
        .all()
        .iter()
        .filter(|[x, y, _]| {
            (0.0..picture.width()).contains(x) && (0.0..picture.height()).contains(y)
        })
        .count();
    let off_x = centre[0] / picture.width() - 0.5;
    let off_y = centre[1] / picture.height() - 0.5;
    let shorter = picture.width().min(picture.height());
    Ok(FaceFound {
        area: Area {
            x: f64::from(left) * scale,
            y: f64::from(top) * scale,
            width: f64::from(width) * scale,
            height: f64::from(height) * scale,
        },
        presence: f64::from(points.presence),
        size_px: f64::from(width.min(height)),
        pitch: f64::from(pose.pitch),
        yaw: f64::from(pose.yaw),
        roll: f64::from(pose.roll),
        brightness: light.mean,
        brightness_deviation: light.deviation,
        side_difference: light.side_difference,
        sharpness: light.sharpness,
        blur: blur_of(light.sharpness),
        mouth_open: f64::from(
            points.distance(LIPS[0], LIPS[1]) / points.distance(MOUTH[0], MOUTH[1]),
        ),
        covered: covered(picture, &points),
        inside: count(inside) / count(POINTS),
        centre_distance: f64::from(off_x.hypot(off_y)),
        share: f64::from(width.max(height) / shorter),
    })
}

struct Light {
    mean: f64,
    deviation: f64,
    side_difference: f64,
    sharpness: f64,
}

/// Light and sharpness on the face, turned upright.
fn light(picture: &Pyramid, centre: [f32; 2], shorter: f32, roll: f32) -> Light {
    let angle = -roll.to_radians();
    let window = Window::square(centre, shorter * CROP_SHARE, angle, CROP);
    let colours = picture.crop(&window, |value| value);
    let (pixels, _) = colours.as_chunks::<3>();
    let luma: Vec<f64> = pixels
        .iter()
        .map(|colour| f64::from(luma(*colour)))
        .collect();
    let mean = mean(luma.iter().copied());
    let half = |left: bool| {
        let in_half = luma
            .iter()
            .enumerate()
            .filter(|(index, _)| (index % CROP < CROP / 2) == left);
        self::mean(in_half.map(|(_, value)| *value))
    };
    Light {
        mean,
        deviation: self::mean(luma.iter().map(|value| (value - mean).powi(2))).sqrt(),
        side_difference: (half(true) - half(false)).abs(),
        sharpness: laplacian_variance(&luma),
    }
}

/// Brightness of a colour.
pub(crate) fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

/// How much each pixel differs from its four neighbours: high where there are edges.
fn laplacian_variance(luma: &[f64]) -> f64 {
    let mut differences = Vec::with_capacity(luma.len());
    let rows = luma.chunks_exact(CROP);
    for ((above, row), below) in rows.clone().zip(rows.clone().skip(1)).zip(rows.skip(2)) {
        let beside = row.windows(3).zip(above.iter().zip(below).skip(1));
        for (three, (above, below)) in beside {
            if let [left, middle, right] = three {
                differences.push(left + right + above + below - 4.0 * middle);
            }
        }
    }
    let mean = mean(differences.iter().copied());
    self::mean(differences.iter().map(|value| (value - mean).powi(2)))
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, number) = values.fold((0.0, 0.0), |(sum, number), value| {
        (sum + value, number + 1.0)
    });
    sum / number
}

/// A count of something on a face as a number to divide by.
fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}
