//! Whose data a piece of work may touch, and on whose behalf it runs.
//!
//! A [`TenantScope`] cannot be made from an id: its constructor is private to this crate and is
//! called where a credential was verified, an envelope was read, or a system transaction found out
//! whose terminal is calling.

use gatehouse_domain::{ApiKeyId, DeviceId, TenantId, UserId};

/// On whose behalf something happens; it stands in the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person who signed in.
    User(UserId),
    /// A program with a key.
    ApiKey(ApiKeyId),
    /// The operator of the platform.
    Operator,
    /// A terminal, by what it sent.
    Terminal(DeviceId),
    /// The platform itself: a consumer, a schedule.
    System,
}

impl Actor {
    /// `user`, `api_key`, `operator`, `terminal` or `system`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::ApiKey(_) => "api_key",
            Self::Operator => "operator",
            Self::Terminal(_) => "terminal",
            Self::System => "system",
        }
    }

    /// The actor's id, where it has one.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        match self {
            Self::User(id) => Some(id.to_string()),
            Self::ApiKey(id) => Some(id.to_string()),
            Self::Terminal(id) => Some(id.to_string()),
            Self::Operator | Self::System => None,
        }
    }
}

/// The proof that work may touch one tenant's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantScope {
    tenant: TenantId,
    actor: Actor,
}

impl TenantScope {
    pub(crate) const fn new(tenant: TenantId, actor: Actor) -> Self {
        Self { tenant, actor }
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// On whose behalf.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}
