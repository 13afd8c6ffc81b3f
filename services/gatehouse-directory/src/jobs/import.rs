//! What happens in an import, from top to bottom: each row by itself, in a transaction of its own, so
//! that one that cannot be taken holds up no other. A dry run does the same and keeps nothing.
//!
//! Rows are matched by code. A row that is done twice, because a process died in between, finds the
//! person as the first time left it, and changes nothing.

use super::columns::{self, Column, Said};
use super::lookup;
use super::masked;
use super::sheet::{self, Format, Line, Row};
use super::store::{self, Existing, Options, Outcome, Reached, RowOutcome};
use super::upload::{folder, photo_hash, photo_key};
use super::work::{Undone, Work};
use crate::access_changes::{self, Scope};
use crate::groups;
use crate::persons::{self, NewPerson, normal_card};
use crate::photos::{self, Place};
use crate::reading::Reading;
use crate::tenants;
use bytes::Bytes;
use chrono_tz::Tz;
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::objects::ObjectError;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Progress is told after so many rows, or after so long.
const TELL_ROWS: usize = 50;
const TELL_AFTER: Duration = Duration::from_secs(2);
/// Rows of the report that are read at once.
const REPORT_ROWS: u64 = 1_000;

/// Brings persons in; the key of the report, where a row failed.
pub(super) async fn run(work: &Work<'_>) -> Result<Option<String>, Undone> {
    // 1. Read the table.
    let key = work.job.input_key.clone();
    let key = key.ok_or_else(|| Undone::Never("The table of the job is gone.".to_owned()))?;
    let table = work.directory.kit.objects.get(&key).await?.body;
    let rows = tokio::task::spawn_blocking(move || sheet::read(&table))
        .await
        .map_err(|error| Undone::Away(error.to_string()))?
        .map_err(|fault| Undone::Never(fault.to_string()))?;

    // 2. Take the rows, from where somebody else may have stopped.
    let importer = Importer::new(work, firsts(&rows)).await?;
    let mut reached = Reached {
        total: i64::try_from(rows.len()).unwrap_or(i64::MAX),
        done: work.job.done,
        succeeded: work.job.succeeded,
        failed: work.job.failed,
    };
    let (mut told, mut told_at) = (Vec::new(), Instant::now());
    for row in rows.iter().skip(usize::try_from(reached.done).unwrap_or(0)) {
        work.go_on()?;
        let outcome = importer.row(row, reached).await?;
        reached.done = reached.done.saturating_add(1);
        match outcome.outcome {
            Outcome::Failed => reached.failed = reached.failed.saturating_add(1),
            Outcome::Created | Outcome::Updated | Outcome::Unchanged => {
                reached.succeeded = reached.succeeded.saturating_add(1);
            }
        }
        if outcome.outcome == Outcome::Failed || work.job.dry_run {
            told.push(outcome);
        }
        // Where each row counts itself, none that failed may be left behind.
        let at_once = importer.counts_itself() && !told.is_empty();
        if at_once || told.len() >= TELL_ROWS || told_at.elapsed() > TELL_AFTER {
            work.reached(reached, &told).await?;
            access_changes::wake(work.directory, work.scope.tenant());
            (told, told_at) = (Vec::new(), Instant::now());
        }
    }
    work.reached(reached, &told).await?;
    access_changes::wake(work.directory, work.scope.tenant());

    // 3. A table with the rows that failed, to be mended and uploaded again.
    let report = if reached.failed > 0 {
        Some(report(work, &rows).await?)
    } else {
        None
    };
    Ok(report)
}

/// In which row each code and each card stands first. What stands twice is found here and not by the
/// database, so that a dry run finds it as well.
fn firsts(rows: &[Row]) -> Firsts {
    let mut firsts = Firsts::default();
    for row in rows {
        firsts.codes.entry(code_of(row)).or_insert(row.number);
        for card in cards_of(row) {
            firsts.cards.entry(card).or_insert(row.number);
        }
    }
    firsts
}

fn cards_of(row: &Row) -> Vec<String> {
    let said = columns::said(&row.cells);
    let cards = said.patch.cards.flatten().unwrap_or_default();
    cards.iter().map(|card| normal_card(card)).collect()
}

