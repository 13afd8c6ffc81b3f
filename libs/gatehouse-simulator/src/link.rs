//! One connection: TCP, WebSocket handshake and registration (004 section 2.1.1).

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use crate::error::SimError;
use crate::event::Event;
use crate::profile::Faults;
use crate::random::SplitMix64;
use crate::shared::Shared;
use crate::wire::{self, Writer};

/// Terminals get small messages; the library's 128 KiB each would be the whole memory of a
/// simulated terminal.
const READ_BUFFER: usize = 4 * 1024;
/// A person with three photos is the largest message to a terminal.
const LARGEST_MESSAGE: usize = 8 * 1024 * 1024;
/// How long a refused terminal waits for the cloud to close.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// A cloud that takes nothing for this long is gone.
const SEND_WAIT: Duration = Duration::from_secs(30);

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A registered connection.
pub(crate) struct Link {
    stream: Stream,
    pub(crate) token: String,
    shared: Arc<Shared>,
    is_registered: bool,
}

/// What came.
pub(crate) enum Incoming {
    Text(String),
    /// Ping, pong and what else needs no answer of ours.
    Nothing,
    Closed {
        code: Option<u16>,
        reason: String,
    },
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(stats) = &self.shared.stats {
            stats.connected.down();
            if self.is_registered {
                stats.registered.down();
            }
        }
    }
}

impl Link {
    /// Connects and registers within the profile's time-out.
    pub(crate) async fn open(shared: Arc<Shared>, seed: u64) -> Result<Self, SimError> {
        let within = shared.profile.connect_timeout;
        let opened = timeout(within, Self::connect_and_register(&shared, seed)).await;
        opened.unwrap_or_else(|_| {
            let awaited = "registerResp".to_owned();
            Err(SimError::TimedOut { awaited, within })
        })
    }

    async fn connect_and_register(shared: &Arc<Shared>, seed: u64) -> Result<Self, SimError> {
        let stream = connect(&shared.profile.url).await?;
        if let Some(stats) = &shared.stats {
            stats.connected.up();
        }
        let mut link = Self {
            stream,
            token: String::new(),
            shared: Arc::clone(shared),
            is_registered: false,
        };
        shared.note(|| Event::Connected);
        if shared.profile.faults.never_register {
            return Ok(link);
        }
        let message = link.register_message(seed);
        link.send_text(message).await?;
        loop {
            match link.next().await {
                Incoming::Text(text) => {
                    let object = wire::object(&text);
                    match object {
                        Some(body) if wire::string(&body, "msgType") == Some("registerResp") => {
                            link.on_register_answer(&body).await?;
                            return Ok(link);
                        }
                        _ => shared.note(|| Event::Unreadable {
                            text: beginning(&text),
                        }),
                    }
                }
                Incoming::Nothing => {}
                Incoming::Closed { code, reason } => {
                    return Err(SimError::Closed { code, reason });
                }
            }
        }
    }

    fn register_message(&self, seed: u64) -> String {
        let profile = &self.shared.profile;
        let device_ms = Utc::now().timestamp_millis() + self.shared.state().ahead_ms;
        let register_time = (device_ms / 1_000).to_string();
        let rand = SplitMix64::new(seed).hex(32);
        let sign = wire::styled_sign(profile.sign, &profile.sn, &register_time, &rand);
        let mut writer = Writer::new(profile, 400);
        writer
            .field("msgType", "register")
            .field("deviceNo", &profile.sn)
            .field("registerTime", &register_time)
            .field("rand", &rand)
            .field("protocolVersion", "V3.5")
            .field("hardwareVersion", "A2")
            .field("softwareVersion", &profile.software_version)
            .field("algVersion", "1.0.2-1.2.0")
            .optional("sign", sign.as_deref());
        writer.finish()
    }

    async fn on_register_answer(&mut self, body: &Map<String, Value>) -> Result<(), SimError> {
        let shared = Arc::clone(&self.shared);
        let error_code = wire::string(body, "errorCode").unwrap_or_default();
        if error_code != "100" {
            shared.note(|| Event::Refused {
                error_code: error_code.to_owned(),
            });
            let close_code = self.await_close().await;
            return Err(SimError::Refused {
                error_code: error_code.to_owned(),
                close_code,
            });
        }
        let wrong = |what: &str| Err(SimError::Protocol(format!("registerResp {what}: {body:?}")));
        if wire::string(body, "deviceNo") != Some(shared.profile.sn.as_str()) {
            return wrong("must bear the deviceNo of the register message");
        }
        let token = match wire::string(body, "token") {
            Some(token) if (1..=32).contains(&token.len()) => token,
            _ => return wrong("must bear a token of 1 to 32 characters"),
        };
        let cloud_time_ms = match wire::string(body, "registerTime") {
            Some(time) if time.len() == 13 => time.parse::<i64>().ok(),
            _ => None,
        };
        let Some(cloud_time_ms) = cloud_time_ms else {
            return wrong("must bear a registerTime of 13 digits, as a string");
        };
        if shared.profile.sync_clock {
            shared.state().ahead_ms = cloud_time_ms - Utc::now().timestamp_millis();
        }
        self.token = shared
            .profile
            .faults
            .wrong_token
            .clone()
            .unwrap_or_else(|| token.to_owned());
        if shared.profile.quirks.token_with_trailing_space {
            self.token.push(' ');
        }
        self.is_registered = true;
        if let Some(stats) = &shared.stats {
            stats.registered.up();
        }
        shared.came_online();
        let token = token.to_owned();
        shared.note(|| Event::Registered {
            cloud_time_ms,
            token,
            at: Utc::now(),
        });
        Ok(())
    }

