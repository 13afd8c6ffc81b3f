//! What a new tenant gets, as it is shown, once.

use gatehouse_domain::TenantId;
use serde::Serialize;
use utoipa::ToSchema;

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
