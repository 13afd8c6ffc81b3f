//! What a change would do, said before it is made; and nothing of it is made.

use super::{authority, group, id, noted, person, portrait, schedule};
use kit::Tenant;
use kit::world::fresh_sn;
use serde_json::{Value, json};

async fn foresee(tenant: &Tenant, body: &Value) -> Value {
    let path = "/v1/authorities?dry_run=true";
    tenant.api.post(path, body.clone()).await.expect(200)
}

fn counts(effect: &Value) -> [u64; 5] {
    let count = |field: &str| {
        effect[field]
            .as_u64()
            .unwrap_or_else(|| panic!("no {field}: {effect}"))
    };
    [
        "persons_added",
        "persons_removed",
        "persons_updated",
        "devices",
        "offline",
    ]
    .map(count)
}

#[tokio::test]
async fn the_effect_is_told_and_nothing_is_saved() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let api = &tenant.api;
    let (online, _terminal) = tenant.terminal(&fresh_sn()).await;
    let small = json!({"sn": fresh_sn(), "person_capacity": 1});
    let small = api.post("/v1/devices", small).await.expect(201);
    let mut persons = Vec::new();
    for name in ["Li Wei", "Wang Fang", "Zhao Lei"] {
        persons.push(person(&tenant, json!({"name": name, "type": "staff"})).await);
    }
    portrait(&tenant, &persons[0]).await;
    portrait(&tenant, &persons[1]).await;
    let disabled = json!({"name": "Gone", "type": "staff", "valid_to": "2020-01-01T00:00:00Z"});
    let disabled = person(&tenant, disabled).await;
    let members = [&*persons[0], &*persons[1], &*persons[2], &*disabled];
    let staff = group(&tenant, "Staff", "staff", &members).await;
    let body = json!({"device_ids": [online["id"], small["id"]], "group_ids": [staff]});

    let effect = kit::until(
        "the terminal to be seen",
        std::time::Duration::from_secs(15),
        || async {
            let effect = foresee(&tenant, &body).await;
            (effect["offline"] == json!(1)).then_some(effect)
        },
    )
    .await;
    assert_eq!(counts(&effect), [3, 0, 0, 2, 1]);
    assert_eq!(effect["without_photo"], 1);
    assert_eq!(effect["assignments_added"], 6);
    assert_eq!(
        effect["over_capacity"],
        json!([{"device_id": small["id"], "capacity": 1, "would_hold": 2}])
    );
    assert_eq!(
        effect["sentence"],
        "adds 3 people to 2 terminals, 1 of them offline, 1 over its capacity; 1 of the people has no picture, \
         without which no terminal takes them"
    );
    assert!(api.list("/v1/authorities").await.is_empty());
    assert!(noted(&tenant, "authority.created").await.is_empty());
    let trail = api.list("/v1/audit-entries").await;
    assert!(
        !trail
            .iter()
            .any(|entry| entry["action"] == "authority.created"),
        "{trail:?}"
    );
}

#[tokio::test]
async fn what_others_let_pass_is_neither_added_nor_removed() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let api = &tenant.api;
    let (first, second) = (
        tenant.device(&fresh_sn()).await,
        tenant.device(&fresh_sn()).await,
    );
    let one = person(&tenant, json!({"name": "Li Wei", "type": "staff"})).await;
    let two = person(&tenant, json!({"name": "Wang Fang", "type": "staff"})).await;
    let both = group(&tenant, "Both", "staff", &[&one, &two]).await;
    let only = group(&tenant, "Only", "staff", &[&one]).await;
    let shift = schedule(&tenant, "Shift", "08:00", "18:00").await;
    let all = json!({"device_ids": [first["id"]], "group_ids": [both]});
    let made = authority(&tenant, all.clone()).await;

    // The same again changes nothing; with times it does, because times are what is told.
    let effect = foresee(&tenant, &all).await;
    assert_eq!(counts(&effect), [0, 0, 0, 0, 0], "{effect}");
    assert_eq!(effect["sentence"], "changes nothing on any terminal");
    let timed = json!({"device_ids": [first["id"], second["id"]], "group_ids": [only], "schedule_id": shift});
    assert_eq!(counts(&foresee(&tenant, &timed).await), [1, 0, 1, 2, 2]);
    authority(&tenant, timed).await;

    let path = format!("/v1/authorities/{}?dry_run=true", id(&made));
    let foresee = async |change: Value| api.patch(&path, change).await.expect(200);
    assert_eq!(
        counts(&foresee(json!({"name": "Renamed"})).await),
        [0, 0, 0, 0, 0]
    );
    assert_eq!(
        counts(&foresee(json!({"schedule_id": shift})).await),
        [0, 0, 2, 1, 1]
    );
    // One of the two is let pass by the other authority too, at its times.
    let effect = foresee(json!({"group_ids": [only]})).await;
    assert_eq!(counts(&effect), [0, 1, 0, 1, 1]);
    let effect = foresee(json!({"device_ids": [second["id"]]})).await;
    assert_eq!(counts(&effect), [1, 1, 1, 2, 2], "{effect}");
    let effect = api.delete(&path).await.expect(200);
    assert_eq!(counts(&effect), [0, 1, 1, 1, 1]);
    assert_eq!(
        effect["sentence"],
        "removes 1 person and changes the times of 1 person on 1 terminal, 1 of them offline"
    );
    let path = format!("/v1/authorities/{}", id(&made));
    assert_eq!(api.get(&path).await.expect(200)["version"], made["version"]);
    assert!(noted(&tenant, "authority.updated").await.is_empty());
}