fn code_of(row: &Row) -> String {
    let code = row.cells.get(&Column::Code);
    code.map(|code| code.trim().to_owned()).unwrap_or_default()
}

/// The row in which something stands first.
#[derive(Default)]
struct Firsts {
    codes: BTreeMap<String, i64>,
    cards: BTreeMap<String, i64>,
}

impl Firsts {
    /// What a row has that stands in an earlier one.
    fn repeated(&self, row: &Row, code: &str) -> Option<Problem> {
        let earlier = |first: Option<&i64>| first.copied().filter(|first| *first < row.number);
        if let Some(first) = earlier(self.codes.get(code)) {
            return Some(Problem::invalid(
                "code",
                format!("stands in row {first} already"),
            ));
        }
        cards_of(row).into_iter().find_map(|card| {
            let first = earlier(self.cards.get(&card))?;
            Some(Problem::invalid(
                "cards",
                format!("has {card}, which stands in row {first} already"),
            ))
        })
    }
}

/// What all rows have in common.
struct Importer<'a> {
    work: &'a Work<'a>,
    options: Options,
    existing: Existing,
    zone: Tz,
    firsts: Firsts,
}

impl<'a> Importer<'a> {
    async fn new(work: &'a Work<'a>, firsts: Firsts) -> Result<Self, Undone> {
        let options = work.job.options();
        let existing = options
            .existing
            .as_deref()
            .and_then(|word| word.parse().ok());
        let tx = work.directory.kit.db.tenant(work.scope).await?;
        Ok(Self {
            work,
            existing: existing.unwrap_or(Existing::Update),
            zone: tenants::zone(&tx).await?,
            options,
            firsts,
        })
    }

    /// Whether a row is counted in its own transaction: done a second time, after another process took
    /// over, it would find the person that it made itself, and fail.
    fn counts_itself(&self) -> bool {
        self.existing == Existing::Fail && !self.work.job.dry_run
    }

    async fn count(&self, tx: &TenantTx, mut reached: Reached) -> Answer<()> {
        reached.done = reached.done.saturating_add(1);
        reached.succeeded = reached.succeeded.saturating_add(1);
        let node = &self.work.directory.kit.node;
        if store::reached(tx, self.work.id(), node, reached).await? {
            return Ok(());
        }
        let detail = "The job was cancelled, or is another's now.";
        Err(Problem::new(ProblemCode::Unavailable, detail))
    }

    /// Takes one row; so far the job was before it.
    async fn row(&self, row: &Row, before: Reached) -> Result<RowOutcome, Undone> {
        let code = code_of(row);
        let taken = match self.firsts.repeated(row, &code) {
            _ if code.is_empty() => Err(Problem::invalid(
                "code",
                "is missing; rows are matched by it",
            )),
            Some(problem) => Err(problem),
            None => self.person(&code, columns::said(&row.cells), before).await,
        };
        let (outcome, faults) = match taken {
            Ok(outcome) => (outcome, Vec::new()),
            Err(problem) if problem.code() == ProblemCode::Unavailable => {
                return Err(Undone::Away(problem.detail().to_owned()));
            }
            Err(problem) => (Outcome::Failed, vec![problem.detail().to_owned()]),
        };
        let content = if outcome == Outcome::Failed {
            Some(masked::sealed(
                &row.cells,
                &self.work.directory.kit.secrets,
            )?)
        } else {
            None
        };
        Ok(RowOutcome {
            number: row.number,
            outcome,
            code,
            content,
            faults,
        })
    }

