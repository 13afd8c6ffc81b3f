//! Cancelling a visit: it stays, and admits nobody from now on.

use super::change::{read_to_change, refuse_over};
use super::create::deed;
use super::view::State;
use super::{force, store};
use crate::access_changes::{self, Scope};
use crate::audit;
use chrono::Utc;
use gatehouse_domain::{DistributionId, PersonId, VisitId};
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::{Answer, IfMatch};
use gatehouse_platform::secrets::Secrets;
use serde_json::json;

/// Cancels a visit, with its entries in the trail. What was cancelled before stays so.
pub(super) async fn cancel(
    tx: &TenantTx,
    secrets: &Secrets,
    id: VisitId,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<Option<DistributionId>> {
    let (row, person) = read_to_change(tx, id).await?;
    let now = Utc::now();
    if_match.check(row.version)?;
    let state = row.state(now);
    if state == State::Cancelled {
        return Ok(None);
    }
    refuse_over(state)?;
    store::cancel(tx, id, now).await?;
    let visitor = PersonId::from_uuid(person.id);
    let detail = json!({"person_id": visitor});
    audit::enter(tx, deed("visit.cancelled", id, detail, request_id)).await?;
    let concerns = if row.in_force {
        force::end(tx, secrets, &person, Some(request_id), now).await?
    } else {
        false
    };
    if concerns {
        Ok(access_changes::note(tx, "visit.cancelled", Scope::Persons(&[visitor])).await?)
    } else {
        Ok(None)
    }
}
