//! Reasons to plan: schedules, midnights, ends of validity, devices.

use super::super::{devices, endings, midnight, weeks};
use super::{House, Scope, counts, daily, daily_but};
use chrono::{Days, TimeDelta, Utc};
use gatehouse_domain::DeviceId;
use gatehouse_platform::db::sql;
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

impl House {
    async fn weeks(&self) -> usize {
        let tx = self.tx().await;
        let rows = tx
            .conn()
            .query_all_raw(sql(
                "select 1 from sync.weeks where tenant_id = $1",
                [tx.tenant_uuid().into()],
            ))
            .await
            .unwrap();
        rows.len()
    }

    async fn follow(&self, device: DeviceId) -> super::Planned {
        let tx = self.tx().await;
        let planned = devices::follow(&tx, device).await.unwrap();
        tx.commit().await.unwrap();
        planned
    }

    async fn is_old(&self, now: chrono::DateTime<Utc>) -> bool {
        let scopes = midnight::tenants_with_old_weeks(&self.db, now)
            .await
            .unwrap();
        scopes
            .iter()
            .any(|scope| scope.tenant() == self.scope.tenant())
    }

    async fn replan_schedule(&self, plan: serde_json::Value) {
        self.direct(
            "update directory.schedules set plan = $2 where tenant_id = $1",
            vec![plan.into()],
        )
        .await;
    }
}

#[tokio::test]
async fn a_schedule_that_changes_is_told_to_everybody_in_it() {
    let house = House::new().await;
    let (device, ..) = house.lodge().await;
    house.confirm().await;
    let before = house.the_row().await;
    house
        .replan_schedule(json!({"weekdays": [], "holidays": []}))
        .await;
    assert_eq!(counts(&house.plan_devices(&[device]).await), (0, 1, 0));
    let after = house.the_row().await;
    assert_ne!(after.desired, before.desired);
    assert_eq!(
        (after.week_id, after.state.as_str()),
        (before.week_id, "pending")
    );
    // And back before anything was sent.
    house.replan_schedule(daily()).await;
    house.plan_devices(&[device]).await;
    assert_eq!(house.the_row().await.state, "applied");
}

#[tokio::test]
async fn another_schedule_of_the_same_hours_sends_nothing() {
    let house = House::new().await;
    let (device, group, _) = house.lodge().await;
    house.confirm().await;
    let before = house.the_row().await;
    house
        .direct(
            "delete from directory.authorities where tenant_id = $1",
            vec![],
        )
        .await;
    let same = house.schedule(daily()).await;
    house.permit(device, group, Some(same)).await;
    assert!(house.plan_devices(&[device]).await.is_empty());
    let after = house.the_row().await;
    assert_eq!(
        (after.desired, after.state.as_str()),
        (before.desired, "applied")
    );
    assert_ne!(after.week_id, before.week_id);
}

#[tokio::test]
async fn a_midnight_without_holiday_sends_nothing() {
    let house = House::new().await;
    house.lodge().await;
    house.confirm().await;
    let before = house.the_row().await;
    let tomorrow = Utc::now() + TimeDelta::days(1);
    assert!(!house.is_old(Utc::now()).await);
    assert!(house.is_old(tomorrow).await);
    assert!(house.plan_at(tomorrow, Scope::default()).await.is_empty());
    assert!(!house.is_old(tomorrow).await);
    assert_eq!(house.the_row().await, before);
}

#[tokio::test]
async fn a_holiday_that_comes_into_sight_is_told_at_midnight() {
    let house = House::new().await;
    let (device, ..) = house.lodge().await;
    let today = weeks::local_date("Asia/Shanghai", Utc::now());
    let holiday = today.checked_add_days(Days::new(7)).unwrap();
    house.replan_schedule(daily_but(holiday)).await;
    assert!(house.plan_devices(&[device]).await.is_empty());
    house.confirm().await;
    let tomorrow = Utc::now() + TimeDelta::days(1);
    assert_eq!(
        counts(&house.plan_at(tomorrow, Scope::default()).await),
        (0, 1, 0)
    );
    house.confirm().await;
    // Still in sight, and then past.
    let later = |days| Utc::now() + TimeDelta::days(days);
    assert!(house.plan_at(later(5), Scope::default()).await.is_empty());
    assert_eq!(
        counts(&house.plan_at(later(8), Scope::default()).await),
        (0, 1, 0)
    );
}

#[tokio::test]
async fn an_end_that_comes_into_sight_is_told_at_midnight() {
    let house = House::new().await;
    let (_, _, person) = house.lodge().await;
    house
        .set(person, "valid_to = now() + interval '10 days'")
        .await;
    house.plan_persons(&[person]).await;
    house.confirm().await;
    let later = |days| Utc::now() + TimeDelta::days(days);
    assert!(house.plan_at(later(1), Scope::default()).await.is_empty());
    assert_eq!(
        counts(&house.plan_at(later(5), Scope::default()).await),
        (0, 1, 0)
    );
    house.confirm().await;
    assert!(house.plan_at(later(6), Scope::default()).await.is_empty());
}

#[tokio::test]
async fn a_beginning_that_is_past_is_told_no_more() {
    let house = House::new().await;
    let (_, _, person) = house.lodge().await;
    house
        .set(person, "valid_from = now() + interval '2 days'")
        .await;
    assert_eq!(counts(&house.plan_persons(&[person]).await), (0, 1, 0));
    house.confirm().await;
    let later = |days| Utc::now() + TimeDelta::days(days);
    assert!(house.plan_at(later(1), Scope::default()).await.is_empty());
    assert_eq!(
        counts(&house.plan_at(later(4), Scope::default()).await),
        (0, 1, 0)
    );
}

