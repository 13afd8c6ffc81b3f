//! The judgement: findings held against a tenant's criteria.

use crate::sentences;
use crate::{Criteria, FaceFound, Findings};
use serde::Serialize;

/// What can be wrong with a photo that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// The picture's shorter side is too short.
    PictureTooSmall,
    /// There is no face.
    NoFace,
    /// There are more faces than allowed.
    SeveralFaces,
    /// It is not certain that this is a face.
    FaceUnclear,
    /// The face has too few pixels.
    FaceTooSmall,
    /// The face looks up or down.
    Pitch,
    /// The face looks to the side.
    Yaw,
    /// The head is inclined.
    Roll,
    /// The face is at the picture's edge.
    OffCentre,
    /// The face takes too little of the picture.
    ShareTooLow,
    /// The face takes too much of the picture.
    ShareTooHigh,
    /// Part of the face is covered.
    Covered,
    /// The face is too dark.
    TooDark,
    /// The face is too bright.
    TooBright,
    /// One half of the face is much darker, or the light is patchy.
    UnevenLight,
    /// The face is blurred.
    Blurred,
    /// The mouth is open.
    MouthOpen,
    /// Part of the face lies outside the picture.
    CutOff,
}

impl FaultCode {
    /// All of them, in the order in which a photo's faults are listed.
    pub const ALL: [FaultCode; 18] = [
        FaultCode::PictureTooSmall,
        FaultCode::NoFace,
        FaultCode::SeveralFaces,
        FaultCode::FaceUnclear,
        FaultCode::FaceTooSmall,
        FaultCode::Pitch,
        FaultCode::Yaw,
        FaultCode::Roll,
        FaultCode::OffCentre,
        FaultCode::ShareTooLow,
        FaultCode::ShareTooHigh,
        FaultCode::Covered,
        FaultCode::TooDark,
        FaultCode::TooBright,
        FaultCode::UnevenLight,
        FaultCode::Blurred,
        FaultCode::MouthOpen,
        FaultCode::CutOff,
    ];

    /// Our own word for it, the same as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// SenseLink's `qa_code` (document 001, 6.6.2).
    #[must_use]
    pub fn senselink(self) -> u32 {
        self.row().1
    }

    /// Hongtu's code (document 003, the codes of adding a person to the library): too many faces, no
    /// face found, quality too low. 121043 says "too many faces" a second time and is not used.
    #[must_use]
    pub fn hongtu(self) -> u32 {
        match self {
            FaultCode::SeveralFaces => 121_031,
            FaultCode::NoFace => 121_032,
            FaultCode::PictureTooSmall
            | FaultCode::FaceUnclear
            | FaultCode::FaceTooSmall
            | FaultCode::Pitch
            | FaultCode::Yaw
            | FaultCode::Roll
            | FaultCode::OffCentre
            | FaultCode::ShareTooLow
            | FaultCode::ShareTooHigh
            | FaultCode::Covered
            | FaultCode::TooDark
            | FaultCode::TooBright
            | FaultCode::UnevenLight
            | FaultCode::Blurred
            | FaultCode::MouthOpen
            | FaultCode::CutOff => 121_034,
        }
    }

    fn row(self) -> (&'static str, u32) {
        match self {
            FaultCode::PictureTooSmall => ("picture_too_small", 10201),
            // SenseLink has no code of its own for it; "face missing" is nearest.
            FaultCode::NoFace => ("no_face", 10407),
            FaultCode::SeveralFaces => ("several_faces", 101),
            FaultCode::FaceUnclear => ("face_unclear", 10301),
            FaultCode::FaceTooSmall => ("face_too_small", 1_030_201),
            FaultCode::Pitch => ("pitch", 1_030_301),
            FaultCode::Yaw => ("yaw", 1_030_302),
            FaultCode::Roll => ("roll", 1_030_303),
            FaultCode::OffCentre => ("off_centre", 10401),
            FaultCode::ShareTooLow => ("share_too_low", 10402),
            FaultCode::ShareTooHigh => ("share_too_high", 10402),
            FaultCode::Covered => ("covered", 10403),
            FaultCode::TooDark => ("too_dark", 10404),
            FaultCode::TooBright => ("too_bright", 10404),
            FaultCode::UnevenLight => ("uneven_light", 10404),
            FaultCode::Blurred => ("blurred", 10405),
            FaultCode::MouthOpen => ("mouth_open", 10406),
            FaultCode::CutOff => ("cut_off", 10407),
        }
    }
}

