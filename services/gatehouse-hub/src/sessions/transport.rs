//! The handshake of a terminal: `/terminal/{token}`, or any other path for serial numbers that are
//! bound to a tenant. What is refused here is refused as HTTP, before there is a socket.

use super::gate::Held;
use super::link::{Entrance, Link};
use super::live;
use super::meter::FrameMeter;
use crate::hub::Hub;
use actix_web::dev::{self, Payload};
use actix_web::error::PayloadError;
use actix_web::{FromRequest, HttpRequest, HttpResponse, http::header, web};
use bytes::Bytes;
use futures_util::Stream;
use gatehouse_platform::http::{Problem, ProblemCode, client_address};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use uuid::Uuid;

/// Longest message (4 MiB): a record with two photos.
const MESSAGE_MAX_BYTES: usize = 4 * 1024 * 1024;
/// For the headers of its fragments.
const HEADERS_MAX_BYTES: usize = 128 * 1024;
/// Smaller messages are let through when too much is held.
const SMALL_BYTES: usize = 64 * 1024;

/// The routes of sockets; they stand in no OpenAPI document.
pub(crate) fn sockets(cfg: &mut web::ServiceConfig) {
    cfg.route("/terminal/{token}", web::get().to(by_token));
    cfg.default_service(web::to(by_any_path));
}

async fn by_token(
    request: HttpRequest,
    payload: web::Payload,
    token: web::Path<String>,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, actix_web::Error> {
    if !wants_socket(&request) {
        return Err(Problem::new(
            ProblemCode::MalformedRequest,
            "This address is for terminals; it is opened as a WebSocket (ws:// or wss://).",
        )
        .into());
    }
    let Ok(found) = hub.gate.entrances.find(&hub, &token).await else {
        refused("database");
        return Err(later("The database is not available at the moment.", 2));
    };
    let Some(entrance) = found else {
        refused("token");
        return Err(Problem::new(
            ProblemCode::Unauthenticated,
            "The token in this address is unknown, revoked or expired; make a new terminal token and set its URL in the terminal.",
        )
        .into());
    };
    open(hub.into_inner(), request, payload, entrance).await
}

async fn by_any_path(
    request: HttpRequest,
    payload: web::Payload,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, actix_web::Error> {
    if !wants_socket(&request) {
        return Err(Problem::new(
            ProblemCode::NoSuchOperation,
            "There is no such path, or not with this method; /openapi.json lists what there is.",
        )
        .into());
    }
    open(hub.into_inner(), request, payload, Entrance::AnyPath).await
}

fn wants_socket(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(header::UPGRADE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

async fn open(
    hub: Arc<Hub>,
    request: HttpRequest,
    payload: web::Payload,
    entrance: Entrance,
) -> Result<HttpResponse, actix_web::Error> {
    if hub.gate.is_shut() {
        return Err(later("The platform is restarting.", 1));
    }
    let remote = client_address(&request);
    let Ok(knock) = hub.gate.turn(remote).await else {
        refused("knocks");
        return Err(later(
            "Too many unregistered connections from this address.",
            5,
        ));
    };
    let link = Arc::new(Link::new(session_number(), entrance, remote));
    if hub
        .registry
        .enter(&link, hub.settings.sessions_per_tenant)
        .is_err()
    {
        refused("sessions");
        return Err(later(
            "The tenant has as many terminals connected as it may have.",
            30,
        ));
    }
    let entered = Entered {
        hub: hub.clone(),
        link: link.clone(),
    };
    let metered = metered(payload, link, hub);
    let payload =
        web::Payload::from_request(&request, &mut dev::Payload::Stream { payload: metered })
            .await?;
    let (response, socket, frames) = actix_ws::handle(&request, payload)?;
    let frames = frames
        .max_frame_size(MESSAGE_MAX_BYTES)
        .aggregate_continuations()
        .max_continuation_size(MESSAGE_MAX_BYTES);
    actix_web::rt::spawn(live::serve(entered, socket, frames, knock));
    Ok(response)
}

fn later(why: &str, seconds: u64) -> actix_web::Error {
    Problem::new(ProblemCode::Unavailable, format!("{why} Try again later."))
        .with_retry_after(seconds)
        .into()
}

pub(super) fn refused(reason: &'static str) {
    metrics::counter!("gatehouse_terminal_refusals_total", "reason" => reason).increment(1);
}

/// Positive and drawn at random, so that sessions of all processes differ.
fn session_number() -> i64 {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    i64::try_from(high >> 1).unwrap_or(i64::MAX)
}

/// A socket that stands in the registry; it leaves when dropped.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) hub: Arc<Hub>,
    pub(super) link: Arc<Link>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.hub.registry.unsettle(&self.link);
        self.hub.registry.leave(&self.link);
    }
}

/// The bytes of a connection, counted as they pass.
struct Metered {
    inner: Payload,
    meter: FrameMeter,
    held: Held,
    link: Arc<Link>,
    hub: Arc<Hub>,
}

fn metered(
    payload: web::Payload,
    link: Arc<Link>,
    hub: Arc<Hub>,
) -> Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> {
    Box::pin(Metered {
        inner: payload.into_inner(),
        meter: FrameMeter::default(),
        held: Held::new(hub.clone(), 0),
        link,
        hub,
    })
}

impl Metered {
    fn count(&mut self, bytes: &[u8]) -> Result<(), PayloadError> {
        let longest = u64::try_from(MESSAGE_MAX_BYTES + HEADERS_MAX_BYTES).unwrap_or(u64::MAX);
        self.meter
            .feed(bytes, longest)
            .map_err(|_| PayloadError::Overflow)?;
        let unfinished = usize::try_from(self.meter.unfinished()).unwrap_or(usize::MAX);
        self.held.set(unfinished);
        let since = &self.link.unfinished_since_ms;
        if unfinished == 0 {
            since.store(0, Ordering::Relaxed);
        } else if since.load(Ordering::Relaxed) == 0 {
            since.store(chrono::Utc::now().timestamp_millis(), Ordering::Relaxed);
        }
        if unfinished > SMALL_BYTES && self.hub.gate.is_overfull() {
            refused("memory");
            return Err(PayloadError::Io(io::ErrorKind::OutOfMemory.into()));
        }
        Ok(())
    }
}

impl Stream for Metered {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let chunk = ready!(Pin::new(&mut this.inner).poll_next(cx));
        Poll::Ready(match chunk {
            Some(Ok(bytes)) => Some(this.count(&bytes).map(|()| bytes)),
            other => other,
        })
    }
}
