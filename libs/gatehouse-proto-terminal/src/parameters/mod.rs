//! The parameters of a terminal (2.1.6, 2.1.7): names, ranges, comparison by meaning. Names and
//! values are those of the document; in particular `playVoiceEnable` is 0 for on.
//! Deliberately absent: which parameters a tenant wants.

mod table;

use table::{Kind, READ_ONLY, SECRET, SETTABLE, SPELLINGS};

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
            .entries(
                self.0
                    .iter()
                    .map(|(name, value)| (name, shown(name, value))),
            )
            .finish()
    }
}

/// The canonical spelling of a parameter's name: other spellings, other case and white space that a
/// scan put into it do not matter. An unknown name comes back without white space.
#[must_use]
pub fn canonical_name(name: &str) -> String {
    let joined: String = name.chars().filter(|c| !c.is_whitespace()).collect();
    known_name(&joined).map_or(joined, str::to_owned)
}

fn known_name(name: &str) -> Option<&'static str> {
    let spelled = SPELLINGS
        .iter()
        .find(|(spelling, _)| spelling.eq_ignore_ascii_case(name))
        .map(|(_, canonical)| *canonical);
    let mut known = SETTABLE
        .iter()
        .map(|(known, _)| *known)
        .chain(READ_ONLY.iter().copied());
    spelled.or_else(|| known.find(|known| known.eq_ignore_ascii_case(name)))
}

fn kind_of(canonical: &str) -> Option<Kind> {
    SETTABLE
        .iter()
        .find(|(name, _)| *name == canonical)
        .map(|(_, kind)| *kind)
}

/// Whether the value must not be shown or logged: passwords and keys.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = canonical_name(name);
    SECRET.contains(&name.as_str())
}

/// What stands where a secret value would.
pub const SECRET_MASK: &str = "(secret)";

/// The value, or [`SECRET_MASK`] where it must not be shown.
#[must_use]
pub fn shown<'v>(name: &str, value: &'v str) -> &'v str {
    if is_secret(name) { SECRET_MASK } else { value }
}

/// Checks changes against the ranges of the document (2.1.6).
///
/// # Errors
/// A fault for every change that is unknown, read-only or out of range, in the order of names.
pub fn validate(changes: &BTreeMap<String, String>) -> Result<(), Vec<ParameterFault>> {
    let faults: Vec<ParameterFault> = changes
        .iter()
        .filter_map(|(name, value)| {
            Some(ParameterFault {
                name: name.clone(),
                value: shown(name, value).to_owned(),
                expected: fault(&canonical_name(name), value)?,
            })
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn fault(canonical: &str, value: &str) -> Option<String> {
    match kind_of(canonical) {
        Some(kind) if kind.accepts(value) => None,
        Some(kind) => Some(kind.expected()),
        None if READ_ONLY.contains(&canonical) => {
            Some("is told by the terminal and cannot be set over this protocol".to_owned())
        }
        None => {
            Some("is not a parameter that the terminal's document knows; leave it out".to_owned())
        }
    }
}

fn same(canonical: &str, one: &str, other: &str) -> bool {
    kind_of(canonical).map_or(one.trim() == other.trim(), |kind| kind.same(one, other))
}

/// What is desired and not so reported, compared by meaning (`37.30` is `37.3`, the eighth part of a
/// week counts for nothing): name to (desired, reported). Values of secrets are not masked.
#[must_use]
pub fn difference(
    desired: &BTreeMap<String, String>,
    reported: &BTreeMap<String, String>,
) -> BTreeMap<String, (Option<String>, Option<String>)> {
    let reported = canonical(reported);
    canonical(desired)
        .into_iter()
        .filter_map(|(name, wanted)| {
            let found = reported.get(&name);
            let met = found.is_some_and(|found| same(&name, &wanted, found));
            (!met).then(|| (name, (Some(wanted), found.cloned())))
        })
        .collect()
}

/// The body of `onlineSetDevInfo`: all that can be set, as reported, with the changes made. What the
/// terminal did not report and nobody changes is not made up.
#[must_use]
pub fn full_set(
    reported: &BTreeMap<String, String>,
    changes: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut merged = canonical(reported);
    merged.extend(canonical(changes));
    merged
        .into_iter()
        .filter_map(|(name, value)| {
            let written = kind_of(&name)?.written(&value);
            Some((name, written))
        })
        .collect()
}

fn canonical(named: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    named
        .iter()
        .map(|(name, value)| (canonical_name(name), value.clone()))
        .collect()
}