/// What a fault means for the photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The photo is not taken.
    Refuses,
    /// The photo is taken, and somebody should look at it.
    Warns,
}

/// One thing that is wrong with a photo.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fault {
    /// What it is.
    pub code: FaultCode,
    /// What it means for the photo.
    pub severity: Severity,
    /// What was measured, in the unit of the finding.
    pub measured: Option<f64>,
    /// The threshold that it was held against.
    pub limit: Option<f64>,
    /// What is wrong and what to do, in a sentence or two.
    pub sentence: String,
    /// SenseLink's `qa_code` (document 001, 6.6.2).
    pub senselink: u32,
    /// Hongtu's code (document 003).
    pub hongtu: u32,
}

/// All that is wrong with a photo, most fundamental first. Without a face nothing else about it is
/// said.
pub(crate) fn judge(findings: &Findings, criteria: &Criteria) -> Vec<Fault> {
    let mut bench = Bench::default();
    let side = f64::from(findings.width.min(findings.height));
    bench.least(
        FaultCode::PictureTooSmall,
        side,
        f64::from(criteria.picture_side_min_px),
    );
    let Some(face) = &findings.face else {
        bench.fault(FaultCode::NoFace, None, None);
        return bench.faults;
    };
    bench.most(
        FaultCode::SeveralFaces,
        f64::from(findings.faces),
        f64::from(criteria.faces_max),
    );
    judge_face(face, criteria, &mut bench);
    bench.faults
}

fn judge_face(face: &FaceFound, criteria: &Criteria, bench: &mut Bench) {
    bench.least(FaultCode::FaceUnclear, face.presence, criteria.presence_min);
    bench.least(
        FaultCode::FaceTooSmall,
        face.size_px,
        criteria.face_size_min_px,
    );
    bench.most(FaultCode::Pitch, face.pitch.abs(), criteria.pitch_max_deg);
    bench.most(FaultCode::Yaw, face.yaw.abs(), criteria.yaw_max_deg);
    bench.most(FaultCode::Roll, face.roll.abs(), criteria.roll_max_deg);
    bench.most(
        FaultCode::OffCentre,
        face.centre_distance,
        criteria.centre_distance_max,
    );
    bench.least(FaultCode::ShareTooLow, face.share, criteria.share_min);
    bench.most(FaultCode::ShareTooHigh, face.share, criteria.share_max);
    if face.covered >= criteria.covered_max {
        bench.covered(face.covered, criteria);
    }
    bench.least(FaultCode::TooDark, face.brightness, criteria.brightness_min);
    bench.most(
        FaultCode::TooBright,
        face.brightness,
        criteria.brightness_max,
    );
    if face.side_difference > criteria.side_difference_max {
        bench.most(
            FaultCode::UnevenLight,
            face.side_difference,
            criteria.side_difference_max,
        );
    } else {
        bench.most(
            FaultCode::UnevenLight,
            face.brightness_deviation,
            criteria.brightness_deviation_max,
        );
    }
    bench.least(FaultCode::Blurred, face.sharpness, criteria.sharpness_min);
    bench.most(
        FaultCode::MouthOpen,
        face.mouth_open,
        criteria.mouth_open_max,
    );
    bench.least(FaultCode::CutOff, face.inside, criteria.inside_min);
}

#[derive(Default)]
struct Bench {
    faults: Vec<Fault>,
}

impl Bench {
    fn least(&mut self, code: FaultCode, measured: f64, limit: f64) {
        // What is not a number is a fault, whichever way it is compared.
        if measured.is_nan() || measured < limit {
            self.fault(code, Some(measured), Some(limit));
        }
    }

    fn most(&mut self, code: FaultCode, measured: f64, limit: f64) {
        if measured.is_nan() || measured > limit {
            self.fault(code, Some(measured), Some(limit));
        }
    }

    fn covered(&mut self, measured: f64, criteria: &Criteria) {
        self.fault(
            FaultCode::Covered,
            Some(measured),
            Some(criteria.covered_max),
        );
        if let (false, Some(fault)) = (criteria.covered_refuses, self.faults.last_mut()) {
            fault.severity = Severity::Warns;
        }
    }

