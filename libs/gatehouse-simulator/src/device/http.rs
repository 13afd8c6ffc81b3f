//! HTTP as a small device speaks it: version 1.1, one request per connection, no TLS, no chunks.

use super::error::DeviceError;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Largest answer that is read.
const ANSWER_MAX_BYTES: u64 = 2 * 1024 * 1024;

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// Where the platform is.
#[derive(Debug, Clone)]
pub(super) struct Base {
    host: String,
    address: String,
    path: String,
}

impl Base {
    pub(super) fn read(url: &str) -> Result<Self, DeviceError> {
        let wrong = || DeviceError::Url {
            url: url.to_owned(),
        };
        let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
        let (host, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if host.is_empty() || host.contains(['@', ' ', '?', '#']) {
            return Err(wrong());
        }
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
        Ok(Self {
            host: host.to_owned(),
            address: if has_port {
                host.to_owned()
            } else {
                format!("{host}:80")
            },
            path: path.trim_end_matches('/').to_owned(),
        })
    }

    pub(super) async fn get(&self, path: &str, within: Duration) -> Result<Answer, DeviceError> {
        let head = format!(
            "GET {}{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.path, self.host
        );
        self.exchange(head.as_bytes(), &[], within).await
    }

    pub(super) async fn post(
        &self,
        path: &str,
        body: &[u8],
        within: Duration,
    ) -> Result<Answer, DeviceError> {
        let head = format!(
            "POST {}{path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.path,
            self.host,
            body.len()
        );
        self.exchange(head.as_bytes(), body, within).await
    }

    async fn exchange(
        &self,
        head: &[u8],
        body: &[u8],
        within: Duration,
    ) -> Result<Answer, DeviceError> {
        let talk = async {
            let mut stream = TcpStream::connect(&self.address).await?;
            stream.write_all(head).await?;
            stream.write_all(body).await?;
            let mut answer = Vec::new();
            stream
                .take(ANSWER_MAX_BYTES)
                .read_to_end(&mut answer)
                .await?;
            Ok::<_, io::Error>(answer)
        };
        let bytes = tokio::time::timeout(within, talk)
            .await
            .map_err(|_| DeviceError::TimedOut {
                address: self.address.clone(),
                within,
            })?
            .map_err(|source| DeviceError::Io {
                address: self.address.clone(),
                source,
            })?;
        read_answer(bytes)
    }
}

/// Fetches a whole address.
pub(super) async fn fetch(url: &str, within: Duration) -> Result<Answer, DeviceError> {
    Base::read(url)?.get("", within).await
}

fn read_answer(bytes: Vec<u8>) -> Result<Answer, DeviceError> {
    let broken = |what: &str| DeviceError::Protocol(what.to_owned());
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or_else(|| broken("an answer without an end of its headers"))?;
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| broken("an answer without a status"))?;
    let mut length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        match name.trim().to_ascii_lowercase().as_str() {
            "transfer-encoding" => return Err(broken("an answer in chunks")),
            "content-encoding" => return Err(broken("a compressed answer")),
            "content-length" => length = value.trim().parse::<usize>().ok(),
            _ => {}
        }
    }
    let length = length.ok_or_else(|| broken("an answer without Content-Length"))?;
    let body = bytes.get(end + 4..).unwrap_or_default();
    if body.len() != length {
        return Err(broken("an answer of another length than it says"));
    }
    Ok(Answer {
        status,
        body: body.to_vec(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_taken() {
        for url in [
            "https://x/push",
            "ws://x",
            "http://",
            "http:///a",
            "x",
            "http://a@b/",
        ] {
            assert!(Base::read(url).is_err(), "{url}");
        }
        let base = Base::read("http://127.0.0.1:8080/push/token/").unwrap();
        assert_eq!(
            (base.address.as_str(), base.path.as_str()),
            ("127.0.0.1:8080", "/push/token")
        );
        assert_eq!(Base::read("http://x").unwrap().address, "x:80");
    }

    #[test]
    fn what_a_small_client_does_not_understand_is_refused() {
        let read = |text: &str| read_answer(text.as_bytes().to_vec());
        let answer = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (200, b"ok".as_slice())
        );
        for text in [
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\nok",
            "HTTP/1.1 200 OK\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nContent-Length: 2",
            "",
        ] {
            assert!(
                matches!(read(text), Err(DeviceError::Protocol(_))),
                "{text:?}"
            );
        }
    }
}
