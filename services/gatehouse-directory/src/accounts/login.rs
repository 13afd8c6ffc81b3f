//! Signing in, from top to bottom: 1 count the attempt; 2 find whoever has this e-mail address, in
//! whatever tenant; 3 compare the password; 4 refuse, ask for the tenant, or open a session.

use super::sessions::{self, Session};
use super::store::{self, Candidate};
use crate::audit;
use crate::directory::Directory;
use gatehouse_domain::TenantId;
use gatehouse_platform::audit::Deed;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::tenant::{Actor, TenantScope};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// Users with one e-mail address that are compared at once; with more, the tenant must be named.
pub(super) const MOST_CANDIDATES: u64 = 20;
/// Refusals leave on this grid, so that their time does not tell how many hashes were compared.
const REFUSED_EVERY: Duration = Duration::from_millis(250);

/// Who wants to sign in.
pub(super) struct Attempt {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) tenant: Option<TenantId>,
    pub(super) address: Option<IpAddr>,
    pub(super) request_id: String,
}

pub(super) async fn sign_in(directory: &Directory, attempt: Attempt) -> Answer<Session> {
    let begun = Instant::now();
    let Attempt {
        email,
        password,
        tenant,
        address,
        request_id,
    } = attempt;

    // 1. Count, before anything costs anything.
    directory
        .throttle
        .sign_in(&directory.kit.cache, &email, address)
        .await?;

    // 2. Find.
    let candidates: Vec<(Candidate, TenantScope)> = {
        let tx = directory.kit.db.system().await?;
        let found = store::candidates(&tx, &email, tenant, MOST_CANDIDATES).await?;
        found
            .into_iter()
            .map(|user| {
                let scope = tx.scope(user.tenant(), Actor::User(user.id()));
                (user, scope)
            })
            .collect()
    };

    // 3. Compare.
    let hashes = candidates
        .iter()
        .map(|(user, _)| user.password_hash.clone())
        .collect();
    let fits = directory.passwords.matching(password, hashes).await?;
    let fitting = candidates
        .into_iter()
        .zip(fits)
        .filter(|(_, fits)| *fits)
        .map(|((_, scope), _)| scope)
        .collect();

    // 4. Answer.
    match one_of(fitting) {
        Ok(Some(scope)) => {
            metrics::counter!("gatehouse_sign_ins_total", "outcome" => "accepted").increment(1);
            open(directory, &scope, &request_id).await
        }
        Ok(None) => {
            metrics::counter!("gatehouse_sign_ins_total", "outcome" => "refused").increment(1);
            tokio::time::sleep_until(next_on_grid(begun, Instant::now())).await;
            Err(Problem::new(
                ProblemCode::Unauthenticated,
                "The e-mail address or the password is wrong.",
            ))
        }
        Err(problem) => Err(problem),
    }
}

/// Nobody, somebody, or a question: the caller has proved that all of them are theirs, so they are
/// told which tenants to choose from.
fn one_of(mut fitting: Vec<TenantScope>) -> Answer<Option<TenantScope>> {
    if fitting.len() < 2 {
        return Ok(fitting.pop());
    }
    let tenants: Vec<String> = fitting
        .iter()
        .map(|scope| scope.tenant().to_string())
        .collect();
    Err(which_tenant(&tenants.join(", ")))
}

fn which_tenant(tenants: &str) -> Problem {
    let detail = format!(
        "This address belongs to users of several tenants; send tenant_id, one of {tenants}."
    );
    Problem::new(ProblemCode::TenantRequired, detail).with_pointer("/tenant_id")
}

async fn open(directory: &Directory, scope: &TenantScope, request_id: &str) -> Answer<Session> {
    let Actor::User(id) = *scope.actor() else {
        return Err(Problem::not_found("user"));
    };
    let tx = directory.kit.db.tenant(scope).await?;
    let session = sessions::begin(&tx, &directory.kit.secrets, id).await?;
    store::note_login(&tx, id).await?;
    let deed = Deed {
        action: "user.signed_in",
        subject_kind: "user",
        subject_id: id.to_string(),
        detail: serde_json::json!({}),
        request_id: Some(request_id),
    };
    audit::enter(&tx, deed).await?;
    tx.commit().await?;
    Ok(session)
}

/// The first multiple of [`REFUSED_EVERY`] after `begun` that is not yet over.
fn next_on_grid(begun: Instant, now: Instant) -> Instant {
    let spent_ms = now.saturating_duration_since(begun).as_millis();
    let steps = u32::try_from(spent_ms / REFUSED_EVERY.as_millis())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    begun
        .checked_add(REFUSED_EVERY.saturating_mul(steps))
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn refusals_leave_on_a_grid() {
        let begun = Instant::now();
        let after = |ms| next_on_grid(begun, begun + Duration::from_millis(ms)) - begun;
        assert_eq!(after(0), Duration::from_millis(250));
        assert_eq!(after(40), Duration::from_millis(250));
        assert_eq!(after(249), Duration::from_millis(250));
        assert_eq!(after(260), Duration::from_millis(500));
    }
}
