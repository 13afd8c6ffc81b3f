//! The OpenAPI document of the whole API, made from the routes without any I/O.

use actix_web::App;
use gatehouse_attendance::Attendance;
use gatehouse_directory::Directory;
use gatehouse_hub::Hub;
use gatehouse_platform::http::ProblemBody;
use gatehouse_platform::service::Service;
use gatehouse_sync::Sync;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi};
use utoipa::{PartialSchema, ToSchema};
use utoipa_actix_web::AppExt;

/// The whole document; the same for every role, so that each may serve it.
pub(crate) fn document() -> OpenApi {
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .configure(Directory::routes)
        .configure(Hub::routes)
        .configure(Attendance::routes)
        .configure(Sync::routes)
        .split_for_parts();
    document.info = InfoBuilder::new()
        .title("Gatehouse")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "One tenant-scoped API over face-recognition terminals of different makers. Times are UTC. Errors are \
             RFC 9457 problems with a code from one closed table. Lists answer a page and a cursor. A POST may carry an \
             Idempotency-Key, an update an If-Match.",
        ))
        .build();
    document.servers = None;
    let mut components = document.components.take().unwrap_or_default();
    let mut schemas = Vec::new();
    ProblemBody::schemas(&mut schemas);
    components
        .schemas
        .insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    components.schemas.extend(schemas);
    for (name, what) in [
        ("api_key", "An API key of a tenant, with its scopes."),
        (
            "user_token",
            "The access token of a user who signed in; ten minutes long.",
        ),
        (
            "operator_key",
            "The key of the platform's operator (GATEHOUSE_OPERATOR_KEY).",
        ),
    ] {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(what));
        components
            .security_schemes
            .insert(name.to_owned(), SecurityScheme::Http(scheme.build()).into());
    }
    document.components = Some(components);
    document
}

/// The document as it is checked in.
pub(crate) fn text() -> anyhow::Result<String> {
    Ok(document().to_pretty_json()? + "\n")
}

/// `gatehouse openapi`.
pub(crate) fn print() -> anyhow::Result<()> {
    crate::cli::say(text()?.trim_end());
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
mod tests {
    #[test]
    fn the_checked_in_document_is_the_one_of_the_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/gatehouse.json");
        let stored = std::fs::read_to_string(path).expect("openapi/gatehouse.json exists");
        assert!(
            stored == super::text().unwrap(),
            "the API changed: run `make openapi` and commit openapi/gatehouse.json"
        );
    }
}
