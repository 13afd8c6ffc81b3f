//! The list of persons, at a cost that does not grow with their number: candidates come in the order
//! of an index, some at a time, from whichever index leaves the fewest; of these the wanted are kept.
//!
//! Where few of many candidates are wanted, a page ends after [`EXAMINED_MAX`] of them, with fewer
//! items than asked for and with the place where to go on. Every statement reaches its rows by the
//! beginning of an index; under row-level security only equality and order do that, so a beginning of
//! a term is a range.

use super::search::{Position, Wanted};
use chrono::{DateTime, Utc};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_schema::entities::people::persons::Model;
use sea_orm::{FromQueryResult, Value};
use std::collections::HashMap;
use std::fmt::Write as _;
use uuid::Uuid;

/// Candidates that a page looks at.
const EXAMINED_MAX: usize = 20_000;
/// Candidates read at once in the beginning, where not each of them is wanted; twice as many each time,
/// up to a bound.
const AT_ONCE: usize = 250;
const AT_ONCE_MAX: usize = 2000;
/// Persons found by a term that are sorted here; where there are more, a walk through all meets
/// enough of them soon.
const FOUND_BY_TERM_MAX: usize = 2000;

/// Some persons, and where to go on.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) rows: Vec<Model>,
    pub(super) next: Option<Position>,
}

/// Where candidates come from, and in which order.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    /// These, newest first.
    These(Vec<Uuid>),
    /// Everybody, newest first.
    All,
    /// Everybody of a type, newest first.
    Type(String),
    /// The members of a group, newest person first.
    Group(Uuid),
    /// The persons of a department, newest first.
    Department(Uuid),
    /// Whoever changed since, oldest change first.
    ChangedSince(DateTime<Utc>),
}

/// The wanted persons after a position, at most `limit`.
pub(super) async fn list(
    tx: &TenantTx,
    wanted: &Wanted,
    mut after: Option<Position>,
    limit: usize,
) -> Result<Part, DbError> {
    let source = source(tx, wanted).await?;
    // One more shows that another page follows.
    let enough = limit.saturating_add(1);
    let mut at_once = if wanted.is_everything_of(&source) {
        enough
    } else {
        AT_ONCE
    };
    let mut rows: Vec<Model> = Vec::new();
    let mut examined = 0_usize;
    loop {
        let candidates = candidates(tx, &source, after, at_once).await?;
        let last = candidates.last().copied();
        let ended = candidates.len() < at_once;
        examined = examined.saturating_add(candidates.len());
        let ids = candidates.iter().map(|candidate| candidate.id).collect();
        let mut kept = keep(tx, wanted, ids).await?;
        // In the order of the candidates, whatever order the rows came in.
        rows.extend(
            candidates
                .iter()
                .filter_map(|candidate| kept.remove(&candidate.id)),
        );
        after = last.or(after);
        if rows.len() > limit {
            rows.truncate(limit);
            let next = rows.last().map(|row| Position {
                at: row.updated_at,
                id: row.id,
            });
            return Ok(Part { rows, next });
        }
        if ended {
            return Ok(Part { rows, next: None });
        }
        if examined >= EXAMINED_MAX {
            return Ok(Part { rows, next: after });
        }
        at_once = at_once.saturating_mul(2).min(AT_ONCE_MAX);
    }
}

impl Wanted {
    /// Whether each candidate of a source is wanted.
    fn is_everything_of(&self, source: &Source) -> bool {
        let Self {
            term,
            code,
            phone,
            card_no,
            external_id,
            number,
            kind,
            group_id,
            department_id,
            updated_since,
        } = self;
        let conditions = [
            term.is_some(),
            code.is_some(),
            phone.is_some(),
            card_no.is_some(),
            external_id.is_some(),
            number.is_some(),
            kind.is_some(),
            group_id.is_some(),
            department_id.is_some(),
            updated_since.is_some(),
        ];
        let conditions = conditions.iter().filter(|set| **set).count();
        conditions <= usize::from(*source != Source::All)
    }
}

/// The index that leaves the fewest candidates.
async fn source(tx: &TenantTx, wanted: &Wanted) -> Result<Source, DbError> {
    if let Some(few) = found_at_once(tx, wanted).await? {
        return Ok(Source::These(few));
    }
    if let Some(term) = &wanted.term
        && let Some(few) = found_by_term(tx, term).await?
    {
        return Ok(Source::These(few));
    }
    // With a term the order is always that of the ids, however many it finds.
    if let (Some(since), None) = (wanted.updated_since, &wanted.term) {
        return Ok(Source::ChangedSince(since));
    }
    Ok(match wanted {
        Wanted {
            group_id: Some(group),
            ..
        } => Source::Group(*group),
        Wanted {
            department_id: Some(department),
            ..
        } => Source::Department(*department),
        Wanted {
            kind: Some(kind), ..
        } => Source::Type(kind.to_string()),
        Wanted { .. } => Source::All,
    })
}

