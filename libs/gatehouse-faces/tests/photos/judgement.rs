//! What is found on a portrait, and on what becomes of it when it is taken badly.

use crate::pictures::{
    beside, cropped, faces, jpeg, lit, look_at, noise, on_grey, painted, portrait, portrait_file,
    resized, turned,
};
use gatehouse_faces::{Criteria, Examined, FaceFound, FaultCode, Limits, Severity};
use image::imageops;

fn codes(examined: &Examined) -> Vec<&'static str> {
    examined
        .faults
        .iter()
        .map(|fault| fault.code.as_str())
        .collect()
}

fn face(examined: &Examined) -> &FaceFound {
    examined.findings.face.as_ref().expect("a face")
}

#[test]
fn a_good_portrait_is_accepted() {
    let limits = Limits::default();
    let examined = faces()
        .examine(&portrait_file(), &limits, &Criteria::default())
        .unwrap();
    assert!(examined.accepted(), "{:?}", examined.faults);
    assert!(examined.faults.is_empty());
    let findings = &examined.findings;
    assert_eq!(
        (findings.width, findings.height, findings.faces),
        (400, 400, 1)
    );
    let face = face(&examined);
    // The box from brow to chin, as one draws it by hand.
    for (measured, drawn) in [
        (face.area.x, 148.0),
        (face.area.y, 69.0),
        (face.area.width, 94.0),
        (face.area.height, 108.0),
    ] {
        assert!((measured - drawn).abs() < 5.0, "{:?}", face.area);
    }
    assert!(face.presence > 0.99 && face.inside == 1.0 && face.covered == 0.0);
    for angle in [face.pitch, face.yaw, face.roll] {
        assert!(angle.abs() < 12.0, "{face:?}");
    }
    // A smile.
    assert!((0.1..0.3).contains(&face.mouth_open), "{face:?}");
    for level in [1, 3, 4] {
        let criteria = Criteria::hongtu_level(level).unwrap();
        let examined = faces().examine(&portrait_file(), &limits, &criteria);
        assert!(examined.unwrap().accepted(), "level {level}");
    }
}

#[test]
fn the_same_photo_is_judged_the_same_in_any_size() {
    let large = look_at(&resized(&portrait(), 1600, 1600));
    assert!(large.accepted(), "{:?}", large.faults);
    let (large, small) = (face(&large).clone(), face(&look_at(&portrait())).clone());
    assert!(
        (large.area.x - 4.0 * small.area.x).abs() < 20.0,
        "in pixels as sent"
    );
    assert!((large.area.width - 4.0 * small.area.width).abs() < 20.0);
    // 500 pixels instead of 400.
    assert!((large.size_px - 1.25 * small.size_px).abs() < 5.0);
    assert!((large.yaw - small.yaw).abs() < 3.0 && (large.pitch - small.pitch).abs() < 3.0);
    assert!((large.share - small.share).abs() < 0.02);
}

#[test]
fn no_face_is_said_and_nothing_else() {
    for picture in [noise(400, 400), on_grey(&noise(20, 20), 300, 300, 10, 10)] {
        let examined = look_at(&picture);
        assert_eq!(codes(&examined), ["no_face"]);
        assert_eq!(examined.findings.faces, 0);
        assert!(!examined.accepted());
        let fault = &examined.faults[0];
        assert_eq!((fault.senselink, fault.hongtu), (10407, 121_032));
    }
}

#[test]
fn models_are_shared_and_outcomes_travel_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<gatehouse_faces::Faces>();
    shared::<Examined>();
    let file = portrait_file();
    std::thread::scope(|scope| {
        let both = [0, 1].map(|_| scope.spawn(|| crate::pictures::examine(&file).unwrap()));
        let [a, b] = both.map(|thread| thread.join().unwrap().findings);
        assert_eq!(a, b);
    });
}

#[test]
fn two_people_are_counted() {
    let both = beside(&portrait(), &imageops::flip_horizontal(&portrait()));
    let examined = look_at(&both);
    assert_eq!(examined.findings.faces, 2);
    let fault = &examined.faults[0];
    assert_eq!(fault.code, FaultCode::SeveralFaces);
    assert_eq!((fault.senselink, fault.hongtu), (101, 121_031));
    assert_eq!((fault.measured, fault.limit), (Some(2.0), Some(1.0)));
    assert!(
        fault.sentence.starts_with("There are 2 faces"),
        "{}",
        fault.sentence
    );
    let two_allowed = Criteria {
        faces_max: 2,
        ..Criteria::default()
    };
    let examined = faces().examine(&jpeg(&both), &Limits::default(), &two_allowed);
    assert!(
        !codes(&examined.unwrap()).contains(&"several_faces"),
        "the threshold counts"
    );
}

