//! Writing persons into a table that an import takes: page by page in the order of their ids. What
//! is a secret stays here: document numbers are masked, PINs are left out.

use super::columns::Column;
use super::sheet::{self, Format, Line};
use super::store::{Options, Reached};
use super::upload::folder;
use super::work::{Undone, Work};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use uuid::Uuid;

const PAGE: i64 = 2_000;
/// Rows of one table; a workbook takes a million.
const ROWS_MAX: i64 = 1_000_000;

const COLUMNS: &[Column] = &[
    Column::Code,
    Column::Name,
    Column::Type,
    Column::Gender,
    Column::Birthday,
    Column::PhoneAreaCode,
    Column::Phone,
    Column::Email,
    Column::Position,
    Column::WorkPlace,
    Column::EntryOn,
    Column::DepartmentCode,
    Column::IdDocumentNumber,
    Column::Cards,
    Column::Remark,
    Column::Priority,
    Column::ValidFrom,
    Column::ValidTo,
    Column::WelcomeText,
    Column::DisplayText,
    Column::Groups,
    Column::Disabled,
];

/// Writes persons; the key of the table.
pub(super) async fn run(work: &Work<'_>) -> Result<Option<String>, Undone> {
    let kit = &work.directory.kit;
    let options = work.job.options();
    let format = options.format.as_deref().and_then(|word| word.parse().ok());
    let format = format.unwrap_or(Format::Xlsx);

    // The writer takes page after page, and no more than two of them are in memory.
    let (sent, mut pages) = mpsc::channel::<Vec<Line>>(1);
    let writing = tokio::task::spawn_blocking(move || {
        let lines = std::iter::from_fn(|| pages.blocking_recv()).flatten();
        sheet::write(format, COLUMNS, lines, false)
    });
    let (mut after, mut reached) = (Uuid::nil(), Reached::default());
    loop {
        work.go_on()?;
        let tx = kit.db.tenant(work.scope).await?;
        let page = page(&tx, &options, after).await?;
        drop(tx);
        let Some(last) = page.last() else { break };
        after = last.id;
        reached.done = reached
            .done
            .saturating_add(i64::try_from(page.len()).unwrap_or(i64::MAX));
        if reached.done > ROWS_MAX {
            return Err(Undone::Never(format!(
                "There are more than {ROWS_MAX} persons; export by group, department or type."
            )));
        }
        let lines = page.into_iter().map(Line::from).collect();
        if sent.send(lines).await.is_err() {
            // The writer says why it has ended.
            break;
        }
        reached.total = reached.done;
        reached.succeeded = reached.done;
        work.reached(reached, &[]).await?;
    }
    drop(sent);
    let table = writing
        .await
        .map_err(|error| Undone::Away(error.to_string()))?
        .map_err(|fault| Undone::Never(fault.to_string()))?;
    let key = format!("{}/persons.{format}", folder(work.scope, work.id()));
    kit.objects
        .put(&key, format.content_type(), table.into())
        .await?;
    Ok(Some(key))
}

/// A person as the table has it, already text.
#[derive(Debug, FromQueryResult)]
struct Exported {
    id: Uuid,
    cells: serde_json::Value,
}

impl From<Exported> for Line {
    fn from(row: Exported) -> Self {
        let cells: BTreeMap<Column, Option<String>> =
            serde_json::from_value(row.cells).unwrap_or_default();
        Self {
            cells: cells
                .into_iter()
                .filter_map(|(column, cell)| cell.map(|cell| (column, cell)))
                .collect(),
            faults: String::new(),
        }
    }
}

async fn page(tx: &TenantTx, options: &Options, after: Uuid) -> Result<Vec<Exported>, DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select p.id, jsonb_build_object(
                'code', p.code, 'name', p.name, 'type', p.type, 'gender', p.gender, 'birthday', p.birthday_on::text,
                'phone_area_code', p.phone_area_code, 'phone', p.phone, 'email', p.email, 'position', p.position,
                'work_place', p.work_place, 'entry_on', p.entry_on::text, 'department_code', d.code,
                'id_document_number', p.id_document_hint, 'remark', p.remark, 'priority', p.priority,
                'valid_from', to_char(p.valid_from at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                'valid_to', to_char(p.valid_to at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                'welcome_text', p.welcome_text, 'display_text', p.display_text,
                'disabled', case when p.disabled_at is not null then 'true' end,
                'cards', (select string_agg(c.card_no, ';' order by c.position) from directory.person_cards c
                           where c.tenant_id = p.tenant_id and c.person_id = p.id),
                'groups', (select string_agg(g.name, ';' order by g.name) from directory.group_members m
                             join directory.groups g on g.tenant_id = m.tenant_id and g.id = m.group_id
                            where m.tenant_id = p.tenant_id and m.person_id = p.id)) as cells
               from directory.persons p
               left join directory.departments d on d.tenant_id = p.tenant_id and d.id = p.department_id
              where p.tenant_id = $1 and p.id > $2
                and ($3::uuid is null or exists (select from directory.group_members m
                       where m.tenant_id = p.tenant_id and m.group_id = $3 and m.person_id = p.id))
                and ($4::uuid is null or p.department_id = $4)
                and ($5::text is null or p.type = $5)
              order by p.id limit $6",
            [
                tx.tenant_uuid().into(),
                after.into(),
                options.group_id.into(),
                options.department_id.into(),
                options.kind.clone().into(),
                PAGE.into(),
            ],
        ))
        .await?;
    Ok(rows
        .iter()
        .map(|row| Exported::from_query_result(row, ""))
        .collect::<Result<_, _>>()?)
}