/// Whom a condition names that few can meet; `None` where there is no such condition.
async fn found_at_once(tx: &TenantTx, wanted: &Wanted) -> Result<Option<Vec<Uuid>>, DbError> {
    let tenant = tx.tenant_uuid().into();
    let statement = if let Some(number) = wanted.number {
        sql(
            "select id from directory.persons where tenant_id = $1 and number = $2",
            [tenant, number.into()],
        )
    } else if let Some(code) = &wanted.code {
        sql(
            "select id from directory.persons where tenant_id = $1 and code = $2",
            [tenant, code.as_str().into()],
        )
    } else if let Some(card) = &wanted.card_no {
        sql(
            "select person_id as id from directory.person_cards where tenant_id = $1 and card_no = $2",
            [tenant, card.as_str().into()],
        )
    } else if let Some((system, id)) = &wanted.external_id {
        sql(
            "select person_id as id from directory.person_external_ids
              where tenant_id = $1 and system = $2 and external_id = $3",
            [tenant, system.as_str().into(), id.as_str().into()],
        )
    } else if let Some(phone) = &wanted.phone {
        sql(
            "select id from directory.persons where tenant_id = $1 and phone = $2 order by id desc limit 20000",
            [tenant, phone.as_str().into()],
        )
    } else {
        return Ok(None);
    };
    let ids = Id::find_by_statement(statement).all(tx.conn()).await?;
    Ok(Some(ids.into_iter().map(|row| row.id).collect()))
}

/// Whom a term finds, newest first; `None` where these are many.
async fn found_by_term(tx: &TenantTx, term: &str) -> Result<Option<Vec<Uuid>>, DbError> {
    let most = FOUND_BY_TERM_MAX.saturating_add(1);
    let statement = sql(
        "select person_id as id from directory.person_terms
          where tenant_id = $1 and term >= $2 and term < $3 limit $4",
        [
            tx.tenant_uuid().into(),
            term.into(),
            beyond(term).into(),
            i64::try_from(most).unwrap_or(i64::MAX).into(),
        ],
    );
    let found = Id::find_by_statement(statement).all(tx.conn()).await?;
    if found.len() >= most {
        return Ok(None);
    }
    let mut ids: Vec<Uuid> = found.into_iter().map(|row| row.id).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.dedup();
    Ok(Some(ids))
}

/// The end of the range of texts that begin like this one, by bytes: terms have no character like it.
fn beyond(beginning: &str) -> String {
    format!("{beginning}{}", char::MAX)
}

#[derive(FromQueryResult)]
struct Id {
    id: Uuid,
}

#[derive(FromQueryResult)]
struct Candidate {
    id: Uuid,
    at: DateTime<Utc>,
}

/// The next candidates of a source.
async fn candidates(
    tx: &TenantTx,
    source: &Source,
    after: Option<Position>,
    at_once: usize,
) -> Result<Vec<Position>, DbError> {
    let mut values: Vec<Value> = vec![
        tx.tenant_uuid().into(),
        i64::try_from(at_once).unwrap_or(i64::MAX).into(),
    ];
    // `at` matters to one source alone; the others have it for the form's sake.
    let text = match source {
        Source::These(ids) => {
            let rest = ids
                .iter()
                .filter(|id| after.is_none_or(|after| **id < after.id));
            return Ok(rest
                .take(at_once)
                .map(|id| Position {
                    at: DateTime::UNIX_EPOCH,
                    id: *id,
                })
                .collect());
        }
        Source::All => newest("directory.persons", "id", "", &mut values, after),
        Source::Type(kind) => {
            values.push(kind.as_str().into());
            newest(
                "directory.persons",
                "id",
                "and type = $3",
                &mut values,
                after,
            )
        }
        Source::Department(department) => {
            values.push((*department).into());
            newest(
                "directory.persons",
                "id",
                "and department_id = $3",
                &mut values,
                after,
            )
        }
        Source::Group(group) => {
            values.push((*group).into());
            newest(
                "directory.group_members",
                "person_id",
                "and group_id = $3",
                &mut values,
                after,
            )
        }
        Source::ChangedSince(since) => {
            values.push((*since).into());
            let from = match after {
                Some(after) => {
                    values.extend([after.at.into(), after.id.into()]);
                    "and (updated_at, id) > ($4, $5)"
                }
                None => "",
            };
            format!(
                "select id, updated_at as at from directory.persons
                  where tenant_id = $1 and updated_at >= $3 {from} order by updated_at, id limit $2"
            )
        }
    };
    let rows = Candidate::find_by_statement(sql(&text, values))
        .all(tx.conn())
        .await?;
    Ok(rows
        .into_iter()
        .map(|Candidate { id, at }| Position { at, id })
        .collect())
}

