//! A terminal registers: it asks to come in, the verdict is carried out.

use super::{Done, Live};
use crate::records::clock::ClockBook;
use crate::sessions::admit::{Knocking, Refusal, Verdict, Welcome};
use crate::sessions::close::Close;
use crate::sessions::link::Signal;
use crate::sessions::terminal::Terminal;
use crate::sessions::transport::refused;
use chrono::Utc;
use gatehouse_contracts::Wake;
use gatehouse_proto_terminal::Register;
use gatehouse_proto_terminal::session::Effect;
use std::sync::Arc;

/// Session tokens have 13 digits, like the times that other servers of this protocol use as such.
const TOKEN_MODULUS: i64 = 9_000_000_000_000;

impl Live {
    /// Somebody wants in: the verdict comes later.
    pub(super) fn register(&mut self, register: Register) {
        let now_ms = Utc::now().timestamp_millis();
        let device_ms = register.device_time_ms();
        let knocking = Knocking {
            entrance: self.link.entrance,
            session: self.link.session,
            remote: self.link.remote.map(|address| address.to_string()),
            clock_offset_ms: device_ms.map(|ms| ms.saturating_sub(now_ms)),
            register: register.clone(),
            settled: self.link.terminal().map(|terminal| terminal.key()),
        };
        let hub = self.hub.clone();
        self.work.push(Box::pin(async move {
            let verdict = hub.admissions.ask(knocking).await;
            Done::Judged(Box::new(verdict), Box::new(register), device_ms)
        }));
    }

    pub(super) async fn on_verdict(
        &mut self,
        verdict: Verdict,
        register: &Register,
        device_ms: Option<i64>,
    ) {
        let now_ms = Utc::now().timestamp_millis();
        let mut out = Vec::new();
        match verdict {
            Verdict::TryLater => {
                refused("later");
                self.closing = Some(Close::TryLater);
            }
            Verdict::Refused(refusal) => self.refuse(now_ms, refusal, &mut out),
            Verdict::Welcome(welcome) => match self
                .settle(welcome, ClockBook::at_registration(device_ms, now_ms))
            {
                Ok(()) => {
                    let token = (1_000_000_000_000 + self.link.session % TOKEN_MODULUS).to_string();
                    self.machine.admit(now_ms, token, &mut out);
                    tracing::debug!(session = self.link.session, sn = %register.device_no, "a terminal is here");
                }
                Err(Some(refusal)) => self.refuse(now_ms, refusal, &mut out),
                Err(None) => {
                    refused("sessions");
                    self.closing = Some(Close::TryLater);
                }
            },
        }
        self.apply(out, &[]).await;
    }

    fn refuse(&mut self, now_ms: i64, refusal: Refusal, out: &mut Vec<Effect>) {
        refused(refusal.reason());
        self.machine
            .refuse(now_ms, refusal.code(), refusal.reason(), out);
    }

    /// From now on this socket speaks for the terminal; an older one ends.
    fn settle(&mut self, welcome: Welcome, clock: ClockBook) -> Result<(), Option<Refusal>> {
        self.knock = None;
        if welcome.commands_wait {
            self.look = Some(0);
        }
        if let Some(terminal) = self.link.terminal() {
            if terminal.key() != (welcome.scope.tenant(), welcome.device) {
                return Err(Some(Refusal::AnotherTerminal));
            }
            terminal.set_settings(welcome.settings);
            *terminal.clock() = clock;
            return Ok(());
        }
        let terminal = Terminal::new(
            welcome.scope,
            welcome.device,
            welcome.sn,
            welcome.settings,
            clock,
        );
        let (tenant_id, device_id) = terminal.key();
        self.link.admit(Arc::new(terminal));
        let older = self
            .hub
            .registry
            .settle(&self.link, self.hub.settings.sessions_per_tenant)
            .map_err(|_| None)?;
        if let Some(older) = older.filter(|older| older.session != self.link.session) {
            older.signal(Signal::Replaced);
        }
        if self.tenant_pace.is_none() {
            self.tenant_pace = Some(self.hub.gate.pace_of(tenant_id));
        }
        self.hub.notes.began();
        metrics::counter!("gatehouse_terminal_registrations_total").increment(1);
        self.hub.kit.bus.wake(Wake::SessionBegan {
            tenant_id,
            device_id,
            session: self.link.session.unsigned_abs(),
        });
        Ok(())
    }
}
