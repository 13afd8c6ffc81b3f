//! Reading a picture from the body of a request, within a bound on what all of them hold together.

use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most bytes of a picture.
pub(super) const PICTURE_MAX_BYTES: usize = 10 * 1024 * 1024;
/// A body that has not arrived by then holds memory for nothing.
const WITHIN: Duration = Duration::from_secs(60);

/// What all pictures together may hold that are read or looked at in this process.
const ROOM_KIB: usize = 256 * 1024;
/// Whoever finds no room within this time comes again.
const ROOM_WITHIN: Duration = Duration::from_secs(10);

/// The room for pictures. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Room {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(ROOM_KIB)))
    }

    async fn take(&self, bytes: usize) -> Answer<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let taken = Arc::clone(&self.0).acquire_many_owned(kib);
        match tokio::time::timeout(ROOM_WITHIN, taken).await {
            Ok(Ok(room)) => Ok(room),
            Ok(Err(_)) | Err(_) => Err(Problem::new(
                ProblemCode::Unavailable,
                "Too many pictures are being looked at; try again shortly.",
            )
            .with_retry_after(5)),
        }
    }
}

/// A picture, and the room that it takes.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Bytes,
    /// Given back when the picture has been dealt with.
    pub(super) room: OwnedSemaphorePermit,
}

/// Reads the body; stops as soon as it is too large, by its announcement or by what arrives.
pub(super) async fn receive(
    room: &Room,
    request: &HttpRequest,
    body: web::Payload,
) -> Answer<Received> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok())
        .map_or(PICTURE_MAX_BYTES, |length| {
            usize::try_from(length).unwrap_or(usize::MAX)
        });
    if announced > PICTURE_MAX_BYTES {
        return Err(too_large());
    }
    let room = room.take(announced).await?;
    match tokio::time::timeout(WITHIN, read(body)).await {
        Ok(picture) => Ok(Received {
            bytes: picture?,
            room,
        }),
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
