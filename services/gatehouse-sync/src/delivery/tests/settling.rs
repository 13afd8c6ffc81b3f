//! What becomes of answers, and of what nobody answers, against a real database.

use super::*;

#[tokio::test]
async fn an_answer_is_compared_with_what_is_desired_by_then() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    // Changed while under way.
    house.want(device, "1", Some(A)).await;
    house.offer(device, 64).await;
    let under_way = house.the(device, "1").await;
    house.want(device, "1", Some(B)).await;
    house
        .answer(device, &under_way, DeliveryOutcome::Applied)
        .await;
    let row = house.the(device, "1").await;
    assert_eq!(row.state, "pending");
    assert_eq!(row.applied.as_deref(), Some(A));
    assert!(waits_s(&row) <= 0);
    // The hub sent what was newer already.
    house.offer(device, 64).await;
    let row = house.the(device, "1").await;
    house.want(device, "1", Some(A)).await;
    house
        .answer_of(device, &row, Some(A.to_vec()), DeliveryOutcome::Applied)
        .await;
    assert_eq!(house.the(device, "1").await.state, "applied");
    // A refusal of what is not wanted any more.
    house.want(device, "1", Some(B)).await;
    house.offer(device, 64).await;
    let row = house.the(device, "1").await;
    house.want(device, "1", Some(A)).await;
    house.answer(device, &row, refused("301")).await;
    let row = house.the(device, "1").await;
    assert_eq!((row.state.as_str(), row.error_code), ("pending", None));
}

#[tokio::test]
async fn somebody_taken_away_while_being_added_is_taken_away() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    for (number, outcome) in [
        ("1", DeliveryOutcome::Applied),
        ("2", refused("301")),
        ("3", refused("304")),
        ("4", DeliveryOutcome::Unanswered),
    ] {
        house.want(device, number, Some(A)).await;
        house.offer(device, 64).await;
        let adding = house.the(device, number).await;
        house.want(device, number, None).await;
        house.answer(device, &adding, outcome.clone()).await;
        let row = house.the(device, number).await;
        assert_eq!(row.state, "removing", "{outcome:?}");
        assert!(waits_s(&row) <= 0, "{outcome:?}");
        assert_eq!(house.offer(device, 64).await, 1);
        let removing = house.the(device, number).await;
        assert_eq!(removing.offered, None);
        house
            .answer(device, &removing, DeliveryOutcome::Applied)
            .await;
        assert_eq!(house.row(device, number).await, None);
    }
}

#[tokio::test]
async fn somebody_wanted_back_while_being_taken_away_is_added_again() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    house.held(device, "1", A).await;
    house.want(device, "1", None).await;
    house.offer(device, 64).await;
    let removing = house.the(device, "1").await;
    house.want(device, "1", Some(A)).await;
    house
        .answer(device, &removing, DeliveryOutcome::Applied)
        .await;
    let row = house.the(device, "1").await;
    assert_eq!((row.state.as_str(), row.applied.clone()), ("pending", None));
    assert!(waits_s(&row) <= 0);
}

#[tokio::test]
async fn what_fails_is_tried_again_later_each_time() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    house.want(device, "1", Some(A)).await;
    for (attempt, wait_s) in [5, 30, 120, 600, 1800, 3600, 3600].into_iter().enumerate() {
        assert_eq!(house.offer(device, 64).await, 1);
        let row = house.the(device, "1").await;
        let outcome = if attempt == 0 {
            DeliveryOutcome::Unanswered
        } else {
            refused("304")
        };
        house.answer(device, &row, outcome).await;
        let row = house.the(device, "1").await;
        assert_eq!(row.state, "pending");
        assert_eq!(usize::try_from(row.attempts).unwrap(), attempt + 1);
        assert!((wait_s - 3..=wait_s).contains(&waits_s(&row)), "{row:?}");
        assert_eq!(house.offer(device, 64).await, 0, "it waits");
        house
            .run(
                "update sync.assignments set due_at = now() where tenant_id = $1",
                vec![],
            )
            .await;
    }
}

#[tokio::test]
async fn what_a_retry_does_not_mend_waits_and_a_removal_never_does() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    house.want(device, "1", Some(A)).await;
    house.held(device, "2", A).await;
    house.want(device, "2", None).await;
    house.offer(device, 64).await;
    for number in ["1", "2"] {
        let row = house.the(device, number).await;
        house.answer(device, &row, refused("300")).await;
    }
    let failed = house.the(device, "1").await;
    assert_eq!((failed.state.as_str(), failed.due_at), ("failed", None));
    assert_eq!(failed.error_code.as_deref(), Some("300"));
    let removing = house.the(device, "2").await;
    assert_eq!(removing.state, "removing");
    assert!(waits_s(&removing) > 0);
}

