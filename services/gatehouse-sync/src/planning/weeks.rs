//! The weeks that terminals are told: for each zone and set of schedules in use one row, rendered for
//! the seven days from the local date, and again when that date or a schedule changes.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use gatehouse_domain::schedule::{Schedule, Week};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// How many days a week is.
const DAYS: u64 = 7;
/// Slack around an instant that is compared by local time in the database: more persons are planned
/// again than must be, never fewer.
const SLACK: TimeDelta = TimeDelta::hours(3);

/// Who is to be planned again because weeks changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Widened {
    pub(super) devices: Vec<Uuid>,
    pub(super) persons: Vec<Uuid>,
}

#[derive(Debug, FromQueryResult)]
struct Stored {
    id: Uuid,
    zone: String,
    schedules: Vec<Uuid>,
    starts_on: NaiveDate,
    hash: Vec<u8>,
}

/// A week as a row holds it.
#[derive(Debug, Clone, PartialEq)]
struct Rendered {
    starts_on: NaiveDate,
    days: Value,
    hash: Vec<u8>,
    truncated: bool,
}

/// The schedules of a tenant.
struct Plans(HashMap<Uuid, Schedule>);

impl Plans {
    async fn read(tx: &TenantTx) -> Result<Self, DbError> {
        let rows = tx
            .conn()
            .query_all_raw(sql(
                "select id, plan from directory.schedules where tenant_id = $1",
                [tx.tenant_uuid().into()],
            ))
            .await?;
        let mut plans = HashMap::with_capacity(rows.len());
        for row in rows {
            let id: Uuid = row.try_get("", "id")?;
            match serde_json::from_value(row.try_get("", "plan")?) {
                Ok(plan) => {
                    plans.insert(id, plan);
                }
                Err(error) => {
                    tracing::error!(schedule = %id, %error, "a schedule cannot be read; it admits nobody");
                }
            }
        }
        Ok(Self(plans))
    }

    /// The nil id is an authority without a schedule: all days open. A schedule that is not there
    /// admits nobody.
    fn render(&self, schedules: &[Uuid], starts_on: NaiveDate) -> Rendered {
        let closed = Schedule::default();
        let plans: Vec<Option<&Schedule>> = schedules
            .iter()
            .map(|id| (!id.is_nil()).then(|| self.0.get(id).unwrap_or(&closed)))
            .collect();
        let week = Week::render(&plans, starts_on);
        Rendered {
            starts_on,
            days: json!(week),
            hash: Sha256::digest(week.canonical().as_bytes()).to_vec(),
            truncated: week.truncated,
        }
    }
}

/// The date in a zone. Zones are checked where devices are written; what gets here otherwise is taken
/// for UTC.
pub(super) fn local_date(zone: &str, now: DateTime<Utc>) -> NaiveDate {
    let zone = zone.parse::<Tz>().unwrap_or_else(|_| {
        tracing::error!(
            zone,
            "a device has a zone that is none; it is taken for UTC"
        );
        Tz::UTC
    });
    now.with_timezone(&zone).date_naive()
}

/// Renders the weeks of the tenant whose days are over, and, where schedules may have changed, all of
/// them. Gives who is told something else now.
pub(super) async fn refresh(
    tx: &TenantTx,
    now: DateTime<Utc>,
    schedules_may_differ: bool,
) -> Result<Widened, DbError> {
    let is_stale = |week: &Stored| week.starts_on != local_date(&week.zone, now);
    let mut weeks = read(tx).await?;
    if weeks.iter().any(is_stale) {
        prune(tx).await?;
        weeks = read(tx).await?;
    }
    weeks.retain(|week| schedules_may_differ || is_stale(week));
    if weeks.is_empty() {
        return Ok(Widened::default());
    }
    let plans = Plans::read(tx).await?;
    let mut widened = Widened::default();
    let mut moved: BTreeMap<(String, NaiveDate), NaiveDate> = BTreeMap::new();
    for week in weeks {
        let rendered = plans.render(&week.schedules, local_date(&week.zone, now));
        if week.starts_on == rendered.starts_on && week.hash == rendered.hash {
            continue;
        }
        write(tx, week.id, &rendered).await?;
        if week.hash != rendered.hash {
            widened.devices.extend(devices_with(tx, &week).await?);
        }
        if week.starts_on != rendered.starts_on {
            moved.insert((week.zone, week.starts_on), rendered.starts_on);
        }
    }
    for ((zone, from), to) in moved {
        widened
            .persons
            .extend(persons_cut(tx, &zone, from, to).await?);
    }
    Ok(widened)
}

