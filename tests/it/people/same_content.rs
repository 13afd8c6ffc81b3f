//! Several persons with one picture: it is kept once, and goes with the last of them.

use super::{person, portrait, put_photo, text};
use kit::Tenant;
use serde_json::Value;

async fn status(url: &str) -> u16 {
    let response = kit::api::client().get(url).send().await;
    response.expect("somebody answers").status().as_u16()
}

async fn remove(tenant: &Tenant, photo: &Value) {
    let path = format!(
        "/v1/persons/{}/photos/{}",
        text(photo, "person_id"),
        text(photo, "id")
    );
    tenant.api.delete(&path).await.expect(200);
}

#[tokio::test]
async fn a_picture_stays_as_long_as_anybody_has_it() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let mut photos = Vec::new();
    for name in ["Castor", "Pollux"] {
        let id = text(&person(&tenant.api, name).await, "id");
        photos.push(put_photo(&tenant.api, &id, &portrait()).await.expect(200));
    }
    assert_eq!(photos[0]["sha256"], photos[1]["sha256"]);
    remove(&tenant, &photos[0]).await;
    assert_eq!(status(&text(&photos[1], "url")).await, 200);
    remove(&tenant, &photos[1]).await;
    assert_eq!(status(&text(&photos[1], "url")).await, 404);
}

#[tokio::test]
async fn who_gets_a_picture_while_it_is_deleted_elsewhere_keeps_it() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (castor, pollux) = (
        person(&tenant.api, "Castor").await,
        person(&tenant.api, "Pollux").await,
    );
    let (castor, pollux) = (text(&castor, "id"), text(&pollux, "id"));
    let picture = portrait();
    for round in 0..8 {
        let first = put_photo(&tenant.api, &castor, &picture).await.expect(200);
        let (second, ()) = tokio::join!(
            put_photo(&tenant.api, &pollux, &picture),
            remove(&tenant, &first)
        );
        let second = second.expect(200);
        assert_eq!(status(&text(&second, "url")).await, 200, "round {round}");
        remove(&tenant, &second).await;
        assert_eq!(status(&text(&second, "url")).await, 404, "round {round}");
    }
}
