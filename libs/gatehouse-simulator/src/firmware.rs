//! Downloading a firmware file as a terminal does: plain HTTP/1.0, counted and thrown away.
//!
//! Absent: TLS and chunked bodies. An `https` URL is a failed download (502).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::http::Uri;

/// A server that sends nothing for this long has failed.
const READ_WAIT: Duration = Duration::from_secs(30);
const LONGEST_HEAD: usize = 16 * 1024;
const MOST_REDIRECTS: usize = 3;

/// Bytes of the body, or the document's code for what went wrong.
pub(crate) async fn download(url: &str, expected_length: u64) -> Result<u64, &'static str> {
    let mut url = url.trim().to_owned();
    for _ in 0..=MOST_REDIRECTS {
        match fetch(&url).await {
            Some(Fetched::Body { announced, length }) => {
                return match announced {
                    // Cut off on the way.
                    Some(announced) if announced != length => Err("502"),
                    _ if length != expected_length => Err("503"),
                    _ => Ok(length),
                };
            }
            Some(Fetched::Elsewhere(location)) => url = location,
            None => return Err("502"),
        }
    }
    Err("502")
}

enum Fetched {
    Body { announced: Option<u64>, length: u64 },
    Elsewhere(String),
}

async fn fetch(url: &str) -> Option<Fetched> {
    let uri: Uri = url.parse().ok()?;
    if uri.scheme_str() != Some("http") {
        return None;
    }
    let host = uri.host()?;
    let port = uri.port_u16().unwrap_or(80);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let address = (host.trim_matches(['[', ']']), port);
    let mut stream = timeout(READ_WAIT, TcpStream::connect(address))
        .await
        .ok()?
        .ok()?;
    let authority = uri.authority()?.as_str();
    let request =
        format!("GET {target} HTTP/1.0\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;

    let mut received = Vec::new();
    let head_length = loop {
        if let Some(at) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if received.len() > LONGEST_HEAD || read(&mut stream, &mut received).await? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(received.get(..head_length)?).into_owned();
    let status = head.split_ascii_whitespace().nth(1)?;
    if matches!(status, "301" | "302" | "303" | "307" | "308") {
        return header(&head, "location").map(|location| Fetched::Elsewhere(location.to_owned()));
    }
    if status != "200" {
        return None;
    }
    let announced = header(&head, "content-length").and_then(|length| length.parse().ok());
    let mut length = u64::try_from(received.len() - head_length - 4).ok()?;
    while announced.is_none_or(|announced| length < announced) {
        received.clear();
        match read(&mut stream, &mut received).await? {
            0 => break,
            more => length += u64::try_from(more).ok()?,
        }
    }
    Some(Fetched::Body { announced, length })
}

async fn read(stream: &mut TcpStream, into: &mut Vec<u8>) -> Option<usize> {
    into.reserve(16 * 1024);
    timeout(READ_WAIT, stream.read_buf(into)).await.ok()?.ok()
}

fn header<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(wanted).then(|| value.trim())
    })
}
