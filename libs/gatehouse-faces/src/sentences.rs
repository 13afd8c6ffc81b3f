//! What is wrong with a photo and what to do about it, in words for the person who took it.

use crate::FaultCode;

/// The sentence for a fault, with what was measured and the limit in it.
pub(crate) fn sentence(code: FaultCode, measured: f64, limit: f64) -> String {
    let whole = |value: f64| format!("{value:.0}");
    let percent = |value: f64| format!("{:.0} %", value * 100.0);
    let (m, l) = (whole(measured), whole(limit));
    match code {
        FaultCode::PictureTooSmall => format!(
            "The picture's shorter side has {m} pixels, and at least {l} are needed. Send a larger one."
        ),
        FaultCode::NoFace => {
            "No face was found. Send a photo that shows one face from the front, well lit."
                .to_owned()
        }
        FaultCode::SeveralFaces => format!(
            "There are {m} faces in the picture, and at most {l} may be. Crop it to the one person."
        ),
        FaultCode::FaceUnclear => format!(
            "It is only {} certain that this is a face, and {} are asked for. Take the photo from the front, with nothing before the face.",
            percent(measured),
            percent(limit)
        ),
        FaultCode::FaceTooSmall => format!(
            "The face is {m} pixels wide as terminals get the picture, and at least {l} are needed. Crop the picture closer, or take it from nearer by."
        ),
        FaultCode::Pitch => format!(
            "The face is turned {m} degrees up or down, and at most {l} are allowed. Look straight into the camera."
        ),
        FaultCode::Yaw => format!(
            "The face is turned {m} degrees to the side, and at most {l} are allowed. Look straight into the camera."
        ),
        FaultCode::Roll => format!(
            "The head is inclined by {m} degrees, and at most {l} are allowed. Hold the head upright, or turn the picture."
        ),
        FaultCode::OffCentre => format!(
            "The face is {} of the picture away from its centre, and at most {} are allowed. Crop the picture so that the face is in the middle.",
            percent(measured),
            percent(limit)
        ),
        FaultCode::ShareTooLow => format!(
            "The face takes {} of the picture, and at least {} are needed. Crop the picture closer.",
            percent(measured),
            percent(limit)
        ),
        FaultCode::ShareTooHigh => format!(
            "The face takes {} of the picture, and at most {} are allowed. Leave some room around it.",
            percent(measured),
            percent(limit)
        ),
        FaultCode::Covered => format!(
            "About {} of the face seem to be covered. Take off mask and dark glasses, and keep hair and hands away from the face.",
            percent(measured)
        ),
        FaultCode::TooDark => format!(
            "The face is too dark: its brightness is {m} of 255, and at least {l} is needed. Take the photo with light from the front."
        ),
        FaultCode::TooBright => format!(
            "The face is too bright: its brightness is {m} of 255, and at most {l} is allowed. Take the photo with less light, or without flash."
        ),
        FaultCode::UnevenLight => format!(
            "The light on the face is uneven: its brightness differs by {m} of 255, and at most {l} is allowed. Take the photo with light from the front."
        ),
        FaultCode::Blurred => format!(
            "The face is blurred: its sharpness is {m}, and at least {l} is needed. Hold the camera still and clean the lens, or send a picture with more pixels."
        ),
        FaultCode::MouthOpen => format!(
            "The mouth is open: the lips are {} of its width apart, and at most {} are allowed. Close the mouth.",
            percent(measured),
            percent(limit)
        ),
        FaultCode::CutOff => format!(
            "Only {} of the face are inside the picture, and at least {} are needed. Take the photo so that the whole face is on it.",
            percent(measured),
            percent(limit)
        ),
    }
}
