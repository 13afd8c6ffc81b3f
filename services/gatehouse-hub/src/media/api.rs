//! `GET /v1/media/{token}`.

use super::range::{self, Part};
use crate::hub::Hub;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, web};
use chrono::Utc;
use gatehouse_platform::http::refusals::NoLink;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::objects::ObjectError;
use gatehouse_platform::secrets::SecretsError;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes.
pub(crate) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_media);
}

/// A picture or a file by its signed link
///
/// Needs no credential: the link itself is one, for one object and a short time. A single `Range`
/// is answered with 206.
#[utoipa::path(
    tag = "media",
    params(
        ("token" = String, Path, description = "As it stands in the link."),
        ("Range" = Option<String>, Header, description = "For example `bytes=1000-`."),
    ),
    responses(
        (status = 200, description = "The object, with its own content type.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "The part of it that was asked for.", body = Vec<u8>, content_type = "application/octet-stream"),
        NoLink,
    ),
    security(()),
)]
#[get("/v1/media/{token}")]
pub(crate) async fn get_media(
    hub: web::Data<Hub>,
    token: web::Path<String>,
    request: HttpRequest,
) -> Answer<HttpResponse> {
    let key = hub
        .kit
        .secrets
        .verify_media(&token, Utc::now())
        .map_err(refused)?;
    let object = hub.kit.objects.get(&key).await.map_err(unreadable)?;
    let wanted = request
        .headers()
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok());
    let length = object.body.len();
    Ok(match range::wanted(wanted, length) {
        Part::Whole => harmless(HttpResponse::Ok(), &object.content_type).body(object.body),
        Part::Bytes(bytes) => {
            let told = format!(
                "bytes {}-{}/{length}",
                bytes.start,
                bytes.end.saturating_sub(1)
            );
            harmless(HttpResponse::PartialContent(), &object.content_type)
                .insert_header((header::CONTENT_RANGE, told))
                .body(object.body.slice(bytes))
        }
        Part::Outside => HttpResponse::RangeNotSatisfiable()
            .insert_header((header::CONTENT_RANGE, format!("bytes */{length}")))
            .finish(),
    })
}

/// Whatever the object is, a browser does not run it, and no cache between us keeps it.
fn harmless(mut response: HttpResponseBuilder, content_type: &str) -> HttpResponseBuilder {
    response
        .content_type(content_type)
        .insert_header((header::CACHE_CONTROL, "private"))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ));
    response
}

fn refused(error: SecretsError) -> Problem {
    match error {
        SecretsError::LinkExpired => Problem::new(
            ProblemCode::ExpiredLink,
            "The link has expired; ask for the thing again to get a fresh one.",
        ),
        SecretsError::LinkSignature | SecretsError::MasterKey | SecretsError::Sealed => {
            Problem::new(
                ProblemCode::InvalidLink,
                "The link is not valid; take it exactly as the API gave it.",
            )
        }
    }
}

fn unreadable(error: ObjectError) -> Problem {
    match error {
        ObjectError::NotFound => Problem::not_found("object any more"),
        ObjectError::Unavailable(cause) => {
            tracing::warn!(%cause, "the object store is away");
            Problem::new(
                ProblemCode::Unavailable,
                "The object store is not available at the moment; try again shortly.",
            )
            .with_retry_after(2)
        }
        ObjectError::Refused(cause) => {
            tracing::error!(%cause, "the object store refused to give an object");
            Problem::new(
                ProblemCode::Internal,
                "An internal error; it is logged under this request's id.",
            )
        }
    }
}
