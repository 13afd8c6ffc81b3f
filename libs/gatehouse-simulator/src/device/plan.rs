//! Many push devices for a while, for `gatehouse simulate device`.

use super::{DeviceError, DeviceProfile, PushDevice, Sighting};
use crate::photo;
use crate::plan::serial_number;
use crate::random::SplitMix64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct DevicePlan {
    /// BaseUrl: `http://host:port/push/<token>`.
    pub url: String,
    /// Serial number of the first device; further ones count up.
    pub sn: String,
    /// How many devices.
    pub count: u64,
    /// The time between two heartbeats of a device.
    pub heartbeat_every: Duration,
    /// The time between two looks into the feed.
    pub poll_every: Duration,
    /// How many people stand before each device in a minute, on average.
    pub passes_per_minute: f64,
    /// Size of the picture in each pass, in KB; 0 sends none.
    pub photo_kb: usize,
    /// Seed of the people's comings and goings.
    pub seed: u64,
    /// Ends by itself after this long.
    pub run_for: Option<Duration>,
    /// The time between two reports.
    pub report_every: Duration,
}

/// How a simulation of push devices stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceSummary {
    /// Since the beginning.
    pub elapsed: Duration,
    /// Heartbeats that were answered.
    pub heartbeats: u64,
    /// Users whom all devices hold.
    pub held: u64,
    /// Changes that were done or refused.
    pub changes: u64,
    /// Passes that were answered.
    pub passes: u64,
    /// Doors that opened.
    pub doors_opened: u64,
    /// Calls that failed.
    pub faults: u64,
    /// The last of them.
    pub last_fault: String,
}

type Shared = Arc<Mutex<DeviceSummary>>;

/// Runs a plan until `stop`; reports from time to time, and answers how it stood at the end.
pub async fn run_devices(
    plan: DevicePlan,
    mut report: impl FnMut(DeviceSummary),
    stop: impl Future<Output = ()>,
) -> Result<DeviceSummary, DeviceError> {
    let begun = Instant::now();
    let shared = Shared::default();
    let mut devices = tokio::task::JoinSet::new();
    for at in 0..plan.count {
        let sn = serial_number(&plan.sn, at);
        let device = PushDevice::new(DeviceProfile::new(&plan.url, &sn))?;
        let random = SplitMix64::for_name(plan.seed, &sn);
        devices.spawn(live(device, plan.clone(), random, shared.clone()));
    }
    let mut tick = tokio::time::interval(plan.report_every.max(Duration::from_secs(1)));
    tick.tick().await;
    let end = plan
        .run_for
        .unwrap_or(Duration::from_secs(u64::from(u32::MAX)));
    let ended = tokio::time::sleep(end);
    tokio::pin!(ended, stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            () = &mut ended => break,
            _ = tick.tick() => report(standing(&shared, begun)),
        }
    }
    Ok(standing(&shared, begun))
}

fn standing(shared: &Shared, begun: Instant) -> DeviceSummary {
    let mut summary = note(shared, |summary| summary.clone());
    summary.elapsed = begun.elapsed();
    summary
}

fn note<T>(shared: &Shared, change: impl FnOnce(&mut DeviceSummary) -> T) -> T {
    change(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
}

/// One device: whatever is due next, for ever.
async fn live(mut device: PushDevice, plan: DevicePlan, mut random: SplitMix64, shared: Shared) {
    let per_second = plan.passes_per_minute / 60.0;
    let mut beat_at = Instant::now();
    let mut poll_at = beat_at;
    let mut pass_at = beat_at + random.waiting_time(per_second);
    loop {
        let next = beat_at.min(poll_at).min(pass_at);
        tokio::time::sleep_until(next).await;
        let done = if next == beat_at {
            beat_at += plan.heartbeat_every.max(Duration::from_millis(100));
            beat(&device, &shared).await
        } else if next == poll_at {
            poll_at += plan.poll_every.max(Duration::from_millis(100));
            poll(&mut device, &shared).await
        } else {
            pass_at += random.waiting_time(per_second);
            pass(&device, &plan, &mut random, &shared).await
        };
        if let Err(error) = done {
            note(&shared, |summary| {
                summary.faults += 1;
                summary.last_fault = error.to_string();
            });
        }
    }
}

async fn beat(device: &PushDevice, shared: &Shared) -> Result<(), DeviceError> {
    device.heartbeat().await?;
    note(shared, |summary| summary.heartbeats += 1);
    Ok(())
}

async fn poll(device: &mut PushDevice, shared: &Shared) -> Result<(), DeviceError> {
    let before = device.held().len();
    let polled = device.poll().await;
    let after = device.held().len();
    note(shared, |summary| {
        let count = |number: usize| u64::try_from(number).unwrap_or_default();
        summary.held = summary
            .held
            .saturating_add(count(after))
            .saturating_sub(count(before));
        if let Ok(polled) = &polled {
            summary.changes += count(polled.results.len());
        }
    });
    polled.map(drop)
}

/// Somebody whom the device holds, or a stranger where it holds nobody.
async fn pass(
    device: &PushDevice,
    plan: &DevicePlan,
    random: &mut SplitMix64,
    shared: &Shared,
) -> Result<(), DeviceError> {
    let users: Vec<(&String, &super::HeldUser)> = device.held().iter().collect();
    let mut sighting = match random.pick(&users) {
        Some((id, user)) => Sighting::of(id, &user.name),
        None => Sighting {
            temperature: "36.4".to_owned(),
            ..Sighting::default()
        },
    };
    if plan.photo_kb > 0 {
        sighting.image = photo::jpeg(plan.photo_kb, random.next_u64());
    }
    let door = if sighting.user_id.is_empty() {
        device.attribute(&sighting).await?
    } else {
        device.face(&sighting).await?
    };
    note(shared, |summary| {
        summary.passes += 1;
        summary.doors_opened += u64::from(door.opens);
    });
    Ok(())
}