    fn fault(&mut self, code: FaultCode, measured: Option<f64>, limit: Option<f64>) {
        self.faults.push(Fault {
            code,
            severity: Severity::Refuses,
            measured,
            limit,
            sentence: sentences::sentence(code, measured.unwrap_or(0.0), limit.unwrap_or(0.0)),
            senselink: code.senselink(),
            hongtu: code.hongtu(),
        });
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::Area;
    use std::collections::BTreeSet;

    fn good() -> FaceFound {
        FaceFound {
            area: Area {
                x: 100.0,
                y: 100.0,
                width: 200.0,
                height: 250.0,
            },
            presence: 1.0,
            size_px: 200.0,
            pitch: 0.0,
            yaw: 0.0,
            roll: 0.0,
            brightness: 120.0,
            brightness_deviation: 40.0,
            side_difference: 10.0,
            sharpness: 300.0,
            blur: 0.06,
            mouth_open: 0.05,
            covered: 0.0,
            inside: 1.0,
            centre_distance: 0.1,
            share: 0.5,
        }
    }

    fn found(face: FaceFound) -> Findings {
        Findings {
            width: 500,
            height: 500,
            faces: 1,
            face: Some(face),
        }
    }

    /// One measure of a face, spoilt.
    type Spoil = fn(&mut FaceFound);

    #[test]
    fn each_measure_has_its_fault_and_its_codes() {
        assert_eq!(judge(&found(good()), &Criteria::default()), []);
        let table: [(Spoil, &str, u32); 17] = [
            (|f| f.presence = 0.89, "face_unclear", 10301),
            (|f| f.size_px = 59.0, "face_too_small", 1_030_201),
            (|f| f.pitch = -26.0, "pitch", 1_030_301),
            (|f| f.yaw = 26.0, "yaw", 1_030_302),
            (|f| f.roll = -26.0, "roll", 1_030_303),
            (|f| f.centre_distance = 0.46, "off_centre", 10401),
            (|f| f.share = 0.14, "share_too_low", 10402),
            (|f| f.share = 0.96, "share_too_high", 10402),
            (|f| f.covered = 0.43, "covered", 10403),
            (|f| f.brightness = 49.0, "too_dark", 10404),
            (|f| f.brightness = 216.0, "too_bright", 10404),
            (|f| f.side_difference = 81.0, "uneven_light", 10404),
            (|f| f.brightness_deviation = 91.0, "uneven_light", 10404),
            (|f| f.sharpness = 19.0, "blurred", 10405),
            (|f| f.mouth_open = 0.46, "mouth_open", 10406),
            (|f| f.inside = 0.96, "cut_off", 10407),
            // What could not be measured is not good.
            (|f| f.yaw = f64::NAN, "yaw", 1_030_302),
        ];
        for (spoil, word, senselink) in table {
            let mut face = good();
            spoil(&mut face);
            let faults = judge(&found(face), &Criteria::default());
            assert_eq!(faults.len(), 1, "{word}: {faults:?}");
            let fault = &faults[0];
            assert_eq!((fault.code.as_str(), fault.senselink), (word, senselink));
            assert_eq!(fault.hongtu, 121_034);
            let warns = word == "covered";
            assert_eq!(fault.severity == Severity::Warns, warns, "{word}");
            assert!(fault.measured.is_some() && fault.limit.is_some());
        }
    }

    #[test]
    fn words_are_the_same_in_json_and_no_two_alike() {
        let mut words = BTreeSet::new();
        for code in FaultCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            words.insert(code.as_str());
            let sentence = sentences::sentence(code, 0.5, 0.25);
            assert!(sentence.matches(". ").count() == 1 && sentence.ends_with('.'));
        }
        assert_eq!(words.len(), FaultCode::ALL.len());
    }

    #[test]
    fn a_sentence_says_what_was_measured_and_what_is_asked_for() {
        let mut face = good();
        face.yaw = -33.4;
        let faults = judge(&found(face), &Criteria::default());
        assert_eq!(
            faults[0].sentence,
            "The face is turned 33 degrees to the side, and at most 25 are allowed. Look straight into the camera."
        );
    }
}
