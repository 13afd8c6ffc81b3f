//! A schedule as a request says it: read into the domain's, each fault with its pointer.

use crate::reading::{Reading, present};
use chrono::NaiveDate;
use gatehouse_domain::schedule::{
    HOLIDAYS_MAX, Holiday, PERIODS_MAX, Schedule, Span, WeekdayPlan, minute_of_day,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) const NAME_MAX_CHARS: usize = 100;

/// A period of a day, both ends included to the minute.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Period {
    /// The first minute.
    #[schema(example = "08:00")]
    pub(super) from: String,
    /// The last minute, at most 23:59. A night is two periods, on two days.
    #[schema(example = "18:00")]
    pub(super) to: String,
}

/// When a day of the week is open.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weekday {
    /// From 1, Monday, to 7, Sunday.
    #[schema(minimum = 1, maximum = 7, example = 1)]
    pub(super) weekday: i64,
    /// At most 5, which is what terminals take; none: closed.
    pub(super) periods: Vec<Period>,
}

/// A date that does not follow its weekday.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HolidayPlan {
    #[schema(example = "2026-10-01")]
    pub(super) date: String,
    /// False: closed, whatever the periods say.
    pub(super) open: bool,
    /// When it is open, at most 5; none: all day.
    #[serde(default)]
    pub(super) periods: Vec<Period>,
}

/// A schedule to be made.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleRequest {
    /// 1 to 100 characters, unique within the tenant.
    #[schema(example = "Day shift")]
    pub(super) name: String,
    /// A weekday that is not named is closed.
    #[serde(default)]
    pub(super) weekdays: Vec<Weekday>,
    /// Each decides about its date alone. At most 500.
    #[serde(default)]
    pub(super) holidays: Vec<HolidayPlan>,
}

/// What to change of a schedule; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SchedulePatch {
    /// 1 to 100 characters, unique within the tenant.
    pub(super) name: Option<String>,
    /// All weekdays that are open. Null: none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<Weekday>>)]
    pub(super) weekdays: Option<Option<Vec<Weekday>>>,
    /// All holidays. Null: none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<HolidayPlan>>)]
    pub(super) holidays: Option<Option<Vec<HolidayPlan>>>,
}

/// A schedule that is to be, or what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) name: String,
    pub(super) plan: Schedule,
}

impl ScheduleRequest {
    /// Reads a request for a schedule.
    pub(super) fn read(&self, reading: &mut Reading) -> Content {
        let plan = Schedule {
            weekdays: weekdays(reading, &self.weekdays),
            holidays: holidays(reading, &self.holidays),
        };
        let name = reading.text("/name", &self.name, NAME_MAX_CHARS);
        checked(reading, Content { name, plan })
    }
}

impl SchedulePatch {
    /// Lays a change over what there is.
    pub(super) fn over(self, reading: &mut Reading, old: &Content) -> Content {
        let Self {
            name,
            weekdays: days,
            holidays: dates,
        } = self;
        let mut content = old.clone();
        if let Some(name) = name {
            content.name = reading.text("/name", &name, NAME_MAX_CHARS);
        }
        if let Some(days) = days {
            content.plan.weekdays = weekdays(reading, &days.unwrap_or_default());
        }
        if let Some(dates) = dates {
            content.plan.holidays = holidays(reading, &dates.unwrap_or_default());
        }
        checked(reading, content)
    }
}

/// What cannot be said of one field alone.
fn checked(reading: &mut Reading, content: Content) -> Content {
    // Faults of single fields would be told again by those of the whole.
    if reading.is_clean() {
        for fault in content.plan.faults() {
            reading.fault(&fault.pointer, fault.detail);
        }
    }
    content
}

fn weekdays(reading: &mut Reading, days: &[Weekday]) -> Vec<WeekdayPlan> {
    if days.len() > 7 {
        reading.fault("/weekdays", "must have at most 7 entries");
        return Vec::new();
    }
    let mut plans = Vec::with_capacity(days.len());
    for (index, day) in days.iter().enumerate() {
        let pointer = format!("/weekdays/{index}");
        // What is no weekday is refused by the domain.
        let weekday = u8::try_from(day.weekday).unwrap_or(0);
        let periods = periods(reading, &pointer, &day.periods);
        plans.push(WeekdayPlan { weekday, periods });
    }
    plans
}

fn holidays(reading: &mut Reading, dates: &[HolidayPlan]) -> Vec<Holiday> {
    if dates.len() > HOLIDAYS_MAX {
        reading.fault(
            "/holidays",
            format!("must have at most {HOLIDAYS_MAX} entries"),
        );
        return Vec::new();
    }
    let mut holidays = Vec::with_capacity(dates.len());
    for (index, holiday) in dates.iter().enumerate() {
        let pointer = format!("/holidays/{index}");
        let periods = periods(reading, &pointer, &holiday.periods);
        match date(&holiday.date) {
            Some(date) => holidays.push(Holiday {
                date,
                open: holiday.open,
                periods,
            }),
            None => reading.fault(
                &format!("{pointer}/date"),
                "must be a date such as 2026-10-01",
            ),
        }
    }
    holidays.sort_by_key(|holiday| holiday.date);
    if holidays
        .windows(2)
        .any(|two| matches!(two, [one, other] if one.date == other.date))
    {
        reading.fault(
            "/holidays",
            "must have each date once; write its periods together",
        );
    }
    holidays
}

