//! One in flight; the door between any two; taking away before giving.

use super::{authorize, group, holds, join, leave, persons, terminal};
use gatehouse_simulator::{Answer, Event, Respond, Terminal};
use serde_json::json;
use std::time::Duration;

fn slowly() -> Respond {
    Respond::normally().to(
        "registerPersonInfo",
        Answer::After(Duration::from_millis(400)),
    )
}

/// Commands in the order of their arrival, persons with operation and number; no more than one at a
/// time.
fn arrivals(terminal: &Terminal, from: usize) -> Vec<String> {
    let (mut in_flight, mut order) = (0, Vec::new());
    for event in terminal.events().into_iter().skip(from) {
        match event {
            Event::Command { msg_type, body, .. } => {
                in_flight += 1;
                let item = &body["personInfoData"][0];
                order.push(match item["operateType"].as_str() {
                    Some(operation) => {
                        format!("{operation} {}", item["idNumber"].as_str().unwrap())
                    }
                    None => msg_type,
                });
            }
            Event::Answered { .. } => in_flight -= 1,
            _ => {}
        }
        assert!(in_flight <= 1, "two at once: {order:?}");
    }
    order
}

#[tokio::test]
async fn the_door_opens_between_two_persons_and_commands_take_turns() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let all = persons(&tenant, 6).await;
    let group = group(&tenant, "staff", &all).await;
    terminal.set_respond(slowly());
    let from = terminal.event_count();
    authorize(&tenant, &device, &group, None).await;
    let about_person = |event: &Event| matches!(event, Event::Command { msg_type, .. } if msg_type == "registerPersonInfo");
    terminal
        .wait_for_after(from, super::SOON, about_person)
        .await
        .unwrap();
    let path = format!("/v1/devices/{}/commands", device["id"].as_str().unwrap());
    for command in ["clear_records", "count_persons", "open_door"] {
        tenant
            .api
            .post(&path, json!({"type": command}))
            .await
            .expect(201);
    }
    let everybody: Vec<_> = all.iter().collect();
    holds(&terminal, &everybody).await;
    let order = arrivals(&terminal, from);
    let place = |what: &str| {
        order
            .iter()
            .position(|it| it == what)
            .unwrap_or_else(|| panic!("no {what} in {order:?}"))
    };
    assert!(place("onlineOpen") <= 2, "{order:?}");
    assert!(
        place("onlineOpen") < place("onlineGetRegisterCount"),
        "{order:?}"
    );
    let last_person = order.iter().rposition(|it| it.starts_with("0 ")).unwrap();
    assert!(
        place("onlineGetRegisterCount") < last_person,
        "commands wait for all persons: {order:?}"
    );
}

#[tokio::test]
async fn taking_away_goes_before_giving() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let all = persons(&tenant, 8).await;
    let (first, newcomers) = all.split_at(2);
    let group = group(&tenant, "staff", first).await;
    authorize(&tenant, &device, &group, None).await;
    holds(&terminal, &[&all[0], &all[1]]).await;
    terminal.set_respond(slowly());
    let from = terminal.event_count();
    for newcomer in newcomers {
        join(&tenant, &group, newcomer).await;
    }
    let given = |event: &Event| matches!(event, Event::Command { body, .. } if body["personInfoData"][0]["operateType"] == "0");
    terminal
        .wait_for_after(from, super::SOON, given)
        .await
        .unwrap();
    leave(&tenant, &group, &all[0]).await;
    let mut wanted: Vec<_> = newcomers.iter().collect();
    wanted.push(&all[1]);
    holds(&terminal, &wanted).await;
    let order = arrivals(&terminal, from);
    let removal = order.iter().position(|it| it.starts_with("2 ")).unwrap();
    assert!(removal <= 3, "it waited behind additions: {order:?}");
}
