//! The SQL of receipts, and of all that the directory holds of a person.

use chrono::{DateTime, Utc};
use gatehouse_domain::{ErasureId, PersonId, TenantId};
use gatehouse_platform::db::{Database, DbError, TenantTx, sql};
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// What is needed of a person who goes.
#[derive(Debug, FromQueryResult)]
pub(super) struct Held {
    pub(super) number: i64,
    pub(super) code: Option<String>,
    pub(super) version: i64,
}

/// Reads a person and keeps everybody else from changing it.
pub(super) async fn hold(tx: &TenantTx, person: PersonId) -> Result<Option<Held>, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select number, code, version from directory.persons where tenant_id = $1 and id = $2 for update",
            [tx.tenant_uuid().into(), person.uuid().into()],
        ))
        .await?;
    Ok(row
        .map(|row| Held::from_query_result(&row, ""))
        .transpose()?)
}

/// The contents of this person's photos.
pub(super) async fn photo_hashes(tx: &TenantTx, person: PersonId) -> Result<Vec<String>, DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select distinct encode(sha256, 'hex') from directory.photos where tenant_id = $1 and person_id = $2",
            [tx.tenant_uuid().into(), person.uuid().into()],
        ))
        .await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<_, _>>()?)
}

/// The devices that hold the person, or may.
pub(super) async fn terminals_of(tx: &TenantTx, person: PersonId) -> Result<Vec<Uuid>, DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select device_id from sync.assignments where tenant_id = $1 and person_id = $2
                and (applied is not null or maybe_held)",
            [tx.tenant_uuid().into(), person.uuid().into()],
        ))
        .await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<_, _>>()?)
}

/// Where something of a person was, and whether it is gone.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) place: String,
    /// The nil id where the place is no terminal.
    pub(super) device: Uuid,
    pub(super) done: bool,
    pub(super) detail: String,
}

impl Place {
    pub(super) fn done(place: &str, detail: &str) -> Self {
        Self {
            place: place.to_owned(),
            device: Uuid::nil(),
            done: true,
            detail: detail.to_owned(),
        }
    }

    pub(super) fn pending(place: &str, detail: &str) -> Self {
        Self {
            done: false,
            ..Self::done(place, detail)
        }
    }

    pub(super) fn terminal(device: Uuid) -> Self {
        Self {
            device,
            ..Self::pending("terminal", "The terminal has not confirmed yet.")
        }
    }

    const fn state(&self) -> &'static str {
        if self.done { "done" } else { "pending" }
    }
}

pub(super) async fn insert(
    tx: &TenantTx,
    erasure: ErasureId,
    person: PersonId,
    number: i64,
    records: &str,
    photo_hashes: &[String],
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into directory.erasures (tenant_id, id, person_id, person_number, records, photo_hashes)
             values ($1, $2, $3, $4, $5, $6)",
            [
                tx.tenant_uuid().into(),
                erasure.uuid().into(),
                person.uuid().into(),
                number.into(),
                records.into(),
                photo_hashes.to_vec().into(),
            ],
        ))
        .await?;
    Ok(())
}

