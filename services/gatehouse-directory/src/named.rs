//! Ids that a request names: read, and looked for among the tenant's own. An id of another tenant is
//! one that does not exist.

use crate::reading::Reading;
use gatehouse_domain::{DeviceId, DoorId, GroupId, InvalidId, ScheduleId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::FromQueryResult;
use std::collections::HashSet;
use uuid::Uuid;

/// What is named.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Device,
    Door,
    Group,
    Schedule,
}

impl Kind {
    const fn noun(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Door => "door",
            Self::Group => "group",
            Self::Schedule => "schedule",
        }
    }

    const fn table(self) -> &'static str {
        match self {
            Self::Device => "directory.devices",
            Self::Door => "directory.doors",
            Self::Group => "directory.groups",
            Self::Schedule => "directory.schedules",
        }
    }

    fn parse(self, text: &str) -> Result<Uuid, InvalidId> {
        match self {
            Self::Device => text.parse().map(DeviceId::uuid),
            Self::Door => text.parse().map(DoorId::uuid),
            Self::Group => text.parse().map(GroupId::uuid),
            Self::Schedule => text.parse().map(ScheduleId::uuid),
        }
    }
}

/// Ids of one field, each once, with where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    kind: Kind,
    ids: Vec<(String, Uuid)>,
}

impl Named {
    /// Reads a list of ids, at most `most`.
    pub(crate) fn list(
        reading: &mut Reading,
        kind: Kind,
        pointer: &str,
        texts: &[String],
        most: usize,
    ) -> Self {
        if texts.len() > most {
            reading.fault(pointer, format!("must have at most {most} entries"));
        }
        let (mut ids, mut seen) = (Vec::with_capacity(texts.len().min(most)), HashSet::new());
        for (index, text) in texts.iter().take(most).enumerate() {
            let at = format!("{pointer}/{index}");
            match kind.parse(text) {
                Ok(id) if seen.insert(id) => ids.push((at, id)),
                Ok(_) => {}
                Err(invalid) => reading.fault(&at, format!("is {invalid}")),
            }
        }
        Self { kind, ids }
    }

    /// Reads one id, where there is one.
    pub(crate) fn one(
        reading: &mut Reading,
        kind: Kind,
        pointer: &str,
        text: Option<&str>,
    ) -> Self {
        let mut ids = Vec::new();
        match text.map(|text| kind.parse(text)) {
            Some(Ok(id)) => ids.push((pointer.to_owned(), id)),
            Some(Err(invalid)) => reading.fault(pointer, format!("is {invalid}")),
            None => {}
        }
        Self { kind, ids }
    }

    /// The ids, in order.
    pub(crate) fn ids(&self) -> Vec<Uuid> {
        let mut ids: Vec<Uuid> = self.ids.iter().map(|(_, id)| *id).collect();
        ids.sort_unstable();
        ids
    }

    /// Notes a fault for each id that names nothing of the tenant's.
    pub(crate) async fn look_for(
        &self,
        tx: &TenantTx,
        reading: &mut Reading,
    ) -> Result<(), DbError> {
        #[derive(FromQueryResult)]
        struct Found {
            id: Uuid,
        }
        if self.ids.is_empty() {
            return Ok(());
        }
        let statement = sql(
            &format!(
                "select id from {} where tenant_id = $1 and id = any($2)",
                self.kind.table()
            ),
            [tx.tenant_uuid().into(), self.ids().into()],
        );
        let found = Found::find_by_statement(statement).all(tx.conn()).await?;
        let found: HashSet<Uuid> = found.into_iter().map(|row| row.id).collect();
        for (pointer, _) in self.ids.iter().filter(|(_, id)| !found.contains(id)) {
            reading.fault(pointer, format!("names no {}", self.kind.noun()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_stands_once_and_each_fault_where_it_is() {
        let (one, two) = (
            DeviceId::from_uuid(Uuid::from_u128(1)).to_string(),
            DeviceId::from_uuid(Uuid::from_u128(2)).to_string(),
        );
        let mut reading = Reading::begin();
        let texts = [two.clone(), one.clone(), two.clone()];
        let named = Named::list(&mut reading, Kind::Device, "/device_ids", &texts, 3);
        assert_eq!(named.ids(), [Uuid::from_u128(1), Uuid::from_u128(2)]);
        assert!(reading.end().is_ok());

        let mut reading = Reading::begin();
        let texts = [one.clone(), one.replace("dev_", "grp_"), two];
        Named::list(&mut reading, Kind::Device, "/device_ids", &texts, 2);
        Named::one(&mut reading, Kind::Schedule, "/schedule_id", Some("x"));
        let pointers: Vec<String> = reading
            .into_faults()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect();
        assert_eq!(pointers, ["/device_ids", "/device_ids/1", "/schedule_id"]);
    }
}
