//! Taking an erased person out of what terminals saw: records and their pictures, uploads that could
//! not be stored, and what terminals told of their registers.
//!
//! In batches of their own transactions: a person may have passed a hundred thousand times. First the
//! pictures go, then the rows that name them, so that whatever is interrupted is found again.

use crate::hub::Hub;
use async_trait::async_trait;
use futures_util::future::try_join_all;
use gatehouse_contracts::{ErasureProgressed, Event, PersonErased, RawEnvelope, RecordsFate};
use gatehouse_platform::bus::{Consumer, HandleError, Handler};
use gatehouse_platform::db::{DbError, HUB, TenantTx, sql};
use gatehouse_platform::objects::ObjectError;
use gatehouse_platform::outbox;
use gatehouse_platform::tenant::TenantScope;
use sea_orm::ConnectionTrait;
use std::sync::Arc;
use uuid::Uuid;

/// Rows of one transaction.
const BATCH: i64 = 200;
/// Pictures that are deleted at the same time.
const DELETES: usize = 16;

/// Reads that persons were erased.
pub(crate) fn consumer(hub: &Arc<Hub>) -> Consumer {
    Consumer {
        queue: "hub.erasures",
        kinds: &[PersonErased::KIND],
        handler: Arc::new(Erasures { hub: hub.clone() }),
    }
}

struct Erasures {
    hub: Arc<Hub>,
}

#[async_trait]
impl Handler for Erasures {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let erased = message.read::<PersonErased>()?.data;
        let mut count = 0_usize;
        loop {
            let rows = erase_some(&self.hub, tx.scope(), &erased).await?;
            count = count.saturating_add(rows);
            if rows == 0 {
                break;
            }
        }
        forget_elsewhere(&self.hub, tx, &erased.person_number).await?;
        let detail = match erased.records {
            RecordsFate::Delete => format!("{count} records and their pictures were deleted."),
            RecordsFate::Pseudonymise => format!(
                "{count} records stay without name, number, card, identity document and pictures."
            ),
        };
        let progressed = ErasureProgressed {
            erasure_id: erased.erasure_id,
            place: "records".to_owned(),
            device_id: None,
            done: true,
            detail,
        };
        outbox::publish(tx, HUB, progressed).await?;
        Ok(())
    }
}

fn unready(error: &ObjectError) -> HandleError {
    let why = format!("a picture could not be deleted: {error}");
    if error.is_transient() {
        HandleError::Transient(why)
    } else {
        HandleError::Permanent(why)
    }
}

/// The person's records, whether they were known by then or only their number.
const OF_PERSON: &str = "\
select id, snapshot_key, compare_key from hub.records where tenant_id = $1 and person_id = $2
union all
select id, snapshot_key, compare_key from hub.records
 where tenant_id = $1 and person_number = $3 and person_number <> '' and person_id is distinct from $2
limit $4";

const DELETE: &str = "delete from hub.records where tenant_id = $1 and id = any($2)";

const PSEUDONYMISE: &str = "\
with alarmed as (update hub.alarms set person_id = null where tenant_id = $1 and record_id = any($2))
update hub.records set person_id = null, person_number = '', person_name = '', card_number = null, snapshot_key = null,
  compare_key = null, id_document_sealed = null, raw = '{}' where tenant_id = $1 and id = any($2)";

/// Erases some records; how many.
async fn erase_some(
    hub: &Hub,
    scope: &TenantScope,
    erased: &PersonErased,
) -> Result<usize, HandleError> {
    let tx = hub.kit.db.tenant(scope).await?;
    let found = tx
        .conn()
        .query_all_raw(sql(
            OF_PERSON,
            [
                tx.tenant_uuid().into(),
                erased.person_id.uuid().into(),
                erased.person_number.clone().into(),
                BATCH.into(),
            ],
        ))
        .await
        .map_err(DbError::from)?;
    if found.is_empty() {
        return Ok(0);
    }
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    for row in &found {
        let id: Uuid = row.try_get("", "id").map_err(DbError::from)?;
        let snapshot: Option<String> = row.try_get("", "snapshot_key").map_err(DbError::from)?;
        let compare: Option<String> = row.try_get("", "compare_key").map_err(DbError::from)?;
        ids.push(id);
        keys.extend([snapshot, compare].into_iter().flatten());
    }
    delete_objects(hub, &keys).await?;
    let statement = match erased.records {
        RecordsFate::Delete => DELETE,
        RecordsFate::Pseudonymise => PSEUDONYMISE,
    };
    tx.conn()
        .execute_raw(sql(statement, [tx.tenant_uuid().into(), ids.into()]))
        .await
        .map_err(DbError::from)?;
    tx.commit().await?;
    Ok(found.len())
}

async fn delete_objects(hub: &Hub, keys: &[String]) -> Result<(), HandleError> {
    for part in keys.chunks(DELETES) {
        let deletes = part.iter().map(|key| hub.kit.objects.delete(key));
        try_join_all(deletes)
            .await
            .map_err(|error| unready(&error))?;
    }
    Ok(())
}

/// What else the hub holds of a person by their number: uploads that were rejected, persons as
/// terminals told them in answer to commands, and messages that nobody understood but for the number in
/// them. No index serves the latter two; there are few.
async fn forget_elsewhere(hub: &Hub, tx: &TenantTx, number: &str) -> Result<(), HandleError> {
    let values = || [tx.tenant_uuid().into(), number.into()];
    let told = tx
        .conn()
        .query_all_raw(sql(
            "select photo ->> 'key' as key from hub.commands c, jsonb_array_elements(c.result -> 'person' -> 'photos') photo
             where c.tenant_id = $1 and c.type = 'read_person' and c.result -> 'person' ->> 'number' = $2 and photo ->> 'key' is not null",
            values(),
        ))
        .await
        .map_err(DbError::from)?;
    let keys: Result<Vec<String>, _> = told.iter().map(|row| row.try_get("", "key")).collect();
    delete_objects(hub, &keys.map_err(DbError::from)?).await?;
    for statement in [
        "update hub.commands set result = jsonb_build_object('person', jsonb_build_object('number', '', 'name', ''))
         where tenant_id = $1 and type = 'read_person' and result -> 'person' ->> 'number' = $2",
        "update hub.command_persons set person = jsonb_build_object('index', index, 'number', '', 'name', '')
         where tenant_id = $1 and person ->> 'number' = $2",
        "delete from hub.rejected_uploads where tenant_id = $1 and person_number = $2 and $2 <> ''",
        "delete from hub.unknown_messages where tenant_id = $1 and body ~ ('(^|[^0-9])' || $2 || '([^0-9]|$)')",
    ] {
        tx.conn()
            .execute_raw(sql(statement, values()))
            .await
            .map_err(DbError::from)?;
    }
    Ok(())
}
