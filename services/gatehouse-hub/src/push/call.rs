//! The way in: whose address it is, which device calls, what it wants, and how a refusal is said.
//! Devices understand little of HTTP: whatever the platform understood is answered with 200 and
//! `ret`; only what the device is to send again is answered with 503.

use super::callers::{Caller, Found};
use super::{presence, syattribute, syface, syheartbeat, syrecord, syresult};
use crate::hub::Hub;
use crate::sessions::{Held, NotNow};
use crate::terminals::{self, Sighting};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::{Bytes, BytesMut};
use chrono::Utc;
use futures_util::StreamExt;
use gatehouse_domain::TenantId;
use gatehouse_platform::db::DbError;
use gatehouse_platform::http::client_address;
use gatehouse_proto_device::push::{MAX_BODY_BYTES, Verb, Verdict, encode_plain};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Longest serial number.
const SN_MAX_BYTES: usize = 64;
/// Smaller bodies are let through when too much is held.
const SMALL_BYTES: usize = 64 * 1024;
/// A call that would have to wait longer for its turn is refused.
const HELD_BACK_AT_MOST: Duration = Duration::from_secs(5);

/// The routes; they stand in no OpenAPI document.
pub(crate) fn data(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource("/push/{token}/{rest:.*}").to(called));
}

#[derive(Debug, Deserialize)]
struct Address {
    token: String,
    rest: String,
}

/// Why a call is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Something is away; the device is to call again.
    Later,
    /// The device is to call less often.
    TooOften,
    /// The token is nobody's.
    Token,
    /// The address names no verb and device.
    NoVerb,
    /// The body is too large.
    TooLarge,
    /// The body did not come.
    Unfinished,
    /// The tenant has no such device; it is listed as discovered.
    Unclaimed,
    /// The device is set to another protocol.
    OtherProtocol,
    /// The body cannot be read; a sentence.
    Malformed(String),
}

impl Refusal {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Later | Self::Unfinished => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooOften => StatusCode::TOO_MANY_REQUESTS,
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::NoVerb => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unclaimed | Self::OtherProtocol | Self::Malformed(_) => StatusCode::OK,
        }
    }

    /// What the device may show, in the language of its menus.
    fn says(&self) -> String {
        match self {
            Self::Later => "平台暂时不可用，请稍后重试".to_owned(),
            Self::TooOften => "请求过于频繁，请稍后重试".to_owned(),
            Self::Token => "平台地址中的令牌未知、已吊销或已过期，请重新设置平台地址".to_owned(),
            Self::NoVerb => {
                "地址应为 /push/令牌/syheartbeat|syrecord|syface|syattribute|syresult/设备序列号"
                    .to_owned()
            }
            Self::TooLarge => format!("数据超过 {} MB", MAX_BODY_BYTES / (1024 * 1024)),
            Self::Unfinished => "数据未完整收到，请重试".to_owned(),
            Self::Unclaimed => "设备未注册".to_owned(),
            Self::OtherProtocol => {
                "设备在平台上登记为 terminal_ws 协议，请在平台改为 http_push 后重试".to_owned()
            }
            Self::Malformed(why) => format!("数据无法读取: {why}"),
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Later => "away",
            Self::TooOften => "too_often",
            Self::Token => "token",
            Self::NoVerb => "address",
            Self::TooLarge => "too_large",
            Self::Unfinished => "unfinished",
            Self::Unclaimed => "unclaimed",
            Self::OtherProtocol => "other_protocol",
            Self::Malformed(_) => "malformed",
        }
    }
}

impl From<NotNow> for Refusal {
    fn from(_: NotNow) -> Self {
        Self::Later
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        if error.is_transient() {
            tracing::debug!(%error, "a push device is to call again");
        } else {
            tracing::error!(%error, "a call of a push device cannot be served");
        }
        Self::Later
    }
}

/// One call.
async fn called(
    request: HttpRequest,
    payload: web::Payload,
    address: web::Path<Address>,
    hub: web::Data<Hub>,
) -> HttpResponse {
    let hub = hub.into_inner();
    match serve(&hub, &request, payload, &address).await {
        Ok(text) => answer(StatusCode::OK, text),
        Err(refusal) => {
            metrics::counter!("gatehouse_push_refusals_total", "reason" => refusal.word())
                .increment(1);
            refuse(&refusal, &address)
        }
    }
}

/// Also a refused pass says what becomes of the door.
fn refuse(refusal: &Refusal, address: &Address) -> HttpResponse {
    let says = refusal.says();
    let verdict = Verdict::Failure(&says);
    let text = match Verb::of_path(&address.rest) {
        Some((Verb::Face | Verb::Attribute, _)) => syface::closed(verdict),
        Some((Verb::Record | Verb::Result | Verb::Heartbeat, _)) | None => encode_plain(verdict),
    };
    let mut response = answer(refusal.status(), text);
    if matches!(refusal, Refusal::Later | Refusal::TooOften) {
        response.headers_mut().insert(
            actix_web::http::header::RETRY_AFTER,
            actix_web::http::header::HeaderValue::from_static("5"),
        );
    }
    response
}

/// With Content-Length: these devices may not understand chunks.
fn answer(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("application/json; charset=utf-8")
        .body(text)
}

