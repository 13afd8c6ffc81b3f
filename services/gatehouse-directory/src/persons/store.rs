//! Rows of persons, their cards, their ids elsewhere and what they are found by.

use gatehouse_domain::{GroupId, PersonId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_schema::entities::people::persons::{ActiveModel, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, NotSet,
    QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

pub(super) async fn read(tx: &TenantTx, id: PersonId) -> Result<Option<Model>, DbError> {
    Ok(Entity::find_by_id((tx.tenant_uuid(), id.uuid()))
        .one(tx.conn())
        .await?)
}

/// Reads a person and keeps others from changing it until the transaction ends.
///
/// # Errors
/// The database's.
pub(crate) async fn read_to_change(tx: &TenantTx, id: PersonId) -> Result<Option<Model>, DbError> {
    Ok(Entity::find_by_id((tx.tenant_uuid(), id.uuid()))
        .lock_exclusive()
        .one(tx.conn())
        .await?)
}

/// Stores a new row; the database draws the number.
pub(super) async fn insert(tx: &TenantTx, row: Model) -> Result<Model, DbError> {
    let mut row = row.into_active_model().reset_all();
    row.number = NotSet;
    Ok(row.insert(tx.conn()).await?)
}

/// Writes a changed row whole; only the number can never change.
pub(super) async fn update(tx: &TenantTx, row: Model) -> Result<(), DbError> {
    let number = row.number;
    let mut row: ActiveModel = row.into_active_model().reset_all();
    row.number = sea_orm::Unchanged(number);
    row.update(tx.conn()).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Text {
    text: String,
}

#[derive(FromQueryResult)]
struct Digest {
    digest: Vec<u8>,
}

/// A person's cards, the first one first.
pub(super) async fn cards(tx: &TenantTx, id: Uuid) -> Result<Vec<String>, DbError> {
    let statement = sql(
        "select card_no as text from directory.person_cards where tenant_id = $1 and person_id = $2 order by position",
        [tx.tenant_uuid().into(), id.into()],
    );
    let rows = Text::find_by_statement(statement).all(tx.conn()).await?;
    Ok(rows.into_iter().map(|row| row.text).collect())
}

/// The hashes of a person's pictures, in the order of their slots.
pub(super) async fn photo_hashes(tx: &TenantTx, id: Uuid) -> Result<Vec<Vec<u8>>, DbError> {
    let statement = sql(
        "select sha256 as digest from directory.photos where tenant_id = $1 and person_id = $2 order by slot",
        [tx.tenant_uuid().into(), id.into()],
    );
    let rows = Digest::find_by_statement(statement).all(tx.conn()).await?;
    Ok(rows.into_iter().map(|row| row.digest).collect())
}

/// Puts cards in the place of those there were. Answers those that belong to others; nothing must then
/// be committed.
pub(super) async fn put_cards(
    tx: &TenantTx,
    id: Uuid,
    cards: &[String],
) -> Result<Vec<String>, DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from directory.person_cards where tenant_id = $1 and person_id = $2",
            [tx.tenant_uuid().into(), id.into()],
        ))
        .await?;
    if cards.is_empty() {
        return Ok(Vec::new());
    }
    // In one order, so that two who give each other's cards do not wait for one another.
    let statement = sql(
        "insert into directory.person_cards (tenant_id, card_no, person_id, position)
         select $1, card_no, $2, (at - 1)::smallint from unnest($3::text[]) with ordinality as c (card_no, at)
          order by card_no
         on conflict do nothing returning card_no as text",
        [tx.tenant_uuid().into(), id.into(), cards.to_vec().into()],
    );
    let taken = Text::find_by_statement(statement).all(tx.conn()).await?;
    Ok(missing(cards.iter(), taken))
}

/// Puts ids of other systems in the place of those there were. Answers the systems whose id belongs to
/// others; nothing must then be committed.
pub(super) async fn put_external_ids(
    tx: &TenantTx,
    id: Uuid,
    ids: &BTreeMap<String, String>,
) -> Result<Vec<String>, DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from directory.person_external_ids where tenant_id = $1 and person_id = $2",
            [tx.tenant_uuid().into(), id.into()],
        ))
        .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let systems: Vec<String> = ids.keys().cloned().collect();
    let values: Vec<String> = ids.values().cloned().collect();
    let statement = sql(
        "insert into directory.person_external_ids (tenant_id, system, external_id, person_id)
         select $1, system, external_id, $2 from unnest($3::text[], $4::text[]) as e (system, external_id)
          order by system
         on conflict do nothing returning system as text",
        [tx.tenant_uuid().into(), id.into(), systems.into(), values.into()],
    );
    let stored = Text::find_by_statement(statement).all(tx.conn()).await?;
    Ok(missing(ids.keys(), stored))
}

