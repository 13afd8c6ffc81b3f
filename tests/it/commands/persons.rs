//! The persons that a terminal holds: counted, listed one by one with an acknowledgement each, read
//! with their pictures.

use super::{SOON, carry_out, terminal};
use gatehouse_simulator::{Answer, Event, Person, PersonAnswerName, Respond, photo};
use serde_json::{Value, json};
use std::time::Duration;

fn people(count: usize) -> Vec<Person> {
    (0..count)
        .map(|n| Person::new(&format!("{}", 20_000 + n), &format!("人{n}")))
        .collect()
}

#[tokio::test]
async fn persons_are_counted_listed_and_read() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let face = photo::jpeg(8, 21);
    for name in [PersonAnswerName::Table, PersonAnswerName::Sample] {
        let mut held = people(5);
        held[2] = held[2].clone().with_photo(&face);
        let (device, terminal) = terminal(&tenant, |profile| {
            profile.persons = held;
            profile.quirks.person_answer_name = name;
            profile.quirks.count_answer_leading_space = name == PersonAnswerName::Sample;
        })
        .await;
        let counted = carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await;
        assert_eq!(
            (&counted["state"], &counted["result"]),
            (&json!("succeeded"), &json!({"count": 5}))
        );

        let listed = carry_out(&tenant.api, &device, json!({"type": "list_persons"})).await;
        assert_eq!(
            (&listed["state"], &listed["result"]["count"]),
            (&json!("succeeded"), &json!(5)),
            "{listed}"
        );
        let names: Vec<&str> = listed["result"]["persons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["人0", "人1", "人2", "人3", "人4"]);
        // One acknowledgement each; one too few, and the terminal would repeat for ever.
        let acknowledged: Vec<String> = terminal
            .events()
            .into_iter()
            .filter_map(|event| match event {
                Event::PersonAcknowledged { index } => Some(index),
                _ => None,
            })
            .collect();
        assert_eq!(acknowledged, ["0", "1", "2", "3", "4"]);

        let read = carry_out(
            &tenant.api,
            &device,
            json!({"type": "read_person", "index": 2}),
        )
        .await;
        assert_eq!(read["state"], "succeeded", "{read}");
        let person = &read["result"]["person"];
        assert_eq!(
            (&person["number"], &person["name"], &person["index"]),
            (&json!("20002"), &json!("人2"), &json!(2))
        );
        assert_eq!(
            (&person["birthday_on"], &person["gender"]),
            (&json!("1997-04-03"), &json!("male"))
        );
        assert_eq!(
            (&person["valid_from_on"], &person["valid_to_on"]),
            (&json!("2019-08-09"), &json!("2029-08-09"))
        );
        let url = person["photos"][0]["photo_url"].as_str().unwrap();
        assert_eq!(
            world
                .anonymous()
                .get(url.strip_prefix(&world.base_url).unwrap())
                .await
                .body,
            face
        );

        let beyond = carry_out(
            &tenant.api,
            &device,
            json!({"type": "read_person", "index": 99}),
        )
        .await;
        assert_eq!(
            (&beyond["state"], &beyond["error"]["code"]),
            (&json!("failed"), &json!("200"))
        );
    }
}

#[tokio::test]
async fn an_empty_terminal_has_nobody() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, _terminal) = terminal(&tenant, |_| {}).await;
    let counted = carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await;
    assert_eq!(counted["result"], json!({"count": 0}));
    let listed = carry_out(&tenant.api, &device, json!({"type": "list_persons"})).await;
    assert_eq!(listed["state"], "succeeded", "{listed}");
    assert_eq!(listed["result"]["persons"], json!([]));
}

#[tokio::test]
async fn more_persons_than_a_command_holds_are_read_page_by_page() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, _terminal) = terminal(&tenant, |profile| profile.persons = people(260)).await;
    let listed = carry_out(&tenant.api, &device, json!({"type": "list_persons"})).await;
    assert_eq!(
        (&listed["state"], &listed["result"]["count"]),
        (&json!("succeeded"), &json!(260))
    );
    assert_eq!(listed["result"]["persons"].as_array().unwrap().len(), 200);
    let path = format!(
        "{}/{}/persons",
        super::commands_of(&device),
        listed["id"].as_str().unwrap()
    );
    let all = tenant.api.list(&path).await;
    let indexes: Vec<Value> = all.iter().map(|person| person["index"].clone()).collect();
    assert_eq!(indexes, (0..260).map(|n| json!(n)).collect::<Vec<_>>());
    let other = world.tenant().await;
    assert_eq!(other.api.get(&path).await.problem(404), "not_found");
}

#[tokio::test]
async fn a_door_opens_while_a_long_list_is_told() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |profile| {
        profile.persons = people(3_000);
        profile.respond = Respond::normally().to("onlineOpen", Answer::Normally);
    })
    .await;
    let list = super::give(&tenant.api, &device, json!({"type": "list_persons"})).await;
    terminal
        .wait_for(SOON, |event| {
            matches!(event, Event::PersonAcknowledged { .. })
        })
        .await
        .unwrap();
    let opened = carry_out(&tenant.api, &device, json!({"type": "open_door"})).await;
    assert_eq!(opened["state"], "succeeded");
    let still = tenant.api.get(&list).await.expect(200);
    assert_eq!(
        still["state"], "sent",
        "the door did not wait for the list: {still}"
    );
    kit::until("the list to go on", Duration::from_secs(5), || async {
        let persons = tenant.api.list(&format!("{list}/persons")).await;
        (persons.len() > 10).then_some(())
    })
    .await;
}
