//! Reading a picture from the body of a request.

use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use std::time::Duration;

/// Most bytes of a picture.
pub(super) const PICTURE_MAX_BYTES: usize = 10 * 1024 * 1024;
/// A body that has not arrived by then holds memory for nothing.
const WITHIN: Duration = Duration::from_secs(60);

/// Reads the body; stops as soon as it is too large, by its announcement or by what arrives.
pub(super) async fn receive(request: &HttpRequest, body: web::Payload) -> Answer<Bytes> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    if announced
        .is_some_and(|length| usize::try_from(length).unwrap_or(usize::MAX) > PICTURE_MAX_BYTES)
    {
        return Err(too_large());
    }
    match tokio::time::timeout(WITHIN, read(body)).await {
        Ok(picture) => picture,
        Err(_) => Err(Problem::new(
            ProblemCode::MalformedRequest,
            "The body did not arrive within a minute.",
        )),
    }
}

async fn read(mut body: web::Payload) -> Answer<Bytes> {
    let mut picture = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            Problem::new(
                ProblemCode::MalformedRequest,
                format!("The body broke off: {error}."),
            )
        })?;
        if picture.len().saturating_add(chunk.len()) > PICTURE_MAX_BYTES {
            return Err(too_large());
        }
        picture.extend_from_slice(&chunk);
    }
    if picture.is_empty() {
        return Err(Problem::new(
            ProblemCode::MalformedRequest,
            "The body is empty; send the bytes of the picture.",
        ));
    }
    Ok(picture.freeze())
}

fn too_large() -> Problem {
    Problem::new(
        ProblemCode::TooLarge,
        "The picture is larger than 10 MiB. Send it smaller or more strongly compressed; 500 x 500 pixels are plenty.",
    )
}