fn missing<'a>(wanted: impl Iterator<Item = &'a String>, stored: Vec<Text>) -> Vec<String> {
    let stored: BTreeSet<String> = stored.into_iter().map(|row| row.text).collect();
    wanted
        .filter(|text| !stored.contains(*text))
        .cloned()
        .collect()
}

/// Puts what a person is found by in the place of what there was.
pub(super) async fn put_terms(
    tx: &TenantTx,
    id: Uuid,
    terms: BTreeSet<String>,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from directory.person_terms where tenant_id = $1 and person_id = $2",
            [tx.tenant_uuid().into(), id.into()],
        ))
        .await?;
    insert_terms(tx, id, terms).await
}

/// Adds what a new person is found by.
pub(super) async fn insert_terms(
    tx: &TenantTx,
    id: Uuid,
    terms: BTreeSet<String>,
) -> Result<(), DbError> {
    let terms: Vec<String> = terms.into_iter().collect();
    tx.conn()
        .execute_raw(sql(
            "insert into directory.person_terms (tenant_id, term, person_id) select $1, term, $2 from unnest($3::text[]) as t (term)",
            [tx.tenant_uuid().into(), id.into(), terms.into()],
        ))
        .await?;
    Ok(())
}

/// Makes a person a member of groups that take them; whether one of them is new.
pub(crate) async fn join_groups(
    tx: &TenantTx,
    id: Uuid,
    groups: &[GroupId],
) -> Result<bool, DbError> {
    if groups.is_empty() {
        return Ok(false);
    }
    let wanted: Vec<Uuid> = groups.iter().map(|group| group.uuid()).collect();
    let done = tx
        .conn()
        .execute_raw(sql(
            "insert into directory.group_members (tenant_id, group_id, person_id)
             select $1, g, $2 from unnest($3::uuid[]) g order by g on conflict do nothing",
            [tx.tenant_uuid().into(), id.into(), wanted.into()],
        ))
        .await?;
    Ok(done.rows_affected() > 0)
}

#[derive(FromQueryResult)]
struct Id {
    id: Uuid,
}

/// The groups that a person is in.
pub(super) async fn groups(tx: &TenantTx, id: Uuid) -> Result<Vec<Uuid>, DbError> {
    let statement = sql(
        "select group_id as id from directory.group_members where tenant_id = $1 and person_id = $2 order by group_id",
        [tx.tenant_uuid().into(), id.into()],
    );
    let rows = Id::find_by_statement(statement).all(tx.conn()).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// What belongs to a row and lies in other tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Beside {
    pub(super) cards: Vec<String>,
    pub(super) external_ids: BTreeMap<String, String>,
}

#[derive(FromQueryResult)]
struct Card {
    person_id: Uuid,
    card_no: String,
}

#[derive(FromQueryResult)]
struct ExternalId {
    person_id: Uuid,
    system: String,
    external_id: String,
}

/// What lies beside each of these persons' rows.
pub(super) async fn beside(
    tx: &TenantTx,
    persons: Vec<Uuid>,
) -> Result<HashMap<Uuid, Beside>, DbError> {
    let mut found: HashMap<Uuid, Beside> = HashMap::with_capacity(persons.len());
    let values = [tx.tenant_uuid().into(), persons.into()];
    let cards = sql(
        "select person_id, card_no from directory.person_cards
          where tenant_id = $1 and person_id = any($2) order by person_id, position",
        values.clone(),
    );
    for Card { person_id, card_no } in Card::find_by_statement(cards).all(tx.conn()).await? {
        found.entry(person_id).or_default().cards.push(card_no);
    }
    let ids = sql(
        "select person_id, system, external_id from directory.person_external_ids
          where tenant_id = $1 and person_id = any($2)",
        values,
    );
    for row in ExternalId::find_by_statement(ids).all(tx.conn()).await? {
        let ids = &mut found.entry(row.person_id).or_default().external_ids;
        ids.insert(row.system, row.external_id);
    }
    Ok(found)
}

/// Somebody with a name and nothing else.
#[cfg(test)]
pub(super) fn sample() -> Model {
    use chrono::DateTime;
    Model {
        tenant_id: Uuid::from_u128(1),
        id: Uuid::from_u128(2),
        number: 10_001,
        kind: "staff".into(),
        name: "张三".into(),
        code: None,
        gender: "unknown".into(),
        birthday_on: None,
        phone_area_code: None,
        phone: None,
        email: None,
        position: None,
        work_place: None,
        entry_on: None,
        department_id: None,
        id_document_sealed: None,
        id_document_digest: None,
        id_document_hint: None,
        pin_sealed: None,
        remark: String::new(),
        priority: "normal".into(),
        valid_from: None,
        valid_to: None,
        welcome_text: None,
        display_text: None,
        attributes: serde_json::json!({}),
        disabled_at: None,
        photo_count: 0,
        terminal_hash: vec![0; 32],
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        version: 1,
    }
}
