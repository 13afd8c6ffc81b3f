//! A tenant's thresholds for photos.
//!
//! Every one is a guess from few pictures: the vendors publish none of theirs, and none of their
//! scales. That is why all of them are settings.

use serde::{Deserialize, Serialize};

/// The thresholds that a photo is judged by. What each one is compared with stands at the field of
/// the same name in [`FaceFound`](crate::FaceFound).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Criteria {
    /// The least pixels of the picture's shorter side.
    pub picture_side_min_px: u32,
    /// The most faces.
    pub faces_max: u32,
    /// What counts as a face at all: its least presence, 0 to 1.
    pub counted_presence_min: f64,
    /// The least presence of the face, 0 to 1.
    pub presence_min: f64,
    /// The least pixels of the face's shorter side, as terminals get the picture.
    pub face_size_min_px: f64,
    /// The most degrees up or down.
    pub pitch_max_deg: f64,
    /// The most degrees to the side.
    pub yaw_max_deg: f64,
    /// The most degrees of inclination.
    pub roll_max_deg: f64,
    /// The largest distance of the face's centre from the picture's, as a share of its sides.
    pub centre_distance_max: f64,
    /// The least share of the face's longer side in the picture's shorter side.
    pub share_min: f64,
    /// The largest such share.
    pub share_max: f64,
    /// The share of the face that may be covered: from here on it is a fault.
    pub covered_max: f64,
    /// Whether a covered face is refused. It is a warning otherwise, which is the default: the measure
    /// is a heuristic.
    pub covered_refuses: bool,
    /// The least mean brightness of the skin, 0 to 255. Low on purpose: higher ones refuse dark skin.
    pub brightness_min: f64,
    /// The largest mean brightness, 0 to 255.
    pub brightness_max: f64,
    /// The largest standard deviation of the brightness.
    pub brightness_deviation_max: f64,
    /// The largest difference of brightness between the halves of the face.
    pub side_difference_max: f64,
    /// The least sharpness: the variance of the Laplacian.
    pub sharpness_min: f64,
    /// The widest gap between the lips, as a share of the mouth's width.
    pub mouth_open_max: f64,
    /// The least share of the face's points inside the picture.
    pub inside_min: f64,
}

impl Default for Criteria {
    fn default() -> Self {
        Criteria {
            picture_side_min_px: 200,
            faces_max: 1,
            counted_presence_min: 0.5,
            presence_min: 0.9,
            face_size_min_px: 60.0,
            pitch_max_deg: 25.0,
            yaw_max_deg: 25.0,
            roll_max_deg: 25.0,
            centre_distance_max: 0.45,
            share_min: 0.15,
            share_max: 0.95,
            covered_max: 0.4,
            covered_refuses: false,
            brightness_min: 50.0,
            brightness_max: 215.0,
            brightness_deviation_max: 90.0,
            side_difference_max: 80.0,
            sharpness_min: 20.0,
            mouth_open_max: 0.45,
            inside_min: 0.97,
        }
    }
}

/// Hongtu's own criteria (document 003, storage criteria, `customConfig` of level 4), with its units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HongtuCustom {
    /// The largest blur, 0 to 1.
    pub blur: f64,
    /// The most degrees up or down, 1 to 100.
    pub pitch: f64,
    /// The most degrees of inclination, 1 to 100.
    pub roll: f64,
    /// The most degrees to the side, 1 to 100.
    pub yaw: f64,
    /// The least mean brightness, 1 to 1000.
    pub brightness_min: u32,
    /// The largest mean brightness, 1 to 1000.
    pub brightness_max: u32,
    /// The least face in pixels, 1 to 500.
    pub size: u32,
    /// The largest standard deviation of brightness, 1 to 1000. Spelled as the document spells it.
    pub sdt_deviation: u32,
}

/// The variance of the Laplacian at which Hongtu's blur is one half.
const BLUR_HALF: f64 = 20.0;

/// Hongtu's blur, 0 (sharp) to 1, for a variance of the Laplacian.
pub(crate) fn blur_of(sharpness: f64) -> f64 {
    1.0 / (1.0 + sharpness.max(0.0) / BLUR_HALF)
}

/// The other way round. A blur of 0 or less would ask for infinite sharpness; a thousandth is what
/// the best photo reaches.
fn sharpness_of(blur: f64) -> f64 {
    BLUR_HALF * (1.0 / blur.clamp(0.001, 1.0) - 1.0)
}

