//! The listener for pictures: one signed picture at a time, and nothing else.

use super::{House, SOON, listed, push_device, push_url};
use kit::{Gatehouse, until};

async fn status(url: &str) -> u16 {
    let answer = kit::api::client().get(url).send().await;
    answer.expect("the listener answers").status().as_u16()
}

#[tokio::test]
async fn a_picture_needs_its_link_and_nothing_else_is_served() {
    let world = kit::shared().await;
    let house = House::of(world.tenant().await).await;
    let person = house.person("Pictured").await;
    house.authority(&person, None).await;
    let mut device = push_device(&push_url(&house.tenant), &house.sn);
    let url = listed(&mut device).await[0].image_url.clone();
    assert!(url.len() <= 128 && url.ends_with(".jpg"), "{url}");
    let answer = kit::api::client().get(&url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    assert!(answer.content_length().is_some(), "with Content-Length");
    let bytes = answer.bytes().await.unwrap();
    image::load_from_memory(&bytes).unwrap();

    let (base, token) = url.rsplit_once('/').unwrap();
    assert!(
        !base.ends_with(world.base_url.as_str()),
        "a port of its own"
    );
    for path in [
        "",
        "healthz",
        "readyz",
        "metrics",
        "openapi.json",
        "docs/",
        "v1/devices",
        "terminal/x",
        &token.replace(".jpg", ""),
        &format!("x/{token}"),
        &token.replace(".jpg", ".png"),
        "AAAA.jpg",
        "..%2f..%2fetc%2fpasswd.jpg",
        &format!("A{}", &token[1..]),
    ] {
        // The one changed letter could be the one it was.
        if path != token {
            assert_eq!(status(&format!("{base}/{path}")).await, 404, "{path}");
        }
    }
    let posted = kit::api::client().post(&url).send().await.unwrap();
    assert!(matches!(posted.status().as_u16(), 404 | 405));

    // It ends with the photo.
    assert_eq!(status(&url).await, 200);
    sqlx::query("delete from directory.photos where tenant_id = $1")
        .bind(house.tenant.uuid())
        .execute(&house.rows)
        .await
        .unwrap();
    assert_eq!(status(&url).await, 404);
}

#[tokio::test]
async fn a_link_ends_by_itself() {
    let world = kit::shared().await;
    let images = format!("127.0.0.1:{}", kit::process::free_port());
    let settings = [
        ("GATEHOUSE_PUSH_IMAGES_LISTEN", images.as_str()),
        ("GATEHOUSE_PUSH_IMAGES_VALID_S", "3"),
    ];
    let hub = Gatehouse::start("hub", &settings).await;
    let house = House::of(world.tenant().await).await;
    let person = house.person("Pictured").await;
    house.authority(&person, None).await;
    let url = push_url(&house.tenant).replacen(&world.base_url, &hub.base_url, 1);
    let mut device = push_device(&url, &house.sn);
    let url = listed(&mut device).await[0].image_url.clone();
    assert_eq!(status(&url).await, 200);
    until("the link to end", SOON, || async {
        (status(&url).await == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_listener_the_reason_is_shown() {
    let world = kit::shared().await;
    let hub = Gatehouse::start("hub", &[("GATEHOUSE_PUSH_IMAGES_LISTEN", "")]).await;
    let house = House::of(world.tenant().await).await;
    let person = house.person("Pictured").await;
    house.authority(&person, None).await;
    let url = push_url(&house.tenant).replacen(&world.base_url, &hub.base_url, 1);
    let mut device = push_device(&url, &house.sn);
    let device = tokio::sync::Mutex::new(&mut device);
    until("the reason to be shown", SOON, || async {
        assert_eq!(device.lock().await.feed().await.unwrap(), []);
        let found = house.assignments().await;
        let code = found.first()?.2.as_deref()?;
        (code == "no_image_listener").then_some(())
    })
    .await;
}
