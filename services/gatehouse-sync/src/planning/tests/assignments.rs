//! What becomes of an assignment when what is wanted changes.

use super::{House, counts};
use uuid::Uuid;

#[tokio::test]
async fn who_may_pass_is_pending_and_due_at_once() {
    let house = House::new().await;
    let (device, _, person) = house.lodge().await;
    let row = house.the_row().await;
    assert_eq!(
        (row.device_id, row.person_id),
        (device.uuid(), Some(person))
    );
    assert_eq!((row.state.as_str(), row.urgency), ("pending", 1));
    assert_eq!(row.admittance, "scheduled");
    assert!(row.desired.is_some() && row.week_id.is_some() && row.due_at.is_some());
}

#[tokio::test]
async fn what_stays_is_not_touched() {
    let house = House::new().await;
    let (device, _, person) = house.lodge().await;
    for state in [
        "",
        "state = 'failed', error_code = '302', due_at = null",
        "attempts = 3, due_at = now() + interval '1 hour'",
    ] {
        if !state.is_empty() {
            house.alter(state).await;
        }
        let before = house.the_row().await;
        assert!(house.plan_devices(&[device]).await.is_empty());
        assert!(house.plan_persons(&[person]).await.is_empty());
        assert_eq!(house.the_row().await, before);
    }
}

#[tokio::test]
async fn an_edit_is_due_at_once_whatever_came_before() {
    let house = House::new().await;
    let (.., person) = house.lodge().await;
    for before in [
        "state = 'failed', error_code = '302', error_message = 'full', due_at = null",
        "attempts = 4, due_at = now() + interval '1 hour', error_code = '304'",
        "applied = desired, state = 'applied', due_at = null, applied_at = now()",
    ] {
        house.alter(before).await;
        house.edit(person).await;
        let planned = house.plan_persons(&[person]).await;
        assert_eq!(counts(&planned), (0, 1, 0));
        let row = house.the_row().await;
        assert_eq!((row.state.as_str(), row.attempts), ("pending", 0));
        assert_eq!(row.error_code, None);
        assert!(row.due_at.is_some_and(|at| at <= chrono::Utc::now()));
    }
}

#[tokio::test]
async fn who_left_before_anything_was_sent_leaves_no_trace() {
    let house = House::new().await;
    let (_, group, person) = house.lodge().await;
    house.leave(group, person).await;
    assert_eq!(counts(&house.plan_persons(&[person]).await), (0, 0, 1));
    assert_eq!(house.planned_rows().await, []);
}

#[tokio::test]
async fn who_may_be_held_is_taken_away_first() {
    for held in [
        "applied = desired",
        "maybe_held = true",
        "offer = gen_random_uuid()",
    ] {
        let house = House::new().await;
        let (device, group, person) = house.lodge().await;
        house.alter(held).await;
        house.leave(group, person).await;
        assert_eq!(counts(&house.plan_devices(&[device]).await), (0, 0, 1));
        let row = house.the_row().await;
        assert_eq!((row.state.as_str(), row.urgency), ("removing", 0), "{held}");
        assert_eq!(row.desired, None);
        assert!(house.plan_devices(&[device]).await.is_empty());
        assert_eq!(house.the_row().await, row);
    }
}

#[tokio::test]
async fn who_comes_back_before_anything_was_sent_is_still_applied() {
    let house = House::new().await;
    let (_, group, person) = house.lodge().await;
    house.confirm().await;
    house.leave(group, person).await;
    house.plan_persons(&[person]).await;
    house.join(group, person).await;
    house.plan_persons(&[person]).await;
    let row = house.the_row().await;
    assert_eq!((row.state.as_str(), row.due_at), ("applied", None));
}

#[tokio::test]
async fn who_comes_back_after_a_removal_was_sent_is_told_again() {
    for sent in ["sent_at = now()", "attempts = 1", "maybe_held = true"] {
        let house = House::new().await;
        let (_, group, person) = house.lodge().await;
        house.confirm().await;
        house.leave(group, person).await;
        house.plan_persons(&[person]).await;
        house.alter(sent).await;
        house.join(group, person).await;
        house.plan_persons(&[person]).await;
        let row = house.the_row().await;
        assert_eq!((row.state.as_str(), row.urgency), ("pending", 1), "{sent}");
        assert!(row.due_at.is_some());
    }
}

#[tokio::test]
async fn an_offer_under_way_is_left_alone() {
    let house = House::new().await;
    let (_, group, person) = house.lodge().await;
    house
        .alter("offer = gen_random_uuid(), offered = desired, state = 'sending', maybe_held = true, due_at = now() + interval '3 minutes'")
        .await;
    let before = house.the_row().await;
    house.edit(person).await;
    house.plan_persons(&[person]).await;
    let edited = house.the_row().await;
    assert_ne!(edited.desired, before.desired);
    assert_eq!(
        (edited.state.as_str(), edited.offer, edited.due_at),
        ("sending", before.offer, before.due_at)
    );
    house.leave(group, person).await;
    house.plan_persons(&[person]).await;
    let left = house.the_row().await;
    assert_eq!(
        (left.state.as_str(), left.offer, left.due_at),
        ("removing", before.offer, before.due_at)
    );
    house.join(group, person).await;
    house.plan_persons(&[person]).await;
    let back = house.the_row().await;
    assert_eq!(
        (back.state.as_str(), back.offer, back.due_at),
        ("sending", before.offer, before.due_at)
    );
    assert_eq!(back.desired, edited.desired);
}

