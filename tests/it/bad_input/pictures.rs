//! Photos that are no pictures: the record is stored and acknowledged, the fault is noted.

use crate::terminal_day::record_of;
use gatehouse_simulator::{Pass, photo};
use kit::world::fresh_sn;

#[tokio::test]
async fn a_record_is_worth_more_than_its_picture() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, terminal) = tenant.terminal(&fresh_sn()).await;
    for (name, text) in [
        ("words", "this is not Base64!"),
        ("text", "dGhpcyBpcyBubyBwaWN0dXJl"),
        (
            "svg",
            "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciPjxzY3JpcHQ+YWxlcnQoMSk8L3NjcmlwdD48L3N2Zz4=",
        ),
        (
            "html",
            "PGh0bWw+PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0PjwvaHRtbD4=",
        ),
        ("padding", "===="),
        ("url", "http://192.168.1.1/photo.jpg"),
    ] {
        let pass = Pass {
            photo_text: Some(text.to_owned()),
            ..Pass::staff("20001", name)
        };
        let ack = terminal.pass(pass).await.unwrap();
        assert_eq!(ack.error_code, "100", "{name}");
        let record = record_of(&tenant, name).await;
        assert!(record["snapshot_url"].is_null(), "{name}");
        let fault = record["photo_fault"]
            .as_str()
            .unwrap_or_else(|| panic!("{name}: no fault is noted: {record}"));
        assert!(
            fault.contains("recognitionPhoto") && fault.len() > 20,
            "{name}: {fault}"
        );
    }
}

#[tokio::test]
async fn one_bad_picture_does_not_cost_the_other() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, terminal) = tenant.terminal(&fresh_sn()).await;
    let good = photo::jpeg(6, 5);
    let pass = Pass {
        photo_text: Some("QUJD".to_owned()),
        ..Pass::staff("20001", "张三").with_compare_photo(good.clone())
    };
    assert!(terminal.pass(pass).await.unwrap().is_accepted());
    let record = record_of(&tenant, "张三").await;
    assert!(
        record["snapshot_url"].is_null() && record["photo_fault"].is_string(),
        "{record}"
    );
    let path = record["compare_url"]
        .as_str()
        .unwrap()
        .strip_prefix(&world.base_url)
        .unwrap()
        .to_owned();
    assert_eq!(world.anonymous().get(&path).await.body, good);
}

#[tokio::test]
async fn an_absent_picture_is_no_fault() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, terminal) = tenant.terminal(&fresh_sn()).await;
    for (name, text) in [
        ("empty", Some(String::new())),
        ("blank", Some(" \r\n".to_owned())),
        ("padding", Some("\0\0".to_owned())),
        ("absent", None),
    ] {
        let pass = Pass {
            photo_text: text,
            ..Pass::staff("20001", name)
        };
        assert!(terminal.pass(pass).await.unwrap().is_accepted());
        let record = record_of(&tenant, name).await;
        assert!(
            record["snapshot_url"].is_null() && record["photo_fault"].is_null(),
            "{name}: {record}"
        );
    }
}

#[tokio::test]
async fn fields_of_the_wrong_kind_and_size_are_stored_as_they_can_be() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, terminal) = tenant.terminal(&fresh_sn()).await;
    let pass = Pass::staff("20001\u{0}", "na\u{0}me")
        .with("temperature", "hot")
        .with("comparePoint", 1e308)
        .with("locationx", "999")
        .with("locationy", "-999")
        .with("priority", serde_json::json!([1, {"a": null}]))
        .with("department", "x".repeat(100_000))
        .with("ex\u{0}tra", "\u{0}")
        .with("snapType", 0)
        .with("compareResult", true);
    assert!(terminal.pass(pass).await.unwrap().is_accepted());
    let record = record_of(&tenant, "name").await;
    assert_eq!(
        (&record["person_number"], &record["result"]),
        (&"20001".into(), &"failed".into()),
        "{record}"
    );
    assert!(record["temperature"].is_null() && record["position"].is_null());
}
