//! What happens when a job is asked for: it is put on the list, with its entry in the trail.

use super::store::{self, Job, JobType, NewJob};
use crate::audit;
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::{Answer, Problem};
use serde_json::json;

/// Puts a job on the list. Whoever calls wakes those who work, after the commit.
pub(super) async fn begin(tx: &TenantTx, new: NewJob<'_>, request_id: &str) -> Answer<Job> {
    let id = new.id;
    let action = match new.kind {
        JobType::PersonImport => "persons.import",
        JobType::PersonExport => "persons.export",
    };
    let deed = Deed {
        action,
        subject_kind: "job",
        subject_id: id.to_string(),
        detail: json!({"dry_run": new.dry_run}),
        request_id: Some(request_id),
    };
    store::insert(tx, new).await?;
    audit::enter(tx, deed).await?;
    let job = store::read(tx, id).await?;
    job.ok_or_else(|| Problem::not_found("job"))
}
