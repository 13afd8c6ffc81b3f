//! The sockets of this process: all of them, and the one that speaks for each terminal.

use super::link::{Link, Signal};
use gatehouse_domain::{DeviceId, TenantId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who is connected to this process.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    sockets: HashMap<i64, Arc<Link>>,
    terminals: HashMap<(TenantId, DeviceId), Arc<Link>>,
    tenants: HashMap<TenantId, usize>,
}

/// The tenant has as many connections as it may have in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Registry {
    /// Whether a session of this device lives in this process; if so it looks for commands.
    pub(crate) fn nudge(&self, tenant: TenantId, device: DeviceId) -> bool {
        let link = self.of(tenant, device);
        if let Some(link) = &link {
            link.signal(Signal::Nudge);
        }
        link.is_some()
    }

    /// A session of this device, where it lives in this process, looks for persons to be told.
    pub(super) fn offer(&self, tenant: TenantId, device: DeviceId) {
        if let Some(link) = self.of(tenant, device) {
            link.signal(Signal::Offers);
        }
    }

    /// The socket that speaks for a device.
    pub(crate) fn of(&self, tenant: TenantId, device: DeviceId) -> Option<Arc<Link>> {
        self.lock().terminals.get(&(tenant, device)).cloned()
    }

    /// Takes in a socket; of a tenant that is known already, if it may have one more.
    pub(super) fn enter(&self, link: &Arc<Link>, most: usize) -> Result<(), Full> {
        let mut inner = self.lock();
        if let Some(tenant) = link.entrance.tenant() {
            inner.count(link, tenant, most)?;
        }
        inner.sockets.insert(link.session, link.clone());
        Ok(())
    }

    /// Notes that an admitted socket speaks for its terminal from now on, and gives the one that
    /// did so before.
    pub(super) fn settle(&self, link: &Arc<Link>, most: usize) -> Result<Option<Arc<Link>>, Full> {
        let Some(terminal) = link.terminal() else {
            return Ok(None);
        };
        let mut inner = self.lock();
        if link.counted.get().is_none() {
            inner.count(link, terminal.tenant(), most)?;
        }
        Ok(inner.terminals.insert(terminal.key(), link.clone()))
    }

    /// The socket no longer speaks for its terminal; whether it was the one that did.
    pub(super) fn unsettle(&self, link: &Arc<Link>) -> bool {
        let Some(terminal) = link.terminal() else {
            return false;
        };
        let mut inner = self.lock();
        let speaks = inner
            .terminals
            .get(&terminal.key())
            .is_some_and(|now| now.session == link.session);
        if speaks {
            inner.terminals.remove(&terminal.key());
        }
        speaks
    }

    /// The socket is gone.
    pub(super) fn leave(&self, link: &Arc<Link>) {
        let mut inner = self.lock();
        inner.sockets.remove(&link.session);
        if let Some(tenant) = link.counted.get() {
            inner.uncount(*tenant);
        }
    }

    /// All sockets, registered or not.
    pub(super) fn sockets(&self) -> Vec<Arc<Link>> {
        self.lock().sockets.values().cloned().collect()
    }

    /// The sockets that speak for terminals.
    pub(super) fn terminals(&self) -> Vec<Arc<Link>> {
        self.lock().terminals.values().cloned().collect()
    }

    /// How many sockets there are, registered or not.
    pub(crate) fn len(&self) -> usize {
        self.lock().sockets.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn count(&mut self, link: &Link, tenant: TenantId, most: usize) -> Result<(), Full> {
        let open = self.tenants.entry(tenant).or_default();
        if *open >= most {
            return Err(Full);
        }
        *open += 1;
        // Counted once: this is called under the lock, and only where nothing stands here yet.
        let _: Result<(), TenantId> = link.counted.set(tenant);
        Ok(())
    }

    fn uncount(&mut self, tenant: TenantId) {
        if let Some(open) = self.tenants.get_mut(&tenant) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                self.tenants.remove(&tenant);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::sessions::link::Entrance;
    use gatehouse_domain::TerminalTokenId;
    use uuid::Uuid;

    fn tenant(n: u128) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(n))
    }

    fn by_token(session: i64, of: u128) -> Arc<Link> {
        let entrance = Entrance::Token {
            tenant: tenant(of),
            token: TerminalTokenId::from_uuid(Uuid::from_u128(7)),
        };
        Arc::new(Link::new(session, entrance, None))
    }

    #[test]
    fn a_tenant_has_as_many_sockets_as_it_may_and_others_do_not_suffer() {
        let registry = Registry::default();
        let (first, second) = (by_token(1, 1), by_token(2, 1));
        registry.enter(&first, 2).unwrap();
        registry.enter(&second, 2).unwrap();
        assert_eq!(registry.enter(&by_token(3, 1), 2), Err(Full));
        registry.enter(&by_token(4, 2), 2).unwrap();
        assert_eq!(registry.len(), 3);
        registry.leave(&first);
        registry.enter(&by_token(5, 1), 2).unwrap();
        assert_eq!(registry.enter(&by_token(6, 1), 2), Err(Full));
    }

    #[test]
    fn who_was_refused_takes_nothing_away_when_leaving() {
        let registry = Registry::default();
        registry.enter(&by_token(1, 1), 1).unwrap();
        let refused = by_token(2, 1);
        assert_eq!(registry.enter(&refused, 1), Err(Full));
        registry.leave(&refused);
        assert_eq!(registry.enter(&by_token(3, 1), 1), Err(Full));
    }

    #[test]
    fn a_socket_of_any_path_counts_for_nobody_before_it_registers() {
        let registry = Registry::default();
        for session in 0..10 {
            let link = Arc::new(Link::new(session, Entrance::AnyPath, None));
            registry.enter(&link, 1).unwrap();
            assert!(registry.settle(&link, 1).unwrap().is_none());
        }
        assert_eq!(registry.len(), 10);
        let device = DeviceId::from_uuid(Uuid::from_u128(9));
        assert!(!registry.nudge(tenant(1), device));
    }
}
