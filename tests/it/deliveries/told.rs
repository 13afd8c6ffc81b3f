//! What a terminal is told of somebody, and that it is told again when it changes.

use super::{authorize, group, holds, leave, person, stands, terminal, text, told};
use base64_simd::STANDARD;
use kit::until;
use serde_json::json;

#[tokio::test]
async fn somebody_is_told_with_photo_and_taken_away_again() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let body = json!({"name": "张三", "type": "staff", "gender": "female", "birthday": "1997-04-03", "phone": "18868681819",
                      "card_no": "8899", "welcome_text": "欢迎您"});
    let zhang = person(&tenant, body).await;
    let group = group(&tenant, "staff", std::slice::from_ref(&zhang)).await;
    authorize(&tenant, &device, &group, None).await;
    holds(&terminal, &[&zhang]).await;

    let held = terminal.persons()[&zhang.number].clone();
    for (field, value) in [
        ("name", "张三"),
        ("sex", "女"),
        ("birthday", "1997年4月3日"),
        ("phone", "18868681819"),
        ("normalNumber", "0000008899"),
        ("validDateStart", "2000_01_01"),
        ("validDateEnd", "2099_12_31"),
        ("priority", "0"),
        ("voiceSpecialMode", "1"),
        ("visitorVoiceText", "欢迎您"),
        ("passTime1", "00_00,23_59"),
        ("registerPhoto2", ""),
    ] {
        assert_eq!(held.field(field), value, "{field}");
    }
    let photo = STANDARD
        .decode_to_vec(held.field("registerPhoto1"))
        .expect("Base64");
    assert!(photo.starts_with(&[0xff, 0xd8, 0xff]), "no JPEG");
    let number = held.field("registerPhotoID1");
    assert!(
        number.len() == 6 && number.bytes().all(|b| b.is_ascii_digit()),
        "{number}"
    );

    let item = stands(&tenant, &device, &zhang, "applied", |i| {
        i["state"] == "applied"
    })
    .await;
    assert!(
        item["applied_at"].is_string() && item["error"].is_null(),
        "{item}"
    );

    leave(&tenant, &group, &zhang).await;
    holds(&terminal, &[]).await;
    let path = format!("/v1/devices/{}/persons", text(&device, "id"));
    until("the list to be empty", super::SOON, || async {
        tenant.api.list(&path).await.is_empty().then_some(())
    })
    .await;
    let operations: Vec<String> = told(&terminal).into_iter().map(|(op, ..)| op).collect();
    assert_eq!(operations, ["0", "2"], "each told once");
}

#[tokio::test]
async fn a_change_overwrites_all_that_was_told_before() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let body = json!({"name": "Li", "type": "staff", "card_no": "77", "welcome_text": "hello", "phone": "18868681819"});
    let li = person(&tenant, body).await;
    let weekdays = json!([{"weekday": 1, "periods": [{"from": "08:00", "to": "18:00"}]}]);
    let schedule = json!({"name": "Mondays", "weekdays": weekdays});
    let schedule = tenant.api.post("/v1/schedules", schedule).await.expect(201);
    let group = group(&tenant, "staff", std::slice::from_ref(&li)).await;
    let authority = authorize(&tenant, &device, &group, Some(&text(&schedule, "id"))).await;
    holds(&terminal, &[&li]).await;
    let held = terminal.persons()[&li.number].clone();
    assert_eq!(held.field("passTime1"), "08_00,18_00");
    assert_eq!(held.field("passTime2"), "00_00,00_00", "a closed day");

    // The terminal keeps what a change does not mention: so everything is mentioned.
    let path = format!("/v1/persons/{}", li.id);
    let change = json!({"name": "Li Na", "card_no": null, "welcome_text": null, "phone": null});
    tenant.api.patch(&path, change).await.expect(200);
    let path = format!("/v1/authorities/{authority}");
    tenant
        .api
        .patch(&path, json!({"schedule_id": null}))
        .await
        .expect(200);
    until("the change to arrive", super::SOON, || async {
        let held = terminal.persons()[&li.number].clone();
        let fields = [
            "name",
            "normalNumber",
            "voiceSpecialMode",
            "visitorVoiceText",
            "phone",
            "passTime1",
            "passTime2",
        ];
        let fields = fields.map(|field| held.field(field).to_owned());
        (fields == ["Li Na", "", "0", "", "", "00_00,23_59", "00_00,23_59"]).then_some(())
    })
    .await;
    assert!(
        told(&terminal)
            .iter()
            .skip(1)
            .all(|(operation, ..)| operation == "1"),
        "changes, not additions"
    );
}

#[tokio::test]
async fn the_blocklist_is_told_as_such() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let barred = person(&tenant, json!({"name": "Barred", "type": "staff"})).await;
    let always = person(
        &tenant,
        json!({"name": "Always", "type": "staff", "priority": "always"}),
    )
    .await;
    let blocklist = group(&tenant, "blocklist", std::slice::from_ref(&barred)).await;
    let staff = group(&tenant, "staff", &[barred.clone(), always.clone()]).await;
    authorize(&tenant, &device, &blocklist, None).await;
    authorize(&tenant, &device, &staff, None).await;
    until("both to be told", super::SOON, || async {
        let held = terminal.persons();
        let priority = |number: &str| held.get(number).map(|p| p.field("priority").to_owned());
        (priority(&barred.number)? == "1" && priority(&always.number)? == "2").then_some(())
    })
    .await;
}
