//! Every operation of the API, met by those who have no business there: without a credential, with
//! another tenant's, and with ids of things that do not exist. The operations come from the OpenAPI
//! document; one that is not in the tables below fails, so that none is forgotten.

mod requests;

use crate::goldens;
use crate::openapi::{Needs, OPEN, Operation, document};
use gatehouse_simulator::{Pass, Terminal, TerminalProfile, photo};
use kit::world::{World, fresh_sn, shared};
use kit::{Api, Tenant, until};
use requests::send;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The noun that a variable part of a path names: the part before it, in the plural.
fn noun(operation: &Operation, variable: &str) -> String {
    let before = operation
        .path
        .split(&format!("/{{{variable}}}"))
        .next()
        .unwrap();
    before.rsplit('/').next().unwrap().to_owned()
}

/// A tenant with one of everything that has an id.
struct Household {
    tenant: Tenant,
    /// By the noun in the path.
    ids: BTreeMap<&'static str, String>,
    /// A second device, which has no commands.
    other_device: String,
    /// Stands in every name that this tenant gave.
    mark: String,
    _terminal: Terminal,
}

impl Household {
    async fn found(world: &World) -> Self {
        let tenant = world.tenant().await;
        let api = &tenant.api;
        let mark = format!("Mark{}", uuid::Uuid::new_v4().simple());
        let text = |value: &Value, field: &str| {
            value[field]
                .as_str()
                .unwrap_or_else(|| panic!("no {field}: {value}"))
                .to_owned()
        };

        let (device, terminal) = tenant.terminal(&fresh_sn()).await;
        let device_id = text(&device, "id");
        let other = tenant.device(&fresh_sn()).await;
        until(
            "the terminal to be seen",
            Duration::from_secs(10),
            || async {
                let path = format!("/v1/devices/{device_id}");
                (api.get(&path).await.expect(200)["online"] == json!(true)).then_some(())
            },
        )
        .await;
        // On the terminal's own blocklist, so that there is an alarm as well.
        let pass = Pass::staff("20001", &mark)
            .with("priority", "1")
            .with_photo(photo::jpeg(8, 1));
        terminal
            .pass_until_accepted(pass)
            .await
            .expect("a record is taken");
        let record = api.get("/v1/records").await.expect(200)["items"][0].clone();
        let alarm = api.get("/v1/alarms").await.expect(200)["items"][0].clone();
        let media = text(&record, "snapshot_url")
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned();
        let command = api
            .post(
                &format!("/v1/devices/{device_id}/commands?wait=20s"),
                json!({"type": "list_persons"}),
            )
            .await
            .expect(201);

        let knocking =
            Terminal::connect(TerminalProfile::new(&tenant.terminal_url, &fresh_sn())).await;
        assert!(
            knocking.is_err(),
            "a terminal that nobody claimed was admitted"
        );
        let discovered = until(
            "the unknown terminal to be listed",
            Duration::from_secs(10),
            || async { api.list("/v1/discovered-devices").await.into_iter().next() },
        )
        .await;

        let firmware = api
            .send_bytes(
                Method::POST,
                &format!("/v1/firmware?name={mark}&version=1&update_type=application"),
                Some("application/octet-stream"),
                b"firmware",
            )
            .await
            .expect(201);
        let user = api
            .post("/v1/users", json!({"email": format!("{mark}@example.com").to_lowercase(), "name": mark, "role": "viewer", "password": "0123456789"}))
            .await
            .expect(201);
        let key = api
            .post(
                "/v1/api-keys",
                json!({"name": mark, "scopes": ["devices:read"]}),
            )
            .await
            .expect(201);
        let token = api
            .post("/v1/terminal-tokens", json!({"name": mark}))
            .await
            .expect(201);
        let bound = fresh_sn();
        let binding = world
            .operator()
            .send(
                Method::PUT,
                &format!("/v1/tenants/{}/terminal-bindings/{bound}", tenant.id),
                &[],
                None,
            )
            .await;
        assert_eq!(binding.status, 201, "{}", binding.json);

        let person = api
            .post("/v1/persons", json!({"name": mark, "type": "staff"}))
            .await
            .expect(201);
        let portrait =
            std::fs::read(kit::environment::root().join("tests/kit/fixtures/portrait.jpg"))
                .expect("the portrait is checked in");
        let person_photo = api
            .send_bytes(
                Method::PUT,
                &format!("/v1/persons/{}/photo", text(&person, "id")),
                Some("image/jpeg"),
                &portrait,
            )
            .await
            .expect(200);

        let group = api
            .post("/v1/groups", json!({"name": mark, "type": "staff"}))
            .await
            .expect(201);
        let joined = format!(
            "/v1/groups/{}/members/{}",
            text(&group, "id"),
            text(&person, "id")
        );
        api.put(&joined).await.expect(204);
        let department = api
            .post("/v1/departments", json!({"name": mark}))
            .await
            .expect(201);
        let schedule = api
            .post("/v1/schedules", json!({"name": mark}))
            .await
            .expect(201);
        let door = api
            .post("/v1/doors", json!({"name": mark}))
            .await
            .expect(201);
        let authority = json!({"name": mark, "door_ids": [door["id"]], "group_ids": [group["id"]], "schedule_id": schedule["id"]});
        let authority = api.post("/v1/authorities", authority).await.expect(201);
        let visit = json!({"person": {"name": mark}, "starts_at": "2031-05-04T08:00:00", "ends_at": "2031-05-04T18:00:00"});
        let visit = api.post("/v1/visits", visit).await.expect(201);
        let distribution = until("all to be planned", Duration::from_secs(10), || async {
            let all = api.list("/v1/distributions").await;
            let done = all.iter().all(|one| one["state"] == json!("done"));
            all.first().filter(|_| done).map(|one| text(one, "id"))
        })
        .await;

        let readback = api
            .post(
                &format!("/v1/devices/{device_id}/persons/readback"),
                json!({}),
            )
            .await
            .expect(202);
        let readback = text(&readback, "id");
        until("the read-back to end", Duration::from_secs(10), || async {
            let path = format!("/v1/readbacks/{readback}");
            (api.get(&path).await.expect(200)["state"] == json!("succeeded")).then_some(())
        })
        .await;

        let gone = api
            .post("/v1/persons", json!({"name": mark}))
            .await
            .expect(201);
        let erasure = api
            .delete(&format!("/v1/persons/{}", text(&gone, "id")))
            .await
            .expect(202);
        let erasure = text(&erasure, "id");
        until(
            "the receipt to complete",
            Duration::from_secs(10),
            || async {
                let path = format!("/v1/erasures/{erasure}");
                let receipt = api.get(&path).await.expect(200);
                (!receipt["completed_at"].is_null()).then_some(())
            },
        )
        .await;
        let job = api.post("/v1/exports", json!({})).await.expect(202);
        let job = text(&crate::jobs::ended(&tenant, &job).await, "id");

        let ids = BTreeMap::from([
            ("tenants", tenant.id.clone()),
            ("devices", device_id),
            ("commands", text(&command, "id")),
            ("records", text(&record, "id")),
            ("alarms", text(&alarm, "id")),
            ("media", media),
            ("discovered-devices", text(&discovered, "id")),
            ("firmware", text(&firmware, "id")),
            ("users", text(&user, "id")),
            ("api-keys", text(&key, "id")),
            ("terminal-tokens", text(&token, "id")),
            ("terminal-bindings", bound),
            ("persons", text(&person, "id")),
            ("photos", text(&person_photo, "id")),
            ("groups", text(&group, "id")),
            ("members", text(&person, "id")),
            ("departments", text(&department, "id")),
            ("schedules", text(&schedule, "id")),
            ("doors", text(&door, "id")),
            ("authorities", text(&authority, "id")),
            ("visits", text(&visit, "id")),
            ("distributions", distribution),
            ("readbacks", readback),
            ("erasures", erasure),
            ("jobs", job),
        ]);
        Self {
            tenant,
            ids,
            other_device: text(&other, "id"),
            mark,
            _terminal: terminal,
        }
    }

