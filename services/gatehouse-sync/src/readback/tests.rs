//! Read-backs against a real database.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::{daily, progress, store};
use crate::testing::House;
use gatehouse_contracts::CommandFinished;
use gatehouse_domain::command::{CommandState, CommandType};
use gatehouse_domain::{CommandId, DeviceId, ReadbackId};
use gatehouse_platform::db::{DIRECTORY, HUB};
use serde_json::{Value, json};
use uuid::Uuid;

/// A read-back of one terminal, with the hub's part played here.
struct Reading {
    house: House,
    device: DeviceId,
    id: ReadbackId,
}

impl Reading {
    async fn begin(full: bool) -> Self {
        let house = House::new().await;
        let device = house.terminal(1).await;
        let tx = house.tx().await;
        let (row, is_new) = store::begin(&tx, device, full).await.unwrap();
        tx.commit().await.unwrap();
        assert!(is_new);
        Self {
            house,
            device,
            id: ReadbackId::from_uuid(row.id),
        }
    }

    async fn now(&self) -> store::Row {
        let tx = self.house.tx().await;
        store::find(&tx, self.id).await.unwrap().unwrap()
    }

    /// The command that was wanted last.
    async fn wanted(&self) -> (CommandId, String) {
        let told = self.house.told("command.wanted.v1").await;
        let last = told.last().unwrap();
        let id = last["command_id"].as_str().unwrap().parse().unwrap();
        (id, last["type"].as_str().unwrap().to_owned())
    }

    /// The hub's row of a command, sent now.
    async fn send(&self, command: CommandId, kind: CommandType) {
        self.house
            .run_as(
                HUB,
                "insert into hub.commands (tenant_id, id, device_id, type, state, urgency, origin, expires_at, sent_at) \
                 values ($1, $2, $3, $4, 'sent', 20, 'readback', now(), now())",
                vec![
                    command.uuid().into(),
                    self.device.uuid().into(),
                    kind.as_str().into(),
                ],
            )
            .await;
    }