fn newest(
    table: &str,
    id: &str,
    of: &str,
    values: &mut Vec<Value>,
    after: Option<Position>,
) -> String {
    let before = after.map_or_else(String::new, |after| {
        values.push(after.id.into());
        format!("and {id} < ${}", values.len())
    });
    format!(
        "select {id} as id, to_timestamp(0) as at from {table}
          where tenant_id = $1 {of} {before} order by {id} desc limit $2"
    )
}

/// Those of the candidates that are wanted.
async fn keep(
    tx: &TenantTx,
    wanted: &Wanted,
    candidates: Vec<Uuid>,
) -> Result<HashMap<Uuid, Model>, DbError> {
    if candidates.is_empty() {
        return Ok(HashMap::new());
    }
    let mut values: Vec<Value> = vec![tx.tenant_uuid().into(), candidates.into()];
    let mut text =
        "select p.* from directory.persons p where p.tenant_id = $1 and p.id = any($2)".to_owned();
    let mut condition = |form: &str, given: Vec<Value>| {
        let mut parts = form.split('?');
        // Writing into a text cannot fail.
        let _ = write!(text, " and {}", parts.next().unwrap_or_default());
        for (part, value) in parts.zip(given) {
            values.push(value);
            let _ = write!(text, "${}{part}", values.len());
        }
    };
    let Wanted {
        term,
        code,
        phone,
        card_no,
        external_id,
        number,
        kind,
        group_id,
        department_id,
        updated_since,
    } = wanted;
    if let Some(number) = number {
        condition("p.number = ?", vec![(*number).into()]);
    }
    if let Some(code) = code {
        condition("p.code = ?", vec![code.as_str().into()]);
    }
    if let Some(phone) = phone {
        condition("p.phone = ?", vec![phone.as_str().into()]);
    }
    if let Some(kind) = kind {
        condition("p.type = ?", vec![kind.as_str().into()]);
    }
    if let Some(department) = department_id {
        condition("p.department_id = ?", vec![(*department).into()]);
    }
    if let Some(since) = updated_since {
        condition("p.updated_at >= ?", vec![(*since).into()]);
    }
    // `offset 0` keeps each of these a look into an index per candidate: as a join, the planner might
    // read all that the term finds.
    if let Some(term) = term {
        condition(
            "exists (select 1 from directory.person_terms t where t.tenant_id = p.tenant_id
               and t.person_id = p.id and t.term >= ? and t.term < ? offset 0)",
            vec![term.as_str().into(), beyond(term).into()],
        );
    }
    if let Some(card) = card_no {
        condition(
            "exists (select 1 from directory.person_cards c where c.tenant_id = p.tenant_id
               and c.card_no = ? and c.person_id = p.id offset 0)",
            vec![card.as_str().into()],
        );
    }
    if let Some((system, id)) = external_id {
        condition(
            "exists (select 1 from directory.person_external_ids e where e.tenant_id = p.tenant_id
               and e.system = ? and e.external_id = ? and e.person_id = p.id offset 0)",
            vec![system.as_str().into(), id.as_str().into()],
        );
    }
    if let Some(group) = group_id {
        condition(
            "exists (select 1 from directory.group_members m where m.tenant_id = p.tenant_id
               and m.group_id = ? and m.person_id = p.id offset 0)",
            vec![(*group).into()],
        );
    }
    let rows = Model::find_by_statement(sql(&text, values))
        .all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_beyond_everything_that_begins_like_it() {
        for longer in ["zhang", "zhangzz", "zhang\u{10fffe}"] {
            assert!(
                (longer >= "zhang") && longer < beyond("zhang").as_str(),
                "{longer}"
            );
        }
        assert!("zhanh" > beyond("zhang").as_str());
    }

    #[test]
    fn all_candidates_are_wanted_where_the_source_is_the_condition() {
        let group = Wanted {
            group_id: Some(Uuid::nil()),
            ..Wanted::default()
        };
        assert!(group.is_everything_of(&Source::Group(Uuid::nil())));
        assert!(Wanted::default().is_everything_of(&Source::All));
        let both = Wanted {
            term: Some("x".into()),
            ..group
        };
        assert!(!both.is_everything_of(&Source::Group(Uuid::nil())));
        let many = Wanted {
            term: Some("x".into()),
            ..Wanted::default()
        };
        assert!(!many.is_everything_of(&Source::All));
    }
}
