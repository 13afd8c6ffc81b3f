//! What an identity document said, sealed before it is stored: whoever reads the table reads nothing
//! of it.

use gatehouse_platform::secrets::{Secrets, SecretsError};
use gatehouse_proto_terminal::IdDocument;
use serde::{Deserialize, Serialize};

/// The purpose under which these values are sealed.
const PURPOSE: &str = "id_document";

/// The sealed form; it only grows.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    number: Option<String>,
    ethnicity: Option<String>,
    address: Option<String>,
    authority: Option<String>,
}

/// Seals it.
pub(crate) fn seal(secrets: &Secrets, document: &IdDocument) -> Result<Vec<u8>, SecretsError> {
    let IdDocument {
        number,
        ethnicity,
        address,
        authority,
    } = document.clone();
    let plain = serde_json::to_vec(&Sealed {
        number,
        ethnicity,
        address,
        authority,
    })
    .map_err(|_| SecretsError::Sealed)?;
    secrets.seal(PURPOSE, &plain)
}
