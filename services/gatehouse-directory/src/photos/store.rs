//! Rows of photos, and of contents that may have none.

use super::examine::Checked;
use chrono::{DateTime, Utc};
use gatehouse_domain::{PersonId, TenantId};
use gatehouse_platform::db::{Database, DbError, TenantTx, sql};
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::Value;
use uuid::Uuid;

/// Most photos of a person: what a terminal of document 004 takes.
pub(super) const PHOTOS_MAX: i16 = 3;
/// After this time nobody is still about to give a content its row.
const LOOSE_AFTER: &str = "10 minutes";

/// A photo of a person.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) person_id: Uuid,
    pub(super) slot: i16,
    pub(super) sha256: Vec<u8>,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) original_bytes: i32,
    pub(super) findings: Value,
    pub(super) created_at: DateTime<Utc>,
}

const SELECT: &str =
    "select id, person_id, slot, sha256, width, height, original_bytes, findings, created_at
                        from directory.photos";

/// The photos of a person, by slot.
pub(super) async fn of_person(tx: &TenantTx, person: PersonId) -> Result<Vec<Row>, DbError> {
    let statement = sql(
        &format!("{SELECT} where tenant_id = $1 and person_id = $2 order by slot"),
        [tx.tenant_uuid().into(), person.uuid().into()],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

/// One photo.
pub(super) async fn read(tx: &TenantTx, id: Uuid) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!("{SELECT} where tenant_id = $1 and id = $2"),
        [tx.tenant_uuid().into(), id.into()],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// A person's photo of this content, in that slot where one is named.
pub(super) async fn of_content(
    tx: &TenantTx,
    person: PersonId,
    slot: Option<i16>,
    sha256: &[u8],
) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!(
            "{SELECT} where tenant_id = $1 and sha256 = $2 and person_id = $3 and slot = coalesce($4, slot) limit 1"
        ),
        [
            tx.tenant_uuid().into(),
            sha256.into(),
            person.uuid().into(),
            slot.into(),
        ],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

#[derive(FromQueryResult)]
struct Count {
    count: i16,
}

/// How many photos a person has; `None` where there is no such person.
pub(super) async fn count(tx: &TenantTx, person: PersonId) -> Result<Option<i16>, DbError> {
    let statement = sql(
        "select photo_count as count from directory.persons where tenant_id = $1 and id = $2",
        [tx.tenant_uuid().into(), person.uuid().into()],
    );
    let row = Count::find_by_statement(statement).one(tx.conn()).await?;
    Ok(row.map(|row| row.count))
}

pub(super) async fn insert(
    tx: &TenantTx,
    id: Uuid,
    person: PersonId,
    slot: i16,
    photo: &Checked,
) -> Result<(), DbError> {
    let bytes = |jpeg: &[u8]| i32::try_from(jpeg.len()).unwrap_or(i32::MAX);
    let pixels = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    let original = photo.original();
    // Six digits that no other photo of the person has (document 004, registerPhotoID).
    tx.conn()
        .execute_raw(sql(
            "insert into directory.photos (tenant_id, id, person_id, slot, number, sha256, width, height,
                                           original_bytes, terminal_bytes, push_bytes, findings)
             select $1, $2, $3, $4, number::text, $5, $6, $7, $8, $9, $10, $11
               from (select 100000 + (floor(random() * 900000))::integer as number from generate_series(1, 8)) n
              where not exists (select 1 from directory.photos p
                                 where p.tenant_id = $1 and p.person_id = $3 and p.number = n.number::text)
              limit 1",
            [
                tx.tenant_uuid().into(),
                id.into(),
                person.uuid().into(),
                slot.into(),
                photo.sha256.clone().into(),
                pixels(original.width).into(),
                pixels(original.height).into(),
                bytes(&original.bytes).into(),
                bytes(&photo.terminal().bytes).into(),
                bytes(&photo.push().bytes).into(),
                serde_json::to_value(photo.findings()).unwrap_or_default().into(),
            ],
        ))
        .await?;
    Ok(())
}

pub(super) async fn delete(tx: &TenantTx, id: Uuid) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from directory.photos where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), id.into()],
        ))
        .await?;
    Ok(())
}