#[tokio::test]
async fn a_removal_that_is_refused_again_and_again_leads_to_reading_the_register() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    house.held(device, "1", A).await;
    house.want(device, "1", None).await;
    house.offer(device, 64).await;
    let read = "update sync.devices set full_read_due_at = null where tenant_id = $1 and full_read_due_at is null";
    let forget = "update sync.devices set full_read_due_at = null where tenant_id = $1";
    house.run(forget, vec![]).await;
    for attempt in 1..=5 {
        assert_eq!(house.run(read, vec![]).await, 1, "attempt {attempt}");
        let row = house.the(device, "1").await;
        house.answer(device, &row, refused("300")).await;
        house
            .run(
                "update sync.assignments set due_at = now() where tenant_id = $1",
                vec![],
            )
            .await;
        house.offer(device, 64).await;
    }
    assert_eq!(house.run(read, vec![]).await, 0, "it is due");
}

#[tokio::test]
async fn a_place_that_becomes_free_is_given_to_the_one_who_waits_longest() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    house.held(device, "1", A).await;
    for number in ["2", "3"] {
        house.want(device, number, Some(A)).await;
        house.offer(device, 64).await;
        let row = house.the(device, number).await;
        house.answer(device, &row, refused("302")).await;
    }
    assert_eq!(house.offer(device, 64).await, 0);
    house.want(device, "1", None).await;
    assert_eq!(house.offer(device, 64).await, 1);
    let removing = house.the(device, "1").await;
    house
        .answer(device, &removing, DeliveryOutcome::Applied)
        .await;
    assert_eq!(house.the(device, "2").await.state, "pending");
    assert_eq!(house.the(device, "3").await.state, "failed");
    assert_eq!(house.offer(device, 64).await, 1);
}

#[tokio::test]
async fn a_new_session_voids_what_the_old_one_was_offered_and_ends_back_off() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    for number in ["1", "2"] {
        house.want(device, number, Some(A)).await;
    }
    house.offer(device, 64).await;
    let old = house.the(device, "1").await;
    let backing_off = house.the(device, "2").await;
    house.answer(device, &backing_off, refused("304")).await;
    house.disconnect(device).await;
    assert!(!house.is_waiting(device, 64).await);
    let tx = house.tx().await;
    offer_store::set_back(&tx, &[device.uuid()]).await.unwrap();
    tx.commit().await.unwrap();
    let waiting = house.the(device, "1").await;
    assert_eq!(waiting.state, "pending");
    assert_eq!(waiting.offer, old.offer, "it may still be answered");
    house.connect(device, 2).await;
    assert!(house.is_waiting(device, 64).await);
    assert_eq!(house.offer(device, 64).await, 2);
    let new = house.the(device, "1").await;
    assert_eq!(new.offered_session, Some(2));
    assert_ne!(new.offer, old.offer);
    // The old session's answer comes late.
    house.answer(device, &old, DeliveryOutcome::Applied).await;
    assert_eq!(house.the(device, "1").await, new);
    // One that the session did not get to send is due at once.
    house.answer(device, &new, session_ended()).await;
    let row = house.the(device, "1").await;
    assert_eq!((row.state.as_str(), row.attempts), ("pending", 0));
    assert!(waits_s(&row) <= 0);
    assert!(row.maybe_held, "an older offer may have arrived");
}

#[tokio::test]
async fn two_who_offer_at_once_offer_each_row_once() {
    let house = House::new().await;
    let mut devices = Vec::new();
    for session in 1..=4 {
        let device = house.terminal(session).await;
        for number in 0..40 {
            house.want(device, &number.to_string(), Some(A)).await;
        }
        devices.push(device.uuid());
    }
    let offer = || offers::offer_to(&house.db, &house.scope, &devices, Busy::Skip, 10);
    let mut made = 0;
    while made < 40 {
        let (one, other) = tokio::join!(offer(), offer());
        let (one, other) = (one.unwrap().len(), other.unwrap().len());
        assert!(one + other > 0);
        made += one + other;
    }
    assert_eq!(made, 40);
    for device in devices {
        let rows = house.rows(DeviceId::from_uuid(device)).await;
        assert_eq!(rows.iter().filter(|row| row.offer.is_some()).count(), 10);
    }
}

