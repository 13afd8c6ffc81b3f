//! A handler whose effects can be counted: a row each, under a key drawn anew, so that a second
//! effect of the same message would be a second row.

use gatehouse_contracts::RawEnvelope;
use gatehouse_domain::MessageId;
use gatehouse_platform::bus::{HandleError, Handler};
use gatehouse_platform::db::{Database, DbError, TenantTx, sql};
use gatehouse_platform::tenant::TenantScope;
use sea_orm::ConnectionTrait;
use sea_orm_migration::sea_orm;
use std::collections::HashMap;
use std::sync::Mutex;
use uuid::Uuid;

/// What the handler does with a message after it has written its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accept,
    Transient,
    Permanent,
    Panic,
    /// Never ends.
    Hang,
}

/// Handles the messages of one tenant; those of other tests pass unseen.
pub(crate) struct Effects {
    scope: TenantScope,
    /// How the nth attempt at a message ends; those after the last are accepted.
    script: Vec<Verdict>,
    attempts: Mutex<HashMap<MessageId, usize>>,
}

impl Effects {
    pub(crate) fn new(scope: &TenantScope, script: Vec<Verdict>) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self {
            scope: scope.clone(),
            script,
            attempts: Mutex::default(),
        })
    }

    pub(crate) fn attempts(&self, id: MessageId) -> usize {
        self.attempts.lock().unwrap().get(&id).copied().unwrap_or(0)
    }

    /// The rows of this message.
    pub(crate) async fn of(&self, db: &Database, id: MessageId) -> usize {
        self.count(db)
            .await
            .get(&id.to_string())
            .copied()
            .unwrap_or(0)
    }

    /// The rows of each message.
    pub(crate) async fn count(&self, db: &Database) -> HashMap<String, usize> {
        let Ok(rows) = self.rows(db).await else {
            return HashMap::new();
        };
        let mut count = HashMap::new();
        for operation in rows {
            *count.entry(operation).or_default() += 1;
        }
        count
    }

    async fn rows(&self, db: &Database) -> Result<Vec<String>, DbError> {
        let tx = db.tenant(&self.scope).await?;
        let rows = tx
            .conn()
            .query_all_raw(sql("select operation from hub.idempotency_keys", []))
            .await?;
        let rows = rows.iter().map(|row| row.try_get_by_index(0).unwrap());
        Ok(rows.collect())
    }
}

#[async_trait::async_trait]
impl Handler for Effects {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        if message.tenant_id != self.scope.tenant() {
            return Ok(());
        }
        tx.conn()
            .execute_raw(sql(
                "insert into hub.idempotency_keys (tenant_id, operation, key, request_hash) \
                 values ($1, $2, $3, '')",
                [
                    tx.tenant_uuid().into(),
                    message.id.to_string().into(),
                    Uuid::new_v4().to_string().into(),
                ],
            ))
            .await
            .map_err(DbError::from)?;
        let attempt = {
            let mut attempts = self.attempts.lock().unwrap();
            let made = attempts.entry(message.id).or_default();
            *made += 1;
            *made - 1
        };
        match self.script.get(attempt).copied().unwrap_or(Verdict::Accept) {
            Verdict::Accept => Ok(()),
            Verdict::Transient => Err(HandleError::Transient("not now".to_owned())),
            Verdict::Permanent => Err(HandleError::Permanent("never".to_owned())),
            Verdict::Hang => std::future::pending().await,
            Verdict::Panic => panic!("as the test wants it"),
        }
    }
}
