//! The handle of a running terminal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::engine::{Engine, Order};
use crate::error::SimError;
use crate::event::Event;
use crate::link::Link;
use crate::pass::{Pass, RecordAck};
use crate::person::Person;
use crate::profile::{Answer, Camera, Respond, TerminalProfile};
use crate::random::SplitMix64;
use crate::records::Waiter;
use crate::shared::Shared;
use crate::stats::Stats;

/// A running simulated terminal. Dropping it ends its task and cuts its connection.
#[derive(Debug)]
pub struct Terminal {
    shared: Arc<Shared>,
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Terminal {
    /// Connects, registers and returns when `registerResp` says 100; ends with its connection.
    /// With [`crate::Faults::never_register`] it returns after the handshake.
    ///
    /// # Errors
    /// [`SimError::Refused`] with the code and the close code, [`SimError::Handshake`] for an HTTP
    /// refusal, [`SimError::TimedOut`] after the profile's `connect_timeout`, and what the network
    /// says.
    pub async fn connect(profile: TerminalProfile) -> Result<Self, SimError> {
        let shared = Shared::new(profile, None);
        let seed = SplitMix64::for_name(shared.profile.seed, &shared.profile.sn).next_u64();
        let link = Box::pin(Link::open(Arc::clone(&shared), seed)).await?;
        Ok(Self::start(shared, Some(link), false))
    }

    /// Starts a terminal that connects, and connects again with a jittered back-off whenever it is
    /// not connected; records that were not acknowledged are sent again.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn_reconnecting(profile: TerminalProfile) -> Self {
        Self::start(Shared::new(profile, None), None, true)
    }

    /// The same, counted.
    pub(crate) fn spawn_counted(profile: TerminalProfile, stats: Arc<Stats>) -> Self {
        Self::start(Shared::new(profile, Some(stats)), None, true)
    }

    fn start(shared: Arc<Shared>, link: Option<Link>, reconnecting: bool) -> Self {
        let (orders, received) = mpsc::unbounded_channel();
        let engine = Engine::new(
            Arc::clone(&shared),
            received,
            orders.downgrade(),
            reconnecting,
        );
        Self {
            shared,
            orders,
            task: tokio::spawn(engine.run(link)),
        }
    }

    /// Somebody passes: sends the record, again every `resend_after` and after a reconnect, until
    /// the cloud answers. A code other than 100 is an answer too; the terminal then goes on sending
    /// that record, as real ones do, unless the profile's `resend_refused` is off.
    ///
    /// # Errors
    /// [`SimError::Closed`] when the terminal ended before an answer came.
    pub async fn pass(&self, pass: Pass) -> Result<RecordAck, SimError> {
        let (waiter, answer) = oneshot::channel();
        self.record(pass, Waiter::Answer(waiter))?;
        answer.await.map_err(|_| self.shared.closed())
    }

    /// Like [`Terminal::pass`], but goes on through refusals until the answer is 100.
    ///
    /// # Errors
    /// [`SimError::Closed`] when the terminal ended before.
    pub async fn pass_until_accepted(&self, pass: Pass) -> Result<RecordAck, SimError> {
        let (waiter, answer) = oneshot::channel();
        self.record(pass, Waiter::Acceptance(waiter))?;
        answer.await.map_err(|_| self.shared.closed())
    }

    /// Somebody passes; returns the record's `msgID` once it is written to the connection, or at
    /// once while there is none. A reconnecting terminal still sends it until it is acknowledged.
    ///
    /// # Errors
    /// [`SimError::Closed`] when the terminal ended before.
    pub async fn pass_unacked(&self, pass: Pass) -> Result<String, SimError> {
        let (waiter, written) = oneshot::channel();
        self.record(pass, Waiter::Written(waiter))?;
        written.await.map_err(|_| self.shared.closed())
    }

    /// Somebody passes and nobody waits.
    pub(crate) fn pass_unwatched(&self, pass: Pass) -> Result<(), SimError> {
        self.record(pass, Waiter::Nobody)
    }

    fn record(&self, pass: Pass, waiter: Waiter) -> Result<(), SimError> {
        self.order(Order::Record {
            pass: Box::new(pass),
            waiter,
        })
    }

    fn order(&self, order: Order) -> Result<(), SimError> {
        self.orders.send(order).map_err(|_| self.shared.closed())
    }

    /// Sends a frame as it is, past everything the terminal knows.
    ///
    /// # Errors
    /// [`SimError::Closed`] without a connection.
    pub async fn send_raw(&self, message: Message) -> Result<(), SimError> {
        let (written, done) = oneshot::channel();
        self.order(Order::Raw {
            message: Box::new(message),
            written,
        })?;
        done.await.map_err(|_| self.shared.closed())
    }

