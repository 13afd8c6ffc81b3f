//! Offers against a real database; settling stands in [`settling`].
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod settling;

use super::offer_store::{self, Busy, Waiting};
use super::{erasure, offers, settle};
use crate::testing::{AssignmentRow, House};
use chrono::Utc;
use gatehouse_contracts::{DeliveryAnswer, DeliveryOutcome};
use gatehouse_domain::{DeviceId, ErasureId};
use gatehouse_platform::db::DIRECTORY;
use uuid::Uuid;

const A: &[u8] = b"content a";
const B: &[u8] = b"content b";

impl House {
    async fn offer(&self, device: DeviceId, offers: i64) -> usize {
        offers::offer_to(&self.db, &self.scope, &[device.uuid()], Busy::Await, offers)
            .await
            .unwrap()
            .len()
    }

    async fn answer(&self, device: DeviceId, row: &AssignmentRow, outcome: DeliveryOutcome) {
        self.answer_of(device, row, row.offered.clone(), outcome)
            .await;
    }

    async fn answer_of(
        &self,
        device: DeviceId,
        row: &AssignmentRow,
        content: Option<Vec<u8>>,
        outcome: DeliveryOutcome,
    ) {
        let answer = DeliveryAnswer {
            offer: row.offer.unwrap(),
            number: row.number.clone(),
            content: content.map(hex::encode),
            at: Utc::now(),
            outcome,
        };
        let tx = self.tx().await;
        settle::settle(&tx, device, &[answer]).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn the(&self, device: DeviceId, number: &str) -> AssignmentRow {
        self.row(device, number).await.unwrap()
    }

    async fn is_waiting(&self, device: DeviceId, offers: i64) -> bool {
        let among = [Waiting {
            tenant_id: self.scope.tenant().uuid(),
            device_id: device.uuid(),
        }];
        let tx = self.db.system().await.unwrap();
        let found = offer_store::waiting(&tx, Some(&among), offers, 10, 10)
            .await
            .unwrap();
        found == among
    }
}

fn refused(code: &str) -> DeliveryOutcome {
    DeliveryOutcome::Refused {
        code: code.to_owned(),
        message: String::new(),
    }
}

fn session_ended() -> DeliveryOutcome {
    DeliveryOutcome::NotSent {
        code: "session_ended".to_owned(),
        message: "The session ended.".to_owned(),
    }
}

fn waits_s(row: &AssignmentRow) -> i64 {
    (row.due_at.unwrap() - Utc::now()).num_seconds()
}

#[tokio::test]
async fn what_is_due_is_offered_once_and_settled_once() {
    let house = House::new().await;
    let device = house.terminal(7).await;
    house.want(device, "1", Some(A)).await;
    assert!(house.is_waiting(device, 64).await);
    assert_eq!(house.offer(device, 64).await, 1);
    assert!(!house.is_waiting(device, 64).await);
    assert_eq!(house.offer(device, 64).await, 0, "it is under way");
    let offered = house.the(device, "1").await;
    assert_eq!(offered.state, "sending");
    assert_eq!(offered.offered.as_deref(), Some(A));
    assert_eq!(offered.offered_session, Some(7));
    assert!(offered.maybe_held);
    assert_eq!(offered.offer.unwrap().get_version_num(), 7);

    house
        .answer(device, &offered, DeliveryOutcome::Applied)
        .await;
    let applied = house.the(device, "1").await;
    assert_eq!(applied.state, "applied");
    assert_eq!(applied.applied.as_deref(), Some(A));
    assert_eq!(
        (applied.due_at, applied.offer, applied.maybe_held),
        (None, None, false)
    );
    assert!(applied.applied_at.is_some());
    // A repeat, also one that says something else, changes nothing.
    house.answer(device, &offered, refused("301")).await;
    assert_eq!(house.the(device, "1").await, applied);
}

#[tokio::test]
async fn an_offline_device_is_offered_nothing() {
    let house = House::new().await;
    let never = house.device("terminal_ws").await;
    let gone = house.terminal(1).await;
    house.disconnect(gone).await;
    let push = house.device("http_push").await;
    for (device, offers) in [(never, 0), (gone, 0), (push, 1)] {
        house.want(device, "1", Some(A)).await;
        assert_eq!(house.is_waiting(device, 64).await, offers == 1);
        assert_eq!(house.offer(device, 64).await, offers);
    }
    assert_eq!(house.the(push, "1").await.offered_session, Some(0));
}

#[tokio::test]
async fn removals_go_first_and_have_room_of_their_own() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    for number in ["1", "2", "3", "4", "5"] {
        house.want(device, number, Some(A)).await;
    }
    assert_eq!(house.offer(device, 4).await, 4);
    // The room is full; a removal that comes now is offered all the same.
    house.want(device, "9", None).await;
    assert!(house.is_waiting(device, 4).await);
    assert_eq!(house.offer(device, 4).await, 1);
    let removal = house.the(device, "9").await;
    assert_eq!(
        (removal.state.as_str(), removal.maybe_held),
        ("removing", false)
    );
    assert!(removal.offer.is_some() && removal.offered.is_none());

    // Of what comes together, removals are first in the order of offers.
    let other = house.terminal(2).await;
    for (number, desired) in [("1", Some(A)), ("2", None), ("3", Some(A)), ("4", None)] {
        house.want(other, number, desired).await;
    }
    assert_eq!(house.offer(other, 3).await, 3);
    let mut rows = house.rows(other).await;
    rows.retain(|row| row.offer.is_some());
    rows.sort_by_key(|row| row.offer);
    let order: Vec<bool> = rows.iter().map(|row| row.offered.is_none()).collect();
    assert_eq!(order, [true, true, false]);
}

#[tokio::test]
async fn more_is_offered_when_half_of_the_room_is_free() {
    let house = House::new().await;
    let device = house.terminal(1).await;
    for number in ["1", "2", "3", "4", "5", "6"] {
        house.want(device, number, Some(A)).await;
    }
    assert_eq!(house.offer(device, 4).await, 4);
    let rows = house.rows(device).await;
    let offered: Vec<_> = rows.iter().filter(|row| row.offer.is_some()).collect();
    house
        .answer(device, offered[0], DeliveryOutcome::Applied)
        .await;
    assert_eq!(house.offer(device, 4).await, 0, "three are under way");
    house
        .answer(device, offered[1], DeliveryOutcome::Applied)
        .await;
    assert_eq!(house.offer(device, 4).await, 2);
}
