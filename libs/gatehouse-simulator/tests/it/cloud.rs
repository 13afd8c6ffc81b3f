//! The cloud's side of document 004, as little of it as the tests need. Every wait has a deadline.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use gatehouse_simulator::{Message, SimError, Terminal, TerminalProfile};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

pub(crate) const SOON: Duration = Duration::from_secs(10);
pub(crate) const SN: &str = "168380000106";

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(SOON, what)
        .await
        .expect("nothing happened in ten seconds")
}

pub(crate) struct Cloud {
    pub(crate) listener: TcpListener,
    tokens: u64,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            tokens: 1_582_340_860_527,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "ws://{}/terminal/secret",
            self.listener.local_addr().unwrap()
        )
    }

    /// A well-behaved terminal in a hurry.
    pub(crate) fn profile(&self) -> TerminalProfile {
        let quick = Duration::from_millis(60);
        TerminalProfile {
            resend_after: quick,
            person_resend_after: quick,
            reconnect: (Duration::from_millis(10), quick),
            reboot_after: Duration::from_millis(10),
            boot_time: quick,
            ..TerminalProfile::new(&self.url(), SN)
        }
    }

    /// The next connection, before any message.
    pub(crate) async fn accept_socket(&self) -> WebSocketStream<TcpStream> {
        let (socket, _) = soon(self.listener.accept()).await.unwrap();
        soon(accept_async(socket)).await.unwrap()
    }

    /// The next terminal, registered.
    pub(crate) async fn accept(&mut self) -> Session {
        let mut session = Session::new(self.accept_socket().await);
        let register = session.next().await;
        assert_eq!(register["msgType"], "register");
        self.tokens += 1;
        session.token = self.tokens.to_string();
        let answer = json!({
            "msgType": "registerResp", "deviceNo": register["deviceNo"], "token": session.token,
            "registerTime": "1585903632011", "errorCode": "100"
        });
        session.send(answer).await;
        session.register = register;
        session
    }

    /// A connected terminal and our end of it.
    pub(crate) async fn connect(&mut self, profile: TerminalProfile) -> (Terminal, Session) {
        let (terminal, session) = tokio::join!(Terminal::connect(profile), self.accept());
        (terminal.unwrap(), session)
    }

    /// Answers the registration as told and gives what the terminal made of it.
    pub(crate) async fn answer_registration(
        &mut self,
        answer: Value,
        close_code: Option<u16>,
    ) -> SimError {
        let profile = self.profile();
        let cloud = async {
            let mut session = Session::new(self.accept_socket().await);
            session.next().await;
            session.send(answer).await;
            if let Some(code) = close_code {
                session.close(code).await;
            }
            session
        };
        let (terminal, _session) = tokio::join!(Terminal::connect(profile), cloud);
        terminal.unwrap_err()
    }
}

pub(crate) struct Session {
    socket: WebSocketStream<TcpStream>,
    pub(crate) token: String,
    pub(crate) register: Value,
}

impl Session {
    pub(crate) fn new(socket: WebSocketStream<TcpStream>) -> Self {
        Self {
            socket,
            token: String::new(),
            register: Value::Null,
        }
    }

    pub(crate) async fn next_frame(&mut self) -> Option<Message> {
        soon(self.socket.next()).await.and_then(Result::ok)
    }

    pub(crate) async fn next_text(&mut self) -> String {
        match self.next_frame().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("not a text frame: {other:?}"),
        }
    }

    /// The next message; plain JSON.
    pub(crate) async fn next(&mut self) -> Value {
        let text = self.next_text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    /// Sends a command with the fields all commands have; the answer is the next message.
    pub(crate) async fn order(&mut self, msg_type: &str, more: Value) {
        let mut message = json!({"msgType": msg_type, "msgID": "000002", "deviceNo": SN});
        for (key, value) in more.as_object().unwrap() {
            message[key] = value.clone();
        }
        self.send(message).await;
    }

    /// Sends a command and reads the answer, whose common fields must be right.
    pub(crate) async fn ask(&mut self, msg_type: &str, more: Value) -> Value {
        self.order(msg_type, more).await;
        let answer = self.next().await;
        assert_eq!(answer["msgType"], format!("{msg_type}Resp"));
        assert_eq!(answer["msgID"], "000002");
        assert_eq!(answer["deviceNo"], SN);
        assert_eq!(answer["token"], self.token);
        assert!(answer["msg"].as_str().is_some_and(|msg| !msg.is_empty()));
        answer
    }

    pub(crate) async fn acknowledge(&mut self, record: &Value, control_state: &str, msg: &str) {
        self.send(json!({
            "msgType": "uploadRecordResp", "msgID": record["msgID"], "errorCode": "100",
            "controlState": control_state, "msg": msg
        }))
        .await;
    }

    pub(crate) async fn close(&mut self, code: u16) {
        let frame = CloseFrame {
            code: code.into(),
            reason: "as the test says".into(),
        };
        let _ = self.socket.close(Some(frame)).await;
    }

    /// Acknowledges everything until the terminal goes.
    pub(crate) async fn play(mut self) {
        while let Some(Ok(frame)) = self.socket.next().await {
            let Message::Text(text) = frame else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(message["token"], self.token);
            match message["msgType"].as_str() {
                Some("keepAlive") => {
                    let device_no = &message["deviceNo"];
                    self.send(json!({"msgType": "keepAliveResp", "deviceNo": device_no}))
                        .await;
                }
                Some("uploadRecord") => self.acknowledge(&message, "open", "欢迎").await,
                other => panic!("unexpected {other:?}"),
            }
        }
    }
}
