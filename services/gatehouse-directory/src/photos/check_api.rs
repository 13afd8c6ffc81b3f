//! The check of a photo alone: nothing is stored.

use super::criteria;
use super::examine::Looked;
use super::receive::{Received, receive};
use super::refusal::{self, PhotoFault};
use crate::directory::Directory;
use actix_web::{HttpRequest, post, web};
use gatehouse_faces::Unreadable;
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::ManagePersons;
use gatehouse_platform::http::Answer;
use gatehouse_platform::http::refusals::{Refused, TooLarge, Unfit};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What was found on a picture.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PhotoCheck {
    /// Whether it would be taken as somebody's photo.
    accepted: bool,
    /// What refuses it, and what somebody should look at; most fundamental first.
    faults: Vec<PhotoFault>,
    /// The pixels, the number of faces and what was measured on the largest; null where the picture
    /// cannot be read.
    #[schema(value_type = Option<Object>)]
    findings: Option<Value>,
}

/// Checks a picture by the tenant's criteria, as one for a person would be. Nothing is stored.
///
/// The body is the picture itself: JPEG, PNG or BMP, at most 10 MiB, whatever its Content-Type says.
#[utoipa::path(
    tag = "photos",
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The picture."),
    responses((status = 200, description = "What was found, whether it is accepted or not.", body = PhotoCheck), Refused, Unfit, TooLarge),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[post("/v1/photo-checks")]
async fn check_photo(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    request: HttpRequest,
    body: web::Payload,
) -> Answer<web::Json<PhotoCheck>> {
    let Received { bytes, room } = receive(&directory.examiner.room, &request, body).await?;
    let criteria = {
        let tx = directory.kit.db.tenant(caller.scope()).await?;
        criteria::read(&tx).await?.thresholds
    };
    let looked = directory.examiner.look(bytes, criteria).await?;
    drop(room);
    Ok(web::Json(shown(looked)?))
}

fn shown(looked: Result<Looked, Unreadable>) -> Answer<PhotoCheck> {
    match looked {
        Ok(looked) => Ok(PhotoCheck {
            accepted: looked.accepted(),
            faults: refusal::shown(&looked.faults),
            findings: serde_json::to_value(&looked.findings).ok(),
        }),
        // Not a word about the picture.
        Err(unreadable @ (Unreadable::TooLarge { .. } | Unreadable::NotJudged(_))) => {
            Err(refusal::unreadable(&unreadable))
        }
        Err(unreadable) => Ok(PhotoCheck {
            accepted: false,
            faults: vec![PhotoFault::from(&unreadable)],
            findings: None,
        }),
    }
}

/// Adds the routes.
pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(check_photo);
}