#[test]
fn an_inclined_head_is_measured() {
    let upright = face(&look_at(&portrait())).roll;
    for degrees in [10.0, 20.0, 40.0, -20.0, -40.0] {
        let examined = look_at(&turned(&portrait(), degrees));
        let roll = face(&examined).roll - upright;
        assert!(
            (roll - f64::from(degrees)).abs() < 3.0,
            "{roll} for {degrees}"
        );
        let refused = degrees.abs() > 30.0;
        assert_eq!(codes(&examined).contains(&"roll"), refused, "{degrees}");
    }
    let mirrored = look_at(&imageops::flip_horizontal(&turned(&portrait(), 20.0)));
    assert!(
        face(&mirrored).roll < -10.0,
        "the other way round in a mirror"
    );
}

#[test]
fn light_is_measured() {
    let dark = look_at(&lit(&portrait(), 0.25));
    assert_eq!(codes(&dark)[0], "too_dark");
    assert_eq!(dark.faults[0].senselink, 10404);
    let bright = look_at(&lit(&portrait(), 1.35));
    assert!(codes(&bright).contains(&"too_bright"), "{bright:?}");
    let (plain, dim) = (look_at(&portrait()), look_at(&lit(&portrait(), 0.5)));
    let ratio = face(&dim).brightness / face(&plain).brightness;
    assert!((ratio - 0.5).abs() < 0.02, "{ratio}");
    let mut half = lit(&portrait(), 0.3);
    imageops::replace(&mut half, &cropped(&portrait(), 195, 0, 205, 400), 195, 0);
    let half = look_at(&half);
    assert!(codes(&half).contains(&"uneven_light"), "{half:?}");
}

#[test]
fn blur_is_measured() {
    let mut last = face(&look_at(&portrait())).sharpness;
    for sigma in [1.0, 2.0, 3.0] {
        let examined = look_at(&imageops::blur(&portrait(), sigma));
        let face = face(&examined);
        assert!(
            face.sharpness < last / 2.0,
            "{} after {last}",
            face.sharpness
        );
        assert!(face.blur > 0.0 && face.blur < 1.0);
        last = face.sharpness;
        if sigma > 1.5 {
            assert_eq!(codes(&examined), ["blurred"]);
        }
    }
}

#[test]
fn a_face_that_is_small_or_at_the_edge_is_refused() {
    let small = look_at(&resized(&portrait(), 150, 150));
    assert_eq!(codes(&small)[..2], ["picture_too_small", "face_too_small"]);
    let far = look_at(&on_grey(
        &resized(&portrait(), 120, 120),
        500,
        500,
        190,
        190,
    ));
    assert_eq!(codes(&far)[..2], ["face_too_small", "share_too_low"]);
    let cut = look_at(&cropped(&portrait(), 180, 0, 220, 400));
    assert!(
        codes(&cut).contains(&"off_centre") && codes(&cut).contains(&"cut_off"),
        "{cut:?}"
    );
    assert!(
        (0.5..0.85).contains(&face(&cut).inside),
        "a third is missing"
    );
}

#[test]
fn a_mask_is_a_warning_unless_the_tenant_refuses_it() {
    for colour in [[240, 240, 240], [30, 90, 200], [15, 15, 15]] {
        let masked = painted(&portrait(), [145, 128, 100, 55], colour);
        let examined = look_at(&masked);
        let fault = examined
            .faults
            .iter()
            .find(|fault| fault.code == FaultCode::Covered)
            .unwrap_or_else(|| panic!("{colour:?}: {examined:?}"));
        assert_eq!(fault.severity, Severity::Warns);
        let strict = Criteria {
            covered_refuses: true,
            ..Criteria::default()
        };
        let refused = faces()
            .examine(&jpeg(&masked), &Limits::default(), &strict)
            .unwrap();
        assert!(!refused.accepted());
    }
}
