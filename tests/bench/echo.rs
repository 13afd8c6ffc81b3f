//! The bound of what a session costs: actix-ws as it comes, one task per socket, sending back what it
//! receives. It runs in a process of its own, with the server's settings for sockets and frames.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_ws::AggregatedMessage;
use anyhow::Context;
use futures_util::SinkExt;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};

/// The longest message that the hub takes.
const MESSAGE_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Handshakes at the same time, as many as for the hub.
const AT_ONCE: usize = 48;

/// The client's side of a socket.
pub(crate) type Socket = WebSocketStream<TcpStream>;

/// `bench echo-server`: serves until its standard input ends.
pub(crate) fn serve(listen: SocketAddr) -> std::io::Result<()> {
    std::thread::spawn(|| {
        // Whoever started this holds the other end, and closes it by ending, however it ends.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    actix_web::rt::System::new().block_on(
        HttpServer::new(|| App::new().route("/", web::get().to(echo)))
            .backlog(8192)
            .max_connections(50_000)
            .max_connection_rate(4096)
            .client_request_timeout(Duration::from_secs(10))
            .keep_alive(Duration::from_secs(75))
            .disable_signals()
            .bind(listen)?
            .run(),
    )
}

async fn echo(request: HttpRequest, payload: web::Payload) -> actix_web::Result<HttpResponse> {
    let (response, mut session, frames) = actix_ws::handle(&request, payload)?;
    let mut frames = frames
        .max_frame_size(MESSAGE_MAX_BYTES)
        .aggregate_continuations()
        .max_continuation_size(MESSAGE_MAX_BYTES);
    actix_web::rt::spawn(async move {
        while let Some(Ok(message)) = frames.recv().await {
            let sent = match message {
                AggregatedMessage::Text(text) => session.text(text).await,
                AggregatedMessage::Binary(bytes) => session.binary(bytes).await,
                AggregatedMessage::Ping(bytes) => session.pong(&bytes).await,
                AggregatedMessage::Pong(_) => Ok(()),
                AggregatedMessage::Close(_) => break,
            };
            if sent.is_err() {
                break;
            }
        }
        let _ = session.close(None).await;
    });
    Ok(response)
}

/// A running echo server. It ends with this value.
#[derive(Debug)]
pub(crate) struct EchoServer {
    child: Child,
    address: SocketAddr,
}

impl EchoServer {
    /// Starts one and waits until it listens.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], kit::process::free_port()));
        let child = Command::new(std::env::current_exe()?)
            .args(["echo-server", "--listen", &address.to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .context("the echo server starts")?;
        let server = Self { child, address };
        kit::until(
            "the echo server to listen",
            Duration::from_secs(10),
            || async { TcpStream::connect(address).await.ok().map(drop) },
        )
        .await;
        Ok(server)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Opens a socket.
    pub(crate) async fn connect(&self) -> anyhow::Result<Socket> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        // The library's 128 KiB each would be memory of this process only, but of thousands.
        let config = WebSocketConfig::default()
            .read_buffer_size(4096)
            .write_buffer_size(4096);
        let url = format!("ws://{}/", self.address);
        let (socket, _) =
            tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await?;
        Ok(socket)
    }

    /// Opens many.
    pub(crate) async fn connect_many(&self, count: usize) -> anyhow::Result<Vec<Socket>> {
        stream::iter(0..count)
            .map(|_| self.connect())
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }
}

impl Drop for EchoServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a message and waits until it is back.
pub(crate) async fn round_trip(socket: &mut Socket, text: &str) -> anyhow::Result<()> {
    socket.send(Message::text(text)).await?;
    let back = socket.next().await.context("the echo server closed")??;
    anyhow::ensure!(back.to_text()? == text, "another echo");
    Ok(())
}
