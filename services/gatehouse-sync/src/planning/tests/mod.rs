//! Planning against a real database, from the directory's rows to assignments.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod assignments;
mod distributions;
mod equivalence;
mod reasons;

use super::changes::{self, Change, Scope};
use super::plan::{self, Planned};
use crate::testing::House;
use chrono::{DateTime, Utc};
use gatehouse_domain::DeviceId;
use gatehouse_platform::db::{DIRECTORY, sql};
use sea_orm::{FromQueryResult, Value};
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// A row as planning leaves it.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
struct Row {
    device_id: Uuid,
    person_id: Option<Uuid>,
    admittance: String,
    week_id: Option<Uuid>,
    desired: Option<Vec<u8>>,
    state: String,
    urgency: i16,
    due_at: Option<DateTime<Utc>>,
    attempts: i32,
    offer: Option<Uuid>,
    error_code: Option<String>,
    change_id: Option<Uuid>,
    /// The transaction that wrote the row last.
    written_by: String,
}

impl House {
    async fn direct(&self, text: &str, values: Vec<Value>) -> u64 {
        self.run_as(DIRECTORY, text, values).await
    }

    async fn person(&self) -> Uuid {
        let id = Uuid::now_v7();
        self.direct(
            "insert into directory.persons (tenant_id, id, type, name, photo_count, terminal_hash) \
             values ($1, $2, 'staff', 'Somebody', 1, sha256($2::text::bytea))",
            vec![id.into()],
        )
        .await;
        id
    }

    /// The person's profile, as terminals see it, is another.
    async fn edit(&self, person: Uuid) {
        self.direct(
            "update directory.persons set terminal_hash = sha256(terminal_hash) where tenant_id = $1 and id = $2",
            vec![person.into()],
        )
        .await;
    }

    /// Sets a column of a person, which changes what terminals see.
    async fn set(&self, person: Uuid, assignment: &str) {
        let statement =
            format!("update directory.persons set {assignment} where tenant_id = $1 and id = $2");
        self.direct(&statement, vec![person.into()]).await;
        self.edit(person).await;
    }

    async fn group(&self, kind: &str) -> Uuid {
        let id = Uuid::now_v7();
        self.direct(
            "insert into directory.groups (tenant_id, id, name, type) values ($1, $2, $2::text, $3)",
            vec![id.into(), kind.into()],
        )
        .await;
        id
    }

    async fn join(&self, group: Uuid, person: Uuid) {
        self.direct(
            "insert into directory.group_members (tenant_id, group_id, person_id) values ($1, $2, $3) on conflict do nothing",
            vec![group.into(), person.into()],
        )
        .await;
    }

    async fn leave(&self, group: Uuid, person: Uuid) {
        self.direct(
            "delete from directory.group_members where tenant_id = $1 and group_id = $2 and person_id = $3",
            vec![group.into(), person.into()],
        )
        .await;
    }

    async fn schedule(&self, plan: Json) -> Uuid {
        let id = Uuid::now_v7();
        self.direct(
            "insert into directory.schedules (tenant_id, id, name, plan) values ($1, $2, $2::text, $3)",
            vec![id.into(), plan.into()],
        )
        .await;
        id
    }

    async fn permit(&self, device: DeviceId, group: Uuid, schedule: Option<Uuid>) -> Uuid {
        let id = Uuid::now_v7();
        self.direct(
            "insert into directory.authorities (tenant_id, id, schedule_id) values ($1, $2, $3)",
            vec![id.into(), schedule.into()],
        )
        .await;
        self.direct(
            "insert into directory.authority_devices (tenant_id, authority_id, device_id) values ($1, $2, $3)",
            vec![id.into(), device.uuid().into()],
        )
        .await;
        self.direct(
            "insert into directory.authority_groups (tenant_id, authority_id, group_id) values ($1, $2, $3)",
            vec![id.into(), group.into()],
        )
        .await;
        id
    }

    async fn forbid(&self, authority: Uuid) {
        self.direct(
            "delete from directory.authorities where tenant_id = $1 and id = $2",
            vec![authority.into()],
        )
        .await;
    }

