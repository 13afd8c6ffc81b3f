//! What is told of a plan.

use super::super::{changes, progress, pruning};
use super::{House, counts, plan};
use gatehouse_domain::DistributionId;
use uuid::Uuid;

#[tokio::test]
async fn notes_that_wait_together_are_planned_together() {
    let house = House::new().await;
    let (device, group, first) = house.lodge().await;
    house.confirm().await;
    let second = house.person().await;
    house.join(group, second).await;
    house.edit(first).await;
    let mut notes = Vec::new();
    for person in [second, first, second] {
        notes.push(house.note(None, Some(vec![person])).await);
    }
    assert_eq!(house.waiting().await.len(), 3);
    assert_eq!(counts(&house.plan_noted().await), (1, 1, 0));
    assert_eq!(house.waiting().await, []);
    let tx = house.tx().await;
    let [.., last] = notes[..] else {
        unreachable!()
    };
    for note in notes {
        let row = progress::find(&tx, DistributionId::from_uuid(note))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((row.adds, row.updates, row.removes), (1, 1, 0));
        assert_eq!((row.leader(), row.open), (last, true));
    }
    let devices = progress::devices(&tx, last, 10).await.unwrap();
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].device_id, device.uuid());
    assert_eq!((devices[0].adds, devices[0].updates), (1, 1));
    assert_eq!(
        (devices[0].open, devices[0].failed, devices[0].online),
        (2, 0, Some(false))
    );
}

#[tokio::test]
async fn a_change_is_done_when_every_terminal_has_answered() {
    let house = House::new().await;
    house.lodge().await;
    let tx = house.tx().await;
    let listed = progress::list(&tx, None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].open);
    drop(tx);
    for (answer, failed) in [
        ("state = 'failed', error_code = '301', due_at = null", 1),
        ("state = 'applied', applied = desired, due_at = null", 0),
    ] {
        house.alter(answer).await;
        let tx = house.tx().await;
        let row = progress::list(&tx, None, 10).await.unwrap().remove(0);
        assert!(!row.open);
        let devices = progress::devices(&tx, row.leader(), 10).await.unwrap();
        assert_eq!((devices[0].all_open, devices[0].all_failed), (0, failed));
    }
}

#[tokio::test]
async fn the_list_has_what_waits_and_what_is_planned_newest_first() {
    let house = House::new().await;
    let (device, ..) = house.lodge().await;
    let noted = house.note(Some(vec![device.uuid()]), None).await;
    let tx = house.tx().await;
    let all = progress::list(&tx, None, 10).await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].id, all[0].planned_at), (noted, None));
    assert!(all[1].planned_at.is_some());
    let first = progress::list(&tx, None, 1).await.unwrap();
    assert_eq!(first.len(), 1);
    let rest = progress::list(&tx, Some(first[0].id), 10).await.unwrap();
    assert_eq!(rest[0].id, all[1].id);
    let unknown = DistributionId::from_uuid(Uuid::now_v7());
    assert!(progress::find(&tx, unknown).await.unwrap().is_none());
}

#[tokio::test]
async fn a_plan_that_changes_nothing_is_entered_only_where_it_was_asked_for() {
    let house = House::new().await;
    let (device, ..) = house.lodge().await;
    house.plan_devices(&[device]).await;
    let scope = super::Scope::device(device.uuid());
    house.plan_at(chrono::Utc::now(), scope).await;
    let tx = house.tx().await;
    assert_eq!(progress::list(&tx, None, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn two_that_plan_the_same_tenant_take_turns() {
    let house = House::new().await;
    let (device, group, _) = house.lodge().await;
    let person = house.person().await;
    house.join(group, person).await;
    house.note(Some(vec![device.uuid()]), None).await;
    let (one, other) = tokio::join!(house.plan_noted(), house.plan_noted());
    assert_eq!(one.adds + other.adds, 1);
    assert_eq!(house.planned_rows().await.len(), 2);
}

#[tokio::test]
async fn old_distributions_go_when_their_note_is_gone() {
    let house = House::new().await;
    house.lodge().await;
    let prune = async || {
        let tx = house.tx().await;
        let gone = pruning::prune(&tx).await.unwrap();
        tx.commit().await.unwrap();
        gone
    };
    house
        .run(
            "update sync.distributions set planned_at = now() - interval '31 days' where tenant_id = $1",
            vec![],
        )
        .await;
    assert_eq!(prune().await, 0);
    house
        .direct(
            "delete from directory.access_changes where tenant_id = $1",
            vec![],
        )
        .await;
    assert_eq!(prune().await, 1);
}

#[tokio::test]
async fn everything_is_planned_where_a_note_names_nobody() {
    let house = House::new().await;
    let (_, group, _) = house.lodge().await;
    let (device, person) = (house.device("terminal_ws").await, house.person().await);
    house.join(group, person).await;
    house.permit(device, group, None).await;
    house.note(None, None).await;
    assert_eq!(counts(&house.plan_noted().await), (3, 0, 0));
    assert_eq!(house.planned_rows().await.len(), 4);
}

#[tokio::test]
async fn a_plan_that_fails_leaves_no_trace() {
    let house = House::new().await;
    let (device, group, _) = house.lodge().await;
    let person = house.person().await;
    house.join(group, person).await;
    house.note(Some(vec![device.uuid()]), None).await;
    let tx = house.tx().await;
    plan::hold(&tx).await.unwrap();
    let noted = changes::take(&tx, None).await.unwrap();
    plan::changes(&tx, chrono::Utc::now(), &noted)
        .await
        .unwrap();
    drop(tx);
    assert_eq!(house.planned_rows().await.len(), 1);
    assert_eq!(house.waiting().await.len(), 1);
}

#[tokio::test]
async fn who_waits_is_found_across_tenants_and_only_while_they_wait() {
    let house = House::new().await;
    let (device, ..) = house.lodge().await;
    let tenant = house.scope.tenant();
    let found = async |since| {
        let tx = house.db.system().await.unwrap();
        let waits = changes::tenants_waiting(&tx, since).await.unwrap();
        let scope = changes::waiting(&tx, tenant, since).await.unwrap();
        assert_eq!(waits.contains(&tenant), scope.is_some());
        scope.is_some()
    };
    let recently = Some(chrono::Utc::now() - chrono::TimeDelta::minutes(3));
    assert!(!found(None).await);
    house.note(Some(vec![device.uuid()]), None).await;
    assert!(found(None).await && found(recently).await);
    let later = Some(chrono::Utc::now() + chrono::TimeDelta::minutes(1));
    assert!(!found(later).await);
    house.plan_noted().await;
    assert!(!found(None).await);
}