#[tokio::test]
async fn doors_and_schedules_say_what_a_change_would_do() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let api = &tenant.api;
    let (first, second) = (
        tenant.device(&fresh_sn()).await,
        tenant.device(&fresh_sn()).await,
    );
    let one = person(&tenant, json!({"name": "Li Wei", "type": "staff"})).await;
    let two = person(&tenant, json!({"name": "Wang Fang", "type": "staff"})).await;
    let both = group(&tenant, "Both", "staff", &[&one, &two]).await;
    let shift = schedule(&tenant, "Shift", "08:00", "18:00").await;
    let door = json!({"name": "Gate", "device_ids": [first["id"]]});

    // What is new reaches nobody; what cannot be says so all the same.
    let tried = api.post("/v1/doors?dry_run=true", door.clone()).await;
    assert_eq!(counts(&tried.expect(200)), [0, 0, 0, 0, 0]);
    assert!(api.list("/v1/doors").await.is_empty());
    let door = api.post("/v1/doors", door).await.expect(201);
    let taken = json!({"name": "Gate"});
    let taken = api.post("/v1/doors?dry_run=true", taken).await;
    assert_eq!(taken.problem(409), "already_exists");
    let taken = json!({"name": "Shift"});
    let taken = api.post("/v1/schedules?dry_run=true", taken).await;
    assert_eq!(taken.problem(409), "already_exists");

    let body = json!({"door_ids": [door["id"]], "group_ids": [both], "schedule_id": shift});
    authority(&tenant, body).await;
    let path = format!("/v1/doors/{}", id(&door));
    let dry = format!("{path}?dry_run=true");
    let other = json!({"device_ids": [second["id"]]});
    let effect = api.patch(&dry, other).await.expect(200);
    assert_eq!(counts(&effect), [2, 2, 0, 2, 2], "{effect}");
    let effect = api
        .patch(&dry, json!({"location": "Hall"}))
        .await
        .expect(200);
    assert_eq!(counts(&effect), [0, 0, 0, 0, 0], "{effect}");
    assert_eq!(counts(&api.delete(&dry).await.expect(200)), [0, 2, 0, 1, 1]);
    assert_eq!(api.get(&path).await.expect(200), door);

    let path = format!("/v1/schedules/{shift}");
    let dry = format!("{path}?dry_run=true");
    let before = api.get(&path).await.expect(200);
    let effect = api.patch(&dry, json!({"weekdays": []})).await.expect(200);
    assert_eq!(counts(&effect), [0, 0, 2, 1, 1], "{effect}");
    let effect = api.patch(&dry, json!({"name": "Late"})).await.expect(200);
    assert_eq!(counts(&effect), [0, 0, 0, 0, 0], "{effect}");
    let used = api.delete(&dry).await;
    assert_eq!(used.problem(409), "schedule_in_use");
    assert_eq!(api.get(&path).await.expect(200), before);
    let idle = schedule(&tenant, "Idle", "08:00", "18:00").await;
    let idle = format!("/v1/schedules/{idle}");
    let effect = api.delete(&format!("{idle}?dry_run=true")).await;
    assert_eq!(counts(&effect.expect(200)), [0, 0, 0, 0, 0]);
    assert_eq!(api.get(&idle).await.status, 200);
    for reason in ["door.updated", "door.deleted", "schedule.updated"] {
        assert!(noted(&tenant, reason).await.is_empty(), "{reason}");
    }
}
