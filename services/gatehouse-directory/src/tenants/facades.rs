//! The keys of vendor facades for a new tenant: drawn in the vendors' forms, or brought along; their
//! secrets are sealed, because signatures must be recomputed from them.

use super::created::{FacejoyCredentials, HongtuCredentials, SenselinkCredentials};
use super::store;
use crate::terminal_tokens::socket_base_url;
use gatehouse_domain::TenantId;
use gatehouse_platform::db::SystemTx;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::secrets::{Secrets, hash_token, new_token};
use uuid::Uuid;

/// What the secrets of facades are sealed for; the facades open them under the same name.
pub(crate) const FACADE_SECRET_PURPOSE: &str = "facade-credential";
/// How often a drawn key id may be taken already before we give up; one collision is rare.
const DRAWS: usize = 5;

/// Makes the keys of one tenant.
pub(super) struct Facades<'a> {
    pub(super) tx: &'a SystemTx,
    pub(super) secrets: &'a Secrets,
    pub(super) tenant: TenantId,
}

impl Facades<'_> {
    pub(super) async fn senselink(&self, public_url: &str) -> Answer<SenselinkCredentials> {
        let app_secret = hex_digits(32);
        let app_key = self
            .store_drawn("senselink", &app_secret, || hex_digits(16))
            .await?;
        let ws_url = format!("{}/websocket/record", socket_base_url(public_url));
        Ok(SenselinkCredentials {
            base_url: public_url.to_owned(),
            app_key,
            app_secret,
            ws_url,
        })
    }

    pub(super) async fn hongtu(
        &self,
        public_url: &str,
        given: Option<(String, String)>,
    ) -> Answer<HongtuCredentials> {
        let base_url = public_url.to_owned();
        let Some((cappkey, secret)) = given else {
            let secret = hex_digits(32);
            let cappkey = self
                .store_drawn("hongtu", &secret, || hex_digits(16))
                .await?;
            return Ok(HongtuCredentials {
                base_url,
                cappkey,
                secret,
            });
        };
        if self.store_key("hongtu", &cappkey, &secret).await? {
            return Ok(HongtuCredentials {
                base_url,
                cappkey,
                secret,
            });
        }
        let taken = "This Hongtu cappkey belongs to a tenant already; choose another.";
        Err(Problem::new(ProblemCode::AlreadyExists, taken).with_pointer("/hongtu/cappkey"))
    }

    pub(super) async fn facejoy(&self, public_url: &str) -> Answer<FacejoyCredentials> {
        let password = hex_digits(32);
        let user_id = self.store_drawn("facejoy", &password, nine_digits).await?;
        Ok(FacejoyCredentials {
            base_url: public_url.to_owned(),
            user_id,
            password,
        })
    }

    /// Stores a secret under a key id that nobody has.
    async fn store_drawn(
        &self,
        vendor: &str,
        secret: &str,
        draw: impl Fn() -> String,
    ) -> Answer<String> {
        for _ in 0..DRAWS {
            let key_id = draw();
            if self.store_key(vendor, &key_id, secret).await? {
                return Ok(key_id);
            }
        }
        Err(Problem::new(
            ProblemCode::Unavailable,
            "No free key was found; try again.",
        )
        .with_retry_after(1))
    }

    async fn store_key(&self, vendor: &str, key_id: &str, secret: &str) -> Answer<bool> {
        let sealed = self
            .secrets
            .seal(FACADE_SECRET_PURPOSE, secret.as_bytes())
            .map_err(|error| {
                tracing::error!(%error, "a facade's secret could not be sealed");
                Problem::new(
                    ProblemCode::Internal,
                    "An internal error; it is logged under this request's id.",
                )
            })?;
        Ok(store::insert_facade_credential(self.tx, self.tenant, vendor, key_id, sealed).await?)
    }
}

/// Random hexadecimal digits, at most 64.
fn hex_digits(count: usize) -> String {
    hex::encode(hash_token(&new_token()))
        .chars()
        .take(count)
        .collect()
}

/// FaceJoy's clients hold a user id in a 32-bit integer.
fn nine_digits() -> String {
    let drawn = Uuid::new_v4().as_u128() % 900_000_000;
    (100_000_000 + drawn).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn drawn_keys_have_the_vendors_forms() {
        assert_eq!(hex_digits(32).len(), 32);
        assert_ne!(hex_digits(32), hex_digits(32));
        let id: i32 = nine_digits().parse().unwrap();
        assert!(id >= 100_000_000);
    }
}
