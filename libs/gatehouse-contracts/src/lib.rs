//! Every message on RabbitMQ: the envelope, the events with their routing keys, the wake-ups, and
//! the names of exchanges. A message names its version in its routing key (`record.stored.v1`); a
//! published version only grows fields that older readers may ignore.
//!
//! Deliberately absent: how messages travel (gatehouse-platform), and what anybody does with them.

mod envelope;
mod events;
mod wake;

pub use envelope::{Envelope, Event, RawEnvelope, WrongKind};
pub use events::{
    AlarmRaised, AuditRecorded, CommandFinished, CommandWanted, DeliveriesAnswered, DeliveryAnswer,
    DeliveryOutcome, DeviceChange, DeviceChanged, ErasureProgressed, PersonErased, RecordsFate,
    RecordsStored, RegisterLost, StoredRecord, TerminalTokenChanged,
};
pub use wake::Wake;

/// Topic exchange of all events; the routing key is the event's kind.
pub const EVENTS_EXCHANGE: &str = "gatehouse.events";
/// Fanout exchange of wake-ups: lost ones do no harm, whoever misses one finds the work by polling.
pub const WAKE_EXCHANGE: &str = "gatehouse.wake";

/// Routing keys of all events, for tests that walk them.
pub const ALL_KINDS: &[&str] = &[
    RecordsStored::KIND,
    DeviceChanged::KIND,
    TerminalTokenChanged::KIND,
    CommandFinished::KIND,
    AuditRecorded::KIND,
    DeliveriesAnswered::KIND,
    RegisterLost::KIND,
    CommandWanted::KIND,
    AlarmRaised::KIND,
    PersonErased::KIND,
    ErasureProgressed::KIND,
];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    /// Every kind has a checked-in sample that today's types read and write back unchanged: a
    /// message of an older deployment stays readable.
    #[test]
    fn every_kind_reads_its_fixture() {
        for kind in ALL_KINDS {
            let path = format!("{}/fixtures/{kind}.json", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
            let before: serde_json::Value = serde_json::from_str(&text).unwrap();
            let raw: RawEnvelope = serde_json::from_str(&text).unwrap();
            let after = match *kind {
                RecordsStored::KIND => serde_json::to_value(raw.read::<RecordsStored>().unwrap()),
                DeviceChanged::KIND => serde_json::to_value(raw.read::<DeviceChanged>().unwrap()),
                TerminalTokenChanged::KIND => {
                    serde_json::to_value(raw.read::<TerminalTokenChanged>().unwrap())
                }
                CommandFinished::KIND => {
                    serde_json::to_value(raw.read::<CommandFinished>().unwrap())
                }
                AuditRecorded::KIND => serde_json::to_value(raw.read::<AuditRecorded>().unwrap()),
                DeliveriesAnswered::KIND => {
                    serde_json::to_value(raw.read::<DeliveriesAnswered>().unwrap())
                }
                RegisterLost::KIND => serde_json::to_value(raw.read::<RegisterLost>().unwrap()),
                CommandWanted::KIND => serde_json::to_value(raw.read::<CommandWanted>().unwrap()),
                AlarmRaised::KIND => serde_json::to_value(raw.read::<AlarmRaised>().unwrap()),
                PersonErased::KIND => serde_json::to_value(raw.read::<PersonErased>().unwrap()),
                ErasureProgressed::KIND => {
                    serde_json::to_value(raw.read::<ErasureProgressed>().unwrap())
                }
                other => panic!("{other} has no reader in this test"),
            };
            assert_eq!(before, after.unwrap(), "{kind}");
        }
    }

    #[test]
    fn another_kind_is_refused() {
        let path = format!(
            "{}/fixtures/{}.json",
            env!("CARGO_MANIFEST_DIR"),
            DeviceChanged::KIND
        );
        let raw: RawEnvelope =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert!(matches!(
            raw.read::<RecordsStored>(),
            Err(WrongKind::Kind { .. })
        ));
    }
}