/// Notes places; one that is known already takes the newer word. The receipt is complete when none
/// is pending, and only then.
pub(super) async fn insert_places(
    tx: &TenantTx,
    erasure: ErasureId,
    places: &[Place],
) -> Result<(), DbError> {
    // Two places that confirm at the same moment would each see the other as pending.
    tx.conn()
        .execute_raw(sql(
            "select from directory.erasures where tenant_id = $1 and id = $2 for update",
            [tx.tenant_uuid().into(), erasure.uuid().into()],
        ))
        .await?;
    let column = |of: fn(&Place) -> String| places.iter().map(of).collect::<Vec<_>>();
    tx.conn()
        .execute_raw(sql(
            "insert into directory.erasure_places (tenant_id, erasure_id, place, device_id, state, detail)
             select $1, $2, place, device_id, state, detail
               from unnest($3::text[], $4::uuid[], $5::text[], $6::text[]) as p (place, device_id, state, detail)
             on conflict (tenant_id, erasure_id, place, device_id) do update
                set state = excluded.state, detail = excluded.detail, updated_at = now()
              where erasure_places.state <> 'done'",
            [
                tx.tenant_uuid().into(),
                erasure.uuid().into(),
                column(|place| place.place.clone()).into(),
                places.iter().map(|place| place.device).collect::<Vec<_>>().into(),
                column(|place| place.state().to_owned()).into(),
                column(|place| place.detail.clone()).into(),
            ],
        ))
        .await?;
    tx.conn()
        .execute_raw(sql(
            "update directory.erasures e
                set completed_at = case when exists (
                      select from directory.erasure_places p
                       where p.tenant_id = e.tenant_id and p.erasure_id = e.id and p.state = 'pending')
                    then null else coalesce(e.completed_at, now()) end
              where e.tenant_id = $1 and e.id = $2",
            [tx.tenant_uuid().into(), erasure.uuid().into()],
        ))
        .await?;
    Ok(())
}

/// Deletes the person with all that hangs on it, the answers that were kept for repeats, and the rows
/// of imports that name it.
pub(super) async fn delete(
    tx: &TenantTx,
    person: PersonId,
    code: Option<&str>,
) -> Result<(), DbError> {
    let tenant = tx.tenant_uuid();
    for (statement, value) in [
        (
            "delete from directory.persons where tenant_id = $1 and id = $2::uuid",
            person.uuid().to_string(),
        ),
        (
            "delete from directory.idempotency_keys where tenant_id = $1 and strpos(answer::text, $2) > 0",
            person.to_string(),
        ),
    ] {
        tx.conn()
            .execute_raw(sql(statement, [tenant.into(), value.into()]))
            .await?;
    }
    if let Some(code) = code {
        tx.conn()
            .execute_raw(sql(
                "delete from directory.job_rows where tenant_id = $1 and code = $2",
                [tenant.into(), code.into()],
            ))
            .await?;
    }
    Ok(())
}

/// A receipt.
#[derive(Debug, FromQueryResult)]
pub(super) struct Receipt {
    pub(super) id: Uuid,
    pub(super) person_id: Uuid,
    pub(super) person_number: i64,
    pub(super) records: String,
    pub(super) requested_at: DateTime<Utc>,
    pub(super) completed_at: Option<DateTime<Utc>>,
}

/// A place of a receipt, with what is known of the terminal.
#[derive(Debug, FromQueryResult)]
pub(super) struct PlaceRow {
    pub(super) place: String,
    pub(super) device_id: Option<Uuid>,
    pub(super) device_name: Option<String>,
    pub(super) state: String,
    pub(super) detail: String,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) offline_since: Option<DateTime<Utc>>,
}

const RECEIPT: &str = "select id, person_id, person_number, records, requested_at, completed_at
  from directory.erasures where tenant_id = $1";

pub(super) async fn read(tx: &TenantTx, erasure: ErasureId) -> Result<Option<Receipt>, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            &format!("{RECEIPT} and id = $2"),
            [tx.tenant_uuid().into(), erasure.uuid().into()],
        ))
        .await?;
    Ok(row
        .map(|row| Receipt::from_query_result(&row, ""))
        .transpose()?)
}

/// Receipts, newest first.
pub(super) async fn list(
    tx: &TenantTx,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Receipt>, DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            &format!("{RECEIPT} and id < $2 order by id desc limit $3"),
            [
                tx.tenant_uuid().into(),
                after.unwrap_or(Uuid::max()).into(),
                i64::try_from(limit).unwrap_or(i64::MAX).into(),
            ],
        ))
        .await?;
    Ok(rows
        .iter()
        .map(|row| Receipt::from_query_result(row, ""))
        .collect::<Result<_, _>>()?)
}