    async fn person(&self, code: &str, said: Said, before: Reached) -> Answer<Outcome> {
        let kit = &self.work.directory.kit;
        // The photo is judged before anything is written: a row is taken as a whole or not at all.
        let photo = match self.photo(code).await? {
            Some(bytes) => {
                Some(photos::examine(self.work.directory, self.work.scope, bytes).await?)
            }
            None => None,
        };
        if let Some(photo) = &photo
            && !self.work.job.dry_run
        {
            photos::lay_by(self.work.directory, self.work.scope, photo).await?;
        }
        let tx = kit.db.tenant(self.work.scope).await?;
        let known = lookup::by_code(&tx, code).await?;
        if known.is_some() && self.existing == Existing::Skip {
            return Ok(Outcome::Unchanged);
        }
        if known.is_some() && self.existing == Existing::Fail {
            let detail = format!("A person with the code {code} exists.");
            return Err(Problem::new(ProblemCode::AlreadyExists, detail));
        }
        let mut patch = said.patch;
        if let Some(department) = said.department_code {
            patch.department_id = Some(Some(lookup::department(&tx, &department).await?));
        }
        let group_ids = lookup::named_groups(&tx, &said.groups).await?;
        let mut reading = Reading::begin();
        if known.is_none() && patch.name.is_none() {
            reading.fault("/name", "is needed for somebody new");
        }
        let given = persons::read(&mut reading, patch, self.zone);
        reading.end()?;
        let (person, mut outcome, mut for_terminals) = match known {
            None => {
                let new = NewPerson {
                    given,
                    group_ids: group_ids.clone(),
                };
                let person = persons::create(&tx, &kit.secrets, new, None).await?;
                (person, Outcome::Created, !group_ids.is_empty())
            }
            Some(person) => {
                let changed =
                    persons::change(&tx, &kit.secrets, person, &given, None, None).await?;
                groups::check_joining(&tx, person, &group_ids).await?;
                let joined = persons::join_groups(&tx, person.uuid(), &group_ids).await?;
                let outcome = if changed.anything || joined {
                    Outcome::Updated
                } else {
                    Outcome::Unchanged
                };
                (person, outcome, changed.for_terminals || joined)
            }
        };
        // In a dry run it has been judged, and that is all.
        if let Some(photo) = photo
            && !self.work.job.dry_run
            && photos::keep(self.work.directory, &tx, person, Place::Main, &photo, None)
                .await?
                .new
        {
            for_terminals = true;
            if outcome == Outcome::Unchanged {
                outcome = Outcome::Updated;
            }
        }
        if for_terminals {
            access_changes::note(&tx, "person.imported", Scope::Persons(&[person])).await?;
        }
        if self.counts_itself() {
            self.count(&tx, before).await?;
        }
        if !self.work.job.dry_run {
            tx.commit().await?;
        }
        Ok(outcome)
    }

    async fn photo(&self, code: &str) -> Answer<Option<Bytes>> {
        if self.options.photos == 0 {
            return Ok(None);
        }
        let folder = folder(self.work.scope, self.work.id());
        let key = photo_key(&folder, &photo_hash(code));
        match self.work.directory.kit.objects.get(&key).await {
            Ok(object) => Ok(Some(object.body)),
            Err(ObjectError::NotFound) => Ok(None),
            Err(error) => Err(super::upload::away(&error)),
        }
    }
}

/// Writes the rows that failed into a table of the same format.
async fn report(work: &Work<'_>, rows: &[Row]) -> Result<String, Undone> {
    let kit = &work.directory.kit;
    let used: Vec<Column> = Column::ALL
        .iter()
        .copied()
        .filter(|column| rows.iter().any(|row| row.cells.contains_key(column)))
        .collect();
    let format = work.job.options().format.and_then(|word| word.parse().ok());
    let format = format.unwrap_or(Format::Xlsx);
    let (mut lines, mut after) = (Vec::new(), 0);
    loop {
        let tx = kit.db.tenant(work.scope).await?;
        let noted = store::rows(&tx, work.id(), Some(Outcome::Failed), after, REPORT_ROWS).await?;
        let Some(last) = noted.last() else { break };
        after = last.row_number;
        for row in noted {
            lines.push(Line {
                cells: masked::opened(row.cells(), &kit.secrets)?,
                faults: row.faults().join(" "),
            });
        }
    }
    let table =
        tokio::task::spawn_blocking(move || sheet::write(format, &used, lines.into_iter(), true))
            .await
            .map_err(|error| Undone::Away(error.to_string()))?
            .map_err(|fault| Undone::Never(fault.to_string()))?;
    let key = format!("{}/report.{format}", folder(work.scope, work.id()));
    kit.objects
        .put(&key, format.content_type(), table.into())
        .await?;
    Ok(key)
}
