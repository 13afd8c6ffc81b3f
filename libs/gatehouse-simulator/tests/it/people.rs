//! Registering, counting and fetching people.

use gatehouse_simulator::{Answer, Person, PersonAnswerName, TerminalProfile, photo};
use serde_json::{Value, json};

use crate::cloud::{Cloud, SN, SOON, Session};

fn with_people(mut profile: TerminalProfile) -> TerminalProfile {
    let jpeg = photo::jpeg(2, 1);
    profile.persons = vec![
        Person::new("2001", "张三").with_photo(&jpeg),
        Person::new("2002", "李四").with_photo(&jpeg),
        Person::new("2003", "Anna").with_photo(&jpeg),
    ];
    profile
}

async fn acknowledge(session: &mut Session, index: &str) {
    session
        .send(json!({
            "msgType": "onlineGetRegisterResp", "msgID": "000002", "deviceNo": SN,
            "errorCode": "100", "index": index
        }))
        .await;
}

#[tokio::test]
async fn registers_a_person_and_tells_of_it() {
    let mut cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile.quirks.keys_with_trailing_space = false;
    let (terminal, mut session) = cloud.connect(profile).await;
    let photo = base64_simd::STANDARD.encode_to_string(photo::jpeg(3, 2));
    let person = json!({
        "operateType": "0", "idNumber": "2001", "normalNumber": "8899", "name": "张三",
        "sex": "男", "birthday": "1997年4月3日", "phone": "18868681819",
        "validDateStart": "2019_08_09", "validDateEnd": "2029_08_09", "priority": "2",
        "registerPhoto1": photo, "registerPhotoID1": "654321"
    });
    let message = json!({"personInfoCount": "1", "personInfoData": [person]});
    let answer = session.ask("registerPersonInfo", message).await;
    assert_eq!(answer["errorCode"], "100");
    assert_eq!(terminal.persons()["2001"].field("name"), "张三");
    assert_eq!(
        session.ask("onlineGetRegisterCount", json!({})).await["personNum"],
        "1"
    );
    let told = session
        .ask("onlineGetRegisterByIndex", json!({"index": "0"}))
        .await;
    assert_eq!(told["registerPhoto1"], photo.as_str());
    assert_eq!(
        (&told["index"], &told["registerPhotoID2"]),
        (&json!("0"), &json!(""))
    );
    assert!(told.get("personNum").is_none());

    let bad = json!({"personInfoCount": "2", "personInfoData": [{}]});
    assert_eq!(
        session.ask("registerPersonInfo", bad).await["errorCode"],
        "300"
    );
}

#[tokio::test]
async fn streams_one_person_after_the_other() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(with_people(cloud.profile())).await;
    session.order("onlineGetRegister", json!({})).await;
    let mut names = Vec::new();
    for index in ["0", "1", "2"] {
        let person = session.next().await;
        assert_eq!(person["msgType"], "onlineGetRegisterResp");
        assert_eq!(
            (&person["personNum"], &person["index"]),
            (&json!("3"), &json!(index))
        );
        names.push(person["name"].as_str().unwrap().to_owned());
        acknowledge(&mut session, index).await;
    }
    assert_eq!(names, ["张三", "李四", "Anna"]);
    // Nothing follows the last one but the answer to the next question.
    assert_eq!(
        session.ask("onlineGetRegisterCount", json!({})).await["personNum"],
        "3"
    );
    let acknowledged = |event: &gatehouse_simulator::Event| matches!(event, gatehouse_simulator::Event::PersonAcknowledged { index } if index == "2");
    terminal.wait_for(SOON, acknowledged).await.unwrap();
}

#[tokio::test]
async fn sends_a_person_again_until_its_own_index_is_acknowledged() {
    let mut cloud = Cloud::start().await;
    let (_terminal, mut session) = cloud.connect(with_people(cloud.profile())).await;
    session.order("onlineGetRegister", json!({})).await;
    let index = |person: &Value| person["index"].as_str().unwrap().to_owned();
    assert_eq!(index(&session.next().await), "0");
    assert_eq!(index(&session.next().await), "0", "without acknowledgement");
    acknowledge(&mut session, "1").await;
    assert_eq!(
        index(&session.next().await),
        "0",
        "a wrong index does not count"
    );
    acknowledge(&mut session, "0").await;
    // One more of the first may be under way already.
    while index(&session.next().await) != "1" {}

    session.order("onlineStopGetRegister", json!({})).await;
    let stopped = loop {
        let message = session.next().await;
        if message["msgType"] == "onlineStopGetRegisterResp" {
            break message;
        }
    };
    assert_eq!(stopped["errorCode"], "100");
    acknowledge(&mut session, "1").await;
    assert_eq!(
        session.ask("onlineGetRegisterCount", json!({})).await["personNum"],
        "3"
    );
}

#[tokio::test]
async fn the_samples_names_and_capital_letters() {
    let mut cloud = Cloud::start().await;
    let mut profile = with_people(cloud.profile());
    profile.quirks.person_answer_name = PersonAnswerName::Sample;
    profile.quirks.capital_photo_keys = true;
    let (_terminal, mut session) = cloud.connect(profile).await;
    session
        .order("onlineGetRegisterByIndex", json!({"index": "2"}))
        .await;
    let person = session.next().await;
    assert_eq!(person["msgType"], "onlineGetRegisterInfoResp");
    assert_eq!(person["name"], "Anna");
    assert_eq!(
        (&person["RegisterPhotoID2"], &person["RegisterPhoto3"]),
        (&json!(""), &json!(""))
    );
    session.order("onlineGetRegister", json!({})).await;
    assert_eq!(session.next().await["msgType"], "onlineGetRegisterInfoResp");
}

#[tokio::test]
async fn nobody_to_tell_of() {
    let mut cloud = Cloud::start().await;
    let (_terminal, mut session) = cloud.connect(cloud.profile()).await;
    let answer = session.ask("onlineGetRegister", json!({})).await;
    assert_eq!(
        (&answer["personNum"], answer.get("index")),
        (&json!("0"), None)
    );
}

#[tokio::test]
async fn one_person_is_refused_another_is_taken_and_the_room_is_limited() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    let photo = base64_simd::STANDARD.encode_to_string(photo::jpeg(3, 2));
    let person = |id: &str| {
        let person = json!({"operateType": "0", "idNumber": id, "name": "张三",
                            "registerPhoto1": photo, "registerPhotoID1": "654321"});
        json!({"personInfoCount": "1", "personInfoData": [person]})
    };
    terminal.set_answer_about("7", Some(Answer::Code("304".to_owned())));
    terminal.set_person_capacity(1);
    for (id, code) in [("7", "304"), ("8", "100"), ("9", "302")] {
        let answer = session.ask("registerPersonInfo", person(id)).await;
        assert_eq!(answer["errorCode"], code, "{id}");
    }
    terminal.set_answer_about("7", None);
    terminal.edit_persons(|persons| persons.clear());
    let answer = session.ask("registerPersonInfo", person("7")).await;
    assert_eq!(answer["errorCode"], "100");
    assert!(terminal.persons().contains_key("7"));
}