    async fn note(&self, devices: Option<Vec<Uuid>>, persons: Option<Vec<Uuid>>) -> Uuid {
        let id = Uuid::now_v7();
        self.direct(
            "insert into directory.access_changes (tenant_id, id, reason, device_ids, person_ids) values ($1, $2, 'test', $3, $4)",
            vec![id.into(), devices.into(), persons.into()],
        )
        .await;
        id
    }

    /// Plans everything that is noted.
    async fn plan_noted(&self) -> Planned {
        let tx = self.tx().await;
        plan::hold(&tx).await.unwrap();
        let noted = changes::take(&tx, None).await.unwrap();
        let planned = plan::changes(&tx, Utc::now(), &noted).await.unwrap();
        tx.commit().await.unwrap();
        planned
    }

    async fn waiting(&self) -> Vec<Change> {
        let tx = self.tx().await;
        changes::take(&tx, None).await.unwrap()
    }

    async fn plan_devices(&self, devices: &[DeviceId]) -> Planned {
        self.note(Some(devices.iter().map(|d| d.uuid()).collect()), None)
            .await;
        self.plan_noted().await
    }

    async fn plan_persons(&self, persons: &[Uuid]) -> Planned {
        self.note(None, Some(persons.to_vec())).await;
        self.plan_noted().await
    }

    async fn plan_at(&self, now: DateTime<Utc>, scope: Scope) -> Planned {
        let tx = self.tx().await;
        plan::hold(&tx).await.unwrap();
        let planned = plan::scope(&tx, now, scope, "test").await.unwrap();
        tx.commit().await.unwrap();
        planned
    }

    async fn planned_rows(&self) -> Vec<Row> {
        let tx = self.tx().await;
        let statement = sql(
            "select *, xmin::text as written_by from sync.assignments where tenant_id = $1 order by device_id, number::bigint",
            [tx.tenant_uuid().into()],
        );
        Row::find_by_statement(statement)
            .all(tx.conn())
            .await
            .unwrap()
    }

    async fn the_row(&self) -> Row {
        let mut rows = self.planned_rows().await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    /// Every device holds what it should, as if all had been sent and confirmed an hour ago.
    async fn confirm(&self) {
        self.run(
            "delete from sync.assignments where tenant_id = $1 and desired is null",
            vec![],
        )
        .await;
        self.alter(
            "applied = desired, state = 'applied', due_at = null, maybe_held = false, attempts = 0, offer = null, \
             sent_at = now() - interval '1 hour', applied_at = now() - interval '1 hour'",
        )
        .await;
    }

    /// Changes the rows of those who can be sent: who has no photo is not.
    async fn alter(&self, assignment: &str) {
        let statement = format!(
            "update sync.assignments set {assignment} where tenant_id = $1 and not (state = 'failed' and error_code = 'no_photo')"
        );
        self.run(&statement, vec![]).await;
    }

    /// A device, a group that may pass it, and a member; planned.
    async fn lodge(&self) -> (DeviceId, Uuid, Uuid) {
        let (device, group, person) = (
            self.device("terminal_ws").await,
            self.group("staff").await,
            self.person().await,
        );
        self.join(group, person).await;
        let schedule = self.schedule(daily()).await;
        self.permit(device, group, Some(schedule)).await;
        let planned = self.plan_devices(&[device]).await;
        assert_eq!((planned.adds, planned.devices), (1, vec![device.uuid()]));
        (device, group, person)
    }
}

/// A schedule of every day from eight to six.
fn daily() -> Json {
    let day =
        |weekday: u8| json!({"weekday": weekday, "periods": [{"from": "08:00", "to": "18:00"}]});
    json!({"weekdays": (1..=7).map(day).collect::<Vec<_>>(), "holidays": []})
}

/// The same, closed on a date.
fn daily_but(date: chrono::NaiveDate) -> Json {
    let mut plan = daily();
    plan["holidays"] = json!([{"date": date, "open": false, "periods": []}]);
    plan
}

fn counts(planned: &Planned) -> (i64, i64, i64) {
    (planned.adds, planned.updates, planned.removes)
}
