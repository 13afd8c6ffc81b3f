//! The route that says why somebody may pass, or may not.

use super::explanation::Explanation;
use super::held;
use crate::devices::{self, Standing};
use crate::directory::Directory;
use crate::reading::Reading;
use crate::schemas;
use actix_web::{post, web};
use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use gatehouse_domain::PersonId;
use gatehouse_domain::access::{Facts, Measured, decide};
use gatehouse_domain::record::Mask;
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::ReadAccess;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_platform::http::page::within_calendar;
use gatehouse_platform::http::refusals::{Refused, Unfit};
use gatehouse_platform::http::{Answer, Problem};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Who, where and when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainRequest {
    /// The person's id, or else their code.
    #[schema(example = "per_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    person: String,
    /// The device's id, or else its serial number.
    #[schema(example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    device: String,
    /// An instant, or without an offset the wall clock of the device; now where absent. Everything but
    /// the moment is taken as it is now.
    #[schema(example = "2026-11-24T06:12:00")]
    at: Option<String>,
    /// As if the device had measured it.
    temperature_celsius: Option<f32>,
    /// As if the device had seen it.
    #[schema(schema_with = schemas::mask, required = false)]
    mask: Option<String>,
}

/// Says why a person may pass a device at a moment, or may not; and what the terminal there knows of it.
#[utoipa::path(
    tag = "authorities",
    operation_id = "explain_access",
    request_body = ExplainRequest,
    responses((status = 200, description = "The decision and its reason.", body = Explanation), Refused, Unfit),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"]))
)]
#[post("/v1/access:explain")]
async fn explain_access(
    caller: Caller<ReadAccess>,
    directory: web::Data<Directory>,
    body: web::Json<ExplainRequest>,
) -> Answer<web::Json<Explanation>> {
    let ExplainRequest {
        person,
        device,
        at,
        temperature_celsius,
        mask,
    } = body.into_inner();
    let standing = devices::standing(&directory, caller.scope(), &device).await?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let found = find(&tx, &person).await?;
    let mut reading = Reading::begin();
    if found.is_none() {
        reading.fault("/person", "names no person by an id or a code");
    }
    if standing.is_none() {
        reading.fault("/device", "names no device by an id or a serial number");
    }
    let measured = Measured {
        celsius: temperature_celsius,
        mask: reading.word("/mask", mask.as_deref(), Mask::Unknown),
    };
    let zone = standing.as_ref().map(zone).unwrap_or_default();
    let at = moment(&mut reading, at.as_deref(), zone, Utc::now());
    reading.end()?;
    let (Some(person), Some(standing)) = (found, standing) else {
        return Err(Problem::not_found("person or device"));
    };
    let at = within_calendar("/at", Some(at))?.unwrap_or(at);
    let facts = facts(&tx, &standing, person.id)
        .await?
        .ok_or_else(|| Problem::not_found("person or device"))?;
    let row = held::read(&tx, standing.id, person.number).await?;
    let decision = decide(&facts, at, &measured);
    let held = held::told(row, &facts, &standing, zone);
    let person = PersonId::from_uuid(person.id);
    Ok(web::Json(Explanation::new(
        person, &standing, &facts, decision, at, zone, held,
    )))
}

fn zone(standing: &Standing) -> Tz {
    // Zones are checked where devices are written.
    standing.timezone.parse().unwrap_or_default()
}

#[derive(Debug, FromQueryResult)]
struct Person {
    id: Uuid,
    number: i64,
}

/// The person of an id, or else of a code.
async fn find(tx: &TenantTx, named: &str) -> Result<Option<Person>, DbError> {
    let (column, value): (&str, sea_orm::Value) = match named.parse::<PersonId>() {
        Ok(id) => ("id", id.uuid().into()),
        // The database takes no text with a zero in it, and no code has one.
        Err(_) => ("code", named.replace('\0', "").into()),
    };
    let statement = sql(
        &format!("select id, number from directory.persons where tenant_id = $1 and {column} = $2"),
        [tx.tenant_uuid().into(), value],
    );
    Ok(Person::find_by_statement(statement).one(tx.conn()).await?)
}

async fn facts(tx: &TenantTx, standing: &Standing, person: Uuid) -> Result<Option<Facts>, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select directory.access_facts($1, $2) as facts",
            [standing.id.uuid().into(), person.into()],
        ))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let facts: Option<serde_json::Value> = row.try_get("", "facts")?;
    facts
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| DbError::Refused(DbErr::Json(error.to_string())))
}

/// Reads an instant, or a wall clock in the zone.
fn moment(
    reading: &mut Reading,
    text: Option<&str>,
    zone: Tz,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let Some(text) = text.map(str::trim) else {
        return now;
    };
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return at.to_utc();
    }
    let local = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let Some(local) = local else {
        reading.fault(
            "/at",
            "must be an instant such as 2026-11-24T06:12:00+08:00, or a local time such as 2026-11-24T06:12:00",
        );
        return now;
    };
    // Where the clock was turned back the minute is there twice, and means the first time.
    match zone.from_local_datetime(&local).earliest() {
        Some(at) => at.to_utc(),
        None => {
            reading.fault(
                "/at",
                format!("is a time that {zone} does not have: the clock is turned forward over it"),
            );
            now
        }
    }
}

/// Adds the route.
pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(explain_access);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_an_instant_or_a_wall_clock() {
        let now = DateTime::UNIX_EPOCH;
        let read = |text: Option<&str>, zone: Tz| {
            let mut reading = Reading::begin();
            let at = moment(&mut reading, text, zone, now);
            reading.end().ok().map(|()| at.to_rfc3339())
        };
        let shanghai = Tz::Asia__Shanghai;
        for text in [
            "2026-11-24T06:12:00",
            "2026-11-24 06:12",
            "2026-11-24T06:12",
            "2026-11-23T22:12:00Z",
            "2026-11-24T06:12:00+08:00",
        ] {
            assert_eq!(
                read(Some(text), shanghai).as_deref(),
                Some("2026-11-23T22:12:00+00:00"),
                "{text}"
            );
        }
        assert_eq!(
            read(None, shanghai).as_deref(),
            Some("1970-01-01T00:00:00+00:00")
        );
        assert_eq!(read(Some("tomorrow"), shanghai), None);
        let new_york = Tz::America__New_York;
        assert_eq!(read(Some("2026-03-08T02:30:00"), new_york), None);
        assert_eq!(
            read(Some("2026-11-01T01:30:00"), new_york).as_deref(),
            Some("2026-11-01T05:30:00+00:00")
        );
    }
}
