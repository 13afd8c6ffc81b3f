//! Whether something covers the face: the colour of seven places on it is compared with the person's
//! own cheeks and forehead.
//!
//! A heuristic. It finds masks of any colour but skin's, and dark glasses; it does not find a hand, and
//! coloured light can mislead it. Beards were not tried.

use crate::measures::luma;
use crate::mesh::{OUTER_EYES, Points};
use crate::pixels::{Pyramid, Window};

/// Pixels of a place's sample on a side.
const SAMPLE: usize = 8;

/// A place on the face: the middle of these points, and how large it is in distances of the eyes.
struct Place {
    points: &'static [usize],
    extent: f32,
}

const fn place(points: &'static [usize], extent: f32) -> Place {
    Place { points, extent }
}

/// Under both eyes, and three places of the forehead: one of them under hair does not matter, because
/// the median is taken.
const SKIN: [Place; 5] = [
    place(&[117], 0.14),
    place(&[346], 0.14),
    place(&[151], 0.16),
    place(&[108], 0.12),
    place(&[337], 0.12),
];

/// A place that may be covered: how far its brightness (as a share of the skin's) and its colour may
/// differ.
struct Watched {
    place: Place,
    brightness: f32,
    colour: f32,
}

const fn watched(points: &'static [usize], extent: f32, brightness: f32, colour: f32) -> Watched {
    Watched {
        place: place(points, extent),
        brightness,
        colour,
    }
}

const EYES: [Watched; 2] = [
    watched(&[33, 133], 0.3, 0.72, 30.0),
    watched(&[362, 263], 0.3, 0.72, 30.0),
];
/// Mouth, both sides of the jaw, nose and chin.
const OTHERS: [Watched; 5] = [
    watched(&[13, 14], 0.35, 0.7, 34.0),
    watched(&[204], 0.15, 0.6, 22.0),
    watched(&[424], 0.15, 0.6, 22.0),
    watched(&[4], 0.12, 0.6, 24.0),
    watched(&[199], 0.15, 0.6, 22.0),
];

/// The share of the seven places that do not look like skin; at least a half when both eyes do not,
/// which is what dark glasses look like.
pub(crate) fn covered(picture: &Pyramid, points: &Points) -> f64 {
    let [left, right] = OUTER_EYES.map(|index| points.at(index));
    let eyes = (right[0] - left[0]).hypot(right[1] - left[1]);
    let skin = median(SKIN.map(|place| colour(picture, points, &place, eyes)));
    let differs = |watched: &Watched| {
        let here = colour(picture, points, &watched.place, eyes);
        let tint = (here.blue - skin.blue).hypot(here.red - skin.red);
        let brightness = (here.luma - skin.luma).abs();
        tint > watched.colour || brightness > watched.brightness * skin.luma.max(40.0)
    };
    let share = |number: u8| f64::from(number) / 7.0;
    let number = |places: &[Watched]| places.iter().map(|one| u8::from(differs(one))).sum::<u8>();
    match (number(&EYES), number(&OTHERS)) {
        (2, others) => share(2 + others).max(0.5),
        (eyes, others) => share(eyes + others),
    }
}

/// A colour as brightness and its differences to blue and to red.
#[derive(Clone, Copy)]
struct Colour {
    luma: f32,
    blue: f32,
    red: f32,
}

/// The mean colour of a place.
fn colour(picture: &Pyramid, points: &Points, place: &Place, eyes: f32) -> Colour {
    let (mut x, mut y, mut number) = (0.0, 0.0, 0.0);
    for index in place.points {
        let [px, py] = points.at(*index);
        (x, y, number) = (x + px, y + py, number + 1.0);
    }
    let centre = [x / number, y / number];
    let window = Window::square(centre, eyes * place.extent, 0.0, SAMPLE);
    let sample = picture.crop(&window, |value| value);
    let (pixels, _) = sample.as_chunks::<3>();
    let (mut sum, mut number) = ([0.0; 3], 0.0);
    for [r, g, b] in pixels {
        sum = [sum[0] + r, sum[1] + g, sum[2] + b];
        number += 1.0;
    }
    let rgb = sum.map(|value| value / number);
    let luma = luma(rgb);
    Colour {
        luma,
        blue: 0.564 * (rgb[2] - luma),
        red: 0.713 * (rgb[0] - luma),
    }
}

/// The median of each part alone.
fn median(colours: [Colour; 5]) -> Colour {
    let middle = |part: fn(&Colour) -> f32| {
        let mut values = colours.map(|colour| part(&colour));
        values.sort_by(f32::total_cmp);
        values[2]
    };
    Colour {
        luma: middle(|colour| colour.luma),
        blue: middle(|colour| colour.blue),
        red: middle(|colour| colour.red),
    }
}
