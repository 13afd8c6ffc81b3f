//! The code of a visit: a short token that names the visit and the end it had when the code was made.
//! It cannot be guessed, and says nothing to whoever has no key.

use chrono::{DateTime, Utc};
use gatehouse_domain::{TenantId, VisitId};
use gatehouse_platform::secrets::Secrets;
use uuid::Uuid;

/// Longest token that is looked at; ours have 54 characters.
pub(super) const TOKEN_MAX_CHARS: usize = 128;

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) visit: VisitId,
    /// From then on it admits nobody.
    pub(super) expires_at: DateTime<Utc>,
}

/// A code of one tenant is none of another's.
fn purpose(tenant: TenantId) -> String {
    format!("visit-code/{}", tenant.uuid().as_simple())
}

impl Code {
    /// As it stands in the picture.
    pub(super) fn token(&self, secrets: &Secrets, tenant: TenantId) -> String {
        let mut message = self.visit.uuid().as_bytes().to_vec();
        message.extend_from_slice(&self.expires_at.timestamp().to_be_bytes());
        secrets.sign(&purpose(tenant), &message)
    }

    /// Reads a token of this tenant; none where it is not one.
    pub(super) fn read(secrets: &Secrets, tenant: TenantId, token: &str) -> Option<Self> {
        if token.len() > TOKEN_MAX_CHARS {
            return None;
        }
        let message = secrets.verify(&purpose(tenant), token.trim())?;
        let (visit, expires_at) = message.split_at_checked(16)?;
        Some(Self {
            visit: VisitId::from_uuid(Uuid::from_slice(visit).ok()?),
            expires_at: DateTime::from_timestamp(
                i64::from_be_bytes(expires_at.try_into().ok()?),
                0,
            )?,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_platform::secrets::SecretSettings;

    #[test]
    fn a_token_is_short_and_its_tenants() {
        let secrets = Secrets::new(&SecretSettings {
            master_key: "ab".repeat(32),
            operator_key: None,
        })
        .unwrap();
        let [ours, theirs] = [1, 2].map(|n| TenantId::from_uuid(Uuid::from_u128(n)));
        let code = Code {
            visit: VisitId::from_uuid(Uuid::from_u128(7)),
            expires_at: "2026-12-01T18:00:00Z".parse().unwrap(),
        };
        let token = code.token(&secrets, ours);
        assert_eq!(token.len(), 54);
        assert_eq!(Code::read(&secrets, ours, &token), Some(code));
        assert_eq!(
            Code::read(&secrets, ours, &format!(" {token}\n")),
            Some(code)
        );
        assert_eq!(Code::read(&secrets, theirs, &token), None);
        let long = token.repeat(3);
        for other in ["", "x", &long, &secrets.sign("visit-code/x", &[0; 24])] {
            assert_eq!(Code::read(&secrets, ours, other), None, "{other}");
        }
    }
}
