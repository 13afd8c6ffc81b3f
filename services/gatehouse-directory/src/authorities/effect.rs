//! What a change would do, as the API says it.

use super::preview::OnDevice;
use gatehouse_domain::DeviceId;
use serde::Serialize;
use utoipa::ToSchema;

/// A device that would have to hold more persons than it can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct OverCapacity {
    #[schema(value_type = String, example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    device_id: DeviceId,
    /// How many persons it holds.
    capacity: i64,
    /// How many it would have to hold.
    would_hold: i64,
}

/// What a change would do. Nothing of it was saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Effect {
    /// Persons who may pass somewhere where they may not now.
    persons_added: i64,
    /// Persons who may no longer pass somewhere where they may now.
    persons_removed: i64,
    /// Persons whose times change somewhere.
    persons_updated: i64,
    /// Terminals that would be told something.
    devices: usize,
    /// Of these, how many are offline at the moment.
    offline: usize,
    /// Of these, which would be given more persons than they hold.
    over_capacity: Vec<OverCapacity>,
    /// Of the persons added, how many have no picture, without which no terminal takes them.
    without_photo: i64,
    /// Additions, over all terminals.
    assignments_added: i64,
    /// Removals, over all terminals.
    assignments_removed: i64,
    /// Changed times, over all terminals.
    assignments_updated: i64,
    /// All of it in words.
    #[schema(example = "adds 312 people to 14 terminals, 2 of them offline, 1 over its capacity")]
    sentence: String,
}

impl Effect {
    pub(super) fn new(rows: &[OnDevice], offline: usize) -> Self {
        let sum = |of: fn(&OnDevice) -> i64| rows.iter().map(of).sum();
        let all = |of: fn(&OnDevice) -> i64| rows.first().map_or(0, of);
        let over = rows.iter().filter_map(|row| {
            let capacity = i64::from(row.capacity?);
            (row.adds > 0 && row.would_hold > capacity).then(|| OverCapacity {
                device_id: DeviceId::from_uuid(row.device_id),
                capacity,
                would_hold: row.would_hold,
            })
        });
        let mut effect = Self {
            persons_added: all(|row| row.persons_added),
            persons_removed: all(|row| row.persons_removed),
            persons_updated: all(|row| row.persons_updated),
            devices: rows.len(),
            offline,
            over_capacity: over.collect(),
            without_photo: all(|row| row.without_photo),
            assignments_added: sum(|row| row.adds),
            assignments_removed: sum(|row| row.removes),
            assignments_updated: sum(|row| row.updates),
            sentence: String::new(),
        };
        effect.sentence = effect.in_words();
        effect
    }

    fn in_words(&self) -> String {
        let terminals = match self.devices {
            1 => "1 terminal".to_owned(),
            n => format!("{n} terminals"),
        };
        let parts: Vec<(String, &str)> = [
            (self.persons_added, "adds ", "to"),
            (self.persons_removed, "removes ", "from"),
            (self.persons_updated, "changes the times of ", "on"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, verb, place)| (format!("{verb}{}", people(count)), place))
        .collect();
        let mut sentence = match parts.as_slice() {
            [] => return "changes nothing on any terminal".to_owned(),
            [(part, place)] => format!("{part} {place} {terminals}"),
            [(one, _), (other, _)] => format!("{one} and {other} on {terminals}"),
            [(first, _), middle @ .., (last, _)] => {
                let middle: String = middle.iter().map(|(part, _)| format!(", {part}")).collect();
                format!("{first}{middle} and {last} on {terminals}")
            }
        };
        if self.offline > 0 {
            sentence.push_str(&format!(", {} of them offline", self.offline));
        }
        match self.over_capacity.len() {
            0 => {}
            1 => sentence.push_str(", 1 over its capacity"),
            n => sentence.push_str(&format!(", {n} over their capacity")),
        }
        match self.without_photo {
            0 => {}
            1 => sentence
                .push_str("; 1 of the people has no picture, without which no terminal takes them"),
            n => sentence.push_str(&format!(
                "; {n} of the people have no picture, without which no terminal takes them"
            )),
        }
        sentence
    }
}

fn people(count: i64) -> String {
    match count {
        1 => "1 person".to_owned(),
        n => format!("{n} people"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn row(device: u128, capacity: Option<i32>, would_hold: i64) -> OnDevice {
        OnDevice {
            device_id: Uuid::from_u128(device),
            adds: 312,
            removes: 0,
            updates: 0,
            capacity,
            would_hold,
            persons_added: 312,
            persons_removed: 0,
            persons_updated: 0,
            without_photo: 0,
        }
    }

    #[test]
    fn it_is_said_in_words() {
        let mut rows: Vec<OnDevice> = (1..=13).map(|n| row(n, Some(500), 400)).collect();
        rows.push(row(14, Some(300), 312));
        let effect = Effect::new(&rows, 2);
        assert_eq!(
            effect.sentence,
            "adds 312 people to 14 terminals, 2 of them offline, 1 over its capacity"
        );
        assert_eq!(effect.assignments_added, 312 * 14);
        assert_eq!(effect.over_capacity.len(), 1);
        for row in &mut rows {
            row.persons_removed = 1;
            row.persons_updated = 5;
            row.without_photo = 3;
        }
        assert_eq!(
            Effect::new(&rows, 0).sentence,
            "adds 312 people, removes 1 person and changes the times of 5 people on 14 terminals, \
             1 over its capacity; 3 of the people have no picture, without which no terminal takes them"
        );
        let gone = OnDevice {
            adds: 0,
            removes: 1,
            persons_added: 0,
            persons_removed: 1,
            ..row(1, Some(1), 5)
        };
        let effect = Effect::new(&[gone], 1);
        assert_eq!(
            effect.sentence,
            "removes 1 person from 1 terminal, 1 of them offline"
        );
        assert_eq!(
            Effect::new(&[], 0).sentence,
            "changes nothing on any terminal"
        );
    }
}
