//! Changing and removing a group.

use super::api::GroupPatch;
use super::create::{NAME_MAX_CHARS, REMARK_MAX_CHARS, deed, taken};
use super::store::{self, Content, Row};
use crate::access_changes::{self, Scope};
use crate::audit;
use crate::reading::Reading;
use gatehouse_domain::person::PersonType;
use gatehouse_domain::{DistributionId, GroupId};
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::{Answer, IfMatch, Problem, ProblemCode};
use serde_json::json;

/// Changes a group, with its entry in the trail. Terminals know nothing of groups, and a type changes
/// only where nobody is concerned: there is nothing to send.
pub(super) async fn change(
    tx: &TenantTx,
    id: GroupId,
    patch: GroupPatch,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<()> {
    let old = store::read_to_change(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("group"))?;
    if_match.check(old.version)?;
    let new = read(patch, &old)?;
    let changed: Vec<&str> = [
        ("name", old.name != new.name),
        ("type", old.kind != new.kind.as_str()),
        ("remark", old.remark != new.remark),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect();
    if changed.is_empty() {
        return Ok(());
    }
    if changed.contains(&"type") && store::count_members(tx, id, 1).await? > 0 {
        return Err(Problem::new(
            ProblemCode::Conflict,
            "The group has members, and who may be in it depends on its type; remove them first, or make another group.",
        )
        .with_pointer("/type"));
    }
    let detail = json!({"changed": changed, "type": new.kind});
    let name = new.name.clone();
    store::update(tx, id, new)
        .await
        .map_err(|error| taken(error, &name))?;
    audit::enter(tx, deed("group.updated", id, detail, Some(request_id))).await?;
    Ok(())
}

fn read(patch: GroupPatch, old: &Row) -> Answer<Content> {
    let GroupPatch { name, kind, remark } = patch;
    let mut reading = Reading::begin();
    let content = Content {
        name: name.map_or_else(
            || old.name.clone(),
            |name| reading.text("/name", &name, NAME_MAX_CHARS),
        ),
        kind: reading.word(
            "/type",
            Some(kind.as_deref().unwrap_or(&old.kind)),
            PersonType::Staff,
        ),
        remark: remark.map_or_else(
            || old.remark.clone(),
            |remark| {
                let remark = remark.unwrap_or_default();
                reading.optional_text("/remark", &remark, REMARK_MAX_CHARS)
            },
        ),
    };
    reading.end()?;
    Ok(content)
}

/// Removes a group with its memberships, from all authorities. Whoever could pass by it alone is taken
/// from the terminals.
pub(super) async fn remove(
    tx: &TenantTx,
    id: GroupId,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<Option<DistributionId>> {
    let old = store::read_to_change(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("group"))?;
    if_match.check(old.version)?;
    // Asked for while the authorities still know the group.
    let devices = store::devices(tx, id).await?;
    let distribution = access_changes::note(tx, "group.deleted", Scope::Devices(&devices)).await?;
    store::delete(tx, id).await?;
    let detail = json!({"type": old.kind, "devices": devices.len()});
    audit::enter(tx, deed("group.deleted", id, detail, Some(request_id))).await?;
    Ok(distribution)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use chrono::DateTime;
    use serde_json::Value;
    use uuid::Uuid;

    fn patched(body: Value) -> Answer<Content> {
        let old = Row {
            id: Uuid::nil(),
            number: 1,
            name: "Night shift".into(),
            name_folded: "night shift".into(),
            kind: "visitor".into(),
            remark: "since May".into(),
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            version: 1,
        };
        read(serde_json::from_value(body).unwrap(), &old)
    }

    #[test]
    fn absent_fields_stay_and_null_clears_the_remark() {
        let same = patched(json!({})).unwrap();
        assert_eq!(
            (same.name.as_str(), same.kind, same.remark.as_str()),
            ("Night shift", PersonType::Visitor, "since May")
        );
        assert_eq!(patched(json!({"remark": null})).unwrap().remark, "");
        assert_eq!(
            patched(json!({"type": "staff"})).unwrap().kind,
            PersonType::Staff
        );
        assert!(patched(json!({"type": "friends"})).is_err());
        assert!(patched(json!({"name": " "})).is_err());
    }
}
