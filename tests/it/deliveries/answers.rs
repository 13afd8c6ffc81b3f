//! What a terminal answers decides what becomes of it, and nothing else does.

use super::{authorize, group, holds, leave, person, persons, stands, terminal, told};
use gatehouse_simulator::Answer;
use serde_json::json;

#[tokio::test]
async fn a_full_terminal_takes_the_newcomer_when_somebody_leaves() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |profile| profile.person_capacity = 1).await;
    let all = persons(&tenant, 2).await;
    let first = group(&tenant, "staff", &all[..1]).await;
    authorize(&tenant, &device, &first, None).await;
    holds(&terminal, &[&all[0]]).await;
    let second = group(&tenant, "staff", &all[1..]).await;
    authorize(&tenant, &device, &second, None).await;
    let failed = stands(&tenant, &device, &all[1], "failed", |i| {
        i["state"] == "failed"
    })
    .await;
    assert_eq!(failed["error"]["code"], "302", "{failed}");
    leave(&tenant, &first, &all[0]).await;
    holds(&terminal, &[&all[1]]).await;
    let item = stands(&tenant, &device, &all[1], "applied", |i| {
        i["state"] == "applied"
    })
    .await;
    assert!(item["error"].is_null(), "{item}");
}

#[tokio::test]
async fn refusals_wait_for_a_change_and_hold_up_nobody() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let all = persons(&tenant, 4).await;
    for (person, code) in all.iter().zip(["300", "301", "303"]) {
        terminal.set_answer_about(&person.number, Some(Answer::Code(code.to_owned())));
    }
    let group = group(&tenant, "staff", &all).await;
    authorize(&tenant, &device, &group, None).await;
    holds(&terminal, &[&all[3]]).await;
    for (person, code) in all.iter().zip(["300", "301", "303"]) {
        let failed = stands(&tenant, &device, person, "failed", |i| {
            i["state"] == "failed"
        })
        .await;
        assert_eq!(failed["error"]["code"], code, "{failed}");
        assert!(
            failed["error"]["message"]
                .as_str()
                .is_some_and(|m| m.ends_with('.')),
            "{failed}"
        );
    }
    // A change of one of them tells that one again, and no other.
    let from = told(&terminal).len();
    terminal.set_answer_about(&all[0].number, None);
    let path = format!("/v1/persons/{}", all[0].id);
    tenant
        .api
        .patch(&path, json!({"name": "Mended"}))
        .await
        .expect(200);
    holds(&terminal, &[&all[0], &all[3]]).await;
    let numbers: Vec<String> = told(&terminal)
        .into_iter()
        .skip(from)
        .map(|(_, number, _)| number)
        .collect();
    assert_eq!(numbers, [all[0].number.clone()]);
}

#[tokio::test]
async fn a_terminal_that_took_too_long_is_told_again_by_itself() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let slow = person(&tenant, json!({"name": "Slow", "type": "staff"})).await;
    terminal.set_answer_about(&slow.number, Some(Answer::Code("304".to_owned())));
    let group = group(&tenant, "staff", std::slice::from_ref(&slow)).await;
    authorize(&tenant, &device, &group, None).await;
    let waits = stands(&tenant, &device, &slow, "an error", |i| {
        !i["error"].is_null()
    })
    .await;
    assert_eq!(
        (&waits["state"], &waits["error"]["code"]),
        (&json!("pending"), &json!("304")),
        "{waits}"
    );
    terminal.set_answer_about(&slow.number, None);
    holds(&terminal, &[&slow]).await;
    stands(&tenant, &device, &slow, "applied", |i| {
        i["state"] == "applied"
    })
    .await;
}
