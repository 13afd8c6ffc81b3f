//! A tenant with many claimed devices and a connected terminal for each.

use crate::figure::say;
use crate::server::Server;
use anyhow::Context;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_simulator::{Event, Terminal, TerminalProfile, serial_number};
use kit::Tenant;
use serde_json::json;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Requests, and terminals that register, at the same time. The hub lets 64 connections of one
/// address wait to register.
const AT_ONCE: usize = 48;

/// The devices, and what is needed to play their terminals.
#[derive(Debug)]
pub(crate) struct Crowd {
    /// Whose they are.
    pub(crate) tenant: Tenant,
    /// Serial number and device id.
    pub(crate) devices: Vec<(String, DeviceId)>,
}

/// How terminals connect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// Time between keep-alives.
    pub(crate) heartbeat: Duration,
    /// Events that a terminal remembers.
    pub(crate) events: usize,
}

impl Crowd {
    /// Creates a tenant and claims devices through the API.
    pub(crate) async fn claim(server: &Server, count: usize) -> anyhow::Result<Self> {
        say(format_args!("claiming {count} devices through the API"));
        let tenant = Tenant::create(server.base_url()).await;
        let first = kit::world::fresh_sn();
        let sns = (0_u64..)
            .take(count)
            .map(|steps| serial_number(&first, steps));
        let api = &tenant.api;
        let claimed = stream::iter(sns).map(|sn| async move {
            let body = json!({"sn": sn, "name": format!("Door {sn}"), "location": "Hall", "direction": "in"});
            let device = api.post("/v1/devices", body).await.expect(201);
            let id = device["id"].as_str().context("a device has an id")?.parse::<DeviceId>()?;
            anyhow::Ok((sn, id))
        });
        let devices = claimed.buffered(AT_ONCE).try_collect().await?;
        Ok(Self { tenant, devices })
    }

    /// Connects the first `count` terminals and waits until all are registered.
    pub(crate) async fn connect(
        &self,
        count: usize,
        habits: Habits,
    ) -> anyhow::Result<Vec<Terminal>> {
        let begun = Instant::now();
        let connecting = stream::iter(self.devices.iter().take(count)).map(|(sn, _)| {
            let profile = TerminalProfile {
                keep_alive_every: habits.heartbeat,
                event_limit: habits.events,
                keep_person_photos: false,
                connect_timeout: Duration::from_secs(60),
                records_in_flight: 1,
                ..TerminalProfile::new(&self.tenant.terminal_url, sn)
            };
            async move {
                Terminal::connect(profile)
                    .await
                    .with_context(|| format!("terminal {sn}"))
            }
        });
        let terminals: Vec<Terminal> = connecting.buffered(AT_ONCE).try_collect().await?;
        let rate = terminals.len() as f64 / begun.elapsed().as_secs_f64();
        say(format_args!(
            "{count} terminals registered, {rate:.0} per second"
        ));
        Ok(terminals)
    }

    /// The tenant's id as rows hold it.
    pub(crate) fn tenant_uuid(&self) -> anyhow::Result<Uuid> {
        Ok(self.tenant.id.parse::<TenantId>()?.uuid())
    }
}

/// Waits until each has had the answer to a keep-alive.
pub(crate) async fn heartbeats(terminals: &[Terminal], within: Duration) -> anyhow::Result<()> {
    let waiting = terminals.iter().map(|terminal| async move {
        let heard = terminal
            .wait_for(within, |event| matches!(event, Event::KeptAlive))
            .await;
        heard
            .map(drop)
            .with_context(|| format!("heartbeat of {}", terminal.profile().sn))
    });
    stream::iter(waiting)
        .buffer_unordered(terminals.len().max(1))
        .try_collect::<()>()
        .await
}

/// How many have lost their connection.
pub(crate) fn dropped(terminals: &[Terminal]) -> usize {
    terminals
        .iter()
        .filter(|terminal| !terminal.is_online())
        .count()
}
