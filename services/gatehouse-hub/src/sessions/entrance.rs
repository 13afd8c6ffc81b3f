//! Whose token it is that stands in a terminal's address. Looked up once in ten seconds, whatever
//! comes: terminals reconnect all at once, and whoever guesses tokens costs no database either.

use super::link::Entrance;
use crate::hub::Hub;
use gatehouse_domain::{TenantId, TerminalTokenId};
use gatehouse_platform::db::{DbError, sql};
use gatehouse_platform::secrets::hash_token;
use sea_orm::ConnectionTrait;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// How long an answer holds, a yes and a no; a yes never longer than the token itself.
const HOLDS: Duration = Duration::from_secs(10);
/// Most answers that are kept.
const MOST: usize = 10_000;
/// Look-ups at the same time.
const AT_ONCE: usize = 4;
/// After a failure nobody asks for this long: whoever comes hears at once that it is too early.
const AWAY: Duration = Duration::from_secs(1);
/// Longer than any token.
const TOKEN_MAX_BYTES: usize = 128;

/// Until when it holds, and whose it is.
type Answers = HashMap<Vec<u8>, (Instant, Option<Entrance>)>;

/// Tokens that were looked up a moment ago, by their hash.
#[derive(Debug)]
pub(super) struct Entrances {
    answers: Mutex<Answers>,
    turns: Semaphore,
    away_until: Mutex<Option<Instant>>,
}

/// The database is away; whoever comes is to come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotNow;

impl Default for Entrances {
    fn default() -> Self {
        Self {
            answers: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
            away_until: Mutex::default(),
        }
    }
}

impl Entrances {
    /// Whose token it is; `None` where nobody's.
    pub(super) async fn find(&self, hub: &Hub, token: &str) -> Result<Option<Entrance>, NotNow> {
        if token.is_empty() || token.len() > TOKEN_MAX_BYTES {
            return Ok(None);
        }
        let hash = hash_token(token);
        if let Some(known) = self.known(&hash) {
            return Ok(known);
        }
        // Never closed; and without a turn the look-up is merely less orderly.
        let _turn = self.turns.acquire().await;
        if let Some(known) = self.known(&hash) {
            return Ok(known);
        }
        if self.is_away() {
            return Err(NotNow);
        }
        let (found, holds) = look_up(hub, &hash)
            .await
            .map_err(|error| self.note_away(&error))?;
        let now = Instant::now();
        let mut answers = self.lock();
        if answers.len() >= MOST {
            answers.retain(|_, (until, _)| *until > now);
        }
        if answers.len() >= MOST {
            answers.retain(|_, (_, answer)| answer.is_some());
        }
        answers.insert(hash, (now + holds, found));
        Ok(found)
    }

    fn is_away(&self) -> bool {
        let away_until = self
            .away_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        away_until.is_some_and(|until| until > Instant::now())
    }

    fn note_away(&self, error: &DbError) -> NotNow {
        tracing::warn!(%error, "terminals' tokens cannot be looked up");
        *self
            .away_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + AWAY);
        NotNow
    }

    /// Something changed about tokens: everything is looked up again.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn known(&self, hash: &[u8]) -> Option<Option<Entrance>> {
        let answers = self.lock();
        let (until, answer) = answers.get(hash)?;
        (*until > Instant::now()).then_some(*answer)
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose token it is, and how long that holds.
async fn look_up(hub: &Hub, hash: &[u8]) -> Result<(Option<Entrance>, Duration), DbError> {
    let tx = hub.kit.db.system().await?;
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select k.tenant_id, k.id, (extract(epoch from k.expires_at - now()) * 1000)::int8 as left_ms
             from directory.terminal_tokens k
             join directory.tenants t on t.tenant_id = k.tenant_id
             where k.token_hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
               and t.disabled_at is null",
            [hash.to_vec().into()],
        ))
        .await?;
    let Some(row) = row else {
        return Ok((None, HOLDS));
    };
    let (tenant, token): (Uuid, Uuid) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    let left_ms: Option<i64> = row.try_get_by_index(2)?;
    let left = left_ms.map_or(HOLDS, |ms| {
        Duration::from_millis(ms.try_into().unwrap_or_default())
    });
    let entrance = Entrance::Token {
        tenant: TenantId::from_uuid(tenant),
        token: TerminalTokenId::from_uuid(token),
    };
    Ok((Some(entrance), HOLDS.min(left)))
}
