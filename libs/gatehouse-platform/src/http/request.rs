//! A request's own identity: its id, and the address it came from.

use super::server::HttpSettings;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use std::future::{Ready, ready};
use std::net::IpAddr;

/// The id under which a request stands in the log: the caller's `X-Request-Id` where it is of a
/// harmless form, or one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub(crate) String);

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn choose(sent: Option<&str>) -> Self {
        match sent {
            Some(text)
                if (1..=64).contains(&text.len())
                    && text
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') =>
            {
                Self(text.to_owned())
            }
            Some(_) | None => Self(uuid::Uuid::now_v7().simple().to_string()),
        }
    }
}

impl FromRequest for RequestId {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.extensions().get::<Self>().cloned();
        ready(Ok(id.unwrap_or_else(|| Self::choose(None))))
    }
}

/// The address of the client. Where the connection comes from a proxy that the operator named as
/// trusted, the last address of `X-Forwarded-For` that is not itself such a proxy.
#[must_use]
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    // A listener on [::] sees IPv4 clients as mapped addresses.
    let peer = request.peer_addr()?.ip().to_canonical();
    let Some(settings) = request.app_data::<web::Data<HttpSettings>>() else {
        return Some(peer);
    };
    let trusted = |address: &IpAddr| {
        settings
            .trusted_proxies
            .iter()
            .any(|range| range.contains(address))
    };
    if !trusted(&peer) {
        return Some(peer);
    }
    let header = request
        .headers()
        .get("X-Forwarded-For")
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let hops: Vec<IpAddr> = header
        .split(',')
        .filter_map(|hop| hop.trim().parse().ok())
        .map(|hop: IpAddr| hop.to_canonical())
        .collect();
    hops.iter()
        .rev()
        .find(|hop| !trusted(hop))
        .copied()
        .or(Some(peer))
}