pub(super) async fn places(tx: &TenantTx, erasure: ErasureId) -> Result<Vec<PlaceRow>, DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select p.place, nullif(p.device_id, '00000000-0000-0000-0000-000000000000') as device_id,
                    d.name as device_name, p.state, p.detail, p.updated_at,
                    case when t.connected_at is null or t.disconnected_at is not null
                         then coalesce(t.disconnected_at, d.created_at) end as offline_since
               from directory.erasure_places p
               left join directory.devices d on d.tenant_id = p.tenant_id and d.id = p.device_id
               left join hub.terminals t on t.tenant_id = p.tenant_id and t.device_id = p.device_id
              where p.tenant_id = $1 and p.erasure_id = $2
              order by p.place, p.device_id",
            [tx.tenant_uuid().into(), erasure.uuid().into()],
        ))
        .await?;
    Ok(rows
        .iter()
        .map(|row| PlaceRow::from_query_result(row, ""))
        .collect::<Result<_, _>>()?)
}

/// The contents that a receipt still waits for.
pub(super) async fn waiting_photos(
    tx: &TenantTx,
    erasure: ErasureId,
) -> Result<Vec<String>, DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select unnest(photo_hashes) from directory.erasures where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), erasure.uuid().into()],
        ))
        .await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<_, _>>()?)
}

/// The person's pictures are gone; in words.
pub(super) async fn photos_gone(
    db: &Database,
    scope: &TenantScope,
    erasure: ErasureId,
    detail: &str,
) -> Result<(), DbError> {
    let tx = db.tenant(scope).await?;
    tx.conn()
        .execute_raw(sql(
            "update directory.erasures set photo_hashes = '{}' where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), erasure.uuid().into()],
        ))
        .await?;
    insert_places(&tx, erasure, &[Place::done("photos", detail)]).await?;
    tx.commit().await
}

/// Receipts of any tenant that still wait for pictures, oldest first.
pub(super) async fn with_waiting_photos(
    db: &Database,
    limit: i64,
) -> Result<Vec<(TenantScope, ErasureId)>, DbError> {
    let tx = db.system().await?;
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select tenant_id, id from directory.erasures where photo_hashes <> '{}' order by requested_at limit $1",
            [limit.into()],
        ))
        .await?;
    rows.iter()
        .map(|row| {
            let (tenant, id) = row.try_get_many_by_index::<(Uuid, Uuid)>()?;
            let scope = tx.scope(TenantId::from_uuid(tenant), Actor::System);
            Ok((scope, ErasureId::from_uuid(id)))
        })
        .collect()
}

/// Tenants with a receipt that is not complete.
pub(super) async fn tenants_waiting(db: &Database) -> Result<Vec<TenantScope>, DbError> {
    let tx = db.system().await?;
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select distinct tenant_id from directory.erasures where completed_at is null",
            [],
        ))
        .await?;
    rows.iter()
        .map(|row| {
            let tenant: Uuid = row.try_get_by_index(0)?;
            Ok(tx.scope(TenantId::from_uuid(tenant), Actor::System))
        })
        .collect()
}

/// Says on a tenant's receipts where no job that was made before keeps a file any more.
pub(super) async fn job_files_gone(db: &Database, scope: &TenantScope) -> Result<(), DbError> {
    let tx = db.tenant(scope).await?;
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select e.id from directory.erasures e
               join directory.erasure_places p on p.tenant_id = e.tenant_id and p.erasure_id = e.id
              where e.tenant_id = $1 and e.completed_at is null and p.place = 'job_files' and p.state = 'pending'
                and not exists (
                  select from directory.jobs j
                   where j.tenant_id = e.tenant_id and j.created_at <= e.requested_at
                     and (j.finished_at is null or j.input_key is not null or j.report_key is not null
                          or j.photo_hashes <> '{}'))",
            [tx.tenant_uuid().into()],
        ))
        .await?;
    for row in &rows {
        let erasure = ErasureId::from_uuid(row.try_get_by_index(0)?);
        let place = Place::done(
            "job_files",
            "Files of imports and exports that were made before are deleted.",
        );
        insert_places(&tx, erasure, &[place]).await?;
    }
    tx.commit().await
}
