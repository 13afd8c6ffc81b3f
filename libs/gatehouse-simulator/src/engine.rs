//! The task of one terminal: keeps it connected, tells time, passes messages to and fro. What a
//! command does is in `answers`, what becomes of a record in `records`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use crate::answers::{Command, Reply};
use crate::error::SimError;
use crate::event::Event;
use crate::link::{Incoming, Link, beginning};
use crate::pass::{Pass, RecordAck};
use crate::random::SplitMix64;
use crate::records::{Records, Waiter};
use crate::shared::Shared;
use crate::stream::PersonStream;
use crate::wire::{self, Writer};

/// A cloud that leaves this many keep-alives unanswered is gone.
const KEEP_ALIVES_UNANSWERED: u32 = 3;

/// What the handle, or an upgrade, wants of the task. Kept small: the channel allocates room for 32
/// at once, per terminal.
#[derive(Debug)]
pub(crate) enum Order {
    Record {
        pass: Box<Pass>,
        waiter: Waiter,
    },
    Raw {
        message: Box<Message>,
        written: oneshot::Sender<()>,
    },
    UpgradeStep(Box<UpgradeStep>),
    Drop,
    Close,
}

/// How an upgrade goes on.
#[derive(Debug)]
pub(crate) struct UpgradeStep {
    pub(crate) command: Command,
    pub(crate) error_code: String,
    /// Bytes downloaded, at the last step.
    pub(crate) ended: Option<u64>,
}

/// What goes to the connection.
#[derive(Debug)]
pub(crate) enum Out {
    Text(String),
    Raw {
        message: Box<Message>,
        written: oneshot::Sender<()>,
    },
    /// Tells that everything before it is written.
    Written {
        written: oneshot::Sender<String>,
        message_id: String,
    },
}

enum Ended {
    Lost { code: Option<u16>, reason: String },
    Cut,
    Rebooted,
    Finished,
}

pub(crate) struct Engine {
    pub(crate) shared: Arc<Shared>,
    orders: mpsc::UnboundedReceiver<Order>,
    pub(crate) own_orders: mpsc::WeakUnboundedSender<Order>,
    reconnecting: bool,
    records: Records,
    pub(crate) token: String,
    pub(crate) out: Vec<Out>,
    pub(crate) delayed: Vec<(Instant, Reply)>,
    pub(crate) people: Option<PersonStream>,
    pub(crate) is_upgrading: bool,
    pub(crate) reboot_at: Option<Instant>,
    keep_alive_at: Option<Instant>,
    keep_alives_unanswered: u32,
    random: SplitMix64,
}

impl Engine {
    pub(crate) fn new(
        shared: Arc<Shared>,
        orders: mpsc::UnboundedReceiver<Order>,
        own_orders: mpsc::WeakUnboundedSender<Order>,
        reconnecting: bool,
    ) -> Self {
        let random = SplitMix64::for_name(shared.profile.seed, &shared.profile.sn);
        Self {
            shared,
            orders,
            own_orders,
            reconnecting,
            records: Records::new(),
            token: String::new(),
            out: Vec::new(),
            delayed: Vec::new(),
            people: None,
            is_upgrading: false,
            reboot_at: None,
            keep_alive_at: None,
            keep_alives_unanswered: 0,
            random,
        }
    }

    /// Lives until it is told to close or, when it does not reconnect, until the connection ends.
    pub(crate) async fn run(mut self, mut link: Option<Link>) {
        loop {
            let current = match link.take() {
                Some(link) => Some(link),
                None => self.reconnect().await,
            };
            let Some(mut current) = current else { break };
            let ended = self.serve(&mut current).await;
            self.after_link();
            let pause = match ended {
                Ended::Finished => {
                    self.shared
                        .went_offline(None, "closed by the terminal", false);
                    current.close().await;
                    break;
                }
                Ended::Rebooted => {
                    self.shared.note(|| Event::Rebooted);
                    self.shared
                        .went_offline(None, "the terminal restarts", false);
                    self.shared.profile.boot_time
                }
                Ended::Cut => {
                    self.shared.went_offline(None, "cut by the terminal", false);
                    self.back_off(0)
                }
                Ended::Lost { code, reason } => {
                    self.shared.went_offline(code, &reason, true);
                    self.back_off(0)
                }
            };
            drop(current);
            if !self.reconnecting || self.offline(sleep(pause)).await.is_none() {
                break;
            }
        }
    }