    fn id(&self, operation: &Operation, variable: &str) -> String {
        let noun = noun(operation, variable);
        let id = self.ids.get(noun.as_str());
        id.unwrap_or_else(|| {
            panic!(
                "{}: {noun} is new: put one into the household",
                operation.id
            )
        })
        .clone()
    }

    /// Whether an answer shows anything of this tenant.
    fn is_shown_in(&self, reply: &kit::Reply) -> Option<&str> {
        let body = String::from_utf8_lossy(&reply.body).into_owned();
        let mut words = self.ids.values().chain([&self.mark, &self.other_device]);
        words
            .find(|word| body.contains(word.as_str()))
            .map(String::as_str)
    }

    /// Every thing of this tenant that can be read, as it reads now.
    async fn as_it_stands(
        &self,
        operator: &Api,
        operations: &[Operation],
    ) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for operation in operations
            .iter()
            .filter(|o| o.method == Method::GET && o.needs() != Needs::Nothing)
        {
            let api = if operation.needs() == Needs::Operator {
                operator
            } else {
                &self.tenant.api
            };
            let reply = send(api, operation, |variable| self.id(operation, variable)).await;
            assert_eq!(
                reply.status, 200,
                "{} of its own: {}",
                operation.id, reply.json
            );
            // Lists of the operator and the trail grow by what other tests do, and by ours.
            if operation.path != "/v1/tenants" && operation.path != "/v1/audit-entries" {
                let text = serde_json::to_string_pretty(&steady(reply.json)).unwrap();
                all.insert(operation.id.clone(), text);
            }
        }
        all
    }
}

/// A representation without what changes by being looked at.
fn steady(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                let link = name == "url" || name.ends_with("_url") || name == "url_expires_at";
                !name.starts_with("last_") && !link
            });
            fields
                .values_mut()
                .for_each(|field| *field = steady(field.take()));
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| *item = steady(item.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    value
}

