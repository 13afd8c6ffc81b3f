//! A new tenant, with everything it needs to begin: an owner, an API key, a terminal URL and the keys
//! of the vendor facades. All of it is made in one transaction; all secrets are shown once.

use super::created::{CreatedTenant, OwnerCredentials};
use super::facades::Facades;
use super::store;
use crate::accounts::{Passwords, generated_password};
use crate::audit;
use crate::reading::Reading;
use crate::terminal_tokens::{push_base_url, terminal_url};
use gatehouse_domain::access::{Permission, Role};
use gatehouse_domain::{ApiKeyId, TenantId, TerminalTokenId, UserId};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::auth::api_key;
use gatehouse_platform::http::{Answer, Problem};
use gatehouse_platform::secrets::{hash_token, new_token};
use gatehouse_platform::service::Kit;
use uuid::Uuid;

/// Longest name of a tenant, in characters.
pub(super) const NAME_MAX_CHARS: usize = 200;
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_platform::http::ProblemCode;

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
    fn a_made_up_address_is_one() {
        let email = made_up_email("x");
        let mut reading = Reading::begin();
        assert_eq!(reading.email("/e", &email), email);
        assert!(reading.end().is_ok());
    }
}