#[tokio::test]
async fn a_device_that_lost_its_register_is_told_everything_again() {
    let house = House::new().await;
    let device = house.device("http_push").await;
    house.held(device, "1", A).await;
    house.held(device, "2", A).await;
    house.want(device, "2", None).await;
    let tx = house.tx().await;
    settle::lost(&tx, device).await.unwrap();
    tx.commit().await.unwrap();
    let row = house.the(device, "1").await;
    assert_eq!((row.state.as_str(), row.applied), ("pending", None));
    let removing = house.the(device, "2").await;
    assert_eq!(
        (removing.state.as_str(), removing.maybe_held),
        ("removing", true),
        "that it holds nobody is only said"
    );
    assert_eq!(house.offer(device, 64).await, 2);
    let removing = house.the(device, "2").await;
    house
        .answer(device, &removing, DeliveryOutcome::Applied)
        .await;
    assert_eq!(house.row(device, "2").await, None);
}

#[tokio::test]
async fn an_erased_person_is_followed_from_terminal_to_terminal() {
    let house = House::new().await;
    let (here, there) = (house.terminal(1).await, house.device("terminal_ws").await);
    house.held(here, "5", A).await;
    house.held(there, "5", A).await;
    let erasure = ErasureId::from_uuid(Uuid::now_v7());
    let tx = house.tx().await;
    erasure::follow(&tx, erasure, "5").await.unwrap();
    erasure::finish(&tx).await.unwrap();
    tx.commit().await.unwrap();
    let told = house.told("erasure.progressed.v1").await;
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|event| event["done"] == false));

    house.want(here, "5", None).await;
    house.offer(here, 64).await;
    let row = house.the(here, "5").await;
    house.answer(here, &row, DeliveryOutcome::Applied).await;
    house
        .run(
            "delete from sync.assignments where tenant_id = $1 and device_id = $2",
            vec![there.uuid().into()],
        )
        .await;
    let tx = house.tx().await;
    erasure::finish(&tx).await.unwrap();
    erasure::finish(&tx).await.unwrap();
    tx.commit().await.unwrap();
    let told = house.told("erasure.progressed.v1").await;
    let done: Vec<_> = told.iter().filter(|event| event["done"] == true).collect();
    assert_eq!(done.len(), 3, "{told:?}");
    assert_eq!(done[2]["place"], "terminals");
    assert_eq!(done[2]["erasure_id"], erasure.to_string());
}

#[tokio::test]
async fn a_terminal_out_of_reach_is_named_as_one_to_wipe() {
    let house = House::new().await;
    let (removed, replaced) = (house.terminal(1).await, house.terminal(2).await);
    for device in [removed, replaced] {
        house.held(device, "5", A).await;
    }
    let tx = house.tx().await;
    erasure::follow(&tx, ErasureId::from_uuid(Uuid::now_v7()), "5")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for (statement, device) in [
        (
            "delete from directory.devices where tenant_id = $1 and id = $2",
            removed,
        ),
        (
            "update directory.devices set sn = 'another' where tenant_id = $1 and id = $2",
            replaced,
        ),
    ] {
        house
            .run_as(DIRECTORY, statement, vec![device.uuid().into()])
            .await;
    }
    house
        .run("delete from sync.assignments where tenant_id = $1", vec![])
        .await;
    let tx = house.tx().await;
    erasure::finish(&tx).await.unwrap();
    tx.commit().await.unwrap();
    let told = house.told("erasure.progressed.v1").await;
    for (device, says) in [(removed, "device was removed"), (replaced, "was replaced")] {
        let done = told
            .iter()
            .find(|e| e["done"] == true && e["device_id"] == device.to_string());
        let detail = done.unwrap()["detail"].as_str().unwrap();
        assert!(
            detail.contains(says) && detail.contains("Wipe it"),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn a_person_whom_no_terminal_holds_is_done_at_once() {
    let house = House::new().await;
    let tx = house.tx().await;
    erasure::follow(&tx, ErasureId::from_uuid(Uuid::now_v7()), "6")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let told = house.told("erasure.progressed.v1").await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["place"], &told[0]["done"]),
        (&"terminals".into(), &true.into())
    );
}

#[tokio::test]
async fn an_answer_that_comes_after_the_session_counts() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    house.want(device, "1", Some(A)).await;
    house.offer(device, 64).await;
    let offered = house.the(device, "1").await;
    house.disconnect(device).await;
    let tx = house.db.system().await.unwrap();
    let gone = offer_store::gone(&tx, i64::MAX).await.unwrap();
    drop(tx);
    assert!(gone.iter().any(|one| one.device_id == device.uuid()));
    let tx = house.tx().await;
    offer_store::set_back(&tx, &[device.uuid()]).await.unwrap();
    tx.commit().await.unwrap();
    house
        .answer(device, &offered, DeliveryOutcome::Applied)
        .await;
    assert_eq!(house.the(device, "1").await.state, "applied");
}
