//! A new tenant, with everything it needs to begin: an owner, an API key, a terminal URL and the keys
//! of the vendor facades. All of it is made in one transaction; all secrets are shown once.

use super::store;
use crate::accounts::{Passwords, generated_password};
use crate::audit;
use crate::reading::Reading;
use crate::terminal_tokens::{push_base_url, socket_base_url, terminal_url};
use gatehouse_domain::access::{Permission, Role};
use gatehouse_domain::{ApiKeyId, TenantId, TerminalTokenId, UserId};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::auth::api_key;
use gatehouse_platform::db::SystemTx;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::secrets::{Secrets, hash_token, new_token};
use gatehouse_platform::service::Kit;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Longest name of a tenant, in characters.
pub(super) const NAME_MAX_CHARS: usize = 200;
/// What the secrets of facades are sealed for; the facades open them under the same name.
pub(crate) const FACADE_SECRET_PURPOSE: &str = "facade-credential";
/// How often a drawn key id may be taken already before we give up; one collision is rare.
const DRAWS: usize = 5;

/// A tenant to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTenant {
    /// The organisation's name, 1 to 200 characters.
    pub name: String,
    /// Its time zone, an IANA name.
    pub timezone: String,
    /// The e-mail address of its first owner; made up where absent.
    pub owner_email: Option<String>,
    /// Hongtu's cappkey and secret, where the tenant brings its own.
    pub hongtu: Option<(String, String)>,
}

/// What was made. It holds every secret of the tenant, readable this one time.
#[derive(Clone, Serialize, ToSchema)]
pub struct CreatedTenant {
    /// The tenant.
    #[schema(value_type = String, example = "ten_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    pub tenant_id: TenantId,
    /// An API key with all scopes.
    pub api_key: String,
    /// What terminals are set to connect to, over WebSocket.
    #[schema(example = "ws://127.0.0.1:8080/terminal/<token>")]
    pub terminal_url: String,
    /// What terminals that push over HTTP are set to.
    #[schema(example = "http://127.0.0.1:8080/push/<token>")]
    pub push_base_url: String,
    /// For programs written for SenseLink.
    pub senselink: SenselinkCredentials,
    /// For programs written for Hongtu.
    pub hongtu: HongtuCredentials,
    /// For programs written for FaceJoy.
    pub facejoy: FacejoyCredentials,
    /// The first user.
    pub owner: OwnerCredentials,
}

impl std::fmt::Debug for CreatedTenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedTenant")
            .field("tenant_id", &self.tenant_id)
            .finish_non_exhaustive()
    }
}

/// What a program written for SenseLink (document 001) is set to.
#[derive(Clone, Serialize, ToSchema)]
pub struct SenselinkCredentials {
    /// The address before `/api/v1/...`.
    pub base_url: String,
    /// Its `app_key`.
    pub app_key: String,
    /// Its `app_secret`.
    pub app_secret: String,
    /// The address of the record push, before `/{app_key}/{timestamp}/{sign}`.
    pub ws_url: String,
}

/// What a program written for Hongtu (document 003) is set to.
#[derive(Clone, Serialize, ToSchema)]
pub struct HongtuCredentials {
    /// The address before `/v1/api/...`.
    pub base_url: String,
    /// Its `cappkey`.
    pub cappkey: String,
    /// Its secret key.
    pub secret: String,
}

/// What a program written for FaceJoy (document 000) is set to.
#[derive(Clone, Serialize, ToSchema)]
pub struct FacejoyCredentials {
    /// The address before `/admin/api/...`.
    pub base_url: String,
    /// Its `userID`, digits.
    pub user_id: String,
    /// Its password.
    pub password: String,
}

/// How the first owner signs in.
#[derive(Clone, Serialize, ToSchema)]
pub struct OwnerCredentials {
    /// The e-mail address.
    pub email: String,
    /// The password; to be changed at the first occasion.
    pub password: String,
}

/// Creates a tenant for the operator who works at the machine itself.
///
/// # Errors
/// 422 for a field that cannot be taken, 409 where the given Hongtu key exists, 503 while the
/// database is away.
pub async fn create_tenant(kit: &Kit, new: NewTenant) -> Result<CreatedTenant, Problem> {
    create(kit, &Passwords::new(), new, None).await
}

