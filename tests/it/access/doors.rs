//! Doors: their devices are reached through them, whichever they are.

use super::{authority, group, id, noted, person, pointers};
use kit::world::fresh_sn;
use serde_json::{Value, json};

#[tokio::test]
async fn a_door_is_kept_as_it_is_said() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let api = &tenant.api;
    let (inside, outside) = (
        tenant.device(&fresh_sn()).await,
        tenant.device(&fresh_sn()).await,
    );
    let foreign = other.device(&fresh_sn()).await;
    let body = json!({"name": "Gate", "location": "Hall", "switch_address": "192.0.2.14:502/3",
        "device_ids": [outside["id"], inside["id"]]});
    let made = api.post("/v1/doors", body).await.expect(201);
    assert_eq!(
        made["device_ids"],
        json!([inside["id"], outside["id"]]),
        "in order"
    );
    assert_eq!(made["switch_address"], "192.0.2.14:502/3");
    let path = format!("/v1/doors/{}", id(&made));
    assert_eq!(api.get(&path).await.expect(200), made);
    other.api.get(&path).await.expect(404);

    let strange = json!({"device_ids": [inside["id"], foreign["id"], "x"]});
    let refused = api.patch(&path, strange.clone()).await;
    assert_eq!(pointers(&refused), ["/device_ids/2", "/device_ids/1"]);
    let mut body = strange;
    body["name"] = json!("Second");
    assert_eq!(api.post("/v1/doors", body).await.status, 422);
    let taken = api.post("/v1/doors", json!({"name": "Gate"})).await;
    assert_eq!(taken.problem(409), "already_exists");

    let empty = api
        .post("/v1/doors", json!({"name": "Plain"}))
        .await
        .expect(201);
    let at = |device: &Value| format!("/v1/doors?device_id={}", id(device));
    assert_eq!(api.list(&at(&inside)).await, [made]);
    assert_eq!(api.list("/v1/doors?name=PLA").await, [empty]);
    assert_eq!(api.list("/v1/doors").await.len(), 2);
    api.delete(&path).await.expect(204);
    assert!(api.list(&at(&inside)).await.is_empty());
    assert_eq!(api.list("/v1/devices").await.len(), 2, "its devices stay");
}

#[tokio::test]
async fn what_comes_to_a_door_and_goes_is_planned_where_somebody_passes() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let api = &tenant.api;
    let mut devices = Vec::new();
    for _ in 0..3 {
        devices.push(id(&tenant.device(&fresh_sn()).await).to_owned());
    }
    let (first, second, third) = (&devices[0], &devices[1], &devices[2]);
    let door = json!({"name": "Gate", "device_ids": [first, second]});
    let door = api.post("/v1/doors", door).await.expect(201);
    let path = format!("/v1/doors/{}", id(&door));
    let put = async |devices: Value| {
        let changed = api.patch(&path, json!({"device_ids": devices})).await;
        changed.expect(200).get("distribution_id").cloned()
    };
    assert_eq!(put(json!([first])).await, None, "nobody passes it");

    let someone = person(&tenant, json!({"name": "Li Wei", "type": "staff"})).await;
    let staff = group(&tenant, "Staff", "staff", &[&someone]).await;
    let join = json!({"door_ids": [door["id"]], "group_ids": [staff]});
    let joined = authority(&tenant, join).await;
    assert_eq!(
        noted(&tenant, "authority.created").await,
        [[first.as_str()]]
    );
    let reaching = format!("/v1/authorities?device_id={first}");
    assert_eq!(id(&api.list(&reaching).await[0]), id(&joined));

    assert!(put(json!([second, third])).await.is_some());
    let renamed = api.patch(&path, json!({"name": "Gate 1"})).await;
    assert_eq!(renamed.expect(200).get("distribution_id"), None);
    assert_eq!(noted(&tenant, "door.updated").await, [devices.clone()]);
    let removed = api.delete(&path).await;
    assert!(removed.headers.contains_key("distribution-id"));
    let mut left = vec![second.clone(), third.clone()];
    left.sort();
    assert_eq!(noted(&tenant, "door.deleted").await, [left]);
    let path = format!("/v1/authorities/{}", id(&joined));
    assert_eq!(api.get(&path).await.expect(200)["door_ids"], json!([]));
}
