//! From a bearer secret to an identity.

use super::allowance::Limiter;
use super::{SpentAllowance, api_key, jwt};
use crate::cache::Cache;
use crate::db::{AUTH, Database, DbError, sql};
use crate::http::{Answer, Problem, ProblemCode};
use crate::secrets::{SecretSettings, Secrets, hash_token, same_secret};
use crate::tenant::{Actor, TenantScope};
use chrono::{DateTime, Utc};
use gatehouse_domain::access::{Permission, Role};
use gatehouse_domain::{ApiKeyId, TenantId, UserId};
use sea_orm::{ConnectionTrait, QueryResult};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a verified credential is believed without looking again.
const BELIEVED_FOR: Duration = Duration::from_secs(5);
/// `last_used_at` of a key is written at most this often.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);
const MOST_REMEMBERED: usize = 10_000;

/// Settings of authentication.
#[derive(Debug, Clone, clap::Args)]
pub struct AuthSettings {
    /// Requests a minute that one API key or user may send.
    #[arg(
        long = "rate-limit-per-key",
        env = "GATEHOUSE_RATE_LIMIT_PER_KEY",
        default_value_t = 12_000
    )]
    pub rate_limit_per_key: u32,
    /// Requests a minute that all keys and users of one tenant may send together.
    #[arg(
        long = "rate-limit-per-tenant",
        env = "GATEHOUSE_RATE_LIMIT_PER_TENANT",
        default_value_t = 60_000
    )]
    pub rate_limit_per_tenant: u32,
}

/// Who is calling.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The tenant and the actor.
    pub scope: TenantScope,
    /// What they may do.
    pub permissions: Arc<[Permission]>,
    /// The role, for users.
    pub role: Option<Role>,
}

#[derive(Debug, Clone)]
struct Known {
    identity: Identity,
    allowed_addresses: Arc<[ipnet::IpNet]>,
    expires_at: Option<DateTime<Utc>>,
    verified_at: Instant,
    use_noted_at: Option<Instant>,
}

/// Verifies credentials. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Authenticator {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Database,
    secrets: Secrets,
    cache: Cache,
    operator_hash: Option<Vec<u8>>,
    known: Mutex<HashMap<Vec<u8>, Known>>,
    per_key: Limiter,
    per_tenant: Limiter,
}

impl Authenticator {
    /// Over the same stores as the services.
    #[must_use]
    pub fn new(
        db: &Database,
        cache: Cache,
        secrets: Secrets,
        keys: &SecretSettings,
        settings: &AuthSettings,
    ) -> Self {
        let operator_hash = keys
            .operator_key
            .as_deref()
            .filter(|key| !key.is_empty())
            .map(hash_token);
        Self {
            inner: Arc::new(Inner {
                db: db.for_service(AUTH),
                secrets,
                cache,
                operator_hash,
                known: Mutex::default(),
                per_key: Limiter::new("key", settings.rate_limit_per_key),
                per_tenant: Limiter::new("tenant", settings.rate_limit_per_tenant),
            }),
        }
    }

    /// Whether this is the operator's key.
    #[must_use]
    pub fn is_operator(&self, bearer: &str) -> bool {
        self.inner
            .operator_hash
            .as_deref()
            .is_some_and(|hash| same_secret(hash, &hash_token(bearer)))
    }

    /// Who presents this bearer from this address.
    ///
    /// # Errors
    /// 401 for an unknown, ended or switched-off credential; 403 for an address that the key does
    /// not admit; 503 while the database is away.
    pub async fn verify(&self, bearer: &str, address: Option<IpAddr>) -> Answer<Identity> {
        let hash = hash_token(bearer);
        let known = match self.remembered(&hash) {
            Some(known) => known,
            None => {
                let known = self
                    .look_up(bearer, &hash)
                    .await?
                    .ok_or_else(unknown_credential)?;
                self.remember(hash.clone(), known.clone());
                known
            }
        };
        if known.expires_at.is_some_and(|end| end <= Utc::now()) {
            return Err(Problem::new(
                ProblemCode::Unauthenticated,
                "The API key has expired; make a new one.",
            ));
        }
        let admitted = known.allowed_addresses.is_empty()
            || address.is_some_and(|a| {
                known
                    .allowed_addresses
                    .iter()
                    .any(|range| range.contains(&a))
            });
        if !admitted {
            return Err(Problem::new(
                ProblemCode::Forbidden,
                "The API key may not be used from this address.",
            ));
        }
        self.note_use(&hash, &known);
        Ok(known.identity)
    }

    /// Takes one request from the caller's allowance and the tenant's.
    ///
    /// # Errors
    /// 429.
    pub async fn spend(&self, identity: &Identity) -> Answer<SpentAllowance> {
        let inner = &self.inner;
        let key = identity.scope.actor().id().unwrap_or_default();
        let tenant = identity.scope.tenant().to_string();
        let (own, all) = futures_util::future::join(
            inner.per_key.spend(&inner.cache, &key),
            inner.per_tenant.spend(&inner.cache, &tenant),
        )
        .await;
        all?;
        own
    }