/// Renders the weeks that what is laid out needs and that are not there.
pub(super) async fn complete(tx: &TenantTx, now: DateTime<Utc>) -> Result<(), DbError> {
    #[derive(FromQueryResult)]
    struct Missing {
        zone: String,
        schedules: Vec<Uuid>,
    }
    let statement = sql(
        "select x.zone, x.schedules from ( \
           select distinct d.timezone as zone, w.schedules from pg_temp.wanted w \
             join directory.devices d on d.tenant_id = $1 and d.id = w.device_id where w.schedules is not null) x \
          where not exists (select from sync.weeks k where k.tenant_id = $1 and k.zone = x.zone and k.schedules = x.schedules)",
        [tx.tenant_uuid().into()],
    );
    let missing = Missing::find_by_statement(statement).all(tx.conn()).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let plans = Plans::read(tx).await?;
    for Missing { zone, schedules } in missing {
        let rendered = plans.render(&schedules, local_date(&zone, now));
        tx.conn()
            .execute_raw(sql(
                "insert into sync.weeks (tenant_id, id, zone, schedules, starts_on, days, hash, truncated) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8)",
                [
                    tx.tenant_uuid().into(),
                    Uuid::now_v7().into(),
                    zone.into(),
                    schedules.into(),
                    rendered.starts_on.into(),
                    rendered.days.into(),
                    rendered.hash.into(),
                    rendered.truncated.into(),
                ],
            ))
            .await?;
    }
    Ok(())
}

async fn read(tx: &TenantTx) -> Result<Vec<Stored>, DbError> {
    let statement = sql(
        "select id, zone, schedules, starts_on, hash from sync.weeks where tenant_id = $1",
        [tx.tenant_uuid().into()],
    );
    Ok(Stored::find_by_statement(statement).all(tx.conn()).await?)
}

/// Drops the weeks that no assignment refers to.
async fn prune(tx: &TenantTx) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from sync.weeks k where k.tenant_id = $1 and k.id not in ( \
               select a.week_id from sync.assignments a where a.tenant_id = $1 and a.week_id is not null)",
            [tx.tenant_uuid().into()],
        ))
        .await?;
    Ok(())
}

async fn write(tx: &TenantTx, id: Uuid, rendered: &Rendered) -> Result<(), DbError> {
    let Rendered {
        starts_on,
        days,
        hash,
        truncated,
    } = rendered.clone();
    tx.conn()
        .execute_raw(sql(
            "update sync.weeks set starts_on = $3, days = $4, hash = $5, truncated = $6 where tenant_id = $1 and id = $2",
            [
                tx.tenant_uuid().into(),
                id.into(),
                starts_on.into(),
                days.into(),
                hash.into(),
                truncated.into(),
            ],
        ))
        .await?;
    Ok(())
}

/// The devices in the zone on which one of the week's schedules admits somebody.
async fn devices_with(tx: &TenantTx, week: &Stored) -> Result<Vec<Uuid>, DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select distinct x.device_id from directory.permits x \
               join directory.devices d on d.tenant_id = x.tenant_id and d.id = x.device_id \
              where x.tenant_id = $1 and d.timezone = $2 and x.schedule_id = any($3)",
            [
                tx.tenant_uuid().into(),
                week.zone.clone().into(),
                week.schedules.clone().into(),
            ],
        ))
        .await?;
    rows.iter()
        .map(|row| Ok(row.try_get("", "device_id")?))
        .collect()
}

