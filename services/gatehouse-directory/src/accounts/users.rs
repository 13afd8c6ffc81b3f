//! The rules of users: nobody gives or touches more than they have, a tenant keeps an owner, and
//! whoever loses something (role, password, the account) loses their sessions too.

use super::api::{UserChange, UserRequest};
use super::{generated_password, power, store};
use crate::audit;
use crate::directory::Directory;
use crate::reading::Reading;
use chrono::Utc;
use gatehouse_domain::UserId;
use gatehouse_domain::access::Role;
use gatehouse_platform::audit::Deed;
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::ManageAccounts;
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_platform::http::{Answer, IfMatch, Problem, ProblemCode};
use gatehouse_schema::entities::directory::users::{ActiveModel, Model};
use sea_orm::Set;
use serde_json::json;
use uuid::Uuid;

const NAME_MAX_CHARS: usize = 100;

/// A user to be made, checked.
pub(super) struct NewUser {
    email: String,
    name: String,
    role: Role,
    password_hash: String,
    generated: Option<String>,
}

/// Reads a request for a user; refuses roles that the caller may not give. The password is hashed
/// here, before a transaction waits for it.
pub(super) async fn read_new(
    directory: &Directory,
    caller: &Caller<ManageAccounts>,
    request: UserRequest,
) -> Answer<NewUser> {
    let UserRequest {
        email,
        name,
        role,
        password,
    } = request;
    let mut reading = Reading::begin();
    let email = reading.email("/email", &email);
    let name = reading.text("/name", &name, NAME_MAX_CHARS);
    let role = reading.word("/role", Some(&role), Role::Viewer);
    if let Some(password) = &password {
        reading.password("/password", password);
    }
    reading.end()?;
    power::may_touch(caller, role)?;
    let generated = password.is_none().then(generated_password);
    let password = password.or_else(|| generated.clone()).unwrap_or_default();
    let password_hash = directory.passwords.hash(password).await?;
    Ok(NewUser {
        email,
        name,
        role,
        password_hash,
        generated,
    })
}

/// Stores a user; answers the password where it was generated.
pub(super) async fn create(
    tx: &TenantTx,
    new: NewUser,
    request_id: &str,
) -> Answer<(Model, Option<String>)> {
    let NewUser {
        email,
        name,
        role,
        password_hash,
        generated,
    } = new;
    let now = Utc::now();
    let row = ActiveModel {
        tenant_id: Set(tx.tenant_uuid()),
        id: Set(Uuid::now_v7()),
        email: Set(email),
        name: Set(name),
        role: Set(role.to_string()),
        password_hash: Set(password_hash),
        disabled_at: Set(None),
        last_login_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    };
    let user = store::insert(tx, row).await.map_err(taken)?;
    audit::enter(
        tx,
        deed("user.created", &user, json!({"role": role}), request_id),
    )
    .await?;
    Ok((user, generated))
}

/// What a change comes down to, checked.
pub(super) struct CheckedChange {
    email: Option<String>,
    name: Option<String>,
    role: Option<Role>,
    disabled: Option<bool>,
    password_hash: Option<String>,
}

/// Reads a change. The new password is hashed here, before any row is locked.
pub(super) async fn read_change(
    directory: &Directory,
    change: UserChange,
) -> Answer<CheckedChange> {
    let UserChange {
        email,
        name,
        role,
        disabled,
        password,
    } = change;
    let mut reading = Reading::begin();
    let email = email.map(|email| reading.email("/email", &email));
    let name = name.map(|name| reading.text("/name", &name, NAME_MAX_CHARS));
    let role = role.map(|role| reading.word("/role", Some(&role), Role::Viewer));
    if let Some(password) = &password {
        reading.password("/password", password);
    }
    reading.end()?;
    let password_hash = match password {
        Some(password) => Some(directory.passwords.hash(password).await?),
        None => None,
    };
    Ok(CheckedChange {
        email,
        name,
        role,
        disabled,
        password_hash,
    })
}

