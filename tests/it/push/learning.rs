//! What a device learns and proves: the feed, its results, refusals, removals, a device that lost
//! everything, a hub that restarts in between.

use super::{House, SOON, all_week, listed, poll_until, push_device};
use kit::until;
use kit::{Gatehouse, Tenant};

#[tokio::test]
async fn a_device_learns_somebody_proves_it_and_forgets_them() {
    let world = kit::shared().await;
    let mut house = House::of(world.tenant().await).await;
    let person = house.person("张 \"三\"").await;
    let authority = house.authority(&person, Some(all_week())).await;
    house.poll_until(&person.number, true).await;
    let user = &house.device.held()[&person.number];
    assert_eq!((user.name.as_str(), user.sex), ("张 \"三\"", 2));
    assert_eq!(user.user_type, "staff");
    let picture = image::load_from_memory(&user.image).unwrap();
    assert!(
        (300..=500).contains(&picture.width().max(picture.height())),
        "{}",
        picture.width()
    );
    house.assignments_are(&[(&person.number, "applied")]).await;

    // Nothing is listed twice once it is proved.
    assert_eq!(house.device.poll().await.unwrap().changes, []);

    sqlx::query("delete from directory.group_members where tenant_id = $1 and group_id = $2")
        .bind(house.tenant.uuid())
        .bind(authority.group)
        .execute(&house.rows)
        .await
        .unwrap();
    house.changed().await;
    house.poll_until(&person.number, false).await;
    house.assignments_are(&[]).await;
}

#[tokio::test]
async fn a_refusal_is_shown_with_its_code_and_others_are_not_held_up() {
    let world = kit::shared().await;
    let mut house = House::of(world.tenant().await).await;
    let (bad, good) = (house.person("Bad").await, house.person("Good").await);
    let failure = ("301".to_owned(), "未检测到人脸".to_owned());
    house
        .device
        .profile_mut()
        .failures
        .insert(bad.number.clone(), failure);
    house.authority(&bad, None).await;
    house.authority(&good, None).await;
    house.poll_until(&good.number, true).await;
    until("the refusal to be shown", SOON, || async {
        let found = house.assignments().await;
        let bad = found.iter().find(|(number, ..)| *number == bad.number)?;
        (bad.1 == "failed" && bad.2.as_deref() == Some("301")).then_some(())
    })
    .await;
    assert!(!house.device.held().contains_key(&bad.number));
}

#[tokio::test]
async fn an_offer_is_listed_again_until_it_is_answered_also_by_another_process() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let images = format!("127.0.0.1:{}", kit::process::free_port());
    let hub = Gatehouse::start("hub", &[("GATEHOUSE_PUSH_IMAGES_LISTEN", &images)]).await;
    let house = House::of(tenant).await;
    let url = super::push_url(&house.tenant).replacen(&world.base_url, &hub.base_url, 1);
    let mut device = push_device(&url, &house.sn);
    device.profile_mut().answers = false;
    let person = house.person("Patient").await;
    house.authority(&person, None).await;
    listed(&mut device).await;
    assert_eq!(
        device.poll().await.unwrap().changes.len(),
        1,
        "not answered, so it is listed again"
    );

    hub.kill();
    hub.restart().await;
    let body = format!(
        r#"{{"resultList":{{"userID":" {}","status":" 100","msg":"ok"}}}}"#,
        person.number
    );
    let (status, _) = device.send("syresult", body.as_bytes()).await.unwrap();
    assert_eq!(status, 200);
    house.assignments_are(&[(&person.number, "applied")]).await;

    // An answer about somebody who was not listed proves nothing and harms nothing.
    let (_, text) = device
        .send(
            "syresult",
            br#"{"resultList":[{"userID":"999999999","status":"100"}]}"#,
        )
        .await
        .unwrap();
    assert!(text.contains(r#""ret":"0""#), "{text}");
    house.assignments_are(&[(&person.number, "applied")]).await;

    // 0 means that the device holds nothing: it is told everything again, and once.
    device.profile_mut().answers = true;
    device.reset();
    poll_until(&mut device, &person.number, true).await;
    house.assignments_are(&[(&person.number, "applied")]).await;
}

#[tokio::test]
async fn a_device_that_holds_nothing_says_it_once() {
    let world = kit::shared().await;
    let house = House::of(world.tenant().await).await;
    let lost = |rows: sqlx::PgPool, tenant: Tenant| async move {
        sqlx::query_scalar::<_, Option<chrono::DateTime<chrono::Utc>>>(
            "select register_lost_at from hub.push_devices where tenant_id = $1",
        )
        .bind(tenant.uuid())
        .fetch_one(&rows)
        .await
        .unwrap()
    };
    let applied = |number: &'static str| {
        let (rows, tenant, device) = (house.rows.clone(), house.tenant.uuid(), house.device_uuid());
        async move {
            sqlx::query(
                "insert into sync.assignments (tenant_id, device_id, number, desired, applied, state)
                 values ($1, $2, $3, '\\x01', '\\x01', 'applied')",
            )
            .bind(tenant)
            .bind(device)
            .bind(number)
            .execute(&rows)
            .await
            .unwrap();
        }
    };
    let mut device = push_device(&super::push_url(&house.tenant), &house.sn);
    device.feed().await.unwrap();
    assert_eq!(
        lost(house.rows.clone(), house.tenant.clone()).await,
        None,
        "nothing was proved, so nothing is lost"
    );
    applied("1").await;
    device.reset();
    device.feed().await.unwrap();
    let first = lost(house.rows.clone(), house.tenant.clone()).await;
    assert!(first.is_some());
    // It asks for everything again and again, and has never shown a cursor.
    applied("2").await;
    for _ in 0..3 {
        device.reset();
        device.feed().await.unwrap();
    }
    assert_eq!(lost(house.rows.clone(), house.tenant.clone()).await, first);
}