/// The persons whose validity begins or ends where the week was or is cut, and was or is not.
async fn persons_cut(
    tx: &TenantTx,
    zone: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Uuid>, DbError> {
    let (earlier, later) = (from.min(to), from.max(to));
    let near = edge(zone, earlier, later);
    let far = edge(zone, after_a_week(earlier), after_a_week(later));
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select id from directory.persons where tenant_id = $1 and valid_from >= $2 and valid_from <= $3 \
             union select id from directory.persons where tenant_id = $1 and valid_from >= $4 and valid_from <= $5 \
             union select id from directory.persons where tenant_id = $1 and valid_to >= $4 and valid_to <= $5",
            [
                tx.tenant_uuid().into(),
                near.0.into(),
                near.1.into(),
                far.0.into(),
                far.1.into(),
            ],
        ))
        .await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

fn after_a_week(date: NaiveDate) -> NaiveDate {
    date.checked_add_days(Days::new(DAYS)).unwrap_or(date)
}

/// The instants between two local midnights, and a little more.
fn edge(zone: &str, from: NaiveDate, to: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
    let zone = zone.parse::<Tz>().unwrap_or(Tz::UTC);
    // Where the midnight does not exist, its neighbourhood is within the slack.
    let midnight = |date: NaiveDate| {
        let local = date.and_time(NaiveTime::MIN);
        zone.from_local_datetime(&local)
            .earliest()
            .map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
    };
    let widest = |at: DateTime<Utc>, by: TimeDelta| at.checked_add_signed(by).unwrap_or(at);
    (widest(midnight(from), -SLACK), widest(midnight(to), SLACK))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn plans() -> (Plans, Uuid) {
        let id = Uuid::from_u128(7);
        let schedule = serde_json::from_value(json!({
            "weekdays": [{"weekday": 3, "periods": [{"from": "08:00", "to": "18:00"}]}],
            "holidays": [{"date": "2026-12-09", "open": false, "periods": []}]}))
        .unwrap();
        (Plans(HashMap::from([(id, schedule)])), id)
    }

    #[test]
    fn a_week_differs_only_where_its_days_do() {
        let (plans, id) = plans();
        let today = plans.render(&[id], date("2026-11-25"));
        let tomorrow = plans.render(&[id], date("2026-11-26"));
        assert_eq!(today.hash, tomorrow.hash);
        assert_ne!(today.starts_on, tomorrow.starts_on);
        // The holiday comes into sight.
        let holiday = plans.render(&[id], date("2026-12-03"));
        assert_ne!(today.hash, holiday.hash);
    }

    #[test]
    fn a_schedule_that_is_gone_admits_nobody_and_none_admits_always() {
        let (plans, id) = plans();
        let on = date("2026-11-25");
        let gone = plans.render(&[Uuid::from_u128(8)], on);
        let always = plans.render(&[Uuid::nil()], on);
        assert_ne!(gone.hash, always.hash);
        assert_eq!(plans.render(&[Uuid::nil(), id], on).hash, always.hash);
    }

    #[test]
    fn the_day_is_the_local_one() {
        let at = "2026-11-25T17:00:00Z".parse().unwrap();
        assert_eq!(local_date("Asia/Shanghai", at), date("2026-11-26"));
        assert_eq!(local_date("America/New_York", at), date("2026-11-25"));
        assert_eq!(local_date("Nowhere", at), date("2026-11-25"));
    }

    #[test]
    fn an_edge_holds_the_midnights_of_the_zone() {
        let (from, to) = edge("Asia/Shanghai", date("2026-11-25"), date("2026-11-26"));
        let first: DateTime<Utc> = "2026-11-24T16:00:00Z".parse().unwrap();
        assert!(from < first && to > first + TimeDelta::hours(24));
        assert!(to - from < TimeDelta::hours(32));
    }
}
