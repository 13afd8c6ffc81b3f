//! A terminal's connection by hand: for frames that no WebSocket library would send.
//!
//! Deliberately absent: everything a well-behaved client does. What is written here goes out as it is.

use serde_json::{Value, json};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Opcode of a text frame (RFC 6455, 5.2).
pub const TEXT: u8 = 1;
/// Opcode of a binary frame.
pub const BINARY: u8 = 2;
/// Opcode of a close frame.
const CLOSE: u8 = 8;
/// The server decides within this; waiting longer fails the test.
const WITHIN: Duration = Duration::from_secs(20);

/// One connection after its handshake.
#[derive(Debug)]
pub struct RawSocket {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// A text frame with JSON in it.
    Message(Value),
    /// A close frame: its code and its reason.
    Close(u16, String),
    /// The connection ended without a close frame.
    End,
}

impl RawSocket {
    /// Opens a connection to a terminal URL; the HTTP status where it is refused.
    ///
    /// # Errors
    /// The status, where it is not 101.
    ///
    /// # Panics
    /// Where nobody answers.
    pub async fn open(url: &str) -> Result<Self, u16> {
        let rest = url.strip_prefix("ws://").expect("a ws:// address");
        let (host, path) = rest.split_once('/').expect("an address with a path");
        let mut stream = TcpStream::connect(host).await.expect("the server listens");
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut unread = Vec::new();
        let head = loop {
            if let Some(end) = unread.windows(4).position(|w| w == b"\r\n\r\n") {
                break unread.drain(..end + 4).collect::<Vec<u8>>();
            }
            let read = tokio::time::timeout(WITHIN, stream.read_buf(&mut unread)).await;
            assert!(
                read.expect("the handshake is answered").unwrap() > 0,
                "the handshake was not answered"
            );
        };
        let head = String::from_utf8(head).unwrap();
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        if status == 101 {
            Ok(Self { stream, unread })
        } else {
            Err(status)
        }
    }

    /// Opens a connection and registers this serial number, without a signature.
    ///
    /// # Panics
    /// Where it is not admitted.
    pub async fn registered(url: &str, sn: &str) -> (Self, String) {
        let mut socket = Self::open(url).await.expect("the token is valid");
        socket.send_json(&register_message(sn)).await.unwrap();
        loop {
            match socket.next().await {
                Incoming::Message(message) if message["msgType"] == "registerResp" => {
                    assert_eq!(message["errorCode"], "100", "{message}");
                    let token = message["token"].as_str().unwrap().to_owned();
                    return (socket, token);
                }
                Incoming::Message(_) => {}
                other => panic!("not admitted: {other:?}"),
            }
        }
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// The network's; a server that has closed gives them.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Writes one whole frame.
    ///
    /// # Errors
    /// The network's.
    pub async fn send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let mut bytes = frame_header(0x80 | opcode, payload.len());
        bytes.extend_from_slice(payload);
        self.send_bytes(&bytes).await
    }

    /// Writes a message.
    ///
    /// # Errors
    /// The network's.
    pub async fn send_json(&mut self, message: &Value) -> io::Result<()> {
        self.send(TEXT, message.to_string().as_bytes()).await
    }

    /// The next message, or how the connection ends. Pings are passed over.
    ///
    /// # Panics
    /// Where nothing comes in time.
    pub async fn next(&mut self) -> Incoming {
        loop {
            if let Some((opcode, payload)) = self.take_frame() {
                match opcode {
                    TEXT => return Incoming::Message(serde_json::from_slice(&payload).unwrap()),
                    CLOSE => {
                        let code = payload
                            .get(..2)
                            .map_or(0, |c| u16::from_be_bytes([c[0], c[1]]));
                        let reason = payload.get(2..).unwrap_or_default();
                        return Incoming::Close(code, String::from_utf8_lossy(reason).into_owned());
                    }
                    _ => continue,
                }
            }
            let read = tokio::time::timeout(WITHIN, self.stream.read_buf(&mut self.unread)).await;
            match read.unwrap_or_else(|_| panic!("nothing came within {WITHIN:?}")) {
                Ok(0) | Err(_) => return Incoming::End,
                Ok(_) => {}
            }
        }
    }

    /// Passes over messages until the connection ends; the code of the close frame.
    ///
    /// # Panics
    /// Where it ends without one, or not in time.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.next().await {
                Incoming::Message(_) => {}
                Incoming::Close(code, _) => return code,
                Incoming::End => panic!("the connection ended without a close frame"),
            }
        }
    }

    /// The next message of this type; others are passed over.
    ///
    /// # Panics
    /// Where the connection ends before.
    pub async fn message(&mut self, message_type: &str) -> Value {
        loop {
            match self.next().await {
                Incoming::Message(message) if message["msgType"] == message_type => return message,
                Incoming::Message(_) => {}
                other => panic!("waited for {message_type}, and there came {other:?}"),
            }
        }
    }

    fn take_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let [first, second, ..] = *self.unread.as_slice() else {
            return None;
        };
        let (header, length) = match second & 0x7F {
            126 => (
                4,
                u64::from(u16::from_be_bytes(
                    self.unread.get(2..4)?.try_into().unwrap(),
                )),
            ),
            127 => (
                10,
                u64::from_be_bytes(self.unread.get(2..10)?.try_into().unwrap()),
            ),
            short => (2, u64::from(short)),
        };
        let end = header + usize::try_from(length).unwrap();
        if self.unread.len() < end {
            return None;
        }
        let payload = self.unread.drain(..end).skip(header).collect();
        Some((first & 0x0F, payload))
    }
}

/// The header of a client's frame, with a masking key of zeros, so that the payload stands as it is.
#[must_use]
pub fn frame_header(first: u8, length: usize) -> Vec<u8> {
    let mut header = vec![first];
    match length {
        0..=125 => header.push(0x80 | u8::try_from(length).unwrap()),
        126..=65_535 => {
            header.push(0x80 | 126);
            header.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            header.push(0x80 | 127);
            header.extend_from_slice(&u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    header.extend_from_slice(&[0; 4]);
    header
}

/// A registration without a signature.
#[must_use]
pub fn register_message(sn: &str) -> Value {
    json!({
        "msgType": "register", "deviceNo": sn, "registerTime": chrono::Utc::now().timestamp().to_string(),
        "rand": "e10adc3949ba59abbe56e057f20f883e", "protocolVersion": "V3.5", "hardwareVersion": "A2",
        "softwareVersion": "2.1.9 2020-02-13", "algVersion": "1.0.2-1.2.0",
    })
}

/// The record of a stranger who passes now, without a picture.
#[must_use]
pub fn record_message(sn: &str, token: &str, message_id: &str) -> Value {
    let now = chrono::Utc::now() + chrono::TimeDelta::hours(8);
    json!({
        "msgType": "uploadRecord", "msgID": message_id, "version": "V1.0", "deviceNo": sn, "token": token,
        "snapType": "3", "compareResult": "1", "passTime": now.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        "idNumber": "", "name": "陌生人", "inOutMode": "1", "recognitionPhoto": "",
    })
}
