//! Terminal tokens: the secret part of a tenant's terminal URL. Several are valid at once, so that
//! terminals can be moved from one to the next; a revoked one ends the sessions that came in with it.
//!
//! Deliberately absent: admitting terminals by a token (gatehouse-hub).

mod api;
mod store;

pub(crate) use api::routes;

/// What terminals connect to over WebSocket.
pub(crate) fn terminal_url(public_url: &str, token: &str) -> String {
    format!("{}/terminal/{token}", socket_base_url(public_url))
}

/// What terminals that push over HTTP put before their paths.
pub(crate) fn push_base_url(public_url: &str, token: &str) -> String {
    format!("{public_url}/push/{token}")
}

/// The public address with the scheme of WebSocket.
pub(crate) fn socket_base_url(public_url: &str) -> String {
    match public_url.split_once("://") {
        Some(("https", rest)) => format!("wss://{rest}"),
        Some((_, rest)) => format!("ws://{rest}"),
        None => format!("ws://{public_url}"),
    }
}

/// The first characters of a token, by which a person recognises it in a list.
pub(crate) fn hint(token: &str) -> String {
    token.chars().take(6).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_follow_the_public_address() {
        assert_eq!(
            terminal_url("http://127.0.0.1:8080", "t"),
            "ws://127.0.0.1:8080/terminal/t"
        );
        assert_eq!(
            terminal_url("https://gate.example/x", "t"),
            "wss://gate.example/x/terminal/t"
        );
        assert_eq!(
            push_base_url("https://gate.example", "t"),
            "https://gate.example/push/t"
        );
    }
}