    /// Everything that happened, the oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.shared.state().journal.since(0).cloned().collect()
    }

    /// How many events there were up to now: a place to wait from.
    pub fn event_count(&self) -> usize {
        self.shared.state().journal.count()
    }

    /// Waits until an event fulfils the condition, or finds that one did already.
    ///
    /// # Errors
    /// [`SimError::TimedOut`] when `within` has passed.
    pub async fn wait_for(
        &self,
        within: Duration,
        condition: impl FnMut(&Event) -> bool,
    ) -> Result<Event, SimError> {
        self.wait_for_after(0, within, condition).await
    }

    /// The same for events after a place that [`Terminal::event_count`] gave.
    ///
    /// # Errors
    /// [`SimError::TimedOut`] when `within` has passed.
    pub async fn wait_for_after(
        &self,
        since: usize,
        within: Duration,
        mut condition: impl FnMut(&Event) -> bool,
    ) -> Result<Event, SimError> {
        let found = async {
            let mut seen = since;
            loop {
                let changed = self.shared.changed.notified();
                tokio::pin!(changed);
                // Before looking, so that no event falls between.
                changed.as_mut().enable();
                {
                    let state = self.shared.state();
                    if let Some(event) = state.journal.since(seen).find(|event| condition(event)) {
                        return event.clone();
                    }
                    seen = state.journal.count();
                }
                changed.await;
            }
        };
        timeout(within, found)
            .await
            .map_err(|_| SimError::TimedOut {
                awaited: format!("such event; there were {:?}", self.events()),
                within,
            })
    }

    /// Waits until the terminal is registered.
    ///
    /// # Errors
    /// [`SimError::TimedOut`] when `within` has passed.
    pub async fn wait_online(&self, within: Duration) -> Result<(), SimError> {
        let awaited = "registration".to_owned();
        let online = self.wait_until(|| self.is_online());
        timeout(within, online)
            .await
            .map_err(|_| SimError::TimedOut { awaited, within })
    }

    async fn wait_until(&self, condition: impl Fn() -> bool) {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if condition() {
                return;
            }
            changed.await;
        }
    }

    /// How often the cloud opened the door, by command or by the answer to a record. Openings of
    /// the terminal's own are only in the events.
    pub fn door_openings(&self) -> usize {
        self.shared.state().door_openings
    }

    /// The device parameters as they are now.
    pub fn parameters(&self) -> BTreeMap<String, String> {
        self.shared.state().parameters.to_owned_map()
    }

    /// The registered people by `idNumber`; a person's place is its index.
    pub fn persons(&self) -> BTreeMap<String, Person> {
        self.shared.state().persons.clone()
    }

    /// Whether it is registered and connected.
    pub fn is_online(&self) -> bool {
        self.shared.state().online
    }

    /// Records that were not answered 100 yet.
    pub fn unacknowledged(&self) -> usize {
        self.shared.state().unacknowledged
    }

    /// How far its clock is ahead of this machine's, milliseconds.
    pub fn clock_ahead_ms(&self) -> i64 {
        self.shared.state().ahead_ms
    }

    /// What it was made from; parameters, people, respond and camera may have changed since.
    pub fn profile(&self) -> &TerminalProfile {
        &self.shared.profile
    }

    /// From now on answers commands in this way.
    pub fn set_respond(&self, respond: Respond) {
        self.shared.state().respond = respond;
    }

    /// From now on answers in this way about one person; `None`: as about others.
    pub fn set_answer_about(&self, id_number: &str, answer: Option<Answer>) {
        let answers = &mut self.shared.state().person_answers;
        match answer {
            Some(answer) => answers.insert(id_number.to_owned(), answer),
            None => answers.remove(id_number),
        };
    }

    /// From now on holds so many people; 302 beyond.
    pub fn set_person_capacity(&self, capacity: usize) {
        self.shared.state().person_capacity = capacity;
    }

    /// Somebody changes the register at the terminal itself, where no cloud sees it.
    pub fn edit_persons(&self, edit: impl FnOnce(&mut BTreeMap<String, Person>)) {
        edit(&mut self.shared.state().persons);
    }

    /// From now on the camera sees this.
    pub fn set_camera(&self, camera: Camera) {
        self.shared.state().camera = camera;
    }

    /// Closes with a close frame and ends.
    pub async fn close(mut self) {
        let _ = self.orders.send(Order::Close);
        let _ = (&mut self.task).await;
    }

    /// Cuts the connection without a close frame. A reconnecting terminal comes back after its
    /// back-off; another one ends. Returns when the connection is gone.
    pub async fn drop_connection(&self) {
        let was_online = self.is_online();
        if self.orders.send(Order::Drop).is_err() || !was_online {
            return;
        }
        let gone = self.wait_until(|| !self.is_online());
        // Its task is busy at worst with one message.
        let _ = timeout(Duration::from_secs(5), gone).await;
    }
}