    async fn end(&self, command: CommandId, kind: CommandType, state: CommandState, result: Value) {
        self.house
            .run_as(
                HUB,
                "update hub.commands set state = $3, result = $4 where tenant_id = $1 and id = $2",
                vec![command.uuid().into(), state.as_str().into(), result.into()],
            )
            .await;
        let event = CommandFinished {
            command_id: command,
            device_id: self.device,
            command_type: kind,
            state,
        };
        // Twice: a repeat changes nothing.
        for _ in 0..2 {
            let tx = self.house.tx().await;
            progress::go_on(&tx, &event).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    async fn count(&self, count: i64) {
        let (command, kind) = self.wanted().await;
        assert_eq!(kind, "count_persons");
        self.send(command, CommandType::CountPersons).await;
        self.end(
            command,
            CommandType::CountPersons,
            CommandState::Succeeded,
            json!({ "count": count }),
        )
        .await;
    }

    /// The terminal begins to tell.
    async fn tell(&self, numbers: &[&str]) -> CommandId {
        let (command, kind) = self.wanted().await;
        assert_eq!(kind, "list_persons");
        self.send(command, CommandType::ListPersons).await;
        for (index, number) in (0_i64..).zip(numbers) {
            self.house
                .run_as(
                    HUB,
                    "insert into hub.command_persons (tenant_id, command_id, index, person) values ($1, $2, $3, $4)",
                    vec![
                        command.uuid().into(),
                        index.into(),
                        json!({ "number": number, "name": "Somebody" }).into(),
                    ],
                )
                .await;
        }
        command
    }

    async fn told(&self, command: CommandId) {
        let tx = self.house.tx().await;
        let count = store::kept(&tx, command).await.unwrap();
        drop(tx);
        self.told_as(command, count).await;
    }

    /// The terminal says that it told so many.
    async fn told_as(&self, command: CommandId, count: i64) {
        self.end(
            command,
            CommandType::ListPersons,
            CommandState::Succeeded,
            json!({ "count": count }),
        )
        .await;
    }

    /// A person of the tenant whom the terminal holds as it was told.
    async fn person(&self, name: &str) -> String {
        let id = Uuid::now_v7();
        self.house
            .run_as(
                DIRECTORY,
                "insert into directory.persons (tenant_id, id, type, name, terminal_hash) values ($1, $2, 'staff', $3, '\\x01')",
                vec![id.into(), name.into()],
            )
            .await;
        self.house
            .run(
                "insert into sync.assignments (tenant_id, device_id, number, person_id, admittance, desired, applied, state, applied_at) \
                 select $1, $2, p.number::text, p.id, 'always', h.content, h.content, 'applied', now() - interval '1 hour' \
                   from directory.persons p, sync.content_hash('\\x01', 'always', null, '') h (content) \
                  where p.tenant_id = $1 and p.id = $3",
                vec![self.device.uuid().into(), id.into()],
            )
            .await;
        let rows = self.house.rows(self.device).await;
        let row = rows.into_iter().find(|row| row.person_id == Some(id));
        row.unwrap().number
    }
}

#[tokio::test]
async fn a_count_that_agrees_is_enough_where_not_everything_is_asked() {
    let reading = Reading::begin(false).await;
    reading.house.held(reading.device, "1", b"x").await;
    // Somebody who may or may not be there makes no difference either way.
    reading.house.want(reading.device, "2", Some(b"x")).await;
    reading
        .house
        .run(
            "update sync.assignments set maybe_held = true where tenant_id = $1 and number = '2'",
            vec![],
        )
        .await;
    reading.count(2).await;
    let row = reading.now().await;
    assert_eq!(
        (row.state.as_str(), row.counted, row.expected),
        ("succeeded", Some(2), Some(1))
    );
}

#[tokio::test]
async fn a_count_that_differs_leads_to_reading_everybody() {
    let reading = Reading::begin(false).await;
    reading.house.held(reading.device, "1", b"x").await;
    reading.count(2).await;
    assert_eq!(reading.now().await.state, "reading");
    let command = reading.tell(&["1", "777"]).await;
    reading.told(command).await;
    let row = reading.now().await;
    assert_eq!(row.state, "succeeded");
    assert_eq!(
        (row.missing, row.surplus, row.differing),
        (Some(0), Some(1), Some(0))
    );
    assert_eq!(row.findings[0]["number"], "777");
    let surplus = reading.house.row(reading.device, "777").await.unwrap();
    assert_eq!(
        (surplus.state.as_str(), surplus.desired),
        ("removing", None)
    );
    assert!(surplus.maybe_held && surplus.due_at.is_some());
}

#[tokio::test]
async fn whom_the_terminal_lost_is_added_again() {
    let reading = Reading::begin(true).await;
    reading.house.held(reading.device, "1", b"x").await;
    reading.house.held(reading.device, "2", b"x").await;
    reading.house.want(reading.device, "2", None).await;
    reading.count(0).await;
    let command = reading.tell(&[]).await;
    reading.told(command).await;
    let row = reading.now().await;
    assert_eq!((row.missing, row.surplus), (Some(1), Some(0)));
    let missing = reading.house.row(reading.device, "1").await.unwrap();
    assert_eq!((missing.state.as_str(), missing.applied), ("pending", None));
    assert!(missing.due_at.is_some());
    assert_eq!(
        reading.house.row(reading.device, "2").await,
        None,
        "it is proved gone"
    );
}

#[tokio::test]
async fn a_list_with_holes_proves_nothing() {
    let reading = Reading::begin(true).await;
    let (house, device) = (&reading.house, reading.device);
    house.held(device, "1", b"x").await;
    house.held(device, "2", b"x").await;
    house.want(device, "2", None).await;
    reading.count(3).await;
    let before = house.rows(device).await;
    let command = reading.tell(&["1", "777"]).await;
    reading.told_as(command, 3).await;
    let row = reading.now().await;
    assert_eq!(row.state, "failed");
    assert!(row.error.unwrap().contains("told 3 persons, and 2"));
    assert_eq!(house.rows(device).await, before);
}

#[tokio::test]
async fn who_is_there_otherwise_is_told_anew_and_who_is_there_is_proved() {
    let reading = Reading::begin(true).await;
    let same = reading.person("Somebody").await;
    let other = reading.person("Another").await;
    reading.count(2).await;
    let command = reading.tell(&[&same, &other]).await;
    reading.told(command).await;
    let row = reading.now().await;
    assert_eq!((row.counted, row.differing), (Some(2), Some(1)));
    assert_eq!(row.findings[0]["fields"], json!(["name"]));
    let proved = reading.house.row(reading.device, &same).await.unwrap();
    assert!(proved.proved_at.is_some());
    assert_eq!(proved.state, "applied");
    let differing = reading.house.row(reading.device, &other).await.unwrap();
    assert_eq!(differing.state, "pending");
    assert_eq!(
        differing.applied.as_deref(),
        Some(&[0][..]),
        "told as a change"
    );
}

#[tokio::test]
async fn who_changed_while_the_terminal_told_is_not_judged() {
    let reading = Reading::begin(true).await;
    let (house, device) = (&reading.house, reading.device);
    for number in ["1", "2", "3"] {
        house.held(device, number, b"x").await;
    }
    house.want(device, "4", Some(b"x")).await;
    reading.count(9).await;
    let command = reading.tell(&["4", "5"]).await;
    house
        .run(
            "update sync.assignments set applied_at = now() + interval '1 second' where tenant_id = $1 and number = '1'",
            vec![],
        )
        .await;
    house
        .run(
            "update sync.assignments set offer = gen_random_uuid() where tenant_id = $1 and number in ('2', '4')",
            vec![],
        )
        .await;
    house
        .run(
            "update sync.readbacks set removed_meanwhile = '{5}' where tenant_id = $1",
            vec![],
        )
        .await;
    reading.told(command).await;
    let row = reading.now().await;
    assert_eq!(
        (row.missing, row.surplus, row.differing),
        (Some(1), Some(0), Some(0))
    );
    assert_eq!(row.findings[0]["number"], "3");
    assert_eq!(
        house.row(device, "5").await,
        None,
        "it was taken away meanwhile"
    );
    assert_eq!(house.row(device, "4").await.unwrap().applied, None);
}

#[tokio::test]
async fn somebody_wanted_who_is_there_already_is_told_as_a_change() {
    let reading = Reading::begin(true).await;
    let (house, device) = (&reading.house, reading.device);
    house.want(device, "6", Some(b"x")).await;
    reading.count(1).await;
    let command = reading.tell(&["6"]).await;
    reading.told(command).await;
    assert_eq!(reading.now().await.surplus, Some(1));
    let row = house.row(device, "6").await.unwrap();
    assert_eq!((row.state.as_str(), row.maybe_held), ("pending", true));
    assert_eq!(row.applied.as_deref(), Some(&[0][..]));
}

#[tokio::test]
async fn a_terminal_that_goes_leaves_everything_as_it_was() {
    for (kind, state, says) in [
        (
            CommandType::CountPersons,
            CommandState::Expired,
            "did not come",
        ),
        (
            CommandType::CountPersons,
            CommandState::Undeliverable,
            "no terminal",
        ),
        (
            CommandType::ListPersons,
            CommandState::TimedOut,
            "fell silent",
        ),
        (
            CommandType::ListPersons,
            CommandState::Failed,
            "did not tell",
        ),
    ] {
        let reading = Reading::begin(true).await;
        reading.house.held(reading.device, "1", b"x").await;
        if kind == CommandType::ListPersons {
            reading.count(0).await;
            reading.tell(&[]).await;
        }
        let (command, _) = reading.wanted().await;
        reading.end(command, kind, state, json!(null)).await;
        let row = reading.now().await;
        assert_eq!(row.state, "failed");
        assert!(row.error.unwrap().contains(says), "{state}");
        let row = reading.house.row(reading.device, "1").await.unwrap();
        assert_eq!(row.state, "applied");
    }
}

#[tokio::test]
async fn one_is_under_way_at_a_time_and_the_next_may_begin_after() {
    let reading = Reading::begin(false).await;
    let tx = reading.house.tx().await;
    let (joined, is_new) = store::begin(&tx, reading.device, true).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!is_new && joined.full_read);
    assert_eq!(joined.id, reading.id.uuid());
    reading.count(0).await;
    let command = reading.tell(&[]).await;
    reading.told(command).await;
    let tx = reading.house.tx().await;
    let (_, is_new) = store::begin(&tx, reading.device, true).await.unwrap();
    assert!(is_new);
    let rows = store::list(&tx, reading.device, None, 9).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].id, reading.id.uuid());
}