/// Closes the gap that a photo has left.
pub(super) async fn move_up(tx: &TenantTx, person: PersonId, slot: i16) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update directory.photos set slot = slot - 1 where tenant_id = $1 and person_id = $2 and slot > $3",
            [tx.tenant_uuid().into(), person.uuid().into(), slot.into()],
        ))
        .await?;
    Ok(())
}

/// Writes what a person's row says of the photos.
pub(super) async fn touch_person(
    tx: &TenantTx,
    person: Uuid,
    terminal_hash: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update directory.persons
                set photo_count = (select count(*) from directory.photos where tenant_id = $1 and person_id = $2),
                    terminal_hash = $3, updated_at = $4, version = version + 1
              where tenant_id = $1 and id = $2",
            [
                tx.tenant_uuid().into(),
                person.into(),
                terminal_hash.into(),
                now.into(),
            ],
        ))
        .await?;
    Ok(())
}

/// Whether any photo has this content.
pub(super) async fn is_used(tx: &TenantTx, sha256: &[u8]) -> Result<bool, DbError> {
    let statement = sql(
        "select 1 from directory.photos where tenant_id = $1 and sha256 = $2 limit 1",
        [tx.tenant_uuid().into(), sha256.into()],
    );
    Ok(tx.conn().query_one_raw(statement).await?.is_some())
}

/// Keeps others from giving this content a row, or deleting it, until the transaction ends.
pub(super) async fn hold_content(tx: &TenantTx, sha256: &[u8]) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "select pg_advisory_xact_lock(hashtextextended($1::uuid::text || encode($2, 'hex'), 0))",
            [tx.tenant_uuid().into(), sha256.into()],
        ))
        .await?;
    Ok(())
}

/// Notes that a content may lie in the object store without a row.
pub(super) async fn note_loose(tx: &TenantTx, sha256: &[u8]) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into directory.loose_photos (tenant_id, sha256) values ($1, $2)
             on conflict (tenant_id, sha256) do update set noted_at = now()",
            [tx.tenant_uuid().into(), sha256.into()],
        ))
        .await?;
    Ok(())
}

/// Forgets the note.
pub(super) async fn forget_loose(tx: &TenantTx, sha256: &[u8]) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from directory.loose_photos where tenant_id = $1 and sha256 = $2",
            [tx.tenant_uuid().into(), sha256.into()],
        ))
        .await?;
    Ok(())
}

/// Forgets the note where it is old enough that nobody relies on it.
pub(super) async fn forget_old_loose(tx: &TenantTx, sha256: &[u8]) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            &format!(
                "delete from directory.loose_photos
                  where tenant_id = $1 and sha256 = $2 and noted_at < now() - interval '{LOOSE_AFTER}'"
            ),
            [tx.tenant_uuid().into(), sha256.into()],
        ))
        .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Loose {
    tenant_id: Uuid,
    sha256: Vec<u8>,
}

/// Contents that were noted long enough ago, of all tenants.
pub(super) async fn loose(
    db: &Database,
    most: i64,
) -> Result<Vec<(TenantScope, Vec<u8>)>, DbError> {
    let tx = db.system().await?;
    let statement = sql(
        &format!(
            "select tenant_id, sha256 from directory.loose_photos
              where noted_at < now() - interval '{LOOSE_AFTER}' order by noted_at limit $1"
        ),
        [most.into()],
    );
    let rows = Loose::find_by_statement(statement).all(tx.conn()).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let scope = tx.scope(TenantId::from_uuid(row.tenant_id), Actor::System);
            (scope, row.sha256)
        })
        .collect())
}
