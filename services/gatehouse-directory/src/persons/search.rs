//! What persons are looked for by: the query of the list, read and checked.

use super::{fields, terms};
use crate::reading::Reading;
use chrono::{DateTime, Utc};
use gatehouse_domain::person::PersonType;
use gatehouse_domain::{DepartmentId, GroupId};
use gatehouse_platform::http::Answer;
use gatehouse_platform::http::page::within_calendar;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

/// Which persons are wanted; several conditions must all be met.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PersonQuery {
    /// The beginning of the name or of a word in it, without regard to case and accents; of a Chinese
    /// name also of its pinyin or its initials. `三丰`, `zhangsanf` and `zsf` all find `张三丰`.
    #[param(example = "zsf")]
    q: Option<String>,
    /// The code.
    code: Option<String>,
    /// The phone number, without its area code.
    phone: Option<String>,
    /// One of the cards.
    card_no: Option<String>,
    /// An id of another system, as `system:id`.
    #[param(example = "hongtu:8f14e45fceea167a")]
    external_id: Option<String>,
    /// The number that terminals use.
    number: Option<String>,
    /// `staff`, `visitor` or `blocklist`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Members of this group.
    #[param(value_type = Option<String>)]
    group_id: Option<GroupId>,
    /// Persons of this department, without those below it.
    #[param(value_type = Option<String>)]
    department_id: Option<DepartmentId>,
    /// Changed at this instant or later; ask with some seconds of overlap, because a change is dated
    /// before it can be seen. Where none of the conditions above `type` is set, the list is
    /// then in the order of the changes, oldest first; otherwise it is newest person first.
    updated_since: Option<DateTime<Utc>>,
}

/// Which persons are wanted, checked.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// The beginning of a term.
    pub(super) term: Option<String>,
    pub(super) code: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) card_no: Option<String>,
    pub(super) external_id: Option<(String, String)>,
    pub(super) number: Option<i64>,
    pub(super) kind: Option<PersonType>,
    pub(super) group_id: Option<Uuid>,
    pub(super) department_id: Option<Uuid>,
    pub(super) updated_since: Option<DateTime<Utc>>,
}

/// A place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) at: DateTime<Utc>,
    pub(super) id: Uuid,
}

/// Reads the query of the list.
pub(super) fn read(query: PersonQuery) -> Answer<Wanted> {
    let PersonQuery {
        q,
        code,
        phone,
        card_no,
        external_id,
        number,
        kind,
        group_id,
        department_id,
        updated_since,
    } = query;
    let mut reading = Reading::begin();
    let r = &mut reading;
    let wanted = Wanted {
        term: q.and_then(|q| term(r, &q)),
        code: code.map(|code| r.text("/code", &code, 64)),
        phone: phone.map(|phone| fields::phone(r, "/phone", &phone)),
        card_no: card_no.map(|card| fields::card(r, "/card_no", &card)),
        external_id: external_id.map(|id| self::external_id(r, &id)),
        number: number.map(|number| self::number(r, &number)),
        kind: kind.map(|word| r.word("/type", Some(&word), PersonType::Staff)),
        group_id: group_id.map(GroupId::uuid),
        department_id: department_id.map(DepartmentId::uuid),
        updated_since: within_calendar("/updated_since", updated_since)?,
    };
    reading.end()?;
    Ok(wanted)
}

/// Nothing but spaces asks for nothing; something without a letter or digit finds nobody.
fn term(reading: &mut Reading, q: &str) -> Option<String> {
    if q.trim().is_empty() {
        return None;
    }
    let text = reading.optional_text("/q", q, 100);
    let term = terms::folded(&text);
    if term.is_empty() {
        reading.fault("/q", "must contain a letter or a digit");
    }
    Some(term)
}

fn external_id(reading: &mut Reading, text: &str) -> (String, String) {
    let Some((system, id)) = text.split_once(':') else {
        reading.fault(
            "/external_id",
            "must name the system and the id, for example hongtu:8f14",
        );
        return (String::new(), String::new());
    };
    let system = fields::system(reading, "/external_id", system);
    (system, reading.text("/external_id", id, 128))
}

fn number(reading: &mut Reading, text: &str) -> i64 {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).unwrap_or_else(|| {
        reading.fault("/number", "must have digits only");
        0
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_it_is_kept() {
        let wanted = read(PersonQuery {
            q: Some(" Zhang San".into()),
            phone: Some("138 0013 8000".into()),
            external_id: Some("hongtu:a:b".into()),
            number: Some("42".into()),
            card_no: Some("8899".into()),
            ..PersonQuery::default()
        })
        .unwrap();
        assert_eq!(wanted.card_no.as_deref(), Some("0000008899"));
        assert_eq!(wanted.term.as_deref(), Some("zhangsan"));
        assert_eq!(wanted.phone.as_deref(), Some("13800138000"));
        assert_eq!(wanted.external_id, Some(("hongtu".into(), "a:b".into())));
        assert_eq!(wanted.number, Some(42));
        let nothing = PersonQuery {
            q: Some("  ".into()),
            ..PersonQuery::default()
        };
        assert_eq!(read(nothing).unwrap().term, None);
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        for query in [
            PersonQuery {
                q: Some("%%".into()),
                ..PersonQuery::default()
            },
            PersonQuery {
                phone: Some("x".into()),
                ..PersonQuery::default()
            },
            PersonQuery {
                card_no: Some("1-2".into()),
                ..PersonQuery::default()
            },
            PersonQuery {
                external_id: Some("8f14".into()),
                ..PersonQuery::default()
            },
            PersonQuery {
                number: Some("+1".into()),
                ..PersonQuery::default()
            },
            PersonQuery {
                kind: Some("guest".into()),
                ..PersonQuery::default()
            },
        ] {
            assert!(read(query).is_err());
        }
    }
}
