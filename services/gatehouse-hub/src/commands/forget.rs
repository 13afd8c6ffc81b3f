//! Forgets the persons whom terminals told in answer to commands: whoever asked has had a day to read
//! them, and a register holds names and pictures. The commands stay.

use crate::hub::Hub;
use futures_util::future::try_join_all;
use gatehouse_platform::db::{DbError, sql};
use gatehouse_platform::objects::ObjectError;
use gatehouse_platform::service::Schedule;
use sea_orm::ConnectionTrait;
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(3_600);

/// Lists of one transaction: a terminal holds tens of thousands.
const LISTS: &str = "\
delete from hub.command_persons where (tenant_id, command_id) in (
  select c.tenant_id, c.id from hub.commands c
  where c.finished_at < now() - interval '1 day' and c.type = 'list_persons' and exists (
    select from hub.command_persons p where p.tenant_id = c.tenant_id and p.command_id = c.id)
  limit 5)";

const READ: &str = "\
select tenant_id, id, array(
  select photo ->> 'key' from jsonb_array_elements(
    case when jsonb_typeof(result -> 'person' -> 'photos') = 'array' then result -> 'person' -> 'photos' else '[]' end) photo
  where photo ->> 'key' is not null) as keys
from hub.commands
where type = 'read_person' and result ? 'person' and finished_at < now() - interval '1 day'
order by finished_at limit 50";

const FORGET_READ: &str = "\
update hub.commands c set result = c.result - 'person'
from unnest($1::uuid[], $2::uuid[]) as f (tenant_id, id)
where c.tenant_id = f.tenant_id and c.id = f.id";

/// The schedule.
pub(crate) fn schedule(hub: &Arc<Hub>) -> Schedule {
    let hub = Arc::clone(hub);
    Schedule::new("hub.commands.forget", EVERY, move || {
        let hub = Arc::clone(&hub);
        async move {
            forget_lists(&hub).await.map_err(|e| e.to_string())?;
            forget_read(&hub).await.map_err(|e| e.to_string())
        }
    })
}

async fn forget_lists(hub: &Hub) -> Result<(), DbError> {
    loop {
        let tx = hub.kit.db.system().await?;
        let forgotten = tx.conn().execute_raw(sql(LISTS, [])).await?;
        tx.commit().await?;
        if forgotten.rows_affected() == 0 {
            return Ok(());
        }
    }
}

/// Why it is left to the next time.
#[derive(Debug, thiserror::Error)]
enum NotForgotten {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("a picture could not be deleted: {0}")]
    Picture(#[from] ObjectError),
}

/// First the pictures go, then the rows that name them, so that whatever is interrupted is found again.
async fn forget_read(hub: &Hub) -> Result<(), NotForgotten> {
    loop {
        let tx = hub.kit.db.system().await?;
        let found = tx.conn().query_all_raw(sql(READ, [])).await;
        let found = found.map_err(DbError::from)?;
        if found.is_empty() {
            return Ok(());
        }
        let (mut tenants, mut ids) = (Vec::new(), Vec::new());
        for row in &found {
            let tenant: uuid::Uuid = row.try_get("", "tenant_id").map_err(DbError::from)?;
            let id: uuid::Uuid = row.try_get("", "id").map_err(DbError::from)?;
            let keys: Vec<String> = row.try_get("", "keys").map_err(DbError::from)?;
            try_join_all(keys.iter().map(|key| hub.kit.objects.delete(key))).await?;
            tenants.push(tenant);
            ids.push(id);
        }
        tx.conn()
            .execute_raw(sql(FORGET_READ, [tenants.into(), ids.into()]))
            .await
            .map_err(DbError::from)?;
        tx.commit().await?;
    }
}
