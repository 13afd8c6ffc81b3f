//! The pictures that devices get.

use crate::pictures::{decoded, encoded, examine, jpeg, noise, portrait, portrait_file, resized};
use gatehouse_faces::{Jpeg, Variant};
use image::ImageFormat;

fn sides(jpeg: &Jpeg) -> (u32, u32) {
    assert_eq!(
        decoded(&jpeg.bytes).dimensions(),
        (jpeg.width, jpeg.height),
        "the file is of the size that it is said to be"
    );
    (jpeg.width, jpeg.height)
}

#[test]
fn a_terminal_gets_at_most_500_pixels_and_400_000_characters() {
    for (width, height, wanted) in [
        (400, 400, (400, 400)),
        (1000, 800, (500, 400)),
        (300, 1200, (125, 500)),
    ] {
        let file = jpeg(&resized(&portrait(), width, height));
        let terminal = examine(&file).unwrap().variant(Variant::Terminal).unwrap();
        assert_eq!(sides(&terminal), wanted);
    }
    // What compresses worst.
    let file = encoded(&noise(500, 500), ImageFormat::Png);
    let worst = examine(&file).unwrap().variant(Variant::Terminal).unwrap();
    assert!(worst.bytes.len().div_ceil(3) * 4 <= 400_000);
    assert_eq!(sides(&worst), (500, 500));
}

#[test]
fn a_push_device_gets_sides_of_300_to_500_pixels() {
    for (width, height, wanted) in [
        (400, 400, (400, 400)),
        (120, 100, (360, 300)),
        (1000, 800, (500, 400)),
        (600, 150, (500, 125)),
    ] {
        let file = jpeg(&resized(&portrait(), width, height));
        let push = examine(&file).unwrap().variant(Variant::Push).unwrap();
        assert_eq!(sides(&push), wanted);
    }
}

#[test]
fn the_original_is_kept_up_to_2048_pixels() {
    let small = examine(&portrait_file()).unwrap();
    assert_eq!(sides(small.original()), (400, 400));
    let large = examine(&jpeg(&resized(&portrait(), 3000, 1500))).unwrap();
    assert_eq!((large.findings.width, large.findings.height), (3000, 1500));
    assert_eq!(sides(large.original()), (2048, 1024));
}

#[test]
fn a_resized_picture_looks_like_the_picture() {
    let large = resized(&portrait(), 1111, 1111);
    let terminal = examine(&encoded(&large, ImageFormat::Png))
        .unwrap()
        .variant(Variant::Terminal)
        .unwrap();
    let (seen, wanted) = (decoded(&terminal.bytes), resized(&portrait(), 500, 500));
    let differences = seen
        .iter()
        .zip(wanted.iter())
        .map(|(a, b)| u64::from(a.abs_diff(*b)));
    let mean = differences.sum::<u64>() as f64 / seen.len() as f64;
    assert!(mean < 4.0, "{mean}");
    // No dark rim.
    let rim = |picture: &image::RgbImage| -> u64 {
        (0..500)
            .map(|y| u64::from(picture.get_pixel(0, y).0[1]))
            .sum()
    };
    assert!(rim(&seen).abs_diff(rim(&wanted)) < 500 * 6);
}
