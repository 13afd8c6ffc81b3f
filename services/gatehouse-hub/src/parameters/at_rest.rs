//! Parameter values as rows hold them: secret ones sealed, `{"devicePassword": {"sealed": "..."}}`,
//! the others as text; and as the API shows them, secret ones masked.

use base64_simd::STANDARD as BASE64;
use gatehouse_platform::db::DbError;
use gatehouse_platform::secrets::{Secrets, SecretsError};
use gatehouse_proto_terminal::parameters::is_secret;
use sea_orm::DbErr;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Stands in the API for a secret value that is there.
pub(crate) const MASK: &str = "••••";
const PURPOSE: &str = "terminal_parameter";

/// A stored value could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AtRestError {
    /// The master key is another, or the value was damaged.
    #[error("the stored parameter {name} cannot be opened: {source}")]
    Secret {
        /// Its name.
        name: String,
        /// Why.
        source: SecretsError,
    },
    /// Neither text nor a sealed value.
    #[error("the stored parameter {0} has a form that is not known")]
    Form(String),
}

impl From<AtRestError> for DbError {
    fn from(error: AtRestError) -> Self {
        Self::Refused(DbErr::Custom(error.to_string()))
    }
}

/// For a row.
pub(crate) fn seal(
    secrets: &Secrets,
    values: &BTreeMap<String, String>,
) -> Result<Value, AtRestError> {
    let mut stored = Map::new();
    for (name, value) in values {
        let value = if is_secret(name) {
            let sealed =
                secrets
                    .seal(PURPOSE, value.as_bytes())
                    .map_err(|source| AtRestError::Secret {
                        name: name.clone(),
                        source,
                    })?;
            json!({ "sealed": BASE64.encode_to_string(sealed) })
        } else {
            Value::String(value.clone())
        };
        stored.insert(name.clone(), value);
    }
    Ok(Value::Object(stored))
}

/// From a row.
pub(crate) fn open(
    secrets: &Secrets,
    stored: &Value,
) -> Result<BTreeMap<String, String>, AtRestError> {
    entries(stored)
        .map(|(name, value)| Ok((name.clone(), open_value(secrets, name, value)?)))
        .collect()
}

fn open_value(secrets: &Secrets, name: &str, value: &Value) -> Result<String, AtRestError> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let form = || AtRestError::Form(name.to_owned());
    let sealed = value
        .get("sealed")
        .and_then(Value::as_str)
        .ok_or_else(form)?;
    let sealed = BASE64
        .decode_to_vec(sealed.as_bytes())
        .map_err(|_| form())?;
    let plain = secrets
        .open(PURPOSE, &sealed)
        .map_err(|source| AtRestError::Secret {
            name: name.to_owned(),
            source,
        })?;
    String::from_utf8(plain).map_err(|_| form())
}

/// For the API, from a row, without opening anything.
pub(crate) fn masked(stored: &Value) -> BTreeMap<String, String> {
    entries(stored)
        .map(|(name, value)| {
            let shown = value.as_str().filter(|_| !is_secret(name)).unwrap_or(MASK);
            (name.clone(), shown.to_owned())
        })
        .collect()
}

/// For the API, one value.
pub(crate) fn shown(name: &str, value: String) -> String {
    if is_secret(name) {
        MASK.to_owned()
    } else {
        value
    }
}

fn entries(stored: &Value) -> impl Iterator<Item = (&String, &Value)> {
    stored.as_object().into_iter().flatten()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_platform::secrets::SecretSettings;

    fn secrets(key: &str) -> Secrets {
        Secrets::new(&SecretSettings {
            master_key: key.repeat(32),
            operator_key: None,
        })
        .unwrap()
    }

    fn values() -> BTreeMap<String, String> {
        [("devicePassword", "geheim"), ("voiceVolume", "3")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into()
    }

    #[test]
    fn secrets_are_sealed_and_come_back() {
        let stored = seal(&secrets("ab"), &values()).unwrap();
        assert_eq!(stored["voiceVolume"], "3");
        assert!(!stored.to_string().contains("geheim"), "{stored}");
        assert_eq!(open(&secrets("ab"), &stored).unwrap(), values());
        assert!(matches!(
            open(&secrets("cd"), &stored),
            Err(AtRestError::Secret { .. })
        ));
    }

    #[test]
    fn secrets_are_masked_even_where_they_stand_in_the_clear() {
        let stored = seal(&secrets("ab"), &values()).unwrap();
        let expected: BTreeMap<String, String> = [("devicePassword", MASK), ("voiceVolume", "3")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
        assert_eq!(masked(&stored), expected);
        assert_eq!(
            masked(&json!({ "devicePassword": "geheim", "voiceVolume": "3" })),
            expected
        );
        assert_eq!(shown("devicePassword", "geheim".into()), MASK);
    }

    #[test]
    fn another_form_is_not_guessed() {
        for stored in [
            json!({ "a": 1 }),
            json!({ "a": { "sealed": "!" } }),
            json!({ "a": { "sealed": 1 } }),
        ] {
            assert_eq!(
                open(&secrets("ab"), &stored),
                Err(AtRestError::Form("a".into())),
                "{stored}"
            );
        }
    }
}
