//! Whether one person may pass one device at one moment, and why. The rule has one home, here; the
//! hub's answers to terminals, and the API's explanation, ask it.
//!
//! Deliberately absent: where the facts come from (`directory.access_facts` in the database), and what
//! a terminal was told of them (gatehouse-sync).

use crate::person::{PersonType, Priority};
use crate::record::Mask;
use crate::schedule::{Schedule, Span, minute_of};
use crate::vocabulary;
use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use uuid::Uuid;

vocabulary! {
    /// Why somebody may pass, or may not.
    pub enum ReasonCode: "reason" {
        /// A schedule admits the moment.
        InSchedule = "in_schedule",
        /// Nothing binds the person to a schedule there.
        Always = "always",
        /// No authority reaches the person at the device.
        NoAuthority = "no_authority",
        /// The person is disabled.
        Disabled = "disabled",
        /// The person's validity has not begun.
        NotYetValid = "not_yet_valid",
        /// The person's validity is over.
        Expired = "expired",
        /// The person is on a blocklist, or in a blocklist group of the device.
        Blocklisted = "blocklisted",
        /// The person's priority is `never`.
        Never = "never",
        /// No schedule admits the moment.
        OutsideSchedule = "outside_schedule",
        /// No schedule admits the moment, and a holiday is why.
        Holiday = "holiday",
        /// Too warm for the device.
        Temperature = "temperature",
        /// Without the mask that the device demands.
        Mask = "mask",
    }
}

/// All that the decision needs: the JSON of the SQL function `directory.access_facts`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Facts {
    /// The device's zone, an IANA name; one that is unknown is taken for UTC.
    pub zone: String,
    /// The temperature above which the device lets nobody pass.
    pub deny_above_celsius: Option<f32>,
    /// Whether the device lets nobody pass without a mask.
    pub deny_without_mask: bool,
    /// Who wants to pass.
    pub person: PersonFacts,
    /// What reaches the person at the device.
    pub permits: Vec<Permit>,
}

/// What of a person decides.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PersonFacts {
    /// What they are to the house.
    #[serde(rename = "type")]
    pub person_type: PersonType,
    /// Whether they are disabled.
    pub disabled: bool,
    /// How far the schedules bind them.
    pub priority: Priority,
    /// The first moment at which they may pass.
    pub valid_from: Option<DateTime<Utc>>,
    /// The first moment at which they no longer may.
    pub valid_to: Option<DateTime<Utc>>,
}

/// One authority on the device, by one of the person's groups.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Permit {
    /// The authority.
    pub authority_id: Uuid,
    /// The group by which it reaches the person.
    pub group_id: Uuid,
    /// Its name.
    pub group_name: String,
    /// A blocklist group keeps out.
    pub group_type: PersonType,
    /// None: the authority admits at any time.
    pub schedule_id: Option<Uuid>,
    /// Its name.
    pub schedule_name: Option<String>,
    /// When it admits.
    pub schedule: Option<Schedule>,
}

/// What the device measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The body's temperature; what was not measured forbids nothing.
    pub celsius: Option<f32>,
    /// Only a mask that is known to be missing forbids.
    pub mask: Mask,
}

impl Measured {
    /// Nothing was measured.
    pub const NOTHING: Self = Self {
        celsius: None,
        mask: Mask::Unknown,
    };
}

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the person may pass.
    pub allow: bool,
    /// Why, for programs.
    pub reason: ReasonCode,
    /// Why, for a person: begins in lower case and has no full stop.
    pub sentence: String,
    /// The authority that decided.
    pub authority_id: Option<Uuid>,
    /// The group by which it did.
    pub group_id: Option<Uuid>,
    /// The schedule that decided.
    pub schedule_id: Option<Uuid>,
}

impl Decision {
    fn of(allow: bool, reason: ReasonCode, sentence: impl Into<String>) -> Self {
        Self {
            allow,
            reason,
            sentence: sentence.into(),
            authority_id: None,
            group_id: None,
            schedule_id: None,
        }
    }