#[tokio::test]
async fn without_a_credential_nothing_is_answered() {
    let world = shared().await;
    let household = Household::found(&world).await;
    for operation in document() {
        if OPEN.iter().any(|(id, _)| *id == operation.id) {
            let reply = send(&world.anonymous(), &operation, |_| "x".to_owned()).await;
            assert!(
                (400..500).contains(&reply.status),
                "{}: {}",
                operation.id,
                reply.json
            );
            assert!(
                operation.documents(reply.status),
                "{} does not document {}",
                operation.id,
                reply.status
            );
            continue;
        }
        let mut wrong = vec![
            world.anonymous(),
            Api::new(&world.base_url, Some("gk_not-a-key")),
            Api::new(&world.base_url, Some("a.b.c")),
        ];
        match operation.needs() {
            Needs::Operator => wrong.push(household.tenant.api.clone()),
            Needs::Tenant | Needs::User => wrong.push(world.operator()),
            Needs::Nothing => unreachable!(
                "{} is in the table of open operations or fails another test",
                operation.id
            ),
        }
        for api in wrong {
            let reply = send(&api, &operation, |variable| {
                household.id(&operation, variable)
            })
            .await;
            assert_eq!(
                household.is_shown_in(&reply),
                None,
                "{} tells a stranger",
                operation.id
            );
            assert_eq!(
                reply.problem(401),
                "unauthenticated",
                "{} with {:?}",
                operation.id,
                api.bearer
            );
        }
    }
}

#[tokio::test]
async fn another_tenants_things_are_not_there() {
    let world = shared().await;
    let (household, stranger) = (Household::found(&world).await, world.tenant().await);
    let operations = document();
    let before = household.as_it_stands(&world.operator(), &operations).await;
    let owner = &stranger.created["owner"];
    let signed_in = world
        .anonymous()
        .post(
            "/v1/auth/login",
            json!({"email": owner["email"], "password": owner["password"]}),
        )
        .await
        .expect(200);
    let user = stranger
        .api
        .with_bearer(signed_in["access_token"].as_str().unwrap());
    for operation in operations.iter().filter(|o| o.needs() != Needs::Nothing) {
        for api in [&stranger.api, &user] {
            let reply = send(api, operation, |variable| household.id(operation, variable)).await;
            assert_eq!(
                household.is_shown_in(&reply),
                None,
                "{} shows another tenant's things",
                operation.id
            );
            assert!(
                operation.documents(reply.status),
                "{} does not document {}: {}",
                operation.id,
                reply.status,
                reply.json
            );
            if operation.needs() == Needs::Operator {
                assert!(
                    [401, 403].contains(&reply.status),
                    "{} is the operator's: {}",
                    operation.id,
                    reply.json
                );
            } else if !operation.variables().is_empty() {
                assert_eq!(reply.problem(404), "not_found", "{}", operation.id);
            }
        }
    }
    let after = household.as_it_stands(&world.operator(), &operations).await;
    for (id, stood) in before {
        let difference = goldens::difference(&stood, &after[&id]);
        assert!(
            difference.is_empty(),
            "{id} reads differently after a stranger tried everything:\n{difference}"
        );
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let world = shared().await;
    let household = Household::found(&world).await;
    for operation in document() {
        let api = match operation.needs() {
            Needs::Nothing => continue,
            Needs::Operator => world.operator(),
            Needs::Tenant | Needs::User => household.tenant.api.clone(),
        };
        for variable in operation.variables() {
            // The caller names the serial number that is to be bound; every one may be.
            if operation.id == "bind_terminal" && variable == "sn" {
                continue;
            }
            let real = household.id(&operation, &variable);
            let kind = real.split('_').next().unwrap();
            let unknown = if real.contains('_') {
                format!("{kind}_{}", uuid::Uuid::now_v7().simple())
            } else {
                fresh_sn()
            };
            let others_kind = format!("key{kind}_{}", uuid::Uuid::now_v7().simple());
            for wrong in [
                unknown,
                others_kind,
                format!("{kind}_"),
                "x".to_owned(),
                "0".to_owned(),
                "%27%00".to_owned(),
                "a".repeat(300),
            ] {
                let reply = send(&api, &operation, |name| {
                    if name == variable {
                        wrong.clone()
                    } else {
                        household.id(&operation, name)
                    }
                })
                .await;
                assert_eq!(
                    reply.clone().problem(404),
                    "not_found",
                    "{}: {variable} = {wrong}",
                    operation.id
                );
            }
        }
        // A real thing under the wrong parent.
        let nouns: Vec<String> = operation
            .variables()
            .iter()
            .map(|v| noun(&operation, v))
            .collect();
        if nouns == ["devices", "commands"] {
            let reply = send(&api, &operation, |name| {
                match noun(&operation, name).as_str() {
                    "devices" => household.other_device.clone(),
                    _ => household.id(&operation, name),
                }
            })
            .await;
            assert_eq!(
                reply.problem(404),
                "not_found",
                "{} of another device",
                operation.id
            );
        }
    }
}
