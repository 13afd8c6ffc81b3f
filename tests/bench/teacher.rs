//! The bound of telling persons to terminals: a WebSocket server that does nothing else. It answers a
//! registration, then sends ready-made messages one after the other, each when the one before was
//! answered. It runs in a process of its own.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_ws::AggregatedMessage;
use anyhow::Context;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// What it says, the same to everybody.
#[derive(Debug)]
struct Lesson {
    persons: usize,
    photo: String,
}

/// `bench bare-teacher`: serves until its standard input ends.
pub(crate) fn serve(listen: SocketAddr, persons: usize, photo_bytes: usize) -> std::io::Result<()> {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let photo = gatehouse_simulator::photo::jpeg(photo_bytes / 1024, 1);
    let lesson = Arc::new(Lesson {
        persons,
        photo: base64_simd::STANDARD.encode_to_string(photo),
    });
    actix_web::rt::System::new().block_on(
        HttpServer::new(move || {
            App::new()
                .app_data(web::Data::from(lesson.clone()))
                .route("/", web::get().to(teach))
        })
        .max_connections(50_000)
        .disable_signals()
        .bind(listen)?
        .run(),
    )
}

async fn teach(
    request: HttpRequest,
    payload: web::Payload,
    lesson: web::Data<Lesson>,
) -> actix_web::Result<HttpResponse> {
    let (response, mut session, frames) = actix_ws::handle(&request, payload)?;
    let mut frames = frames.aggregate_continuations();
    actix_web::rt::spawn(async move {
        let (mut next, mut sn) = (0, String::new());
        while let Some(Ok(message)) = frames.recv().await {
            let AggregatedMessage::Text(text) = message else {
                continue;
            };
            let Ok(heard) = serde_json::from_str::<Value>(&text) else {
                break;
            };
            match heard["msgType"].as_str() {
                Some("register") => {
                    sn = heard["deviceNo"].as_str().unwrap_or_default().to_owned();
                    let now_ms = chrono::Utc::now().timestamp_millis().to_string();
                    let welcome = json!({"deviceNo": sn, "msgType": "registerResp", "token": now_ms,
                                         "registerTime": now_ms, "errorCode": "100"});
                    if session.text(welcome.to_string()).await.is_err() {
                        break;
                    }
                }
                Some("registerPersonInfoResp") => {}
                _ => continue,
            }
            if next < lesson.persons {
                if session.text(lesson.message(&sn, next)).await.is_err() {
                    break;
                }
                next += 1;
            }
        }
        let _ = session.close(None).await;
    });
    Ok(response)
}

impl Lesson {
    fn message(&self, sn: &str, number: usize) -> String {
        format!(
            "{{\"msgType\":\"registerPersonInfo\",\"msgID\":\"{number}\",\"deviceNo\":\"{sn}\",\"personInfoCount\":\"1\",\
             \"personInfoData\":[{{\"operateType\":\"0\",\"idNumber\":\"{}\",\"name\":\"Person {number}\",\"sex\":\"男\",\
             \"birthday\":\"1990年1月1日\",\"phone\":\"\",\"validDateStart\":\"2000_01_01\",\"validDateEnd\":\"2099_12_31\",\
             \"priority\":\"0\",\"registerPhoto1\":\"{}\",\"registerPhotoID1\":\"654321\"}}]}}",
            number + 1,
            self.photo
        )
    }
}

/// A running one. It ends with this value.
#[derive(Debug)]
pub(crate) struct Teacher {
    child: Child,
    address: SocketAddr,
}

impl Teacher {
    /// Starts one and waits until it listens.
    pub(crate) async fn start(persons: usize, photo_bytes: usize) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], kit::process::free_port()));
        let child = Command::new(std::env::current_exe()?)
            .args(["bare-teacher", "--listen", &address.to_string()])
            .args(["--persons", &persons.to_string()])
            .args(["--photo-bytes", &photo_bytes.to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .context("the bare teacher starts")?;
        let teacher = Self { child, address };
        kit::until(
            "the bare teacher to listen",
            Duration::from_secs(10),
            || async { TcpStream::connect(address).await.ok().map(drop) },
        )
        .await;
        Ok(teacher)
    }

    /// Where terminals connect.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }
}

impl Drop for Teacher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