/// Changes a user and commits.
pub(super) async fn change(
    caller: &Caller<ManageAccounts>,
    tx: TenantTx,
    id: UserId,
    change: CheckedChange,
    if_match: IfMatch,
) -> Answer<Model> {
    // Owners first, always in the same order: two who demote each other do not wait for each other.
    let owners = store::lock_owners(&tx).await?;
    let old = store::read_to_change(&tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("user"))?;
    if_match.check(old.version)?;
    let CheckedChange {
        email,
        name,
        role,
        disabled,
        password_hash,
    } = change;
    let old_role = role_of(&old)?;
    power::may_touch(caller, old_role)?;
    if let Some(role) = role {
        power::may_touch(caller, role)?;
    }
    let demoted = role.is_some_and(|role| role != Role::Owner) || disabled == Some(true);
    if demoted {
        keep_an_owner(&owners, id)?;
    }
    let mut row = ActiveModel::default();
    let mut changed = Vec::new();
    let ends_sessions = disabled == Some(true)
        || password_hash.is_some()
        || role.is_some_and(|role| role != old_role);
    if let Some(email) = email {
        row.email = Set(email);
        changed.push("email");
    }
    if let Some(name) = name {
        row.name = Set(name);
        changed.push("name");
    }
    if let Some(role) = role {
        row.role = Set(role.to_string());
        changed.push("role");
    }
    if let Some(disabled) = disabled.filter(|disabled| *disabled != old.disabled_at.is_some()) {
        row.disabled_at = Set(disabled.then(Utc::now));
        changed.push(if disabled { "disabled" } else { "enabled" });
    }
    if let Some(hash) = password_hash {
        row.password_hash = Set(hash);
        changed.push("password");
    }
    let new = store::update(&tx, &old, row).await.map_err(taken)?;
    if ends_sessions {
        store::revoke_sessions(&tx, id).await?;
    }
    let detail = json!({"changed": changed, "role_before": old_role, "role": new.role});
    audit::enter(&tx, deed("user.updated", &new, detail, caller.request_id())).await?;
    tx.commit().await?;
    Ok(new)
}

/// Removes a user and commits.
pub(super) async fn remove(
    caller: &Caller<ManageAccounts>,
    tx: TenantTx,
    id: UserId,
    if_match: IfMatch,
) -> Answer<()> {
    let owners = store::lock_owners(&tx).await?;
    let old = store::read_to_change(&tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("user"))?;
    if_match.check(old.version)?;
    power::may_touch(caller, role_of(&old)?)?;
    keep_an_owner(&owners, id)?;
    store::delete(&tx, id).await?;
    audit::enter(
        &tx,
        deed(
            "user.deleted",
            &old,
            json!({"role": old.role}),
            caller.request_id(),
        ),
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Refuses to lose the last owner who can sign in.
fn keep_an_owner(owners: &[UserId], leaving: UserId) -> Answer<()> {
    if owners == [leaving] {
        return Err(Problem::new(
            ProblemCode::Conflict,
            "This is the tenant's last owner; make another user an owner first.",
        ));
    }
    Ok(())
}

/// A user changes their own password, and commits. Other sessions end.
pub(super) async fn change_own_password(
    tx: TenantTx,
    id: UserId,
    password_hash: String,
    request_id: &str,
) -> Answer<()> {
    let old = store::read_to_change(&tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("user"))?;
    let row = ActiveModel {
        password_hash: Set(password_hash),
        ..Default::default()
    };
    let new = store::update(&tx, &old, row).await?;
    store::revoke_sessions(&tx, id).await?;
    audit::enter(
        &tx,
        deed(
            "user.updated",
            &new,
            json!({"changed": ["password"]}),
            request_id,
        ),
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

fn role_of(row: &Model) -> Answer<Role> {
    row.role.parse().map_err(|error| {
        tracing::error!(%error, "a user's row holds an unknown role");
        Problem::new(
            ProblemCode::Internal,
            "An internal error; it is logged under this request's id.",
        )
    })
}

fn taken(error: DbError) -> Problem {
    if error.is_duplicate_of("users_tenant_id_email_key") {
        return Problem::new(
            ProblemCode::AlreadyExists,
            "A user with this e-mail address exists.",
        )
        .with_pointer("/email");
    }
    error.into()
}

fn deed<'a>(
    action: &'a str,
    user: &Model,
    detail: serde_json::Value,
    request_id: &'a str,
) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "user",
        subject_id: UserId::from_uuid(user.id).to_string(),
        detail,
        request_id: Some(request_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_owner_stays() {
        let [a, b] = [1, 2].map(|n| UserId::from_uuid(Uuid::from_u128(n)));
        assert!(keep_an_owner(&[a], a).is_err());
        assert!(keep_an_owner(&[a, b], a).is_ok());
        assert!(
            keep_an_owner(&[a], b).is_ok(),
            "b is no owner who can sign in"
        );
        assert!(keep_an_owner(&[], b).is_ok());
    }
}
