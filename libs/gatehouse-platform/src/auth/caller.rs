//! The extractors: a handler that takes a `Caller<P>` runs only for callers with that permission.

use super::power::Power;
use super::verify::{Authenticator, Identity};
use crate::http::{Answer, Problem, ProblemCode, RequestId, client_address};
use crate::tenant::TenantScope;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use futures_util::future::LocalBoxFuture;
use gatehouse_domain::access::{Permission, Role};
use std::marker::PhantomData;

/// Somebody with a verified credential and the permission `P`.
#[derive(Debug, Clone)]
pub struct Caller<P> {
    identity: Identity,
    request_id: RequestId,
    power: PhantomData<P>,
}

impl<P: Power> Caller<P> {
    /// The tenant and the actor.
    #[must_use]
    pub const fn scope(&self) -> &TenantScope {
        &self.identity.scope
    }

    /// The id of this request, for audit entries.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.request_id.as_str()
    }

    /// Whether the caller has a further permission.
    #[must_use]
    pub fn permits(&self, permission: Permission) -> bool {
        self.identity.permissions.contains(&permission)
    }

    /// Refuses callers without a further permission.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, permission: Permission) -> Answer<()> {
        if self.permits(permission) {
            Ok(())
        } else {
            Err(Problem::forbidden(permission.as_str()))
        }
    }

    /// Everything the caller may do.
    #[must_use]
    pub fn permissions(&self) -> &[Permission] {
        &self.identity.permissions
    }

    /// The role, where the caller is a user.
    #[must_use]
    pub const fn role(&self) -> Option<Role> {
        self.identity.role
    }
}

impl<P: Power> FromRequest for Caller<P> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Answer<Self>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let authenticator = authenticator(&request)?;
            let identity = authenticator
                .verify(bearer(&request)?, client_address(&request))
                .await?;
            let spent = authenticator.spend(&identity).await?;
            request.extensions_mut().insert(spent);
            if let Some(needed) = P::PERMISSION
                && !identity.permissions.contains(&needed)
            {
                return Err(Problem::forbidden(needed.as_str()));
            }
            Ok(Self {
                identity,
                request_id: request_id(&request),
                power: PhantomData,
            })
        })
    }
}

/// The operator of the platform. They create tenants and bind terminals; they see no tenant's rows.
#[derive(Debug, Clone)]
pub struct OperatorCaller {
    request_id: RequestId,
}

impl OperatorCaller {
    /// The id of this request, for audit entries.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.request_id.as_str()
    }
}

impl FromRequest for OperatorCaller {
    type Error = Problem;
    type Future = std::future::Ready<Answer<Self>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let verified = authenticator(request).and_then(|a| Ok(a.is_operator(bearer(request)?)));
        std::future::ready(match verified {
            Ok(true) => Ok(Self {
                request_id: request_id(request),
            }),
            Ok(false) => Err(Problem::new(
                ProblemCode::Unauthenticated,
                "This needs the operator's key: \"Authorization: Bearer <GATEHOUSE_OPERATOR_KEY>\".",
            )),
            Err(problem) => Err(problem),
        })
    }
}

fn request_id(request: &HttpRequest) -> RequestId {
    request
        .extensions()
        .get::<RequestId>()
        .cloned()
        .unwrap_or_else(|| RequestId::choose(None))
}

fn authenticator(request: &HttpRequest) -> Answer<&Authenticator> {
    let data = request.app_data::<web::Data<Authenticator>>();
    data.map(|d| d.get_ref())
        .ok_or_else(|| Problem::new(ProblemCode::Internal, "No authenticator is set up."))
}

fn bearer(request: &HttpRequest) -> Answer<&str> {
    let header = request
        .headers()
        .get("Authorization")
        .and_then(|value| value.to_str().ok());
    let secret = header
        .and_then(|h| h.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    secret
        .map(|(_, secret)| secret.trim())
        .filter(|s| !s.is_empty())
        .ok_or_else(|| {
            Problem::new(
                ProblemCode::Unauthenticated,
                "No credential was sent. Send \"Authorization: Bearer <API key or access token>\".",
            )
        })
}