#[tokio::test]
async fn who_has_no_photo_waits_for_one() {
    let house = House::new().await;
    let (.., person) = house.lodge().await;
    house.set(person, "photo_count = 0").await;
    house.plan_persons(&[person]).await;
    let row = house.the_row().await;
    assert_eq!(
        (row.state.as_str(), row.error_code.as_deref()),
        ("failed", Some("no_photo"))
    );
    assert_eq!(row.due_at, None);
    house.set(person, "photo_count = 1").await;
    house.plan_persons(&[person]).await;
    let row = house.the_row().await;
    assert_eq!(
        (row.state.as_str(), row.error_code.as_deref()),
        ("pending", None)
    );
    // The first photo of a new row.
    let house = House::new().await;
    let (device, group) = (house.device("http_push").await, house.group("staff").await);
    let person = house.person().await;
    house.set(person, "photo_count = 0").await;
    house.join(group, person).await;
    house.permit(device, group, None).await;
    assert_eq!(counts(&house.plan_devices(&[device]).await), (1, 0, 0));
    let row = house.the_row().await;
    assert_eq!(
        (row.state.as_str(), row.error_code.as_deref(), row.due_at),
        ("failed", Some("no_photo"), None)
    );
}

#[tokio::test]
async fn whose_last_photo_was_deleted_is_taken_from_terminals() {
    let house = House::new().await;
    let (device, _, person) = house.lodge().await;
    house.confirm().await;
    house.set(person, "photo_count = 0").await;
    assert_eq!(counts(&house.plan_persons(&[person]).await), (0, 0, 1));
    let row = house.the_row().await;
    assert_eq!(
        (row.state.as_str(), row.desired.as_deref()),
        ("removing", None)
    );
    assert_eq!(
        (row.error_code.as_deref(), row.urgency),
        (Some("no_photo"), 0)
    );
    assert!(house.plan_devices(&[device]).await.is_empty());
    house.set(person, "photo_count = 1").await;
    assert_eq!(counts(&house.plan_persons(&[person]).await), (1, 0, 0));
    assert_eq!(house.the_row().await.state, "pending");
}

#[tokio::test]
async fn admittance_follows_priority_and_blocklists() {
    let house = House::new().await;
    let (device, _, person) = house.lodge().await;
    house.confirm().await;
    house.set(person, "priority = 'always'").await;
    house.plan_persons(&[person]).await;
    let row = house.the_row().await;
    assert_eq!((row.admittance.as_str(), row.urgency), ("always", 1));
    let blocked = house.group("blocklist").await;
    house.join(blocked, person).await;
    house.permit(device, blocked, None).await;
    house.plan_devices(&[device]).await;
    let row = house.the_row().await;
    // Taking the way in is as urgent as taking the person away.
    assert_eq!(
        (row.admittance.as_str(), row.urgency, row.state.as_str()),
        ("never", 0, "pending")
    );
}

#[tokio::test]
async fn barred_expired_and_erased_persons_are_wanted_nowhere() {
    for change in [
        "disabled_at = now()",
        "valid_to = now() - interval '1 second'",
        "",
    ] {
        let house = House::new().await;
        let (.., person) = house.lodge().await;
        house.confirm().await;
        if change.is_empty() {
            house
                .direct(
                    "delete from directory.persons where tenant_id = $1 and id = $2",
                    vec![person.into()],
                )
                .await;
        } else {
            house.set(person, change).await;
        }
        house.plan_persons(&[person]).await;
        assert_eq!(house.the_row().await.state, "removing", "{change}");
    }
}

#[tokio::test]
async fn a_stranger_on_the_terminal_is_none_of_ours() {
    let house = House::new().await;
    let (device, ..) = house.lodge().await;
    house
        .run(
            "insert into sync.assignments (tenant_id, device_id, number, maybe_held, state) values ($1, $2, '999999999', true, 'removing')",
            vec![device.uuid().into()],
        )
        .await;
    assert!(house.plan_devices(&[device]).await.is_empty());
    assert_eq!(house.planned_rows().await.len(), 2);
}

#[tokio::test]
async fn a_number_found_on_a_terminal_becomes_the_person_it_belongs_to() {
    let house = House::new().await;
    let (device, _, person) = house.lodge().await;
    house
        .alter("person_id = null, desired = null, applied = null, maybe_held = true, state = 'removing', urgency = 0")
        .await;
    assert_eq!(counts(&house.plan_devices(&[device]).await), (1, 0, 0));
    let row = house.the_row().await;
    assert_eq!(
        (row.person_id, row.state.as_str()),
        (Some(person), "pending")
    );
    assert!(row.change_id.is_some_and(|id| id != Uuid::nil()));
}