#[tokio::test]
async fn a_terminal_that_is_new_is_read_in_full_once() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    house
        .run(
            "insert into sync.devices (tenant_id, device_id, sn) values ($1, $2, 'x')",
            vec![device.uuid().into()],
        )
        .await;
    let is_unread = async |settled_after_s| {
        let tx = house.db.system().await.unwrap();
        let unread = daily::unread(&tx, settled_after_s, i64::MAX).await.unwrap();
        unread.iter().any(|one| one.device_id == device.uuid())
    };
    assert!(!is_unread(60).await, "the session has just begun");
    assert!(is_unread(0).await);
    for _ in 0..2 {
        let tx = house.tx().await;
        daily::begin_full(&tx, &[device.uuid()]).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert!(!is_unread(0).await);
    let tx = house.tx().await;
    let rows = store::list(&tx, device, None, 9).await.unwrap();
    drop(tx);
    assert_eq!((rows.len(), rows[0].full_read), (1, true));
    let reading = Reading {
        id: ReadbackId::from_uuid(rows[0].id),
        house,
        device,
    };
    reading.count(1).await;
    let command = reading.tell(&["777"]).await;
    reading.told(command).await;
    assert_eq!(reading.now().await.surplus, Some(1));
    let again =
        "update sync.devices set sn = 'y' where tenant_id = $1 and full_read_due_at is null";
    assert_eq!(reading.house.run(again, vec![]).await, 1);
}

#[tokio::test]
async fn a_night_begins_one_for_each_terminal_once() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    house
        .run(
            "insert into sync.devices (tenant_id, device_id, sn) values ($1, $2, 'x')",
            vec![device.uuid().into()],
        )
        .await;
    for _ in 0..2 {
        let tx = house.tx().await;
        daily::begin(&tx, &[device.uuid()]).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(house.told("command.wanted.v1").await.len(), 1);
    let tx = house.tx().await;
    let rows = store::list(&tx, device, None, 9).await.unwrap();
    assert_eq!((rows.len(), rows[0].full_read), (1, false));
    assert_eq!(store::give_up(&tx, -1, "Why.").await.unwrap(), 1);
}
