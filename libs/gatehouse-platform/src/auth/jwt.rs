//! Access tokens of users: JWTs, HS256 under a key derived from the master key, ten minutes long.
//! They say who somebody is; what they may do is read from their row at each use.

use crate::secrets::Secrets;
use chrono::{DateTime, Duration, Utc};
use gatehouse_domain::{TenantId, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// How long an access token is valid, in seconds.
pub const VALID_FOR_S: i64 = 600;
const ISSUER: &str = "gatehouse";

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: UserId,
    tenant: TenantId,
    iat: i64,
    exp: i64,
}

/// A token that was just made.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Makes a token.
///
/// # Errors
/// The library's, where it cannot sign.
pub fn issue(
    secrets: &Secrets,
    user: UserId,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> Result<AccessToken, jsonwebtoken::errors::Error> {
    let expires_at = now + Duration::seconds(VALID_FOR_S);
    let claims = Claims {
        iss: ISSUER.to_owned(),
        sub: user,
        tenant,
        iat: now.timestamp(),
        exp: expires_at.timestamp(),
    };
    let key = secrets.derive("access-token");
    let token = jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &claims,
        &EncodingKey::from_secret(key.as_ref()),
    )?;
    Ok(AccessToken { token, expires_at })
}

/// Whose token this is, if it is one of ours and still valid.
#[must_use]
pub fn verify(secrets: &Secrets, token: &str) -> Option<(UserId, TenantId)> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = 5;
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    let key = secrets.derive("access-token");
    let claims =
        jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(key.as_ref()), &validation)
            .ok()?
            .claims;
    Some((claims.sub, claims.tenant))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::secrets::SecretSettings;

    #[test]
    fn a_token_names_its_user_until_it_ends() {
        let secrets = |b: &str| {
            Secrets::new(&SecretSettings {
                master_key: b.repeat(32),
                operator_key: None,
            })
            .unwrap()
        };
        let (user, tenant) = (
            UserId::from_uuid(uuid::Uuid::now_v7()),
            TenantId::from_uuid(uuid::Uuid::now_v7()),
        );
        let token = issue(&secrets("ab"), user, tenant, Utc::now())
            .unwrap()
            .token;
        assert_eq!(verify(&secrets("ab"), &token), Some((user, tenant)));
        assert_eq!(verify(&secrets("cd"), &token), None, "another master key");
        let old = issue(
            &secrets("ab"),
            user,
            tenant,
            Utc::now() - Duration::hours(1),
        )
        .unwrap()
        .token;
        assert_eq!(verify(&secrets("ab"), &old), None, "an hour old");
        // The same claims without a signature.
        let mut parts = token.split('.');
        let claims = parts.nth(1).unwrap();
        let header =
            base64_simd::URL_SAFE_NO_PAD.encode_to_string(br#"{"alg":"none","typ":"JWT"}"#);
        assert_eq!(verify(&secrets("ab"), &format!("{header}.{claims}.")), None);
    }
}
