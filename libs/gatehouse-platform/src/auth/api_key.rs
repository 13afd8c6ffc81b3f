//! API keys: `gk_` and 43 characters of randomness. Only their hash is stored.

use crate::secrets::{hash_token, new_token};

/// What an API key begins with; by it a bearer is told from a user's access token.
pub const PREFIX: &str = "gk_";

/// A key that was just drawn. Its text is shown once.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The whole key.
    pub text: String,
    /// What is stored of it.
    pub hash: Vec<u8>,
    /// Its first characters, by which a person recognises it in a list.
    pub hint: String,
}

/// Draws a key.
#[must_use]
pub fn new() -> NewKey {
    let text = format!("{PREFIX}{}", new_token());
    NewKey {
        hash: hash_token(&text),
        hint: text.chars().take(8).collect(),
        text,
    }
}
