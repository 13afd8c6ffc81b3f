//! Changing a tenant: its name and time zone by itself or the operator, switching it off and on by the
//! operator alone.

use super::api::TenantChange;
use super::create::NAME_MAX_CHARS;
use super::store;
use crate::audit;
use crate::reading::Reading;
use chrono::Utc;
use gatehouse_contracts::Wake;
use gatehouse_domain::TenantId;
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::{Answer, IfMatch, Problem};
use gatehouse_platform::service::Kit;
use gatehouse_schema::entities::directory::tenants::{ActiveModel, Model};
use sea_orm::Set;
use serde_json::{Value, json};

/// Changes the transaction's own tenant and commits.
pub(super) async fn by_tenant(
    tx: TenantTx,
    change: TenantChange,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<Model> {
    let old = store::read_to_change(tx.conn(), tx.tenant_uuid())
        .await?
        .ok_or_else(|| Problem::not_found("tenant"))?;
    if_match.check(old.version)?;
    let (row, detail) = read(change, &old)?;
    let new = store::update(tx.conn(), &old, row).await?;
    audit::enter(&tx, deed(tx.scope().tenant(), detail, request_id)).await?;
    tx.commit().await?;
    Ok(new)
}

/// Changes any tenant.
pub(super) async fn by_operator(
    kit: &Kit,
    tenant: TenantId,
    change: TenantChange,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<Model> {
    let tx = kit.db.system().await?;
    let old = store::read_to_change(tx.conn(), tenant.uuid())
        .await?
        .ok_or_else(|| Problem::not_found("tenant"))?;
    if_match.check(old.version)?;
    let (row, detail) = read(change, &old)?;
    let new = store::update(tx.conn(), &old, row).await?;
    let switched = new.disabled_at.is_some() != old.disabled_at.is_some();
    let tokens = if switched {
        store::terminal_token_ids(&tx, tenant).await?
    } else {
        Vec::new()
    };
    audit::enter_as_operator(&tx, tenant, deed(tenant, detail, request_id)).await?;
    tx.commit().await?;
    // Sessions that came in with one of its tokens are looked at again.
    for terminal_token_id in tokens {
        kit.bus.wake(Wake::TerminalToken {
            tenant_id: tenant,
            terminal_token_id,
        });
    }
    Ok(new)
}

fn deed(tenant: TenantId, detail: Value, request_id: &str) -> Deed<'_> {
    Deed {
        action: "tenant.updated",
        subject_kind: "tenant",
        subject_id: tenant.to_string(),
        detail,
        request_id: Some(request_id),
    }
}

/// The columns to write, and what the trail says of it: names stay out of it.
fn read(change: TenantChange, old: &Model) -> Answer<(ActiveModel, Value)> {
    let TenantChange {
        name,
        timezone,
        disabled,
    } = change;
    let mut reading = Reading::begin();
    let mut row = ActiveModel::default();
    let mut changed = Vec::new();
    let mut detail = json!({});
    if let Some(name) = name {
        row.name = Set(reading.text("/name", &name, NAME_MAX_CHARS));
        changed.push("name");
    }
    if let Some(timezone) = timezone {
        let timezone = reading.timezone("/timezone", &timezone);
        detail = json!({"timezone": timezone});
        row.timezone = Set(timezone);
        changed.push("timezone");
    }
    if let Some(disabled) = disabled.filter(|disabled| *disabled != old.disabled_at.is_some()) {
        row.disabled_at = Set(disabled.then(Utc::now));
        changed.push(if disabled { "disabled" } else { "enabled" });
    }
    reading.end()?;
    if let Value::Object(fields) = &mut detail {
        fields.insert("changed".to_owned(), json!(changed));
    }
    Ok((row, detail))
}
