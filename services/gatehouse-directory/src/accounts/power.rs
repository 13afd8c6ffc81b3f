//! Who may make whom what: nobody gives or touches more than they have.

use gatehouse_domain::access::{Permission, Role};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::ManageAccounts;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};

/// Refuses a caller who would create, change or remove a user of this role and may not. Only owners
/// touch owners, which no API key is. A key touches a role only if it has all that the role has:
/// whoever sets a password can sign in with it.
pub(super) fn may_touch(caller: &Caller<ManageAccounts>, role: Role) -> Answer<()> {
    let permits = |permission| caller.permits(permission);
    if covers(caller.role(), permits, role) {
        return Ok(());
    }
    let detail = match role {
        Role::Owner => "Only owners create, change or remove owners.".to_owned(),
        Role::Admin | Role::Operator | Role::Viewer => {
            format!(
                "The role \"{role}\" permits more than this credential; it cannot be given or touched with it."
            )
        }
    };
    Err(Problem::new(ProblemCode::Forbidden, detail))
}

fn covers(own: Option<Role>, permits: impl Fn(Permission) -> bool, wanted: Role) -> bool {
    let owners = own == Some(Role::Owner) || wanted != Role::Owner;
    owners
        && Permission::ALL
            .iter()
            .all(|p| !wanted.permits(*p) || permits(*p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gives_more_than_they_have() {
        let user = |own: Role, wanted| covers(Some(own), |p| own.permits(p), wanted);
        let table = [
            (Role::Owner, [true, true, true, true]),
            (Role::Admin, [false, true, true, true]),
            (Role::Operator, [false, false, true, true]),
            (Role::Viewer, [false, false, false, true]),
        ];
        for (own, expected) in table {
            let found: Vec<bool> = Role::ALL.iter().map(|wanted| user(own, *wanted)).collect();
            assert_eq!(found, expected, "{own}");
        }
    }

    #[test]
    fn keys_are_no_owners_and_are_judged_by_their_scopes() {
        let all = |wanted| covers(None, |_| true, wanted);
        assert!(!all(Role::Owner) && all(Role::Admin) && all(Role::Viewer));
        let accounts_only = |wanted| covers(None, |p| p == Permission::ManageAccounts, wanted);
        assert!(Role::ALL.iter().all(|role| !accounts_only(*role)));
    }
}
