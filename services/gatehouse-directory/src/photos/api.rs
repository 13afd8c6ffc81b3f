//! Routes of photos.

use super::keep::{Place, remove};
use super::receive::{Received, receive};
use super::refusal::{self, PhotoFault};
use super::store;
use super::take::{self, Taken, take};
use super::view::{Photo, of_person};
use crate::access_changes::{self, Scope};
use crate::directory::Directory;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web};
use chrono::Utc;
use gatehouse_domain::{DistributionId, PersonId, PhotoId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManagePersons, ReadPersons};
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, TooLarge, Unfit};
use gatehouse_platform::http::{Answer, Problem};
use serde::Serialize;
use utoipa::ToSchema;

/// A photo that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TakenPhoto {
    #[serde(flatten)]
    photo: Photo,
    /// What somebody should look at, though the photo was taken.
    warnings: Vec<PhotoFault>,
    /// Where this request has changed what terminals are to hold: by this id its way there can be
    /// followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    distribution_id: Option<DistributionId>,
}

/// What came of removing a photo.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RemovedPhoto {
    /// By this id its way to the terminals can be followed.
    #[schema(value_type = Option<String>)]
    distribution_id: Option<DistributionId>,
}

/// The photos of a person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Photos {
    /// By slot.
    items: Vec<Photo>,
}

/// Sets the main photo of a person, in place of the one there is.
///
/// The body is the picture itself: JPEG, PNG or BMP, at most 10 MiB, whatever its Content-Type says. It
/// is turned upright, stripped of all metadata and checked by the tenant's criteria before anything
/// is stored; what does not meet them is refused with `photo_rejected` and its `photo_faults`. The same
/// picture again changes nothing and sends nothing.
#[utoipa::path(
    tag = "photos",
    params(("id" = String, Path, description = "The person's id.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The picture."),
    responses((status = 200, description = "The photo.", body = TakenPhoto), Refused, Missing, Unfit, TooLarge),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[put("/v1/persons/{id}/photo")]
async fn set_photo(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<PersonId>,
    request: HttpRequest,
    body: web::Payload,
) -> Answer<HttpResponse> {
    let (photo, _) = accept(&caller, &directory, *id, Place::Main, &request, body).await?;
    Ok(HttpResponse::Ok().json(photo))
}

/// Adds a photo of a person, up to three in all. The picture is treated like the main one.
#[utoipa::path(
    tag = "photos",
    params(("id" = String, Path, description = "The person's id.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The picture."),
    responses(
        (status = 201, description = "The photo.", body = TakenPhoto),
        (status = 200, description = "The person has this very photo already.", body = TakenPhoto),
        Refused, Missing, Unfit, Clash, TooLarge,
    ),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[post("/v1/persons/{id}/photos")]
async fn add_photo(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<PersonId>,
    request: HttpRequest,
    body: web::Payload,
) -> Answer<HttpResponse> {
    let (photo, new) = accept(&caller, &directory, *id, Place::Further, &request, body).await?;
    Ok(if new {
        HttpResponse::Created().json(photo)
    } else {
        HttpResponse::Ok().json(photo)
    })
}

async fn accept(
    caller: &Caller<ManagePersons>,
    directory: &Directory,
    person: PersonId,
    place: Place,
    request: &HttpRequest,
    body: web::Payload,
) -> Answer<(TakenPhoto, bool)> {
    let scope = caller.scope();
    let Received { bytes, room } = receive(&directory.examiner.room, request, body).await?;
    let taken = take(directory, scope, person, place, bytes, caller.request_id()).await?;
    let Taken {
        id,
        new,
        warnings,
        distribution,
    } = taken;
    drop(room);
    let tx = directory.kit.db.tenant(scope).await?;
    let row = store::read(&tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("photo any more"))?;
    let photo = TakenPhoto {
        photo: Photo::new(directory, scope.tenant(), row, Utc::now()),
        warnings: refusal::shown(&warnings),
        distribution_id: distribution,
    };
    Ok((photo, new))
}

/// The photos of a person, the main one first.
#[utoipa::path(
    tag = "photos",
    params(("id" = String, Path, description = "The person's id.")),
    responses((status = 200, description = "The photos.", body = Photos), Refused, Missing),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/persons/{id}/photos")]
async fn list_photos(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<PersonId>,
) -> Answer<web::Json<Photos>> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if store::count(&tx, *id).await?.is_none() {
        return Err(Problem::not_found("person"));
    }
    let items = of_person(&directory, &tx, *id).await?;
    Ok(web::Json(Photos { items }))
}

/// Removes a photo; those behind it move up. Its picture is deleted where nobody else has the same.
#[utoipa::path(
    tag = "photos",
    params(
        ("id" = String, Path, description = "The person's id."),
        ("photo_id" = String, Path, description = "The photo's id."),
    ),
    responses((status = 200, description = "It is removed.", body = RemovedPhoto), Refused, Missing),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[delete("/v1/persons/{id}/photos/{photo_id}")]
async fn remove_photo(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    path: web::Path<(PersonId, PhotoId)>,
) -> Answer<web::Json<RemovedPhoto>> {
    let (person, photo) = path.into_inner();
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let sha256 = remove(&tx, person, photo, caller.request_id()).await?;
    let distribution_id =
        access_changes::note(&tx, "photo.removed", Scope::Persons(&[person])).await?;
    tx.commit().await?;
    access_changes::wake(&directory, caller.scope().tenant());
    take::sweep_soon(&directory, caller.scope(), &sha256).await;
    Ok(web::Json(RemovedPhoto { distribution_id }))
}

/// Adds the routes.
pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(set_photo)
        .service(add_photo)
        .service(list_photos)
        .service(remove_photo);
}