#[tokio::test]
async fn a_beginning_is_told_when_it_comes_into_sight_and_when_it_is_past() {
    for priority in ["normal", "always"] {
        let house = House::new().await;
        let (_, _, person) = house.lodge().await;
        let visit = format!(
            "valid_from = now() + interval '10 days', valid_to = now() + interval '40 days', priority = '{priority}'"
        );
        house.set(person, &visit).await;
        house.plan_persons(&[person]).await;
        house.confirm().await;
        let later = |days| Utc::now() + TimeDelta::days(days);
        for (day, updates) in [(1, 0), (5, 1), (6, 0), (12, 1), (13, 0)] {
            let planned = house.plan_at(later(day), Scope::default()).await;
            assert_eq!(counts(&planned), (0, updates, 0), "{priority}, day {day}");
            house.confirm().await;
        }
    }
}

#[tokio::test]
async fn who_may_always_pass_and_soon_no_more_has_other_weeks_in_another_zone() {
    let house = House::new().await;
    let (device, _, person) = house.lodge().await;
    house
        .set(
            person,
            "valid_to = now() + interval '3 days', priority = 'always'",
        )
        .await;
    house.plan_persons(&[person]).await;
    house.confirm().await;
    let before = house.the_row().await;
    house
        .direct(
            "update directory.devices set timezone = 'Europe/Berlin' where tenant_id = $1",
            vec![],
        )
        .await;
    assert_eq!(counts(&house.follow(device).await), (0, 1, 0));
    assert_ne!(house.the_row().await.desired, before.desired);
}

#[tokio::test]
async fn weeks_that_nobody_is_told_go_at_midnight() {
    let house = House::new().await;
    let (_, group, person) = house.lodge().await;
    house.leave(group, person).await;
    house.plan_persons(&[person]).await;
    assert_eq!(house.weeks().await, 1);
    house
        .plan_at(Utc::now() + TimeDelta::days(1), Scope::default())
        .await;
    assert_eq!(house.weeks().await, 0);
    assert!(!house.is_old(Utc::now() + TimeDelta::days(2)).await);
}

#[tokio::test]
async fn whose_validity_has_ended_is_found_however_long_ago() {
    let house = House::new().await;
    let (_, _, person) = house.lodge().await;
    house.confirm().await;
    let found_but = async |except: &[Uuid]| {
        let (ended, _) = endings::ended_since(&house.db, None, except).await.unwrap();
        ended
            .into_iter()
            .find(|(scope, _)| scope.tenant() == house.scope.tenant())
            .map(|(_, persons)| persons)
    };
    let found = async || found_but(&[]).await;
    assert_eq!(found().await, None);
    // As if it had been planned while it still lasted.
    house
        .direct(
            "update directory.persons set valid_to = now() - interval '9 days' where tenant_id = $1",
            vec![],
        )
        .await;
    assert_eq!(found().await, Some(vec![person]));
    let failed = [house.scope.tenant().uuid()];
    assert_eq!(found_but(&failed).await, None, "others have their turn");
    let planned = house
        .plan_at(Utc::now(), Scope::persons(vec![person]))
        .await;
    assert_eq!(counts(&planned), (0, 0, 1));
    assert_eq!(house.the_row().await.state, "removing");
    assert_eq!(found().await, None);
}

#[tokio::test]
async fn a_device_that_is_deleted_takes_its_rows_with_it() {
    let house = House::new().await;
    let (device, ..) = house.lodge().await;
    house.follow(device).await;
    let known = "update sync.devices set session = 1 where tenant_id = $1";
    assert_eq!(house.run(known, vec![]).await, 1);
    house
        .direct("delete from directory.devices where tenant_id = $1", vec![])
        .await;
    house.follow(device).await;
    assert_eq!(house.planned_rows().await, []);
    assert_eq!(house.run(known, vec![]).await, 0);
}

#[tokio::test]
async fn a_terminal_that_was_swapped_holds_nothing() {
    let house = House::new().await;
    let (device, group, first) = house.lodge().await;
    let second = house.person().await;
    house.join(group, second).await;
    house.plan_devices(&[device]).await;
    house.confirm().await;
    house.follow(device).await;
    assert!(
        house
            .planned_rows()
            .await
            .iter()
            .all(|row| row.state == "applied")
    );
    house.leave(group, first).await;
    house.plan_persons(&[first]).await;
    house
        .direct(
            "update directory.devices set sn = 'another' where tenant_id = $1",
            vec![],
        )
        .await;
    house
        .run(
            "update sync.devices set full_read_due_at = null where tenant_id = $1",
            vec![],
        )
        .await;
    house.follow(device).await;
    let is_due = "update sync.devices set full_read_due_at = full_read_due_at where tenant_id = $1 and full_read_due_at <= now()";
    assert_eq!(
        house.run(is_due, vec![]).await,
        1,
        "what it brings along is read"
    );
    let row = house.the_row().await;
    assert_eq!(
        (row.person_id, row.state.as_str()),
        (Some(second), "pending")
    );
    assert!(row.due_at.is_some());
    house.follow(device).await;
    assert_eq!(house.the_row().await, row);
}

#[tokio::test]
async fn a_device_in_another_zone_has_other_weeks() {
    let house = House::new().await;
    let (device, ..) = house.lodge().await;
    house.confirm().await;
    let before = house.the_row().await;
    assert!(house.follow(device).await.is_empty());
    house
        .direct(
            "update directory.devices set timezone = 'Europe/Berlin' where tenant_id = $1",
            vec![],
        )
        .await;
    house.follow(device).await;
    let after = house.the_row().await;
    assert_ne!(after.week_id, before.week_id);
    // The same hours of the local day: nothing to tell.
    assert_eq!(
        (after.state.as_str(), after.desired),
        ("applied", before.desired)
    );
}