fn date(text: &str) -> Option<NaiveDate> {
    // Years of four digits: what else chrono reads, other programs do not.
    (text.len() == 10)
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
}

fn periods(reading: &mut Reading, pointer: &str, periods: &[Period]) -> Vec<Span> {
    if periods.len() > PERIODS_MAX {
        reading.fault(
            &format!("{pointer}/periods"),
            format!("must have at most {PERIODS_MAX} entries, which is what terminals take"),
        );
        return Vec::new();
    }
    let mut spans = Vec::with_capacity(periods.len());
    for (index, Period { from, to }) in periods.iter().enumerate() {
        let mut minute = |end: &str, text: &str| {
            let minute = minute_of_day(text);
            if minute.is_none() {
                reading.fault(
                    &format!("{pointer}/periods/{index}/{end}"),
                    "must be a time from 00:00 to 23:59, with two digits each",
                );
            }
            minute
        };
        if let (Some(from_min), Some(to_min)) = (minute("from", from), minute("to", to)) {
            spans.push(Span { from_min, to_min });
        }
    }
    spans
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(body: Value) -> Result<Content, Vec<String>> {
        let request: ScheduleRequest = serde_json::from_value(body).unwrap();
        let mut reading = Reading::begin();
        let content = request.read(&mut reading);
        let faults = reading.into_faults();
        if faults.is_empty() {
            Ok(content)
        } else {
            Err(faults.into_iter().map(|fault| fault.pointer).collect())
        }
    }

    fn period(from: &str, to: &str) -> Value {
        json!({"from": from, "to": to})
    }

    #[test]
    fn what_is_said_is_what_is_kept() {
        let body = json!({
            "name": " Day shift ",
            "weekdays": [{"weekday": 1, "periods": [period("08:00", "18:00")]}],
            "holidays": [{"date": "2026-10-02", "open": true}, {"date": "2026-10-01", "open": false, "periods": []}],
        });
        let content = read(body).unwrap();
        assert_eq!(content.name, "Day shift");
        assert_eq!(
            serde_json::to_value(&content.plan).unwrap(),
            json!({
                "weekdays": [{"weekday": 1, "periods": [period("08:00", "18:00")]}],
                "holidays": [{"date": "2026-10-01", "open": false, "periods": []},
                             {"date": "2026-10-02", "open": true, "periods": []}]})
        );
        assert!(read(json!({"name": "Never"})).is_ok());
    }

    #[test]
    fn each_fault_has_its_pointer() {
        let day = |weekday: i64, periods: Value| json!({"weekday": weekday, "periods": periods});
        let six = json!(
            (1..=6)
                .map(|h| period(&format!("0{h}:00"), &format!("0{h}:30")))
                .collect::<Vec<_>>()
        );
        for (field, value, pointer) in [
            ("name", json!(" "), "/name"),
            (
                "weekdays",
                json!([day(0, json!([]))]),
                "/weekdays/0/weekday",
            ),
            (
                "weekdays",
                json!([day(300, json!([]))]),
                "/weekdays/0/weekday",
            ),
            (
                "weekdays",
                json!([day(1, json!([])), day(1, json!([]))]),
                "/weekdays/1/weekday",
            ),
            (
                "weekdays",
                json!([day(1, six.clone())]),
                "/weekdays/0/periods",
            ),
            (
                "weekdays",
                json!([day(1, json!([period("8:00", "18:00")]))]),
                "/weekdays/0/periods/0/from",
            ),
            (
                "weekdays",
                json!([day(1, json!([period("08:00", "24:00")]))]),
                "/weekdays/0/periods/0/to",
            ),
            (
                "weekdays",
                json!([day(1, json!([period("22:00", "06:00")]))]),
                "/weekdays/0/periods/0/to",
            ),
            (
                "holidays",
                json!([{"date": "2026-02-29", "open": true}]),
                "/holidays/0/date",
            ),
            (
                "holidays",
                json!([{"date": "1.10.2026", "open": true}]),
                "/holidays/0/date",
            ),
            (
                "holidays",
                json!([{"date": "2026-10-01", "open": true}, {"date": "2026-10-01", "open": false}]),
                "/holidays",
            ),
            (
                "holidays",
                json!([{"date": "2026-10-01", "open": true, "periods": six}]),
                "/holidays/0/periods",
            ),
        ] {
            let mut body = json!({"name": "Day shift"});
            body.as_object_mut()
                .unwrap()
                .insert(field.to_owned(), value.clone());
            let pointers = read(body).unwrap_err();
            assert_eq!(
                pointers.first().map(String::as_str),
                Some(pointer),
                "{value}"
            );
        }
    }

    #[test]
    fn absent_fields_stay_and_null_clears() {
        let old = read(json!({
            "name": "Day shift",
            "weekdays": [{"weekday": 1, "periods": [period("08:00", "18:00")]}],
            "holidays": [{"date": "2026-10-01", "open": false}],
        }))
        .unwrap();
        let over = |body: Value| {
            let patch: SchedulePatch = serde_json::from_value(body).unwrap();
            patch.over(&mut Reading::begin(), &old)
        };
        assert_eq!(over(json!({})), old);
        let new = over(json!({"holidays": null, "name": "Early shift"}));
        assert_eq!(new.name, "Early shift");
        assert_eq!(new.plan.weekdays, old.plan.weekdays);
        assert!(new.plan.holidays.is_empty());
    }
}