async fn serve(
    hub: &Arc<Hub>,
    request: &HttpRequest,
    payload: web::Payload,
    address: &Address,
) -> Result<String, Refusal> {
    let (verb, sn) = Verb::of_path(&address.rest).ok_or(Refusal::NoVerb)?;
    let sn = sn.replace('\0', "");
    if sn.is_empty() || sn.len() > SN_MAX_BYTES {
        return Err(Refusal::NoVerb);
    }
    metrics::counter!("gatehouse_push_calls_total", "verb" => verb.as_str()).increment(1);
    let tenant = admitted(hub, &address.token).await?;
    let remote = client_address(request).map(|address| address.to_string());
    let caller = match hub
        .callers
        .find(hub, tenant, &sn, remote.as_deref())
        .await?
    {
        Found::Device(caller) => caller,
        Found::Unclaimed => return Err(Refusal::Unclaimed),
        Found::OtherProtocol => return Err(Refusal::OtherProtocol),
    };
    hold_back(hub, &caller).await?;
    if verb != Verb::Heartbeat {
        presence::seen(hub, &caller, remote.as_deref()).await;
    }
    if verb == Verb::Record {
        return syrecord::answer(hub, &caller, request.query_string()).await;
    }
    let (body, _held) = read(hub, payload).await?;
    let answered = match verb {
        Verb::Heartbeat => syheartbeat::answer(hub, &caller, remote.as_deref(), &body).await,
        Verb::Face => syface::answer(hub, &caller, &body).await,
        Verb::Attribute => syattribute::answer(hub, &caller, &body).await,
        Verb::Result => syresult::answer(hub, &caller, &body).await,
        Verb::Record => Err(Refusal::NoVerb),
    };
    if let Err(Refusal::Malformed(why)) = &answered {
        malformed(hub, &caller, verb, why, &body).await;
    }
    answered
}

/// Whose token stands in the address.
async fn admitted(hub: &Hub, token: &str) -> Result<TenantId, Refusal> {
    let entrance = hub.gate.admit_token(hub, token).await?;
    entrance
        .and_then(|entrance| entrance.tenant())
        .ok_or(Refusal::Token)
}

/// Calls of one device, and of one tenant, have a rate; what is more waits.
async fn hold_back(hub: &Hub, caller: &Caller) -> Result<(), Refusal> {
    let tenant = hub.gate.pace_of(caller.tenant());
    match hub.gate.charge(&caller.pace, Some(&tenant)) {
        None => Ok(()),
        Some(wait) if wait <= HELD_BACK_AT_MOST => {
            tokio::time::sleep(wait).await;
            Ok(())
        }
        Some(_) => Err(Refusal::TooOften),
    }
}

/// The body, within the limits of one call, of the time a message may take, and of all bytes that
/// this process holds for devices. The count ends when what is returned beside it is dropped.
async fn read(hub: &Arc<Hub>, payload: web::Payload) -> Result<(Bytes, Held), Refusal> {
    let within = Duration::from_millis(u64::from(hub.settings.message_within_ms));
    tokio::time::timeout(within, collect(hub, payload))
        .await
        .unwrap_or(Err(Refusal::Unfinished))
}

async fn collect(hub: &Arc<Hub>, mut payload: web::Payload) -> Result<(Bytes, Held), Refusal> {
    let mut held = Held::new(hub.clone(), 0);
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Refusal::Unfinished)?;
        let length = body.len().saturating_add(chunk.len());
        if length > MAX_BODY_BYTES {
            return Err(Refusal::TooLarge);
        }
        held.set(length);
        if length > SMALL_BYTES && hub.gate.is_overfull() {
            return Err(Refusal::Later);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), held))
}

/// A body that cannot be read is counted at the device, and kept for whoever wants to look at it.
async fn malformed(hub: &Hub, caller: &Caller, verb: Verb, why: &str, body: &[u8]) {
    tracing::debug!(device = %caller.device, verb = verb.as_str(), why, "a body cannot be read");
    hub.unknowns
        .keep_of(&caller.scope, caller.device, verb.as_str(), body);
    let sighting = Sighting {
        tenant: caller.tenant(),
        device: caller.device,
        session: 0,
        seen_at: Utc::now(),
        unknown_messages: 0,
        malformed_messages: 1,
        position: None,
        ended: None,
    };
    let counted = async {
        let tx = hub.kit.db.system().await?;
        terminals::note(&tx, &[sighting]).await?;
        tx.commit_soon().await
    };
    if let Err(error) = counted.await {
        tracing::debug!(%error, "a malformed body is not counted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_must_survive_is_no_error_of_http() {
        for (refusal, status) in [
            (Refusal::Unclaimed, 200),
            (Refusal::OtherProtocol, 200),
            (Refusal::Malformed("x".to_owned()), 200),
            (Refusal::Later, 503),
            (Refusal::Unfinished, 503),
            (Refusal::TooOften, 429),
            (Refusal::Token, 401),
            (Refusal::NoVerb, 404),
            (Refusal::TooLarge, 413),
        ] {
            assert_eq!(refusal.status().as_u16(), status, "{refusal:?}");
            assert!(!refusal.says().is_empty());
        }
    }

    #[test]
    fn a_refused_pass_keeps_the_door_closed() {
        let address = |rest: &str| Address {
            token: String::new(),
            rest: rest.to_owned(),
        };
        for (rest, opens) in [
            ("x/syface/1", true),
            ("syattribute/1", true),
            ("syrecord/1", false),
        ] {
            let response = refuse(&Refusal::Later, &address(rest));
            assert_eq!(response.status().as_u16(), 503);
            let text = syface::closed(Verdict::Failure(&Refusal::Later.says()));
            assert!(text.contains("\"openDoor\":0"));
            assert_eq!(
                actix_web::body::MessageBody::size(response.body())
                    == actix_web::body::BodySize::Sized(text.len().try_into().unwrap_or(0)),
                opens,
                "{rest}"
            );
        }
    }
}