/// The same for a request.
pub(super) async fn create(
    kit: &Kit,
    passwords: &Passwords,
    new: NewTenant,
    request_id: Option<&str>,
) -> Answer<CreatedTenant> {
    let new = check(new)?;
    let tenant = TenantId::from_uuid(Uuid::now_v7());
    let owner = OwnerCredentials {
        email: new
            .owner_email
            .unwrap_or_else(|| made_up_email(&new_token())),
        password: generated_password(),
    };
    let password_hash = passwords.hash(owner.password.clone()).await?;

    let tx = kit.db.system().await?;
    store::insert(&tx, tenant, &new.name, &new.timezone).await?;
    store::insert_owner(
        &tx,
        tenant,
        UserId::from_uuid(Uuid::now_v7()),
        &owner.email,
        password_hash,
    )
    .await?;
    let key = api_key::new();
    store::insert_api_key(
        &tx,
        tenant,
        ApiKeyId::from_uuid(Uuid::now_v7()),
        &key,
        Permission::ALL,
    )
    .await?;
    let token = new_token();
    let token_id = TerminalTokenId::from_uuid(Uuid::now_v7());
    store::insert_terminal_token(&tx, tenant, token_id, &token, hash_token(&token)).await?;
    let facades = Facades {
        tx: &tx,
        secrets: &kit.secrets,
        tenant,
    };
    let senselink = facades.senselink(&kit.public_url).await?;
    let hongtu = facades.hongtu(&kit.public_url, new.hongtu).await?;
    let facejoy = facades.facejoy(&kit.public_url).await?;
    let deed = Deed {
        action: "tenant.created",
        subject_kind: "tenant",
        subject_id: tenant.to_string(),
        detail: serde_json::json!({"timezone": new.timezone, "first_user_role": Role::Owner}),
        request_id,
    };
    audit::enter_as_operator(&tx, tenant, deed).await?;
    tx.commit().await?;
    Ok(CreatedTenant {
        tenant_id: tenant,
        api_key: key.text,
        terminal_url: terminal_url(&kit.public_url, &token),
        push_base_url: push_base_url(&kit.public_url, &token),
        senselink,
        hongtu,
        facejoy,
        owner,
    })
}

fn check(new: NewTenant) -> Answer<NewTenant> {
    let mut reading = Reading::begin();
    let name = reading.text("/name", &new.name, NAME_MAX_CHARS);
    let timezone = reading.timezone("/timezone", &new.timezone);
    let owner_email = new
        .owner_email
        .map(|email| reading.email("/owner_email", &email));
    let hongtu = new.hongtu.map(|(key, secret)| {
        check_header_text(&mut reading, "/hongtu/cappkey", &key);
        check_header_text(&mut reading, "/hongtu/secret", &secret);
        (key, secret)
    });
    reading.end()?;
    Ok(NewTenant {
        name,
        timezone,
        owner_email,
        hongtu,
    })
}

/// Hongtu's key travels in a header and its secret in a signature; both are taken byte for byte.
fn check_header_text(reading: &mut Reading, pointer: &str, text: &str) {
    if !((1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())) {
        reading.fault(pointer, "must have 1 to 128 visible ASCII characters");
    }
}

/// An address that nobody can have (RFC 2606), so that no mail ever goes astray.
fn made_up_email(random: &str) -> String {
    let tag: String = hash_token(random)
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("owner-{tag}@tenant.invalid")
}

struct Facades<'a> {
    tx: &'a SystemTx,
    secrets: &'a Secrets,
    tenant: TenantId,
}

impl Facades<'_> {
    async fn senselink(&self, public_url: &str) -> Answer<SenselinkCredentials> {
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

    async fn hongtu(
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

    async fn facejoy(&self, public_url: &str) -> Answer<FacejoyCredentials> {
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

    fn new_tenant() -> NewTenant {
        NewTenant {
            name: " Acme ".into(),
            timezone: "Asia/Shanghai".into(),
            owner_email: None,
            hongtu: None,
        }
    }

    #[test]
    fn fields_are_checked_before_anything_is_made() {
        assert_eq!(check(new_tenant()).unwrap().name, "Acme");
        for (bad, pointer) in [
            (
                NewTenant {
                    name: String::new(),
                    ..new_tenant()
                },
                "/name",
            ),
            (
                NewTenant {
                    timezone: "Shanghai".into(),
                    ..new_tenant()
                },
                "/timezone",
            ),
            (
                NewTenant {
                    owner_email: Some("nobody".into()),
                    ..new_tenant()
                },
                "/owner_email",
            ),
            (
                NewTenant {
                    hongtu: Some(("a b".into(), "s".into())),
                    ..new_tenant()
                },
                "/hongtu/cappkey",
            ),
            (
                NewTenant {
                    hongtu: Some(("k".into(), String::new())),
                    ..new_tenant()
                },
                "/hongtu/secret",
            ),
        ] {
            let problem = check(bad).unwrap_err();
            assert_eq!(problem.code(), ProblemCode::InvalidField);
            assert!(
                problem.detail().starts_with(pointer),
                "{}",
                problem.detail()
            );
        }
    }

    #[test]
    fn drawn_keys_have_the_vendors_forms() {
        assert_eq!(hex_digits(32).len(), 32);
        let id: i32 = nine_digits().parse().unwrap();
        assert!(id >= 100_000_000);
        let email = made_up_email("x");
        let mut reading = Reading::begin();
        assert_eq!(reading.email("/e", &email), email);
        assert!(reading.end().is_ok());
    }
}
