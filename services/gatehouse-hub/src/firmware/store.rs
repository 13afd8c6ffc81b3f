//! The SQL of firmware files.

use gatehouse_domain::FirmwareId;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_proto_terminal::UpdateType;
use gatehouse_schema::entities::hub::firmware::{Entity, Model};
use sea_orm::{DbErr, EntityTrait};

/// A file that was received.
#[derive(Debug)]
pub(super) struct NewFirmware {
    pub(super) id: FirmwareId,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) update_type: UpdateType,
    pub(super) size_bytes: i64,
    pub(super) sha256: Vec<u8>,
    pub(super) object_key: String,
}

/// Stores what is known of a file.
pub(super) async fn insert(tx: &TenantTx, new: NewFirmware) -> Result<Model, DbError> {
    let statement = sql(
        "insert into hub.firmware (tenant_id, id, name, version, update_type, size_bytes, sha256, object_key) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning *",
        [
            tx.tenant_uuid().into(),
            new.id.uuid().into(),
            new.name.into(),
            new.version.into(),
            new.update_type.as_str().into(),
            new.size_bytes.into(),
            new.sha256.into(),
            new.object_key.into(),
        ],
    );
    let row = Entity::find()
        .from_raw_sql(statement)
        .one(tx.conn())
        .await?;
    row.ok_or(DbError::Refused(DbErr::RecordNotInserted))
}

/// One file.
pub(super) async fn find(tx: &TenantTx, firmware: FirmwareId) -> Result<Option<Model>, DbError> {
    let statement = sql(
        "select * from hub.firmware where tenant_id = $1 and id = $2",
        [tx.tenant_uuid().into(), firmware.uuid().into()],
    );
    Ok(Entity::find()
        .from_raw_sql(statement)
        .one(tx.conn())
        .await?)
}

/// Files, newest first.
pub(super) async fn list(
    tx: &TenantTx,
    before: Option<uuid::Uuid>,
    rows: u64,
) -> Result<Vec<Model>, DbError> {
    let statement = sql(
        "select * from hub.firmware where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3",
        [
            tx.tenant_uuid().into(),
            before.into(),
            i64::try_from(rows).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(Entity::find()
        .from_raw_sql(statement)
        .all(tx.conn())
        .await?)
}

/// Forgets a file, and says what it was.
pub(super) async fn delete(tx: &TenantTx, firmware: FirmwareId) -> Result<Option<Model>, DbError> {
    let statement = sql(
        "delete from hub.firmware where tenant_id = $1 and id = $2 returning *",
        [tx.tenant_uuid().into(), firmware.uuid().into()],
    );
    Ok(Entity::find()
        .from_raw_sql(statement)
        .one(tx.conn())
        .await?)
}
