//! An API key as the API shows it.

use crate::schemas;
use chrono::{DateTime, Utc};
use gatehouse_domain::ApiKeyId;
use gatehouse_schema::entities::directory::api_keys::Model;
use serde::Serialize;
use utoipa::ToSchema;

/// An API key, without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ApiKey {
    #[schema(value_type = String, example = "key_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    pub(super) id: ApiKeyId,
    name: String,
    /// The key's first characters.
    #[schema(example = "gk_Xq3f1")]
    hint: String,
    #[schema(schema_with = schemas::permissions)]
    pub(super) scopes: Vec<String>,
    /// From where it may be used; from anywhere where empty.
    #[schema(example = json!(["192.0.2.0/24"]))]
    pub(super) allowed_addresses: Vec<String>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// Set while the key is switched off.
    disabled_at: Option<DateTime<Utc>>,
    /// To the minute.
    last_used_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Counts changes; also the ETag.
    pub(super) version: i64,
}

impl From<Model> for ApiKey {
    fn from(row: Model) -> Self {
        let Model {
            tenant_id: _,
            id,
            name,
            secret_hash: _,
            hint,
            scopes,
            allowed_addresses,
            expires_at,
            disabled_at,
            last_used_at,
            created_at,
            updated_at,
            version,
        } = row;
        Self {
            id: ApiKeyId::from_uuid(id),
            name,
            hint,
            scopes,
            allowed_addresses,
            expires_at,
            disabled_at,
            last_used_at,
            created_at,
            updated_at,
            version,
        }
    }
}

/// A new key. Its secret is shown once: a repeat of the request under the same Idempotency-Key answers
/// without it.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewApiKey {
    #[serde(flatten)]
    pub(super) key_without_secret: ApiKey,
    /// The key itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
}