    /// Nothing of a connection outlives it but the records.
    fn after_link(&mut self) {
        self.out.clear();
        self.delayed.clear();
        self.people = None;
        self.reboot_at = None;
        self.keep_alives_unanswered = 0;
        self.records.start_over(&self.shared);
    }

    async fn reconnect(&mut self) -> Option<Link> {
        let mut failures = 0;
        loop {
            let seed = self.random.next_u64();
            // Boxed: the handshake's state is large and short-lived.
            let opening = Box::pin(Link::open(Arc::clone(&self.shared), seed));
            match self.offline(opening).await? {
                Ok(link) => return Some(link),
                Err(error) => {
                    tracing::debug!(sn = %self.shared.profile.sn, %error, "cannot connect");
                    if let Some(stats) = &self.shared.stats {
                        if matches!(error, SimError::Refused { .. }) {
                            stats.refused.add();
                        } else {
                            stats.connection_faults.add();
                        }
                        stats.fault(error.to_string());
                    }
                }
            }
            failures += 1;
            let pause = self.back_off(failures);
            self.offline(sleep(pause)).await?;
        }
    }

    /// Doubles with each failure up to the profile's limit; half of it is chance, so that a crowd
    /// does not come back at once.
    fn back_off(&mut self, failures: u32) -> Duration {
        let (shortest, longest) = self.shared.profile.reconnect;
        let full = shortest
            .saturating_mul(2_u32.saturating_pow(failures.min(16)))
            .min(longest);
        full.mul_f64(0.5 + self.random.unit() / 2.0)
    }

    /// Takes orders while something else goes on; `None` when told to close.
    async fn offline<T>(&mut self, meanwhile: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(meanwhile);
        loop {
            self.records.release_written();
            tokio::select! {
                done = &mut meanwhile => return Some(done),
                order = self.orders.recv() => match order {
                    Some(Order::Record { pass, waiter }) => {
                        self.records.add(&self.shared, pass, waiter);
                    }
                    Some(Order::UpgradeStep(step)) => {
                        self.is_upgrading = step.ended.is_none();
                    }
                    // A raw message has no connection: its sender learns it by the dropped channel.
                    Some(Order::Raw { .. } | Order::Drop) => {}
                    Some(Order::Close) | None => return None,
                },
            }
        }
    }

