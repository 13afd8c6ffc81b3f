//! What a terminal truly holds, read back, compared with what it confirmed, and mended.

use gatehouse_simulator::{Answer, Event, Person, Respond, Terminal, photo};
use kit::world::fresh_sn;
use kit::{Tenant, shared, until};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(30);

/// A terminal that holds persons of a group.
struct Door {
    tenant: Tenant,
    device: String,
    terminal: Terminal,
    /// Id and number.
    persons: Vec<(String, String)>,
}

fn text(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}

impl Door {
    async fn with(tenant: Tenant, names: &[&str]) -> Self {
        let api = tenant.api.clone();
        let (device, terminal) = tenant.terminal(&fresh_sn()).await;
        let device = text(&device, "id");
        let group = json!({"name": "All", "type": "staff"});
        let group = text(&api.post("/v1/groups", group).await.expect(201), "id");
        let authority = json!({"device_ids": [device], "group_ids": [group]});
        api.post("/v1/authorities", authority).await.expect(201);
        let portrait =
            std::fs::read(kit::environment::root().join("tests/kit/fixtures/portrait.jpg"))
                .expect("the portrait is checked in");
        let mut persons = Vec::new();
        for name in names {
            let person = json!({"name": name, "type": "staff"});
            let person = api.post("/v1/persons", person).await.expect(201);
            let id = text(&person, "id");
            let path = format!("/v1/persons/{id}/photo");
            let reply = api
                .send_bytes(Method::PUT, &path, Some("image/jpeg"), &portrait)
                .await;
            assert!(reply.status < 300);
            let path = format!("/v1/groups/{group}/members/{id}");
            assert!(api.put(&path).await.status < 300);
            persons.push((id, text(&person, "number")));
        }
        let door = Self {
            tenant,
            device,
            terminal,
            persons,
        };
        door.settled().await;
        door
    }

    /// Waits until the terminal holds its persons and nobody else, under their own names, and the
    /// API says so.
    async fn settled(&self) {
        let wanted: Vec<&String> = self.persons.iter().map(|(_, number)| number).collect();
        until(
            "the terminal to hold exactly its persons",
            WITHIN,
            || async {
                let held = self.terminal.persons();
                let fine =
                    held.len() == wanted.len() && wanted.iter().all(|n| held.contains_key(*n));
                let rows = self.rows().await;
                let applied = rows.iter().all(|row| row["state"] == "applied");
                (fine && applied && rows.len() == wanted.len()).then_some(())
            },
        )
        .await;
    }

    async fn rows(&self) -> Vec<Value> {
        let path = format!("/v1/devices/{}/persons", self.device);
        self.tenant.api.list(&path).await
    }

    async fn read_back(&self, body: Value) -> Value {
        let path = format!("/v1/devices/{}/persons/readback", self.device);
        let begun = self.tenant.api.post(&path, body).await.expect(202);
        assert_eq!(begun["state"], "counting", "{begun}");
        let path = format!("/v1/readbacks/{}", text(&begun, "id"));
        until("the read-back to end", WITHIN, || async {
            let readback = self.tenant.api.get(&path).await.expect(200);
            ["succeeded", "failed"]
                .contains(&readback["state"].as_str()?)
                .then_some(readback)
        })
        .await
    }

    fn asked(&self, wanted: &str) -> usize {
        let events = self.terminal.events();
        let asked = events
            .iter()
            .filter(|event| matches!(event, Event::Command { msg_type, .. } if msg_type == wanted));
        asked.count()
    }
}

fn found(readback: &Value) -> (i64, i64, i64) {
    let count = |field: &str| readback[field].as_i64().unwrap_or(-1);
    (count("missing"), count("surplus"), count("differing"))
}

