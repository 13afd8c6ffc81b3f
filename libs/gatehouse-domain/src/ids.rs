//! Ids that a person sees: a prefix that names the kind, and a UUID in 32 hex digits
//! (`dev_0197c4a7b1e87d3c9a54b0c1d2e3f405`). New ones are UUID v7, drawn by the caller, so that
//! rows arrive in index order.

use uuid::Uuid;

/// The text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind} id: expected \"{prefix}_\" followed by 32 hexadecimal digits")]
pub struct InvalidId {
    /// What the id should name, for example `device`.
    pub kind: &'static str,
    /// The prefix it should begin with.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident = $prefix:literal, $kind:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix, without its underscore.
            pub const PREFIX: &'static str = $prefix;
            /// An id around a UUID that the caller drew (v7 for new rows) or read from a row.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            /// The UUID as rows hold it.
            #[must_use]
            pub const fn uuid(self) -> Uuid { self.0 }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.as_simple())
            }
        }
        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|hex| hex.len() == 32)
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or(InvalidId { kind: $kind, prefix: $prefix })
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// An organisation that uses the platform.
    TenantId = "ten", "tenant";
    /// A person who signs in to the console.
    UserId = "usr", "user";
    /// A key that a program of a tenant presents.
    ApiKeyId = "key", "API key";
    /// The secret part of a tenant's terminal URL.
    TerminalTokenId = "tkn", "terminal token";
    /// A terminal that a tenant has claimed.
    DeviceId = "dev", "device";
    /// A serial number that knocked on a tenant's door and is not claimed.
    DiscoveredDeviceId = "dsc", "discovered device";
    /// Somebody who may pass, or may not.
    PersonId = "per", "person";
    /// A picture of a person.
    PhotoId = "pho", "photo";
    /// Persons who are let in, or kept out, together.
    GroupId = "grp", "group";
    /// A part of an organisation.
    DepartmentId = "dep", "department";
    /// Somebody expected for a time.
    VisitId = "vis", "visit";
    /// When one may pass.
    ScheduleId = "sch", "schedule";
    /// One access point with its devices.
    DoorId = "dor", "door";
    /// Which groups may pass which devices when.
    AuthorityId = "aut", "authority";
    /// Long work that was asked for.
    JobId = "job", "job";
    /// The receipt of an erased person.
    ErasureId = "era", "erasure";
    /// A change of who may pass where, on its way to the terminals.
    DistributionId = "dst", "distribution";
    /// A look at what a terminal truly holds.
    ReadbackId = "rbk", "read-back";
    /// Something that somebody should look at now.
    AlarmId = "alm", "alarm";
    /// What a terminal saw at one moment.
    RecordId = "rec", "record";
    /// Something a terminal was asked to do.
    CommandId = "cmd", "command";
    /// A firmware file.
    FirmwareId = "fw", "firmware";
    /// Who changed what, and when.
    AuditEntryId = "aud", "audit entry";
    /// A fact beside a person's punches: a leave, a forgotten punch.
    AdjustmentId = "adj", "adjustment";
    /// A message on the bus.
    MessageId = "msg", "message";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written() -> Result<(), InvalidId> {
        let id = DeviceId::from_uuid(Uuid::from_u128(0x0197_c4a7_b1e8_7d3c_9a54_b0c1_d2e3_f405));
        assert_eq!(id.to_string(), "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405");
        assert_eq!(id.to_string().parse::<DeviceId>()?, id);
        Ok(())
    }

    #[test]
    fn another_kind_or_another_form_is_refused() {
        for text in [
            "rec_0197c4a7b1e87d3c9a54b0c1d2e3f405",
            "dev_0197c4a7-b1e8-7d3c-9a54-b0c1d2e3f405",
            "0197c4a7b1e87d3c9a54b0c1d2e3f405",
            "dev_",
            "",
        ] {
            assert!(text.parse::<DeviceId>().is_err(), "{text}");
        }
    }
}