    async fn serve(&mut self, link: &mut Link) -> Ended {
        self.token = link.token.clone();
        let speaks = !link.token.is_empty();
        let keeps_alive = speaks && !self.shared.profile.faults.never_keep_alive;
        let first = Instant::now() + self.shared.profile.keep_alive_every;
        self.keep_alive_at = keeps_alive.then_some(first);
        let timer = sleep_until(first);
        tokio::pin!(timer);
        loop {
            self.records.fill(&self.shared, &self.token, &mut self.out);
            if let Err(error) = self.send_all(link).await {
                return Ended::Lost {
                    code: None,
                    reason: error.to_string(),
                };
            }
            let due_at = self.due_at();
            if timer.deadline() != due_at {
                timer.as_mut().reset(due_at);
            }
            let ended = tokio::select! {
                incoming = link.next() => match incoming {
                    Incoming::Text(text) => {
                        self.on_text(&text);
                        None
                    }
                    Incoming::Nothing => None,
                    Incoming::Closed { code, reason } => Some(Ended::Lost { code, reason }),
                },
                order = self.orders.recv() => self.on_order(order),
                () = timer.as_mut() => self.on_time(Instant::now()),
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    fn due_at(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3_600);
        [
            self.keep_alive_at,
            self.records.due_at,
            self.delayed.iter().map(|(at, _)| *at).min(),
            self.people.as_ref().map(|people| people.due_at),
            self.reboot_at,
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(far)
    }

    fn on_order(&mut self, order: Option<Order>) -> Option<Ended> {
        match order {
            Some(Order::Record { pass, waiter }) => self.records.add(&self.shared, pass, waiter),
            Some(Order::Raw { message, written }) => self.out.push(Out::Raw { message, written }),
            Some(Order::UpgradeStep(step)) => self.on_upgrade_step(*step),
            Some(Order::Drop) => return Some(Ended::Cut),
            Some(Order::Close) | None => return Some(Ended::Finished),
        }
        None
    }

    fn on_time(&mut self, now: Instant) -> Option<Ended> {
        if self.reboot_at.is_some_and(|at| at <= now) {
            return Some(Ended::Rebooted);
        }
        if self.keep_alive_at.is_some_and(|at| at <= now) {
            if self.keep_alives_unanswered >= KEEP_ALIVES_UNANSWERED {
                let reason = "the cloud does not answer keep-alives".to_owned();
                return Some(Ended::Lost { code: None, reason });
            }
            self.keep_alives_unanswered += 1;
            self.keep_alive_at = Some(now + self.shared.profile.keep_alive_every);
            let message = self.keep_alive();
            self.out.push(Out::Text(message));
        }
        self.records
            .on_time(now, &self.shared, &self.token, &mut self.out);
        let due = |(at, _): &mut (Instant, Reply)| *at <= now;
        let replies: Vec<Reply> = self
            .delayed
            .extract_if(.., due)
            .map(|(_, reply)| reply)
            .collect();
        for reply in replies {
            self.send_reply(reply);
        }
        self.send_person(now);
        None
    }

    /// Section 2.1.2.
    fn keep_alive(&self) -> String {
        let mut writer = Writer::new(&self.shared.profile, 160);
        writer
            .field("msgType", "keepAlive")
            .field("deviceNo", self.shared.device_no())
            .field("token", &self.token);
        if let Some((longitude, latitude)) = &self.shared.profile.position {
            writer
                .field("locationx", longitude)
                .field("locationy", latitude);
        }
        writer.finish()
    }

    fn on_text(&mut self, text: &str) {
        let Some(body) = wire::object(text) else {
            self.shared.note(|| Event::Unreadable {
                text: beginning(text),
            });
            return;
        };
        let field = |key| wire::string(&body, key).unwrap_or_default().to_owned();
        let (msg_type, msg_id) = (field("msgType"), field("msgID"));
        match msg_type.as_str() {
            "keepAliveResp" => {
                self.keep_alives_unanswered = 0;
                self.shared.note(|| Event::KeptAlive);
            }
            "uploadRecordResp" => {
                let ack = RecordAck::read(&body);
                self.records
                    .on_answer(Instant::now(), &self.shared, &msg_id, ack);
            }
            // The acknowledgement bears the name of what it acknowledges (section 2.2.2, 5).
            "onlineGetRegisterResp" | "onlineGetRegisterInfoResp" => {
                self.on_person_acknowledged(msg_type, msg_id, &body);
            }
            "registerResp" => self.shared.note(|| Event::StrayAnswer { msg_type, msg_id }),
            _ => {
                let body = Arc::new(Value::Object(body));
                self.on_command(Command {
                    msg_type,
                    msg_id,
                    body,
                });
            }
        }
    }

    async fn send_all(&mut self, link: &mut Link) -> Result<(), SimError> {
        if self.out.is_empty() {
            return Ok(());
        }
        let mut written_ids = Vec::new();
        let mut written_raw = Vec::new();
        for out in std::mem::take(&mut self.out) {
            match out {
                Out::Text(text) => link.feed_text(text).await?,
                Out::Raw { message, written } => {
                    link.feed(*message).await?;
                    written_raw.push(written);
                }
                Out::Written {
                    written,
                    message_id,
                } => written_ids.push((written, message_id)),
            }
        }
        link.flush().await?;
        for written in written_raw {
            let _ = written.send(());
        }
        for (written, message_id) in written_ids {
            let _ = written.send(message_id);
        }
        Ok(())
    }
}
