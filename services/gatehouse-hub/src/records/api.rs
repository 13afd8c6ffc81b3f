//! `GET /v1/records` and `GET /v1/records/{id}`.

use super::read::{self, Filter, Position};
use crate::hub::Hub;
use actix_web::{get, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::record::{
    Mask, Passage, RecordResult, RecordType, TemperatureVerdict, Verification,
};
use gatehouse_domain::words::UnknownWord;
use gatehouse_domain::{DeviceId, PersonId, RecordId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::ReadRecords;
use gatehouse_platform::http::refusals::{Missing, Refused, Unfit};
use gatehouse_platform::http::{Answer, Page, PageQuery, Problem, ProblemCode, within_calendar};
use gatehouse_schema::entities::hub::records;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// Longest number of a person that is looked for.
const NUMBER_MAX_CHARS: usize = 128;

/// The routes.
pub(crate) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_records).service(get_record);
}

/// Which records are wanted; all conditions hold together.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecordQuery {
    /// Only those of this device.
    #[param(example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    device_id: Option<String>,
    /// Only those of this person of the platform.
    #[param(example = "per_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    person_id: Option<String>,
    /// Only those of the person whom terminals know by this number.
    #[param(example = "20001")]
    person_number: Option<String>,
    /// Only these: staff, visitor, blocklist or stranger.
    #[serde(rename = "type")]
    #[param(rename = "type", example = "staff")]
    record_type: Option<String>,
    /// Only these: passed, failed, outside_schedule, expired or unauthorized.
    #[param(example = "passed")]
    result: Option<String>,
    /// Passed at this instant or later (RFC 3339).
    #[param(example = "2026-11-25T00:00:00Z")]
    from: Option<DateTime<Utc>>,
    /// Passed before this instant (RFC 3339).
    #[param(example = "2026-11-26T00:00:00Z")]
    to: Option<DateTime<Utc>>,
}

impl RecordQuery {
    fn filter(&self) -> Answer<Filter> {
        let too_long = |number: &String| number.chars().count() > NUMBER_MAX_CHARS;
        if self.person_number.as_ref().is_some_and(too_long) {
            return Err(Problem::invalid(
                "/person_number",
                format!("must be at most {NUMBER_MAX_CHARS} characters long"),
            ));
        }
        Ok(Filter {
            device: read_word("/device_id", self.device_id.as_deref())?,
            person: read_word("/person_id", self.person_id.as_deref())?,
            // What is stored holds no NUL, and the database takes none.
            person_number: self
                .person_number
                .as_ref()
                .map(|number| number.replace('\0', "\u{FFFD}")),
            record_type: read_word("/type", self.record_type.as_deref())?,
            result: read_word("/result", self.result.as_deref())?,
            from: within_calendar("/from", self.from)?,
            to: within_calendar("/to", self.to)?,
        })
    }
}

fn read_word<T>(pointer: &str, text: Option<&str>) -> Answer<Option<T>>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.map(str::parse)
        .transpose()
        .map_err(|error: T::Err| Problem::invalid(pointer, format!("cannot be read: {error}")))
}

/// What a terminal saw at one moment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RecordView {
    /// The record.
    #[schema(value_type = String, example = "rec_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: RecordId,
    /// The device that saw it.
    #[schema(value_type = String, example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    device_id: DeviceId,
    /// The person, where the platform knows them.
    #[schema(value_type = Option<String>, example = "per_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    person_id: Option<PersonId>,
    /// The number by which the terminal knows the person; empty for strangers.
    #[schema(example = "20001")]
    person_number: String,
    /// The name, as the terminal has it.
    person_name: String,
    /// When the person passed, corrected by what is known of the terminal's clock.
    passed_at: DateTime<Utc>,
    /// The same, as the terminal's clock had it; null where it could not be read.
    device_passed_at: Option<DateTime<Utc>>,
    /// The terminal's own words for it, in its own zone.
    #[schema(example = "2026-11-25 11:09:59.421")]
    device_time: String,
    /// By how much the terminal's clock was ahead (positive) or behind, in milliseconds, where known.
    clock_offset_ms: Option<i64>,
    /// How far the time can be believed: trusted, corrected, ambiguous, nonexistent, unreadable,
    /// in_future or implausible.
    #[schema(example = "trusted")]
    clock_verdict: String,
    /// When the record arrived.
    received_at: DateTime<Utc>,
    /// staff, visitor, blocklist or stranger.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "staff")]
    record_type: RecordType,
    /// passed, failed, outside_schedule, expired or unauthorized.
    #[schema(value_type = String, example = "passed")]
    result: RecordResult,
    /// face, id_document, face_and_card, card or unknown.
    #[schema(value_type = String, example = "face")]
    verification: Verification,
    /// in, out or unknown.
    #[schema(value_type = String, example = "in")]
    passage: Passage,
    /// In degrees Celsius; null where not measured.
    #[schema(example = 36.5)]
    temperature: Option<f32>,
    /// not_measured, normal or high, as the terminal judged it.
    #[schema(value_type = String, example = "normal")]
    temperature_verdict: TemperatureVerdict,
    /// worn, not_worn or unknown.
    #[schema(value_type = String, example = "unknown")]
    mask: Mask,
    /// How alike the faces are, 0 to 100.
    match_score: Option<f32>,
    /// The number of the card.
    card_number: Option<String>,
    /// Where the terminal was.
    position: Option<PositionView>,
    /// A link to the picture of who stood there, valid for some minutes.
    snapshot_url: Option<String>,
    /// A link to the picture it was compared with, valid for some minutes.
    compare_url: Option<String>,
    /// What was wrong with a picture that is not kept.
    photo_fault: Option<String>,
    /// What the platform answered about the door: open, close or left_to_terminal.
    #[schema(example = "left_to_terminal")]
    door_answer: String,
    /// Why, in a sentence; empty where it was left to the terminal.
    #[schema(example = "")]
    door_reason: String,
    /// Whether an identity document was read. What it said is sealed.
    has_id_document: bool,
    /// The record as the terminal sent it, without pictures and without what an identity document
    /// said. Only when one record is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<serde_json::Value>,
}

