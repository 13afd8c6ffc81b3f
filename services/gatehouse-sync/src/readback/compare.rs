//! What a terminal told, compared with what it confirmed, page by page, and mended. Runs within one
//! transaction, while the device is held: nothing is settled or offered for it meanwhile.
//!
//! Rows on which something happened after the reading began are passed over: the terminal may have
//! told of them before or after.

use super::register::{self, Judgeable};
use super::same::{self, Expected};
use super::store::Row;
use chrono::{DateTime, Utc};
use gatehouse_domain::{CommandId, DeviceId, PersonId};
use gatehouse_platform::db::{DbError, TenantTx};
use serde_json::{Value, json};
use uuid::Uuid;

/// Persons of one page.
const PAGE: i64 = 1_000;
/// Findings that are kept.
const FINDINGS: usize = 200;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// How many persons the terminal told.
    pub(super) told: i64,
    /// Confirmed and not there.
    pub(super) missing: i64,
    /// There and not confirmed.
    pub(super) surplus: i64,
    /// There otherwise.
    pub(super) differing: i64,
    /// The first of these.
    pub(super) findings: Value,
}

#[derive(Debug, Default)]
struct Findings(Vec<Value>);

impl Findings {
    fn add(&mut self, kind: &str, number: &str, person: Option<Uuid>, fields: &[&str]) {
        if self.0.len() < FINDINGS {
            self.0.push(json!({
                "kind": kind,
                "number": number,
                "person_id": person.map(PersonId::from_uuid),
                "fields": fields,
            }));
        }
    }
}

/// Compares and mends.
///
/// # Errors
/// The database's.
pub(super) async fn compare(
    tx: &TenantTx,
    readback: &Row,
    command: CommandId,
    began_at: DateTime<Utc>,
) -> Result<Compared, DbError> {
    let device = DeviceId::from_uuid(readback.device_id);
    let mut compared = Compared::default();
    let mut findings = Findings::default();
    let mut after = -1;
    // 1. Whom the terminal told: those it confirmed, and those it should not have.
    loop {
        let page = register::page(tx, device, command, began_at, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.index;
        compared.told = compared.told.saturating_add(count(page.len()));
        let mut judged = Judged::default();
        for row in page {
            judged.take(row, readback, &mut findings);
        }
        compared.differing = compared
            .differing
            .saturating_add(count(judged.differing.len()));
        register::prove(tx, device, &judged.proved).await?;
        register::tell_anew(tx, device, &judged.differing).await?;
        register::note_held(tx, device, &judged.unexpected).await?;
        compared.surplus = compared.surplus.saturating_add(judged.unconfirmed);
        for (number, person) in register::take_away(tx, device, &judged.strangers).await? {
            findings.add("surplus", &number, person, &[]);
            compared.surplus = compared.surplus.saturating_add(1);
        }
    }
    // 2. Whom it did not tell.
    register::drop_gone(tx, device, command, began_at).await?;
    for (number, person, was_confirmed) in
        register::forget_missing(tx, device, command, began_at).await?
    {
        if was_confirmed {
            findings.add("missing", &number, person, &[]);
            compared.missing = compared.missing.saturating_add(1);
        }
    }
    compared.findings = Value::Array(findings.0);
    Ok(compared)
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// The persons of a page, by what is to be done.
#[derive(Debug, Default)]
struct Judged {
    /// As confirmed.
    proved: Vec<String>,
    /// Otherwise than confirmed.
    differing: Vec<String>,
    /// Not confirmed, and there.
    unexpected: Vec<String>,
    /// Of these, those of whom the terminal should not have anything even by chance.
    unconfirmed: i64,
    /// Not known as somebody of this terminal.
    strangers: Vec<String>,
}

impl Judged {
    fn take(&mut self, row: Judgeable, readback: &Row, findings: &mut Findings) {
        let Judgeable {
            index: _,
            number,
            told,
            person_id,
            is_assigned,
            is_settled,
            is_confirmed,
            maybe_held,
            is_current,
            expected,
        } = row;
        if !is_assigned {
            if !number.is_empty() && !readback.removed_meanwhile.contains(&number) {
                self.strangers.push(number);
            }
        } else if !is_settled {
            // Something happened to it since the reading began.
        } else if !is_confirmed {
            if !maybe_held {
                findings.add("surplus", &number, person_id, &[]);
                self.unconfirmed = self.unconfirmed.saturating_add(1);
            }
            self.unexpected.push(number);
        } else if is_current {
            let fields = expected
                .as_ref()
                .map(|expected: &Expected| same::differing(expected, &told))
                .unwrap_or_default();
            if fields.is_empty() {
                self.proved.push(number);
            } else {
                findings.add("differing", &number, person_id, &fields);
                self.differing.push(number);
            }
        }
    }
}