    fn deny(reason: ReasonCode, sentence: impl Into<String>) -> Self {
        Self::of(false, reason, sentence)
    }

    fn by(self, permit: &Permit) -> Self {
        Self {
            authority_id: Some(permit.authority_id),
            group_id: Some(permit.group_id),
            ..self
        }
    }

    fn in_schedule_of(self, permit: &Permit) -> Self {
        Self {
            schedule_id: permit.schedule_id,
            ..self.by(permit)
        }
    }
}

/// Decides. The person comes first (disabled, blocklist, priority, validity), then the authorities, then
/// their schedules, then what the device measured.
#[must_use]
pub fn decide(facts: &Facts, at: DateTime<Utc>, measured: &Measured) -> Decision {
    let zone = facts.zone.parse::<Tz>().unwrap_or(Tz::UTC);
    let local = at.with_timezone(&zone).naive_local();
    if let Some(denied) = kept_out(facts, at, zone) {
        return denied;
    }
    let permits: Vec<&Permit> = facts.permits.iter().collect();
    let Some(first) = permits.first() else {
        let sentence = "no authority lets one of the person's groups pass this device";
        return Decision::deny(ReasonCode::NoAuthority, sentence);
    };
    let admitted = match facts.person.priority {
        Priority::Always => {
            let sentence = "the person's priority is always, so that no schedule binds them";
            Decision::of(true, ReasonCode::Always, sentence).by(first)
        }
        Priority::Normal | Priority::Never => by_schedule(&permits, local),
    };
    if !admitted.allow {
        return admitted;
    }
    forbidden_by_device(facts, measured).unwrap_or(admitted)
}

/// Why the person passes nowhere, or not here, whatever the schedules say.
fn kept_out(facts: &Facts, at: DateTime<Utc>, zone: Tz) -> Option<Decision> {
    let PersonFacts {
        person_type,
        disabled,
        priority,
        valid_from,
        valid_to,
    } = &facts.person;
    if *disabled {
        return Some(Decision::deny(
            ReasonCode::Disabled,
            "the person is disabled",
        ));
    }
    let blocking = facts
        .permits
        .iter()
        .find(|permit| permit.group_type == PersonType::Blocklist);
    if let Some(permit) = blocking {
        let sentence = format!(
            "the person is in '{}', a blocklist group of this device",
            permit.group_name
        );
        return Some(Decision::deny(ReasonCode::Blocklisted, sentence).by(permit));
    }
    if *person_type == PersonType::Blocklist {
        let sentence = "the person is on the blocklist";
        return Some(Decision::deny(ReasonCode::Blocklisted, sentence));
    }
    if *priority == Priority::Never {
        let sentence = "the person's priority is never";
        return Some(Decision::deny(ReasonCode::Never, sentence));
    }
    let told = |at: &DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M");
    if let Some(from) = valid_from.as_ref().filter(|from| at < **from) {
        let sentence = format!("the person is valid only from {} ({zone})", told(from));
        return Some(Decision::deny(ReasonCode::NotYetValid, sentence));
    }
    if let Some(to) = valid_to.as_ref().filter(|to| at >= **to) {
        let sentence = format!("the person was valid until {} ({zone})", told(to));
        return Some(Decision::deny(ReasonCode::Expired, sentence));
    }
    None
}

/// The first permit that admits the moment, or why none does.
fn by_schedule(permits: &[&Permit], local: NaiveDateTime) -> Decision {
    let mut refusals: Vec<(&Permit, Refusal)> = Vec::new();
    for permit in permits {
        if permit.schedule_id.is_none() {
            let sentence = "the authority has no schedule, so that it admits at any time";
            return Decision::of(true, ReasonCode::Always, sentence).by(permit);
        }
        match ask(permit, local) {
            Ok(sentence) => {
                return Decision::of(true, ReasonCode::InSchedule, sentence).in_schedule_of(permit);
            }
            Err(refusal) => {
                let known = refusals
                    .iter()
                    .any(|(other, _)| other.schedule_id == permit.schedule_id);
                if !known {
                    refusals.push((permit, refusal));
                }
            }
        }
    }
    refused(&refusals)
}