/// A position in degrees.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct PositionView {
    /// East is positive.
    longitude: f64,
    /// North is positive.
    latitude: f64,
}

impl RecordView {
    fn new(hub: &Hub, row: records::Model, with_raw: bool) -> Result<Self, UnknownWord> {
        let records::Model {
            tenant_id: _,
            id,
            device_id,
            message_id: _,
            device_time,
            passed_at,
            device_passed_at,
            clock_offset_ms,
            clock_verdict,
            received_at,
            person_id,
            person_number,
            person_name,
            r#type,
            result,
            verification,
            passage,
            temperature_celsius,
            temperature_verdict,
            mask,
            match_score,
            card_number,
            longitude,
            latitude,
            snapshot_key,
            compare_key,
            photo_fault,
            id_document_sealed,
            door_answer,
            door_reason,
            raw,
        } = row;
        let valid_for = Duration::from_secs(hub.settings.media_link_valid_s.into());
        let link = |key: Option<String>| {
            key.map(|key| {
                hub.kit
                    .secrets
                    .media_url(&hub.kit.public_url, &key, Utc::now(), valid_for)
            })
        };
        let has_time = !device_time.starts_with("sha256:");
        Ok(Self {
            id: RecordId::from_uuid(id),
            device_id: DeviceId::from_uuid(device_id),
            person_id: person_id.map(PersonId::from_uuid),
            person_number,
            person_name,
            passed_at,
            device_passed_at,
            device_time: if has_time { device_time } else { String::new() },
            clock_offset_ms,
            clock_verdict,
            received_at,
            record_type: r#type.parse()?,
            result: result.parse()?,
            verification: verification.parse()?,
            passage: passage.parse()?,
            temperature: temperature_celsius,
            temperature_verdict: temperature_verdict.parse()?,
            mask: mask.parse()?,
            match_score,
            card_number,
            position: longitude
                .zip(latitude)
                .map(|(longitude, latitude)| PositionView {
                    longitude,
                    latitude,
                }),
            snapshot_url: link(snapshot_key),
            compare_url: link(compare_key),
            photo_fault,
            door_answer,
            door_reason,
            has_id_document: id_document_sealed.is_some(),
            raw: with_raw.then_some(raw),
        })
    }
}

fn unreadable(error: &UnknownWord) -> Problem {
    tracing::error!(%error, "a record's row cannot be read");
    Problem::new(
        ProblemCode::Internal,
        "A record cannot be read; it is logged under this request's id.",
    )
}

/// List records
///
/// What terminals saw, newest first by the time of the pass.
#[utoipa::path(
    tag = "records",
    operation_id = "list_records",
    params(RecordQuery, PageQuery),
    responses((status = 200, description = "The records.", body = Page<RecordView>), Refused, Unfit),
    security(("api_key" = ["records:read"]), ("user_token" = ["records:read"])),
)]
#[get("/v1/records")]
pub(crate) async fn list_records(
    caller: Caller<ReadRecords>,
    hub: web::Data<Hub>,
    query: web::Query<RecordQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<RecordView>>> {
    let (limit, below) = (page.limit()?, page.position::<Position>()?);
    within_calendar("/cursor", below.map(|below| below.passed_at))?;
    let filter = query.filter()?;
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    let rows = read::list(&tx, filter, below, limit.saturating_add(1)).await?;
    drop(tx);
    let place = |row: &records::Model| Position {
        passed_at: row.passed_at,
        id: row.id,
    };
    let page = Page::cut(rows, limit, place, |row| row);
    let items: Result<Vec<RecordView>, UnknownWord> = page
        .items
        .into_iter()
        .map(|row| RecordView::new(&hub, row, false))
        .collect();
    Ok(web::Json(Page {
        items: items.map_err(|error| unreadable(&error))?,
        next_cursor: page.next_cursor,
    }))
}

/// Read a record
///
/// With what the terminal sent, in its own words.
#[utoipa::path(
    tag = "records",
    operation_id = "get_record",
    params(("id" = String, Path, description = "The record.", example = "rec_0197c4a7b1e87d3c9a54b0c1d2e3f405")),
    responses((status = 200, description = "The record.", body = RecordView), Refused, Missing),
    security(("api_key" = ["records:read"]), ("user_token" = ["records:read"])),
)]
#[get("/v1/records/{id}")]
pub(crate) async fn get_record(
    caller: Caller<ReadRecords>,
    hub: web::Data<Hub>,
    id: web::Path<RecordId>,
) -> Answer<web::Json<RecordView>> {
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    let row = read::find(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("record"))?;
    drop(tx);
    let view = RecordView::new(&hub, row, true).map_err(|error| unreadable(&error))?;
    Ok(web::Json(view))
}
