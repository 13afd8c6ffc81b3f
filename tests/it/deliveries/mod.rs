//! Persons on their way to terminals: who should be held is held, as it should be, whatever the
//! terminal answers and whatever goes away meanwhile.
//!
//! Deliberately absent: any sequence of changes (`convergence`), what is planned (the tests of sync), and
//! devices that call by themselves (`push`).

mod answers;
mod door;
mod interruptions;
mod order;
mod told;

use gatehouse_simulator::{Event, Terminal, TerminalProfile};
use kit::world::fresh_sn;
use kit::{Tenant, until};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// What planning, offering and telling may take together.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Somebody with a photo.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) number: String,
}

pub(crate) fn text(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}

/// Creates somebody, with a photo.
pub(crate) async fn person(tenant: &Tenant, body: Value) -> Person {
    let created = tenant.api.post("/v1/persons", body).await.expect(201);
    let person = Person {
        id: text(&created, "id"),
        number: text(&created, "number"),
    };
    let path = format!("/v1/persons/{}/photo", person.id);
    let reply = tenant
        .api
        .send_bytes(
            Method::PUT,
            &path,
            Some("image/jpeg"),
            &crate::jobs::portrait(),
        )
        .await;
    assert!(
        reply.status < 300,
        "{}",
        String::from_utf8_lossy(&reply.body)
    );
    person
}

/// So many persons, named by their place.
pub(crate) async fn persons(tenant: &Tenant, count: usize) -> Vec<Person> {
    let mut all = Vec::new();
    for number in 0..count {
        all.push(
            person(
                tenant,
                json!({"name": format!("Person {number}"), "type": "staff"}),
            )
            .await,
        );
    }
    all
}

/// A group of these persons.
pub(crate) async fn group(tenant: &Tenant, kind: &str, members: &[Person]) -> String {
    let name = format!("{kind} {}", uuid::Uuid::new_v4().simple());
    let group = tenant
        .api
        .post("/v1/groups", json!({"name": name, "type": kind}))
        .await
        .expect(201);
    let group = text(&group, "id");
    for member in members {
        join(tenant, &group, member).await;
    }
    group
}

pub(crate) async fn join(tenant: &Tenant, group: &str, person: &Person) {
    let path = format!("/v1/groups/{group}/members/{}", person.id);
    assert!(tenant.api.put(&path).await.status < 300);
}

pub(crate) async fn leave(tenant: &Tenant, group: &str, person: &Person) {
    let path = format!("/v1/groups/{group}/members/{}", person.id);
    assert!(tenant.api.delete(&path).await.status < 300);
}

/// Lets a group pass a device.
pub(crate) async fn authorize(
    tenant: &Tenant,
    device: &Value,
    group: &str,
    schedule: Option<&str>,
) -> String {
    let body = json!({"device_ids": [device["id"]], "group_ids": [group], "schedule_id": schedule});
    let authority = tenant.api.post("/v1/authorities", body).await.expect(201);
    text(&authority, "id")
}

/// Claims a device and starts a terminal of this kind for it, which comes back by itself.
pub(crate) async fn terminal(
    tenant: &Tenant,
    kind: impl FnOnce(&mut TerminalProfile),
) -> (Value, Terminal) {
    let sn = fresh_sn();
    let device = tenant.device(&sn).await;
    let mut profile = TerminalProfile::new(&tenant.terminal_url, &sn);
    profile.reconnect = (Duration::from_millis(300), Duration::from_millis(900));
    kind(&mut profile);
    let terminal = Terminal::spawn_reconnecting(profile);
    terminal.wait_online(SOON).await.expect("it registers");
    (device, terminal)
}

/// Waits until a terminal holds exactly these persons.
pub(crate) async fn holds(terminal: &Terminal, wanted: &[&Person]) {
    let mut numbers: Vec<String> = wanted.iter().map(|person| person.number.clone()).collect();
    numbers.sort();
    until(
        &format!("the terminal to hold {numbers:?}"),
        SOON,
        || async {
            let held: Vec<String> = terminal.persons().into_keys().collect();
            (held == numbers).then_some(())
        },
    )
    .await;
}

/// Waits until the API says this of a person on a device; the item.
pub(crate) async fn stands(
    tenant: &Tenant,
    device: &Value,
    person: &Person,
    what: &str,
    is: impl Fn(&Value) -> bool,
) -> Value {
    let path = format!("/v1/devices/{}/persons", text(device, "id"));
    until(&format!("{what} of {person:?}"), SOON, || async {
        let listed = tenant.api.list(&path).await;
        listed
            .into_iter()
            .find(|item| item["number"] == person.number.as_str() && is(item))
    })
    .await
}

/// What a terminal was told about persons, in order: the operation, the number, and the item.
pub(crate) fn told(terminal: &Terminal) -> Vec<(String, String, Value)> {
    let of_persons = |event: Event| match event {
        Event::Command { msg_type, body, .. } if msg_type == "registerPersonInfo" => {
            let item = body["personInfoData"][0].clone();
            Some((text(&item, "operateType"), text(&item, "idNumber"), item))
        }
        _ => None,
    };
    terminal
        .events()
        .into_iter()
        .filter_map(of_persons)
        .collect()
}
