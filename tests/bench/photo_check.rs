//! Figure 7: CPU of a photo check, on one core, beside what decoding the picture alone costs.

use crate::figure::{Figure, say};
use crate::rounds::{median, ms};
use anyhow::Context;
use gatehouse_faces::{Criteria, Faces, Limits};
use serde_json::json;
use std::time::{Duration, Instant};

const GOAL: Duration = Duration::from_millis(60);
const SIDE: u32 = 500;
const CHECKS: usize = 40;

/// Measures it.
pub(crate) fn measure() -> anyhow::Result<Figure> {
    println!(
        "photo check: {CHECKS} checks of a {SIDE} px photo, one after the other on one thread"
    );
    let folder = kit::Environment::get()
        .var("GATEHOUSE_FACE_MODELS")
        .to_owned();
    let faces = Faces::load(folder.as_ref())
        .context("the face models are read; deploy/local/models.sh fetches them")?;
    let portrait = std::fs::read(kit::environment::root().join("tests/kit/fixtures/portrait.jpg"))?;
    let picture = enlarged(&portrait)?;
    let (limits, criteria) = (Limits::default(), Criteria::default());
    let (mut checks, mut decodes) = (Vec::new(), Vec::new());
    for _ in 0..CHECKS {
        let begun = Instant::now();
        let examined = faces.examine(&picture, &limits, &criteria)?;
        checks.push(begun.elapsed().as_secs_f64());
        anyhow::ensure!(
            examined.findings.faces == 1,
            "{} faces are found",
            examined.findings.faces
        );
        let begun = Instant::now();
        std::hint::black_box(image::load_from_memory(&picture)?);
        decodes.push(begun.elapsed().as_secs_f64());
    }
    let of = |times: &[f64]| Duration::from_secs_f64(median(times));
    let (check, decode) = (of(&checks), of(&decodes));
    say(format_args!(
        "a check {:.1} ms, decoding alone {:.1} ms",
        ms(check),
        ms(decode)
    ));
    Ok(Figure {
        name: format!("Photo check, {SIDE} px, one core"),
        value: format!("{:.1} ms", ms(check)),
        bound: format!("{:.1} ms (decoding alone)", ms(decode)),
        ratio: ms(check) / ms(decode),
        goal: format!("< {} ms", GOAL.as_millis()),
        met: check < GOAL,
        lost: None,
        notes: vec![
            "decoding, detection, mesh, measures and the picture made clean, the middle of all"
                .to_owned(),
        ],
        numbers: json!({"check_ms": ms(check), "decode_ms": ms(decode)}),
    })
}

/// The portrait with its longer side at 500 px.
fn enlarged(portrait: &[u8]) -> anyhow::Result<Vec<u8>> {
    let picture = image::load_from_memory(portrait)?;
    let picture = picture.resize(SIDE, SIDE, image::imageops::FilterType::Triangle);
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .to_rgb8()
        .write_to(&mut bytes, image::ImageFormat::Jpeg)?;
    Ok(bytes.into_inner())
}
