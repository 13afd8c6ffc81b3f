//! What a terminal's task and its handle both see.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Utc;
use tokio::sync::Notify;

use crate::error::SimError;
use crate::event::{DoorCause, Event, Journal};
use crate::parameters::Parameters;
use crate::person::Persons;
use crate::profile::{Answer, Camera, Respond, TerminalProfile};
use crate::stats::Stats;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) profile: TerminalProfile,
    state: Mutex<State>,
    pub(crate) changed: Notify,
    pub(crate) stats: Option<Arc<Stats>>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) journal: Journal,
    pub(crate) parameters: Parameters,
    pub(crate) persons: Persons,
    pub(crate) person_capacity: usize,
    /// Other ways of answering about people with these ids.
    pub(crate) person_answers: BTreeMap<String, Answer>,
    pub(crate) respond: Respond,
    pub(crate) camera: Camera,
    pub(crate) online: bool,
    /// How far the terminal's clock is ahead of this machine's.
    pub(crate) ahead_ms: i64,
    /// Openings that the cloud ordered.
    pub(crate) door_openings: usize,
    pub(crate) unacknowledged: usize,
    last_close: Option<(Option<u16>, String)>,
}

impl Shared {
    pub(crate) fn new(mut profile: TerminalProfile, stats: Option<Arc<Stats>>) -> Arc<Self> {
        let persons = std::mem::take(&mut profile.persons);
        let mut parameters = profile.parameters.clone();
        if profile.event_limit > 0 && parameters.get("deviceNumber").is_none_or(String::is_empty) {
            // Not for the thousands of a benchmark: it would unshare their parameters.
            parameters.insert("deviceNumber".to_owned(), profile.sn.clone());
        }
        let state = State {
            journal: Journal::default(),
            parameters,
            persons: persons
                .into_iter()
                .map(|one| (one.id_number.clone(), one))
                .collect(),
            person_capacity: profile.person_capacity,
            person_answers: BTreeMap::new(),
            respond: std::mem::take(&mut profile.respond),
            camera: profile.camera.clone(),
            online: false,
            ahead_ms: profile.clock_skew_ms,
            door_openings: 0,
            unacknowledged: 0,
            last_close: None,
        };
        Arc::new(Self {
            profile,
            state: Mutex::new(state),
            changed: Notify::new(),
            stats,
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what happened; the event is not even made where none are kept.
    pub(crate) fn note(&self, event: impl FnOnce() -> Event) {
        let limit = self.profile.event_limit;
        if limit > 0 {
            self.state().journal.push(event(), limit);
            self.changed.notify_waiters();
        }
    }

    pub(crate) fn open_door(&self, message: &str, cause: DoorCause) {
        match cause {
            DoorCause::Command | DoorCause::Record => self.state().door_openings += 1,
            DoorCause::Itself => {}
        }
        if let Some(stats) = &self.stats {
            stats.door_opened(cause);
        }
        self.note(|| Event::DoorOpened {
            message: message.to_owned(),
            cause,
            at: Utc::now(),
        });
    }

    pub(crate) fn came_online(&self) {
        {
            let mut state = self.state();
            state.online = true;
            state.last_close = None;
        }
        self.changed.notify_waiters();
    }

    pub(crate) fn went_offline(&self, code: Option<u16>, reason: &str, is_fault: bool) {
        {
            let mut state = self.state();
            state.online = false;
            state.last_close = Some((code, reason.to_owned()));
        }
        self.changed.notify_waiters();
        if let Some(stats) = self.stats.as_ref().filter(|_| is_fault) {
            stats.connection_faults.add();
            stats.fault(format!("connection closed (code {code:?}): {reason}"));
        }
        self.note(|| Event::Closed {
            code,
            reason: reason.to_owned(),
        });
    }

    /// Why nothing can be sent any more.
    pub(crate) fn closed(&self) -> SimError {
        let (code, reason) = self
            .state()
            .last_close
            .clone()
            .unwrap_or_else(|| (None, "the terminal is not running".to_owned()));
        SimError::Closed { code, reason }
    }

    /// The `deviceNo` of everything after `register`.
    pub(crate) fn device_no(&self) -> &str {
        self.profile
            .faults
            .other_device_no
            .as_deref()
            .unwrap_or(&self.profile.sn)
    }
}
