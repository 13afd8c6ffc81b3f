//! The SQL of offers: what sync offers to a device, read with all that the device is told, by one
//! statement. The hash is computed from the same rows by the same function as sync's.

use super::offer::{Fault, Offer, Photo, Profile, What};
use chrono::{NaiveDate, NaiveDateTime};
use gatehouse_domain::DeviceId;
use gatehouse_domain::person::Admittance;
use gatehouse_domain::schedule::Week;
use gatehouse_domain::words::UnknownWord;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::FromQueryResult;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

const OFFERS: &str = "\
select a.offer, a.number, a.desired is null as is_removal, a.applied is not null as is_known, a.admittance,
  p.name, p.gender, p.birthday_on, p.phone, p.valid_from at time zone d.timezone as valid_from,
  p.valid_to at time zone d.timezone as valid_to, p.welcome_text, p.display_text, c.card_no,
  f.photo_numbers, f.photo_hashes, a.week_id, w.days,
  sync.content_hash(p.terminal_hash, a.admittance, w.hash,
    case when w.id is null then '' else sync.week_cut(p.valid_from, p.valid_to, d.timezone, w.starts_on) end) as content
from sync.assignments a
join directory.devices d on d.tenant_id = a.tenant_id and d.id = a.device_id
left join directory.persons p on p.tenant_id = a.tenant_id and p.id = a.person_id and a.desired is not null
left join sync.weeks w on w.tenant_id = a.tenant_id and w.id = a.week_id and a.admittance <> 'never'
left join lateral (
  select o.card_no from directory.person_cards o where o.tenant_id = p.tenant_id and o.person_id = p.id
  order by o.position, o.card_no limit 1) c on true
left join lateral (
  select array_agg(o.number order by o.slot) as photo_numbers, array_agg(encode(o.sha256, 'hex') order by o.slot) as photo_hashes
  from directory.photos o where o.tenant_id = p.tenant_id and o.person_id = p.id) f on true
where a.tenant_id = $1 and a.device_id = $2 and a.offer is not null and a.offered_session = $3
order by a.urgency, a.offer limit $4";

#[derive(Debug, FromQueryResult)]
struct Row {
    offer: Uuid,
    number: String,
    is_removal: bool,
    is_known: bool,
    admittance: String,
    name: Option<String>,
    gender: Option<String>,
    birthday_on: Option<NaiveDate>,
    phone: Option<String>,
    valid_from: Option<NaiveDateTime>,
    valid_to: Option<NaiveDateTime>,
    welcome_text: Option<String>,
    display_text: Option<String>,
    card_no: Option<String>,
    photo_numbers: Option<Vec<String>>,
    photo_hashes: Option<Vec<String>>,
    week_id: Option<Uuid>,
    days: Option<serde_json::Value>,
    content: Option<Vec<u8>>,
}

/// What is offered to a device's session (0: to a device that calls by itself), the most urgent
/// first, at most so many.
pub(crate) async fn offers(
    tx: &TenantTx,
    device: DeviceId,
    session: i64,
    rows: usize,
) -> Result<Vec<Offer>, DbError> {
    let statement = sql(
        OFFERS,
        [
            tx.tenant_uuid().into(),
            device.uuid().into(),
            session.into(),
            i64::try_from(rows).unwrap_or(i64::MAX).into(),
        ],
    );
    let found = Row::find_by_statement(statement).all(tx.conn()).await?;
    let mut weeks = HashMap::new();
    Ok(found
        .into_iter()
        .map(|row| offer(row, &mut weeks))
        .collect())
}

/// Weeks by id, each read once.
type Weeks = HashMap<Uuid, Option<Arc<Week>>>;

fn offer(row: Row, weeks: &mut Weeks) -> Offer {
    let (id, number) = (row.offer, row.number.clone());
    let what = if row.is_removal {
        What::Removal
    } else {
        what(row, weeks).unwrap_or_else(|error| {
            tracing::error!(%error, offer = %id, "an offer cannot be read");
            What::Unsendable(Fault::UNREADABLE)
        })
    };
    Offer { id, number, what }
}

fn what(row: Row, weeks: &mut Weeks) -> Result<What, UnknownWord> {
    let (Some(name), Some(gender), Some(content)) = (row.name, row.gender, row.content) else {
        return Ok(What::Unsendable(Fault::NO_PERSON));
    };
    let admittance: Admittance = row.admittance.parse()?;
    let week_id = row.week_id.filter(|_| admittance != Admittance::Never);
    let week = week_id.and_then(|id| {
        weeks
            .entry(id)
            .or_insert_with(|| week(id, row.days))
            .clone()
    });
    if admittance != Admittance::Never && week.is_none() {
        return Ok(What::Unsendable(Fault::NO_WEEK));
    }
    let numbers = row.photo_numbers.unwrap_or_default();
    let hashes = row.photo_hashes.unwrap_or_default();
    let photos: Vec<Photo> = numbers
        .into_iter()
        .zip(hashes)
        .filter_map(|(number, hash)| photo(number, &hash))
        .collect();
    if photos.is_empty() {
        return Ok(What::Unsendable(Fault::NO_PHOTO));
    }
    Ok(What::Person(Box::new(Profile {
        is_known: row.is_known,
        content,
        admittance,
        name,
        gender: gender.parse()?,
        birthday_on: row.birthday_on,
        phone: row.phone,
        valid_from: row.valid_from,
        valid_to: row.valid_to,
        welcome_text: row.welcome_text,
        display_text: row.display_text,
        card: row.card_no,
        photos,
        week,
    })))
}

fn week(id: Uuid, days: Option<serde_json::Value>) -> Option<Arc<Week>> {
    serde_json::from_value(days?)
        .inspect_err(
            |error| tracing::error!(%error, week = %id, "a week's passing times cannot be read"),
        )
        .ok()
        .map(Arc::new)
}

fn photo(number: String, hash: &str) -> Option<Photo> {
    let mut sha256 = [0; 32];
    hex::decode_to_slice(hash, &mut sha256).ok()?;
    Some(Photo { number, sha256 })
}