    async fn await_close(&mut self) -> Option<u16> {
        let closed = async {
            loop {
                if let Incoming::Closed { code, .. } = self.next().await {
                    return code;
                }
            }
        };
        timeout(CLOSE_WAIT, closed).await.ok().flatten()
    }

    /// The next frame; can be cancelled without loss.
    pub(crate) async fn next(&mut self) -> Incoming {
        let no_frame = |reason: String| Incoming::Closed { code: None, reason };
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => Incoming::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(bytes))) => {
                Incoming::Text(String::from_utf8_lossy(&bytes).into_owned())
            }
            Some(Ok(Message::Close(Some(frame)))) => Incoming::Closed {
                code: Some(frame.code.into()),
                reason: frame.reason.as_str().to_owned(),
            },
            Some(Ok(Message::Close(None))) => no_frame("a close frame without a code".to_owned()),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Incoming::Nothing,
            Some(Err(error)) => no_frame(error.to_string()),
            None => no_frame("the stream ended without a close frame".to_owned()),
        }
    }

    /// Queues a text in the way of the profile's faults; [`Link::flush`] sends it.
    pub(crate) async fn feed_text(&mut self, text: String) -> Result<(), SimError> {
        let Faults {
            binary_frames,
            fragment_bytes,
            ..
        } = self.shared.profile.faults;
        match fragment_bytes {
            Some(size) if size > 0 => {
                let opcode = if binary_frames {
                    Data::Binary
                } else {
                    Data::Text
                };
                let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
                let last = chunks.len().saturating_sub(1);
                for (index, chunk) in chunks.into_iter().enumerate() {
                    let opcode = if index == 0 { opcode } else { Data::Continue };
                    let frame = Frame::message(chunk.to_vec(), OpCode::Data(opcode), index == last);
                    self.feed(Message::Frame(frame)).await?;
                }
                Ok(())
            }
            _ if binary_frames => self.feed(Message::binary(text)).await,
            _ => self.feed(Message::text(text)).await,
        }
    }

    pub(crate) async fn feed(&mut self, message: Message) -> Result<(), SimError> {
        in_time(self.stream.feed(message)).await
    }

    pub(crate) async fn flush(&mut self) -> Result<(), SimError> {
        in_time(self.stream.flush()).await
    }

    async fn send_text(&mut self, text: String) -> Result<(), SimError> {
        self.feed_text(text).await?;
        self.flush().await
    }

    /// Says goodbye and waits a little for the cloud's own close frame.
    pub(crate) async fn close(mut self) {
        if in_time(self.stream.close(None)).await.is_ok() {
            self.await_close().await;
        }
    }
}

async fn in_time<T>(sending: impl Future<Output = Result<T, WsError>>) -> Result<T, SimError> {
    match timeout(SEND_WAIT, sending).await {
        Ok(sent) => sent.map_err(|error| SimError::WebSocket(error.to_string())),
        Err(_) => Err(SimError::TimedOut {
            awaited: "room in the connection".to_owned(),
            within: SEND_WAIT,
        }),
    }
}

/// The beginning of a text, for a person to read.
pub(crate) fn beginning(text: &str) -> String {
    text.chars().take(200).collect()
}

async fn connect(url: &str) -> Result<Stream, SimError> {
    let unusable = || SimError::Url {
        url: url.to_owned(),
    };
    let request = url.into_client_request().map_err(|_| unusable())?;
    let uri = request.uri();
    let host = uri
        .host()
        .ok_or_else(unusable)?
        .trim_matches(['[', ']'])
        .to_owned();
    let secure = match uri.scheme_str() {
        Some("ws") => false,
        Some("wss") => true,
        _ => return Err(unusable()),
    };
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    if secure {
        // The process may have chosen one already; then that one serves.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    let unreachable = |source| SimError::Connect {
        address: format!("{host}:{port}"),
        source,
    };
    let socket = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(unreachable)?;
    socket.set_nodelay(true).map_err(unreachable)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(READ_BUFFER)
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    match client_async_tls_with_config(request, socket, Some(config), None).await {
        Ok((stream, _)) => Ok(stream),
        Err(WsError::Http(response)) => Err(SimError::Handshake {
            status: response.status().as_u16(),
        }),
        Err(error) => Err(SimError::WebSocket(error.to_string())),
    }
}