    fn remembered(&self, hash: &[u8]) -> Option<Known> {
        let known = self
            .inner
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known
            .get(hash)
            .filter(|k| k.verified_at.elapsed() < BELIEVED_FOR)
            .cloned()
    }

    fn remember(&self, hash: Vec<u8>, mut fresh: Known) {
        let mut known = self
            .inner
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_REMEMBERED {
            known.retain(|_, k| k.verified_at.elapsed() < BELIEVED_FOR);
        }
        fresh.use_noted_at = known.get(&hash).and_then(|old| old.use_noted_at);
        known.insert(hash, fresh);
    }

    async fn look_up(&self, bearer: &str, hash: &[u8]) -> Result<Option<Known>, DbError> {
        if bearer.starts_with(api_key::PREFIX) {
            return self.look_up_key(hash).await;
        }
        match jwt::verify(&self.inner.secrets, bearer) {
            Some((user, tenant)) => self.look_up_user(user, tenant).await,
            None => Ok(None),
        }
    }

    async fn look_up_key(&self, hash: &[u8]) -> Result<Option<Known>, DbError> {
        let tx = self.inner.db.system().await?;
        let row = tx
            .conn()
            .query_one_raw(sql(
                "select k.tenant_id, k.id, k.scopes, k.allowed_addresses, k.expires_at
                   from directory.api_keys k join directory.tenants t using (tenant_id)
                  where k.secret_hash = $1 and k.disabled_at is null and t.disabled_at is null",
                [hash.to_vec().into()],
            ))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let scopes: Vec<String> = row.try_get("", "scopes")?;
        let addresses: Vec<String> = row.try_get("", "allowed_addresses")?;
        let actor = Actor::ApiKey(ApiKeyId::from_uuid(row.try_get("", "id")?));
        Ok(Some(Known {
            identity: Identity {
                scope: tx.scope(tenant_of(&row)?, actor),
                permissions: scopes.iter().filter_map(|s| s.parse().ok()).collect(),
                role: None,
            },
            allowed_addresses: addresses.iter().filter_map(|a| range(a)).collect(),
            expires_at: row.try_get("", "expires_at")?,
            verified_at: Instant::now(),
            use_noted_at: None,
        }))
    }

    async fn look_up_user(&self, user: UserId, tenant: TenantId) -> Result<Option<Known>, DbError> {
        let tx = self.inner.db.system().await?;
        let row = tx
            .conn()
            .query_one_raw(sql(
                "select u.tenant_id, u.role
                   from directory.users u join directory.tenants t using (tenant_id)
                  where u.tenant_id = $1 and u.id = $2 and u.disabled_at is null and t.disabled_at is null",
                [tenant.uuid().into(), user.uuid().into()],
            ))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let Ok(role) = row.try_get::<String>("", "role")?.parse::<Role>() else {
            return Ok(None);
        };
        Ok(Some(Known {
            identity: Identity {
                scope: tx.scope(tenant_of(&row)?, Actor::User(user)),
                permissions: Permission::ALL
                    .iter()
                    .copied()
                    .filter(|p| role.permits(*p))
                    .collect(),
                role: Some(role),
            },
            allowed_addresses: Arc::new([]),
            expires_at: None,
            verified_at: Instant::now(),
            use_noted_at: None,
        }))
    }

    /// Notes that a key was used, once a minute, without the caller waiting for it.
    fn note_use(&self, hash: &[u8], known: &Known) {
        let Actor::ApiKey(id) = known.identity.scope.actor() else {
            return;
        };
        if known
            .use_noted_at
            .is_some_and(|at| at.elapsed() < USE_NOTED_EVERY)
        {
            return;
        }
        if let Some(entry) = self
            .inner
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_mut(hash)
        {
            entry.use_noted_at = Some(Instant::now());
        }
        let (db, tenant, id) = (self.inner.db.clone(), known.identity.scope.tenant(), *id);
        tokio::spawn(async move {
            let noted = async {
                let tx = db.system().await?;
                let update = "update directory.api_keys set last_used_at = now() where tenant_id = $1 and id = $2";
                tx.conn()
                    .execute_raw(sql(update, [tenant.uuid().into(), id.uuid().into()]))
                    .await?;
                tx.commit_soon().await
            };
            if let Err(error) = noted.await {
                tracing::debug!(%error, key = %id, "the use of a key could not be noted");
            }
        });
    }
}

fn tenant_of(row: &QueryResult) -> Result<TenantId, DbError> {
    Ok(TenantId::from_uuid(row.try_get("", "tenant_id")?))
}

/// An address or a range of addresses.
fn range(text: &str) -> Option<ipnet::IpNet> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(ipnet::IpNet::from))
}

fn unknown_credential() -> Problem {
    Problem::new(
        ProblemCode::Unauthenticated,
        "The credential is not known, or no longer valid. Send \"Authorization: Bearer <API key or access token>\".",
    )
}
