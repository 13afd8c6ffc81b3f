//! The lists against a real database.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::store;
use super::view::AssignmentState;
use crate::testing::House;
use gatehouse_domain::PersonId;

#[tokio::test]
async fn lists_go_on_where_they_stopped_and_filter_by_state() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    for number in ["1", "2", "3"] {
        house.want(device, number, Some(b"x")).await;
    }
    house.held(device, "4", b"x").await;
    let tx = house.tx().await;
    let first = store::of_device(&tx, device, None, None, 2).await.unwrap();
    assert_eq!(first[1].number, "2");
    let rest = store::of_device(&tx, device, None, Some("2".to_owned()), 9)
        .await
        .unwrap();
    assert_eq!(rest.len(), 2);
    let pending = Some(AssignmentState::Pending);
    let pending = store::of_device(&tx, device, pending, None, 9)
        .await
        .unwrap();
    assert_eq!(pending.len(), 3);
    let applied = Some(AssignmentState::Applied);
    let applied = store::of_device(&tx, device, applied, None, 9)
        .await
        .unwrap();
    assert_eq!(applied.len(), 1);
    let person = PersonId::from_uuid(applied[0].person_id.unwrap());
    let devices = store::of_person(&tx, person, None, None, 9).await.unwrap();
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].device_id, device.uuid());
    let none = store::of_person(&tx, person, None, Some(device.uuid()), 9).await;
    assert!(none.unwrap().is_empty());
}

#[tokio::test]
async fn a_retry_takes_up_what_failed_and_what_waits_and_nothing_else() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    for number in ["1", "2", "3", "4"] {
        house.want(device, number, Some(b"x")).await;
    }
    house.held(device, "5", b"x").await;
    house
        .run(
            "update sync.assignments set state = 'failed', due_at = null, error_code = '301' where tenant_id = $1 and number = '1'",
            vec![],
        )
        .await;
    house
        .run(
            "update sync.assignments set due_at = now() + interval '1 hour', attempts = 4 where tenant_id = $1 and number = '2'",
            vec![],
        )
        .await;
    house
        .run(
            "update sync.assignments set state = 'sending', offer = gen_random_uuid(), due_at = now() + interval '1 hour' \
              where tenant_id = $1 and number = '3'",
            vec![],
        )
        .await;
    let one = PersonId::from_uuid(house.row(device, "2").await.unwrap().person_id.unwrap());
    let tx = house.tx().await;
    assert_eq!(store::retry(&tx, device, Some(&[one])).await.unwrap(), 1);
    assert_eq!(store::retry(&tx, device, None).await.unwrap(), 1);
    assert_eq!(store::retry(&tx, device, None).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let row = house.row(device, "1").await.unwrap();
    assert_eq!((row.state.as_str(), row.error_code), ("pending", None));
}
