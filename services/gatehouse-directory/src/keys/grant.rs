//! What a caller may put into a key: at most what they have themselves.

use gatehouse_domain::access::Permission;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};

/// Refuses scopes that the caller lacks.
pub(super) fn within(scopes: &[Permission], permits: impl Fn(Permission) -> bool) -> Answer<()> {
    let lacking: Vec<&str> = scopes
        .iter()
        .filter(|scope| !permits(**scope))
        .map(|scope| scope.as_str())
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "A key cannot hold more than its maker has; this credential lacks {}.",
        lacking.join(", ")
    );
    Err(Problem::new(ProblemCode::Forbidden, detail).with_pointer("/scopes"))
}

/// The scopes of a stored key. Words that this version does not know permit nothing.
pub(super) fn known(scopes: &[String]) -> Vec<Permission> {
    scopes
        .iter()
        .filter_map(|scope| scope.parse().ok())
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_at_most_what_its_maker_has() {
        let maker = [Permission::ManageAccounts, Permission::ReadDevices];
        let permits = |p| maker.contains(&p);
        assert!(within(&[Permission::ReadDevices], permits).is_ok());
        let refused = within(
            &[Permission::ReadDevices, Permission::OperateDevices],
            permits,
        )
        .unwrap_err();
        assert_eq!(refused.code(), ProblemCode::Forbidden);
        assert!(
            refused.detail().contains("devices:operate")
                && !refused.detail().contains("devices:read")
        );
    }
}