/// Why one schedule does not admit the moment.
struct Refusal {
    reason: ReasonCode,
    sentence: String,
}

/// Schedules that a sentence names.
const NAMED_AT_MOST: usize = 3;

/// All schedules must refuse: the first gives the reason, and the sentence names more of them.
fn refused(refusals: &[(&Permit, Refusal)]) -> Decision {
    let Some((permit, first)) = refusals.first() else {
        let sentence = "no authority lets one of the person's groups pass this device";
        return Decision::deny(ReasonCode::NoAuthority, sentence);
    };
    let named = refusals.iter().take(NAMED_AT_MOST);
    let mut sentence = named
        .map(|(_, refusal)| refusal.sentence.as_str())
        .collect::<Vec<_>>()
        .join("; ");
    let unnamed = refusals.len().saturating_sub(NAMED_AT_MOST);
    if unnamed > 0 {
        sentence.push_str(&format!("; nor in {unnamed} more"));
    }
    Decision::deny(first.reason, sentence).in_schedule_of(permit)
}

/// Asks the permit's schedule; a schedule that is not there admits nobody.
fn ask(permit: &Permit, local: NaiveDateTime) -> Result<String, Refusal> {
    let closed = Schedule::default();
    let schedule = permit.schedule.as_ref().unwrap_or(&closed);
    let name = permit.schedule_name.as_deref().unwrap_or("?");
    let date = local.date();
    let spans = schedule.spans_on(date);
    let minute = minute_of(local.time());
    let day = weekday(local);
    let clock = local.format("%H:%M");
    let is_holiday = schedule.holiday_on(date).is_some();
    let day = if is_holiday {
        format!("the holiday {date}, {day}")
    } else {
        day.to_owned()
    };
    if let Some(span) = spans.iter().find(|span| span.contains(minute)) {
        return Ok(if *span == Span::ALL_DAY {
            format!("in schedule '{name}': {day} is open all day")
        } else {
            format!("in schedule '{name}': {day} {clock} is within {span}")
        });
    }
    let reason = if is_holiday {
        ReasonCode::Holiday
    } else {
        ReasonCode::OutsideSchedule
    };
    let sentence = if spans.is_empty() {
        format!("not in schedule '{name}': {day} is closed")
    } else {
        let spans: Vec<String> = spans.iter().map(ToString::to_string).collect();
        format!(
            "not in schedule '{name}': {day} {clock} is outside {}",
            spans.join(", ")
        )
    };
    Err(Refusal { reason, sentence })
}

const fn weekday_name(weekday: chrono::Weekday) -> &'static str {
    match weekday {
        chrono::Weekday::Mon => "Monday",
        chrono::Weekday::Tue => "Tuesday",
        chrono::Weekday::Wed => "Wednesday",
        chrono::Weekday::Thu => "Thursday",
        chrono::Weekday::Fri => "Friday",
        chrono::Weekday::Sat => "Saturday",
        chrono::Weekday::Sun => "Sunday",
    }
}

fn weekday(local: NaiveDateTime) -> &'static str {
    weekday_name(local.weekday())
}

/// What the device forbids beyond the schedule.
fn forbidden_by_device(facts: &Facts, measured: &Measured) -> Option<Decision> {
    if let (Some(limit), Some(celsius)) = (facts.deny_above_celsius, measured.celsius)
        && celsius > limit
    {
        let sentence = format!("{celsius} °C is above the {limit} °C that this device lets pass");
        return Some(Decision::deny(ReasonCode::Temperature, sentence));
    }
    if facts.deny_without_mask && measured.mask == Mask::NotWorn {
        let sentence = "this device lets nobody pass without a mask";
        return Some(Decision::deny(ReasonCode::Mask, sentence));
    }
    None
}

#[cfg(test)]
mod tests;
