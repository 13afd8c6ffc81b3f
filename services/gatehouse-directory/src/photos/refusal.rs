//! Why a photo is refused, in words and in both vendors' codes.

use gatehouse_faces::{Fault, Severity, Unreadable};
use gatehouse_platform::http::{Problem, ProblemCode};
use serde::Serialize;
use utoipa::ToSchema;

/// One thing that is wrong with a photo.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PhotoFault {
    /// Our own word for it.
    #[schema(example = "blurred")]
    code: &'static str,
    /// Whether the photo is refused for it; a warning otherwise.
    refuses: bool,
    /// What is wrong and what to do.
    sentence: String,
    /// What was measured, in the unit of the finding.
    measured: Option<f64>,
    /// The threshold that it was held against.
    limit: Option<f64>,
    /// SenseLink's code of quality (document 001, 6.6.2).
    senselink_code: u32,
    /// Hongtu's code (document 003).
    hongtu_code: u32,
}

impl From<&Fault> for PhotoFault {
    fn from(fault: &Fault) -> Self {
        let Fault {
            code,
            severity,
            measured,
            limit,
            sentence,
            senselink,
            hongtu,
        } = fault;
        Self {
            code: code.as_str(),
            refuses: match severity {
                Severity::Refuses => true,
                Severity::Warns => false,
            },
            sentence: sentence.clone(),
            measured: *measured,
            limit: *limit,
            senselink_code: *senselink,
            hongtu_code: *hongtu,
        }
    }
}

impl From<&Unreadable> for PhotoFault {
    fn from(unreadable: &Unreadable) -> Self {
        Self {
            code: unreadable.code(),
            refuses: true,
            sentence: unreadable.to_string(),
            measured: None,
            limit: None,
            senselink_code: unreadable.senselink_code(),
            hongtu_code: unreadable.hongtu_code(),
        }
    }
}

/// Faults as the API shows them.
pub(super) fn shown(faults: &[Fault]) -> Vec<PhotoFault> {
    faults.iter().map(PhotoFault::from).collect()
}

/// The refusal of a photo that was read.
pub(super) fn rejected(faults: &[Fault]) -> Problem {
    problem(&shown(faults))
}

/// The refusal of bytes that could not be examined.
pub(super) fn unreadable(unreadable: &Unreadable) -> Problem {
    match unreadable {
        Unreadable::TooLarge { .. } => Problem::new(ProblemCode::TooLarge, unreadable.to_string()),
        Unreadable::NotJudged(cause) => {
            tracing::error!(%cause, "a photo was not judged");
            Problem::new(ProblemCode::Internal, unreadable.to_string())
        }
        Unreadable::NotAPicture
        | Unreadable::UnsupportedFormat { .. }
        | Unreadable::TooManyPixels { .. }
        | Unreadable::Damaged(_) => problem(&[PhotoFault::from(unreadable)]),
    }
}

fn problem(faults: &[PhotoFault]) -> Problem {
    let refusing = faults.iter().filter(|fault| fault.refuses);
    let sentences: Vec<&str> = refusing.map(|fault| fault.sentence.as_str()).collect();
    let problem = Problem::new(ProblemCode::PhotoRejected, sentences.join(" "))
        .with_member("photo_faults", &faults);
    // The most fundamental one stands for all in programs that know one code only.
    match faults.iter().find(|fault| fault.refuses) {
        Some(fault) => problem
            .with_vendor_code("senselink", fault.senselink_code.into())
            .with_vendor_code("hongtu", fault.hongtu_code.into()),
        None => problem,
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_says_so_in_words_and_codes() {
        let problem = unreadable(&Unreadable::NotAPicture);
        assert_eq!(problem.code(), ProblemCode::PhotoRejected);
        assert_eq!(problem.detail(), Unreadable::NotAPicture.to_string());
        let fault = &problem.member("photo_faults").cloned().unwrap_or_default()[0];
        assert_eq!(fault["code"], "not_a_picture");
        assert_eq!(fault["senselink_code"], 30005);
        assert_eq!(fault["hongtu_code"], 121_021);
    }

    #[test]
    fn a_fault_of_ours_is_not_the_photos() {
        let problem = unreadable(&Unreadable::NotJudged("x".into()));
        assert_eq!(problem.code(), ProblemCode::Internal);
        let large = Unreadable::TooLarge {
            bytes: 2,
            max_bytes: 1,
        };
        assert_eq!(unreadable(&large).code(), ProblemCode::TooLarge);
    }
}
