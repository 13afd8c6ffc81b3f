//! Whatever happens in whatever order, planning step by step comes to the same as planning all anew.

use super::{House, Scope, daily};
use chrono::Utc;
use gatehouse_domain::DeviceId;
use serde_json::json;
use uuid::Uuid;

/// A small generator: the same seed, the same story.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

struct Story {
    house: House,
    devices: Vec<DeviceId>,
    groups: Vec<Uuid>,
    persons: Vec<Uuid>,
    schedules: Vec<Uuid>,
    authorities: Vec<(DeviceId, Uuid)>,
}

impl Story {
    async fn begin() -> Self {
        let house = House::new().await;
        let mut story = Self {
            devices: vec![
                house.device("terminal_ws").await,
                house.device("http_push").await,
            ],
            groups: vec![
                house.group("staff").await,
                house.group("visitor").await,
                house.group("blocklist").await,
            ],
            persons: Vec::new(),
            schedules: vec![
                house.schedule(daily()).await,
                house
                    .schedule(json!({"weekdays": [], "holidays": []}))
                    .await,
            ],
            authorities: Vec::new(),
            house,
        };
        for _ in 0..6 {
            story.persons.push(story.house.person().await);
        }
        story
    }

    /// Something happens, and is noted as the directory notes it.
    async fn step(&mut self, dice: &mut Dice) {
        let house = &self.house;
        let person = self.persons[dice.roll(self.persons.len())];
        let group = self.groups[dice.roll(self.groups.len())];
        let device = self.devices[dice.roll(self.devices.len())];
        let (mut persons, mut devices) = (vec![person], vec![]);
        match dice.roll(10) {
            0 | 1 => house.join(group, person).await,
            2 => house.leave(group, person).await,
            3 => house.edit(person).await,
            4 => {
                let change = [
                    "disabled_at = now()",
                    "disabled_at = null",
                    "photo_count = 0",
                    "photo_count = 1",
                    "priority = 'always'",
                    "priority = 'normal'",
                    "valid_to = now() + interval '3 days'",
                    "valid_to = null",
                ];
                house.set(person, change[dice.roll(change.len())]).await;
            }
            5 | 6 => {
                let schedule =
                    [None, Some(self.schedules[0]), Some(self.schedules[1])][dice.roll(3)];
                let id = house.permit(device, group, schedule).await;
                self.authorities.push((device, id));
                (persons, devices) = (vec![], vec![device.uuid()]);
            }
            7 if !self.authorities.is_empty() => {
                let (device, id) = self.authorities.remove(dice.roll(self.authorities.len()));
                house.forbid(id).await;
                (persons, devices) = (vec![], vec![device.uuid()]);
            }
            8 => {
                house.confirm().await;
                // Whoever lost the last photo is listed again, as waiting for one, by the next plan that
                // looks at them, once the terminal has confirmed that they are gone.
                persons.clone_from(&self.persons);
            }
            _ => {
                // A terminal that was told and has not answered.
                house
                    .alter("maybe_held = true, sent_at = now(), attempts = attempts + 1")
                    .await;
            }
        }
        if devices.is_empty() {
            house.note(None, Some(persons)).await;
        } else {
            house.note(Some(devices), None).await;
        }
    }
}

#[tokio::test]
async fn step_by_step_comes_to_the_same_as_all_anew() {
    let seed = Utc::now().timestamp_micros().unsigned_abs();
    let mut dice = Dice(seed);
    let mut story = Story::begin().await;
    for step in 0..60 {
        story.step(&mut dice).await;
        if dice.roll(3) > 0 {
            continue;
        }
        story.house.plan_noted().await;
        let rows = story.house.planned_rows().await;
        let scope = Scope {
            everything: true,
            ..Scope::default()
        };
        let anew = story.house.plan_at(Utc::now(), scope).await;
        assert!(anew.is_empty(), "seed {seed}, step {step}: {anew:?}");
        assert_eq!(
            story.house.planned_rows().await,
            rows,
            "seed {seed}, step {step}"
        );
        for row in rows {
            let wanted = row.desired.is_some();
            assert!(
                wanted || row.state == "removing",
                "seed {seed}, step {step}: {row:?}"
            );
            assert_eq!(
                row.due_at.is_none(),
                matches!(row.state.as_str(), "applied" | "failed"),
                "seed {seed}, step {step}: {row:?}"
            );
        }
    }
}
