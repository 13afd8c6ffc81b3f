//! What must come of a sequence of changes, reckoned without the platform.

use gatehouse_simulator::SplitMix64;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Join { person: usize, group: usize },
    Leave { person: usize, group: usize },
    Rename { person: usize, version: u32 },
    Bar { person: usize, barred: bool },
    Schedule { group: usize, version: u32 },
    Permit { device: usize, group: usize },
    Forbid { device: usize, group: usize },
    Outage { device: usize },
    Crash,
}

/// A person's name after so many changes.
pub fn name(person: usize, version: u32) -> String {
    format!("Person {person} v{version}")
}

/// The same hours every day, an hour more with each version, so that versions can be told apart.
pub fn weekdays(version: u32) -> Vec<Value> {
    let to = closing(version);
    (1..=7)
        .map(|weekday| json!({"weekday": weekday, "periods": [{"from": "06:00", "to": format!("{to:02}:00")}]}))
        .collect()
}

fn closing(version: u32) -> u32 {
    8 + version % 15
}

/// What a terminal should hold of somebody: name and passing times; nothing where they are not
/// let in.
type Held = Option<(String, String)>;

pub struct Model {
    members: BTreeSet<(usize, usize)>,
    permits: BTreeSet<(usize, usize)>,
    names: Vec<u32>,
    barred: Vec<bool>,
    schedules: Vec<u32>,
    devices: usize,
    changes: Vec<usize>,
    disruptions: Vec<usize>,
}

impl Model {
    pub fn new(devices: usize, groups: usize, persons: usize) -> Self {
        Self {
            members: BTreeSet::new(),
            permits: BTreeSet::new(),
            names: vec![0; persons],
            barred: vec![false; persons],
            schedules: vec![0; groups],
            devices,
            changes: vec![0; devices],
            disruptions: vec![0; devices],
        }
    }

    /// Picks something that can happen now.
    pub fn draw(&self, random: &mut SplitMix64, disrupted: bool) -> Change {
        let mut below = |count: usize| usize::try_from(random.below(count as u64)).unwrap();
        let (person, group) = (below(self.names.len()), below(self.schedules.len()));
        let device = below(self.devices);
        match below(if disrupted { 14 } else { 12 }) {
            0..=3 if self.members.contains(&(person, group)) => Change::Leave { person, group },
            0..=3 => Change::Join { person, group },
            4..=5 => Change::Rename {
                person,
                version: self.names[person] + 1,
            },
            6 => Change::Bar {
                person,
                barred: !self.barred[person],
            },
            7 => Change::Schedule {
                group,
                version: self.schedules[group] + 1,
            },
            8..=11 if self.permits.contains(&(device, group)) => Change::Forbid { device, group },
            8..=11 => Change::Permit { device, group },
            12 => Change::Outage { device },
            _ => Change::Crash,
        }
    }

    pub fn make(&mut self, change: Change) {
        let before = self.all();
        match change {
            Change::Join { person, group } => drop(self.members.insert((person, group))),
            Change::Leave { person, group } => drop(self.members.remove(&(person, group))),
            Change::Rename { person, version } => self.names[person] = version,
            Change::Bar { person, barred } => self.barred[person] = barred,
            Change::Schedule { group, version } => self.schedules[group] = version,
            Change::Permit { device, group } => drop(self.permits.insert((device, group))),
            Change::Forbid { device, group } => drop(self.permits.remove(&(device, group))),
            Change::Outage { device } => self.disruptions[device] += 1,
            Change::Crash => self.disruptions.iter_mut().for_each(|count| *count += 1),
        }
        for (device, (before, after)) in before.iter().zip(self.all()).enumerate() {
            self.changes[device] += before.iter().zip(&after).filter(|(a, b)| a != b).count();
        }
    }

    fn all(&self) -> Vec<Vec<Held>> {
        let of = |device| {
            (0..self.names.len())
                .map(|person| self.held_of(device, person))
                .collect()
        };
        (0..self.devices).map(of).collect()
    }

    fn held_of(&self, device: usize, person: usize) -> Held {
        let closes = (0..self.schedules.len())
            .filter(|group| {
                self.permits.contains(&(device, *group)) && self.members.contains(&(person, *group))
            })
            .map(|group| closing(self.schedules[group]))
            .max()?;
        (!self.barred[person]).then(|| {
            (
                name(person, self.names[person]),
                format!("06_00,{closes:02}_00"),
            )
        })
    }

    /// Who is on a terminal: person, name, passing times of a day.
    pub fn held(&self, device: usize) -> Vec<(usize, String, String)> {
        (0..self.names.len())
            .filter_map(|person| {
                self.held_of(device, person)
                    .map(|(name, passes)| (person, name, passes))
            })
            .collect()
    }

    /// How often what this terminal should hold of somebody has changed.
    pub fn changes(&self, device: usize) -> usize {
        self.changes[device]
    }

    /// How often its connection, or the platform, went away.
    pub fn disruptions(&self, device: usize) -> usize {
        self.disruptions[device]
    }
}
