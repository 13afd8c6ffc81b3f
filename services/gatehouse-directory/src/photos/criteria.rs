//! The tenant's thresholds for photos.

use crate::reading::Reading;
use chrono::{DateTime, Utc};
use gatehouse_faces::Criteria;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_platform::http::{Answer, Problem};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::{Map, Value};

/// Hongtu's own default (document 003, storage criteria).
pub(super) const LEVEL_DEFAULT: u8 = 3;
/// The level whose thresholds are the tenant's own.
pub(super) const LEVEL_CUSTOM: u8 = 4;

/// What photos are held against.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) level: u8,
    pub(super) thresholds: Criteria,
    /// 0 where the tenant has chosen nothing.
    pub(super) version: i64,
    pub(super) updated_at: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct Row {
    level: i16,
    thresholds: Option<Value>,
    version: i64,
    updated_at: DateTime<Utc>,
}

/// What the tenant has chosen, or the default.
pub(super) async fn read(tx: &TenantTx) -> Result<Chosen, DbError> {
    let statement = sql(
        "select level, thresholds, version, updated_at from directory.photo_criteria where tenant_id = $1",
        [tx.tenant_uuid().into()],
    );
    let Some(row) = Row::find_by_statement(statement).one(tx.conn()).await? else {
        return Ok(Chosen {
            level: LEVEL_DEFAULT,
            thresholds: of_level(LEVEL_DEFAULT),
            version: 0,
            updated_at: None,
        });
    };
    let level = u8::try_from(row.level).unwrap_or(LEVEL_DEFAULT);
    // A threshold that an older version knew is left out rather than all of them.
    let own = row
        .thresholds
        .and_then(|own| serde_json::from_value(own).ok());
    Ok(Chosen {
        level,
        thresholds: own.unwrap_or_else(|| of_level(level)),
        version: row.version,
        updated_at: Some(row.updated_at),
    })
}

/// Stores what the tenant has chosen.
pub(super) async fn write(
    tx: &TenantTx,
    level: u8,
    thresholds: Option<&Criteria>,
) -> Result<(), DbError> {
    let thresholds = thresholds.map(|own| serde_json::to_value(own).unwrap_or_default());
    tx.conn()
        .execute_raw(sql(
            "insert into directory.photo_criteria (tenant_id, level, thresholds) values ($1, $2, $3)
             on conflict (tenant_id) do update
                set level = excluded.level, thresholds = excluded.thresholds,
                    version = photo_criteria.version + 1, updated_at = now()",
            [
                tx.tenant_uuid().into(),
                i16::from(level).into(),
                thresholds.into(),
            ],
        ))
        .await?;
    Ok(())
}

fn of_level(level: u8) -> Criteria {
    Criteria::hongtu_level(level).unwrap_or_default()
}

/// Reads a choice: a level, with thresholds of one's own laid over those of level 4.
pub(super) fn choose(
    level: Option<u8>,
    thresholds: Option<Map<String, Value>>,
) -> Answer<(u8, Option<Criteria>)> {
    let level = match (level, &thresholds) {
        (Some(level @ (1 | 3)), None) => return Ok((level, None)),
        (Some(1 | 3), Some(_)) => {
            return Err(Problem::invalid(
                "/thresholds",
                "can be given with level 4 alone",
            ));
        }
        (Some(LEVEL_CUSTOM), _) | (None, Some(_)) => LEVEL_CUSTOM,
        (Some(_), _) | (None, None) => {
            return Err(Problem::invalid(
                "/level",
                "must be 1 (low), 3 (high) or 4 (thresholds of one's own)",
            ));
        }
    };
    let own = own(thresholds.unwrap_or_default())?;
    Ok((level, Some(own)))
}

fn own(given: Map<String, Value>) -> Answer<Criteria> {
    let usual = serde_json::to_value(of_level(LEVEL_CUSTOM)).unwrap_or_default();
    let mut all = usual.as_object().cloned().unwrap_or_default();
    let mut reading = Reading::begin();
    for (name, value) in given {
        let pointer = format!("/thresholds/{}", name.replace('~', "~0").replace('/', "~1"));
        let Some(known) = all.get_mut(&name) else {
            reading.fault(&pointer, "is not a threshold");
            continue;
        };
        match (known.is_boolean(), value.as_f64(), value.as_bool()) {
            (true, _, Some(_)) => *known = value,
            (true, _, None) => reading.fault(&pointer, "must be true or false"),
            (false, Some(number), _) => {
                let most = most(&name);
                if (0.0..=most).contains(&number) {
                    *known = value;
                } else {
                    reading.fault(&pointer, format!("must be between 0 and {most}"));
                }
            }
            (false, None, _) => reading.fault(&pointer, "must be a number"),
        }
    }
    let value = |name: &str| all.get(name).and_then(Value::as_f64).unwrap_or_default();
    for pair in ["share", "brightness"] {
        let (min, max) = (format!("{pair}_min"), format!("{pair}_max"));
        if value(&min) > value(&max) {
            reading.fault(
                &format!("/thresholds/{max}"),
                format!("must not be less than {min}"),
            );
        }
    }
    reading.end()?;
    serde_json::from_value(Value::Object(all))
        .map_err(|error| Problem::invalid("/thresholds", format!("cannot be taken: {error}")))
}

/// The largest value that says anything.
fn most(name: &str) -> f64 {
    if name.ends_with("_px") {
        8192.0
    } else if name.ends_with("_deg") {
        180.0
    } else if name.starts_with("brightness") || name == "side_difference_max" {
        255.0
    } else if name == "sharpness_min" {
        10_000.0
    } else if name == "faces_max" {
        100.0
    } else if name == "share_max" {
        10.0
    } else {
        1.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Option<Map<String, Value>> {
        Some(value.as_object().unwrap().clone())
    }

    #[test]
    fn a_level_or_thresholds_of_ones_own() {
        assert_eq!(choose(Some(3), None).unwrap(), (3, None));
        assert_eq!(choose(Some(4), None).unwrap(), (4, Some(of_level(4))));
        let (level, own) = choose(
            None,
            map(json!({"yaw_max_deg": 40, "covered_refuses": true})),
        )
        .unwrap();
        let own = own.unwrap();
        assert_eq!(
            (level, own.yaw_max_deg, own.covered_refuses),
            (4, 40.0, true)
        );
        assert_eq!(own.roll_max_deg, of_level(4).roll_max_deg);
        for (level, thresholds) in [
            (None, None),
            (Some(2), None),
            (Some(3), map(json!({}))),
            (None, map(json!({"beauty": 1}))),
            (None, map(json!({"yaw_max_deg": 181}))),
            (None, map(json!({"yaw_max_deg": "40"}))),
            (None, map(json!({"covered_refuses": 1}))),
            (None, map(json!({"presence_min": 1.5}))),
            (None, map(json!({"share_min": 0.99}))),
            (None, map(json!({"faces_max": 1.5}))),
        ] {
            assert!(
                choose(level, thresholds.clone()).is_err(),
                "{level:?} {thresholds:?}"
            );
        }
    }

    #[test]
    fn every_default_lies_within_what_is_taken() {
        for level in [1, 3, 4] {
            let all = serde_json::to_value(of_level(level)).unwrap();
            assert!(own(all.as_object().unwrap().clone()).is_ok(), "{level}");
        }
    }
}
