//! What stands around every route: settings, the request's id and log line, metrics, and the
//! problems of bodies, queries and paths that cannot be read.

use super::{Problem, ProblemCode, RequestId};
use crate::auth::SpentAllowance;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use std::net::SocketAddr;
use std::time::Instant;

/// Settings of the HTTP server.
#[derive(Debug, Clone, clap::Args)]
pub struct HttpSettings {
    /// Address to listen on.
    #[arg(
        long = "listen",
        env = "GATEHOUSE_LISTEN",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,
    /// The address by which clients and terminals reach this deployment, without a slash at the end.
    /// Links and terminal URLs are made from it. Where not set: http:// and the address listened on.
    #[arg(long = "public-url", env = "GATEHOUSE_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Threads that serve requests and terminals; one per core where not set.
    #[arg(long = "workers", env = "GATEHOUSE_WORKERS")]
    pub workers: Option<usize>,
    /// Proxies whose X-Forwarded-For is believed, as address ranges separated by commas.
    #[arg(
        long = "trusted-proxies",
        env = "GATEHOUSE_TRUSTED_PROXIES",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<ipnet::IpNet>,
}

impl HttpSettings {
    /// The public address, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> String {
        let url = self.public_url.clone().filter(|u| !u.is_empty());
        url.unwrap_or_else(|| format!("http://{}", self.listen))
            .trim_end_matches('/')
            .to_owned()
    }
}

/// Makes failures of actix's own extractors problems.
pub fn configure_extractors(config: &mut web::ServiceConfig) {
    config
        .app_data(
            web::JsonConfig::default()
                .limit(1 << 20)
                .error_handler(|error, _| json_problem(&error).into()),
        )
        .app_data(
            web::QueryConfig::default().error_handler(|error, _| query_problem(&error).into()),
        )
        .app_data(web::PathConfig::default().error_handler(|error, _| path_problem(&error).into()))
        .app_data(web::PayloadConfig::default().limit(1 << 20));
}

#[allow(clippy::wildcard_enum_match_arm, reason = "actix's enum grows")]
fn json_problem(error: &JsonPayloadError) -> Problem {
    match error {
        JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => {
            Problem::new(ProblemCode::TooLarge, "The body is larger than 1 MiB.")
        }
        JsonPayloadError::ContentType => Problem::new(
            ProblemCode::MalformedRequest,
            "The body must be JSON, with Content-Type: application/json.",
        ),
        JsonPayloadError::Deserialize(cause) if cause.is_data() => Problem::new(
            ProblemCode::InvalidField,
            format!("The body is not of the documented shape: {cause}."),
        ),
        other => Problem::new(
            ProblemCode::MalformedRequest,
            format!("The body cannot be read: {other}."),
        ),
    }
}

fn query_problem(error: &QueryPayloadError) -> Problem {
    Problem::new(
        ProblemCode::InvalidField,
        format!("The query cannot be read: {error}."),
    )
}

#[allow(clippy::wildcard_enum_match_arm, reason = "actix's enum grows")]
fn path_problem(error: &PathError) -> Problem {
    match error {
        // A path that names no possible id names nothing: the same answer as an id that is not there.
        PathError::Deserialize(cause) => Problem::new(
            ProblemCode::NotFound,
            format!("There is no such thing: {cause}."),
        ),
        other => Problem::new(
            ProblemCode::NotFound,
            format!("There is no such thing: {other}."),
        ),
    }
}

/// The middleware around all routes: gives the request its id, writes one log line and one
/// measurement, adds the id to problems, and tells the caller what is left of its allowance.
///
/// # Errors
/// Those of the wrapped service.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let begun = Instant::now();
    let id = RequestId::choose(
        request
            .headers()
            .get("X-Request-Id")
            .and_then(|v| v.to_str().ok()),
    );
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let response = match next.call(request).await {
        Ok(response) => response.map_into_boxed_body(),
        Err(error) => return Err(error),
    };
    let problem = response
        .response()
        .error()
        .and_then(|e| e.as_error::<Problem>())
        .cloned();
    let mut response = match problem {
        Some(problem) => {
            let (request, _) = response.into_parts();
            ServiceResponse::new(request, problem.respond(Some(id.as_str())))
        }
        None => response,
    };
    let route = response
        .request()
        .match_pattern()
        .unwrap_or_else(|| "none".to_owned());
    let status = response.status().as_u16();
    let spent = response
        .request()
        .extensions()
        .get::<SpentAllowance>()
        .cloned();
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    if let Some(spent) = spent {
        spent.write(headers);
    }
    let took = begun.elapsed();
    metrics::histogram!("gatehouse_http_request_seconds", "method" => method.to_string(), "route" => route.clone(), "status" => status.to_string())
        .record(took.as_secs_f64());
    // A probe that hears "not ready" is an answer, not a fault.
    if status >= 500 && route != "/readyz" {
        tracing::warn!(%method, route, status, took_ms = took.as_millis(), request_id = id.as_str(), "request");
    } else {
        tracing::debug!(%method, route, status, took_ms = took.as_millis(), request_id = id.as_str(), "request");
    }
    Ok(response)
}
