//! The terminal at the other end of a socket, as long as the session lives: whose it is, how it is
//! to be treated, what is known of its clock, and what it uploaded last.

use crate::records::clock::ClockBook;
use crate::records::recent::Recent;
use chrono_tz::Tz;
use gatehouse_domain::device::{DoorDecision, SignCheck};
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::tenant::TenantScope;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a device is to be treated, from its row in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeviceSettings {
    /// The zone its wall clock shows.
    pub(crate) zone: Tz,
    /// Who opens the door.
    pub(crate) door_decision: DoorDecision,
    /// What a wrong signature leads to.
    pub(crate) sign_check: SignCheck,
}

/// An admitted terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// Its tenant, acting as this terminal.
    pub(crate) scope: TenantScope,
    /// The device.
    pub(crate) device: DeviceId,
    /// The serial number with which it came in.
    pub(crate) sn: String,
    settings: Mutex<DeviceSettings>,
    clock: Mutex<ClockBook>,
    recent: Mutex<Recent>,
}

impl Terminal {
    /// A terminal that was just admitted.
    pub(crate) fn new(
        scope: TenantScope,
        device: DeviceId,
        sn: String,
        settings: DeviceSettings,
        clock: ClockBook,
    ) -> Self {
        Self {
            scope,
            device,
            sn,
            settings: Mutex::new(settings),
            clock: Mutex::new(clock),
            recent: Mutex::new(Recent::default()),
        }
    }

    /// Its tenant.
    pub(crate) const fn tenant(&self) -> TenantId {
        self.scope.tenant()
    }

    /// By what it is found.
    pub(crate) const fn key(&self) -> (TenantId, DeviceId) {
        (self.scope.tenant(), self.device)
    }

    /// How it is to be treated at this moment.
    pub(crate) fn settings(&self) -> DeviceSettings {
        *lock(&self.settings)
    }

    /// Its settings were changed.
    pub(crate) fn set_settings(&self, settings: DeviceSettings) {
        *lock(&self.settings) = settings;
    }

    /// What is known of its clock.
    pub(crate) fn clock(&self) -> MutexGuard<'_, ClockBook> {
        lock(&self.clock)
    }

    /// What it uploaded last.
    pub(crate) fn recent(&self) -> MutexGuard<'_, Recent> {
        lock(&self.recent)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