impl Criteria {
    /// Hongtu's levels (document 003, storage criteria): 1 is low, 3 is high and its default, 4 is
    /// the tenant's own. `None` for any other number.
    ///
    /// The document names the levels and gives no numbers, so these are ours: 3 is stricter than our
    /// default, 1 more lenient; 4 begins as our default, to be changed by [`Criteria::with_hongtu`] or
    /// field by field.
    #[must_use]
    pub fn hongtu_level(level: u8) -> Option<Criteria> {
        let usual = Criteria::default();
        match level {
            1 => Some(Criteria {
                presence_min: 0.8,
                face_size_min_px: 40.0,
                pitch_max_deg: 35.0,
                yaw_max_deg: 35.0,
                roll_max_deg: 35.0,
                brightness_min: 40.0,
                brightness_max: 230.0,
                brightness_deviation_max: 110.0,
                side_difference_max: 110.0,
                sharpness_min: 10.0,
                mouth_open_max: 0.7,
                ..usual
            }),
            3 => Some(Criteria {
                face_size_min_px: 80.0,
                pitch_max_deg: 20.0,
                yaw_max_deg: 20.0,
                roll_max_deg: 20.0,
                brightness_deviation_max: 80.0,
                side_difference_max: 60.0,
                sharpness_min: 30.0,
                ..usual
            }),
            4 => Some(usual),
            _ => None,
        }
    }

    /// These criteria with Hongtu's eight numbers in place of their own.
    #[must_use]
    pub fn with_hongtu(self, custom: &HongtuCustom) -> Criteria {
        Criteria {
            sharpness_min: sharpness_of(custom.blur),
            pitch_max_deg: custom.pitch,
            roll_max_deg: custom.roll,
            yaw_max_deg: custom.yaw,
            brightness_min: f64::from(custom.brightness_min),
            brightness_max: f64::from(custom.brightness_max),
            face_size_min_px: f64::from(custom.size),
            brightness_deviation_max: f64::from(custom.sdt_deviation),
            ..self
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_unknown_is_refused() {
        let some: Criteria = serde_json::from_str(r#"{"yaw_max_deg": 40.0}"#).unwrap();
        assert_eq!(
            some,
            Criteria {
                yaw_max_deg: 40.0,
                ..Criteria::default()
            }
        );
        let written = serde_json::to_string(&some).unwrap();
        assert_eq!(serde_json::from_str::<Criteria>(&written).unwrap(), some);
        let misspelt = serde_json::from_str::<Criteria>(r#"{"yaw_max_degrees": 40.0}"#);
        assert!(
            misspelt
                .unwrap_err()
                .to_string()
                .contains("yaw_max_degrees")
        );
    }

    #[test]
    fn hongtus_levels_are_three_and_each_stricter_than_the_last() {
        let level = |number| Criteria::hongtu_level(number).unwrap();
        let (low, own, high) = (level(1), level(4), level(3));
        assert_eq!(own, Criteria::default());
        for (a, b) in [(&low, &own), (&own, &high)] {
            assert!(a.yaw_max_deg > b.yaw_max_deg && a.pitch_max_deg > b.pitch_max_deg);
            assert!(a.sharpness_min < b.sharpness_min);
            assert!(a.face_size_min_px < b.face_size_min_px);
            assert!(a.side_difference_max > b.side_difference_max);
        }
        assert!(
            [0, 2, 5]
                .iter()
                .all(|n| Criteria::hongtu_level(*n).is_none())
        );
    }

    #[test]
    fn hongtus_own_numbers_take_their_place() {
        let custom: HongtuCustom = serde_json::from_str(
            r#"{"blur": 0.5, "pitch": 11, "roll": 12, "yaw": 13, "brightnessMin": 70,
                "brightnessMax": 200, "size": 90, "sdtDeviation": 60}"#,
        )
        .unwrap();
        let criteria = Criteria::default().with_hongtu(&custom);
        assert_eq!(
            (
                criteria.pitch_max_deg,
                criteria.roll_max_deg,
                criteria.yaw_max_deg
            ),
            (11.0, 12.0, 13.0)
        );
        assert_eq!(
            (criteria.brightness_min, criteria.brightness_max),
            (70.0, 200.0)
        );
        assert_eq!(criteria.face_size_min_px, 90.0);
        assert_eq!(criteria.brightness_deviation_max, 60.0);
        assert!((blur_of(criteria.sharpness_min) - 0.5).abs() < 1e-9);
        // The scale's ends are numbers, too.
        for blur in [0.0, 1.0] {
            let ends = Criteria::default().with_hongtu(&HongtuCustom {
                blur,
                ..custom.clone()
            });
            assert!(ends.sharpness_min.is_finite() && ends.sharpness_min >= 0.0);
        }
    }
}
