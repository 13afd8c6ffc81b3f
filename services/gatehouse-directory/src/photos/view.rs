//! A picture of a person as the API shows it.

use super::store::{self, Row};
use crate::directory::Directory;
use chrono::{DateTime, Utc};
use gatehouse_domain::{PersonId, PhotoId, TenantId};
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::Answer;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;
use utoipa::ToSchema;

/// How long a link to a picture opens it.
const LINK_VALID: Duration = Duration::from_secs(3600);

/// A picture of a person, upright and without whatever else the file said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Photo {
    #[schema(value_type = String, example = "pho_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: PhotoId,
    #[schema(value_type = String)]
    person_id: PersonId,
    /// 1 to 3; 1 is the main one.
    slot: i16,
    /// Pixels.
    width: i32,
    /// Pixels.
    height: i32,
    /// Bytes of the picture behind the link.
    bytes: i32,
    /// The SHA-256 of the picture behind the link, in hexadecimal digits.
    sha256: String,
    /// A link to the picture (JPEG) that needs no credential.
    url: String,
    /// When the link ends; reading again gives a new one.
    url_expires_at: DateTime<Utc>,
    /// What was measured when the photo was checked.
    #[schema(value_type = Object)]
    findings: Value,
    created_at: DateTime<Utc>,
}

impl Photo {
    pub(super) fn new(
        directory: &Directory,
        tenant: TenantId,
        row: Row,
        now: DateTime<Utc>,
    ) -> Self {
        let Row {
            id,
            person_id,
            slot,
            sha256,
            width,
            height,
            original_bytes,
            findings,
            created_at,
        } = row;
        let sha256 = hex::encode(sha256);
        let key = object_key(tenant, &sha256, "original");
        let kit = &directory.kit;
        Self {
            id: PhotoId::from_uuid(id),
            person_id: PersonId::from_uuid(person_id),
            slot,
            width,
            height,
            bytes: original_bytes,
            url: kit
                .secrets
                .media_url(&kit.public_url, &key, now, LINK_VALID),
            url_expires_at: now + LINK_VALID,
            sha256,
            findings,
            created_at,
        }
    }
}

/// Where a form of a picture lies in the object store.
pub(super) fn object_key(tenant: TenantId, sha256: &str, form: &str) -> String {
    format!("photos/{}/{sha256}/{form}.jpg", tenant.uuid().as_simple())
}

/// The pictures of a person, with links.
pub(crate) async fn of_person(
    directory: &Directory,
    tx: &TenantTx,
    person: PersonId,
) -> Answer<Vec<Photo>> {
    let now = Utc::now();
    let rows = store::of_person(tx, person).await?;
    let tenant = tx.scope().tenant();
    Ok(rows
        .into_iter()
        .map(|row| Photo::new(directory, tenant, row, now))
        .collect())
}
