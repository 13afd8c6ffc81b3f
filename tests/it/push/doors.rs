//! Whether the door opens: the platform decides at each face.

use super::{House, SOON, all_week};
use gatehouse_simulator::device::Sighting;
use kit::until;
use serde_json::{Value, json};

#[tokio::test]
async fn a_door_opens_inside_the_schedule_and_not_outside() {
    let world = kit::shared().await;
    let house = House::of(world.tenant().await).await;
    let person = house.person("Zhang San").await;
    let authority = house.authority(&person, Some(all_week())).await;
    let mut sighting = Sighting::of(&person.number, "Zhang San");
    sighting.at = Some(chrono::Utc::now());
    sighting.image = gatehouse_simulator::photo::jpeg(8, 1);
    let door = house.device.face(&sighting).await.unwrap();
    assert!(door.opens, "{door:?}");
    assert_eq!(door.unlock_delay_ms, 3_000);
    // The answer got lost: the same pass again opens again and is one record.
    assert!(house.device.face(&sighting).await.unwrap().opens);
    let records = house.records().await;
    let [record] = records.as_slice() else {
        panic!("{records:?}")
    };
    for (field, value) in [
        ("type", json!("staff")),
        ("result", json!("passed")),
        ("verification", json!("face")),
        ("passage", json!("in")),
        ("mask", json!("not_worn")),
        ("temperature", json!(36.5)),
        ("temperature_verdict", json!("normal")),
        ("person_number", json!(person.number)),
        ("person_id", json!(person.id)),
        ("door_answer", json!("open")),
    ] {
        assert_eq!(record[field], value, "{field} of {record}");
    }

    // A schedule that opens on one day a week, which is not today nor its neighbour.
    let today = chrono::Utc::now()
        .format("%u")
        .to_string()
        .parse::<u32>()
        .unwrap();
    let other = (today + 2) % 7 + 1;
    let plan = json!({"weekdays": [{"weekday": other, "periods": [{"from": "08:00", "to": "09:00"}]}], "holidays": []});
    set(
        &house,
        "update directory.schedules set plan = $2 where id = $1",
        authority.schedule,
        plan,
    )
    .await;
    let mut later = sighting.clone();
    later.at = Some(chrono::Utc::now() + chrono::TimeDelta::seconds(1));
    assert!(!house.device.face(&later).await.unwrap().opens);
    let records = house.records().await;
    assert!(
        records
            .iter()
            .any(|r| r["result"] == "outside_schedule" && r["door_answer"] == "close"),
        "{records:?}"
    );
}

#[tokio::test]
async fn fever_a_missing_mask_an_old_pass_and_strangers_open_nothing() {
    let world = kit::shared().await;
    let mut house = House::of(world.tenant().await).await;
    house.device.profile_mut().wraps = true;
    house.device.profile_mut().milliseconds = true;
    let person = house.person("Li Si").await;
    house.authority(&person, None).await;
    sqlx::query("update directory.devices set deny_above_celsius = 37.3, deny_without_mask = true where id = $1")
        .bind(house.device_uuid())
        .execute(&house.rows)
        .await
        .unwrap();
    let well = Sighting {
        mask: true,
        ..Sighting::of(&person.number, "Li Si")
    };
    let ill = Sighting {
        temperature: "38.5°C".to_owned(),
        ..well.clone()
    };
    let bare = Sighting {
        mask: false,
        ..well.clone()
    };
    let old = Sighting {
        at: Some(chrono::Utc::now() - chrono::TimeDelta::minutes(5)),
        ..well.clone()
    };
    let unknown = Sighting::of("999999999", "Nobody");
    let odd = Sighting::of("0007x", "Nobody");
    for (what, sighting, opens) in [
        ("well", &well, true),
        ("ill", &ill, false),
        ("bare", &bare, false),
        ("old", &old, false),
        ("unknown", &unknown, false),
        ("odd", &odd, false),
    ] {
        assert_eq!(
            house.device.face(sighting).await.unwrap().opens,
            opens,
            "{what}"
        );
    }
    let stranger = Sighting {
        temperature: "36.3".to_owned(),
        image: gatehouse_simulator::photo::jpeg(4, 2),
        ..Sighting::default()
    };
    assert!(!house.device.attribute(&stranger).await.unwrap().opens);
    let records = until("all of them to be stored", SOON, || async {
        let records = house.records().await;
        (records.len() == 7).then_some(records)
    })
    .await;
    let of = |field: &str, value: &str| records.iter().filter(|r| r[field] == value).count();
    assert_eq!(of("door_answer", "open"), 1, "{records:?}");
    assert_eq!(of("type", "stranger"), 3);
    assert_eq!(of("temperature_verdict", "high"), 1);
    // It was true when it happened, though nobody stands there any more.
    assert_eq!(of("result", "passed"), 2);
}

#[tokio::test]
async fn somebody_who_must_not_enter_raises_an_alarm() {
    let world = kit::shared().await;
    let house = House::of(world.tenant().await).await;
    let person = house.person("Unwelcome").await;
    house.authority(&person, None).await;
    sqlx::query("update directory.persons set type = 'blocklist' where tenant_id = $1")
        .bind(house.tenant.uuid())
        .execute(&house.rows)
        .await
        .unwrap();
    let sighting = Sighting::of(&person.number, "Unwelcome");
    assert!(!house.device.face(&sighting).await.unwrap().opens);
    let records = house.records().await;
    assert_eq!(records[0]["type"], "blocklist", "{records:?}");
    let alarms = house.tenant.api.list("/v1/alarms").await;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!(alarms[0]["record_id"], records[0]["id"]);
}

async fn set(house: &House, statement: &'static str, id: uuid::Uuid, value: Value) {
    let changed = sqlx::query(statement)
        .bind(id)
        .bind(value)
        .execute(&house.rows)
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 1);
}
