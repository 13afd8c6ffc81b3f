//! Push devices while a store is away: nothing opens, nothing is acknowledged, nothing is lost.

use super::Away;
use crate::push::House;
use gatehouse_simulator::device::{DeviceError, Sighting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_that_cannot_be_stored_opens_nothing_and_may_come_again() {
    let world = kit::alone().await;
    let house = House::of(world.tenant().await).await;
    let person = house.person("Waiting").await;
    house.authority(&person, None).await;
    let mut sighting = Sighting::of(&person.number, "Waiting");
    sighting.image = gatehouse_simulator::photo::jpeg(4, 1);
    sighting.at = Some(chrono::Utc::now() - chrono::TimeDelta::seconds(2));
    assert!(house.device.face(&sighting).await.unwrap().opens);
    for (store, second) in [("postgres", 1), ("s3", 0)] {
        sighting.at = Some(chrono::Utc::now() - chrono::TimeDelta::seconds(second));
        let away = Away::take(store).await;
        let refused = house.device.face(&sighting).await.unwrap_err();
        let DeviceError::Status { status, body } = refused else {
            panic!("{store}: {refused}")
        };
        assert_eq!(status, 503, "{store}: {body}");
        assert!(body.contains(r#""openDoor":0"#), "{store}: {body}");
        away.bring_back().await;
        kit::until("the pass to be taken", super::BACK, || async {
            house.device.face(&sighting).await.ok()
        })
        .await;
    }
    assert_eq!(house.records().await.len(), 3);
}