#[tokio::test]
async fn a_wrong_register_is_found_reported_and_mended() {
    let world = shared().await;
    let door = Door::with(world.tenant().await, &["Zhang San", "Li Si", "Wang Wu"]).await;
    let [(_, lost), (renamed_id, renamed), (_, untouched)] = door.persons.as_slice() else {
        panic!("three persons");
    };

    let readback = door.read_back(json!({})).await;
    assert_eq!(readback["state"], "succeeded", "{readback}");
    assert_eq!(found(&readback), (0, 0, 0), "{readback}");
    assert_eq!(
        (&readback["counted"], &readback["expected"]),
        (&3.into(), &3.into())
    );
    let rows = door.rows().await;
    assert!(
        rows.iter().all(|row| row["proved_at"].is_string()),
        "{rows:?}"
    );
    let told = door.asked("registerPersonInfo");
    assert_eq!(told, 3, "nothing was sent again");

    // Somebody was at the terminal itself.
    let stranger = Person::new("424242", "Mallory").with_photo(&photo::jpeg(8, 1));
    door.terminal.edit_persons(|persons| {
        persons.remove(lost);
        let person = persons.get_mut(renamed).expect("it is held");
        person
            .fields
            .insert("name".to_owned(), "Mallory".to_owned());
        persons.insert("424242".to_owned(), stranger);
    });
    let readback = door.read_back(json!({"full": true})).await;
    assert_eq!(readback["state"], "succeeded", "{readback}");
    assert_eq!(found(&readback), (1, 1, 1), "{readback}");
    let findings = readback["findings"].as_array().expect("findings");
    let finding = |kind: &str| {
        let found = findings.iter().find(|finding| finding["kind"] == kind);
        found.unwrap_or_else(|| panic!("no {kind} in {readback}"))
    };
    assert_eq!(finding("missing")["number"], json!(lost));
    assert_eq!(finding("surplus")["number"], "424242");
    assert_eq!(finding("surplus")["person_id"], Value::Null);
    assert_eq!(finding("differing")["person_id"], json!(renamed_id));
    assert_eq!(finding("differing")["fields"], json!(["name"]));

    door.settled().await;
    until("the name to be right again", WITHIN, || async {
        let held = door.terminal.persons();
        (held.get(renamed)?.field("name") == "Li Si").then_some(())
    })
    .await;
    assert!(door.terminal.persons().contains_key(untouched));
    assert_eq!(door.asked("registerPersonInfo"), told + 3, "one each");
    let path = format!("/v1/devices/{}/readbacks", door.device);
    let readbacks = door.tenant.api.list(&path).await;
    assert_eq!(readbacks.len(), 2);
    assert_eq!(readbacks[0]["id"], readback["id"], "newest first");
}

#[tokio::test]
async fn where_the_count_agrees_a_short_look_reads_nobody() {
    let world = shared().await;
    let door = Door::with(world.tenant().await, &["Zhang San"]).await;
    let readback = door.read_back(json!({"full": false})).await;
    assert_eq!(readback["state"], "succeeded", "{readback}");
    assert_eq!(readback["counted"], 1);
    assert_eq!(door.asked("onlineGetRegister"), 0);

    let number = &door.persons[0].1;
    door.terminal.edit_persons(|persons| {
        persons.remove(number);
    });
    let readback = door.read_back(json!({"full": false})).await;
    assert_eq!(found(&readback), (1, 0, 0), "{readback}");
    assert_eq!(door.asked("onlineGetRegister"), 1);
    door.settled().await;
}

#[tokio::test]
async fn a_terminal_that_goes_in_the_middle_leaves_everything_as_it_was() {
    let world = shared().await;
    let door = Door::with(world.tenant().await, &["Zhang San"]).await;
    let deaf = Respond::normally().to("onlineGetRegisterCount", Answer::Never);
    door.terminal.set_respond(deaf);
    let ended = async {
        door.terminal
            .wait_for(WITHIN, |event| {
                matches!(event, Event::Command { msg_type, .. } if msg_type == "onlineGetRegisterCount")
            })
            .await
            .expect("it is asked");
        door.terminal.drop_connection().await;
    };
    let (readback, ()) = tokio::join!(door.read_back(json!({})), ended);
    assert_eq!(readback["state"], "failed", "{readback}");
    let error = text(&readback, "error");
    assert!(error.contains("Nothing was changed"), "{error}");
    let rows = door.rows().await;
    assert_eq!(rows[0]["state"], "applied");
}

#[tokio::test]
async fn a_device_that_calls_by_itself_cannot_be_asked() {
    let world = shared().await;
    let tenant = world.tenant().await;
    let device = json!({"sn": fresh_sn(), "protocol": "http_push"});
    let device = tenant.api.post("/v1/devices", device).await.expect(201);
    let path = format!("/v1/devices/{}/persons/readback", text(&device, "id"));
    let reply = tenant.api.send(Method::POST, &path, &[], None).await;
    assert_eq!(reply.problem(409), "conflict");
}
