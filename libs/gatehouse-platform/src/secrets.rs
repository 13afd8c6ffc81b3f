//! Keys and what is done with them: sealing what must be read again, hashing what must only be
//! recognised, signing links. Every use has a key of its own, derived from the master key and the
//! name of its purpose, so that a sealed value of one purpose cannot be passed off as another.
//!
//! Deliberately absent: passwords of people (see `auth::password`).

use aws_lc_rs::{aead, digest, hmac, rand};
use base64_simd::URL_SAFE_NO_PAD as BASE64URL;
use std::time::Duration;

/// Settings of the secrets.
#[derive(Clone, clap::Args)]
pub struct SecretSettings {
    /// The master key: 64 hexadecimal digits. Whoever holds it can open what is sealed and sign in
    /// as anybody; losing it loses every sealed secret.
    #[arg(
        long = "master-key",
        env = "GATEHOUSE_MASTER_KEY",
        hide_env_values = true
    )]
    pub master_key: String,
    /// The bearer key of the platform's operator, who creates tenants. Without one, nobody can
    /// through the API.
    #[arg(
        long = "operator-key",
        env = "GATEHOUSE_OPERATOR_KEY",
        hide_env_values = true
    )]
    pub operator_key: Option<String>,
}

impl std::fmt::Debug for SecretSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretSettings")
    }
}

/// What can go wrong with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// The master key has another form.
    #[error("GATEHOUSE_MASTER_KEY must be 64 hexadecimal digits; `openssl rand -hex 32` makes one")]
    MasterKey,
    /// The sealed value was made with another key or for another purpose, or was damaged.
    #[error("a sealed value cannot be opened with this master key")]
    Sealed,
    /// The link's signature is not ours.
    #[error("the link is not valid")]
    LinkSignature,
    /// The link was valid once.
    #[error("the link has expired; ask for the resource again to get a fresh one")]
    LinkExpired,
}

/// The derived keys. Cloning is cheap.
#[derive(Clone)]
pub struct Secrets {
    master: hmac::Key,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

/// The layout of a sealed value, in its first byte, so that another can follow.
const SEALED_V1: u8 = 1;
const NONCE_LEN: usize = 12;
/// Of a signature that must be short: 128 bits are beyond guessing.
const SIGNATURE_LEN: usize = 16;
/// Bytes of a [`Secrets::tag`].
pub const TAG_LEN: usize = 16;

impl Secrets {
    /// Reads the master key.
    ///
    /// # Errors
    /// [`SecretsError::MasterKey`].
    pub fn new(settings: &SecretSettings) -> Result<Self, SecretsError> {
        let key = hex::decode(settings.master_key.trim()).map_err(|_| SecretsError::MasterKey)?;
        if key.len() != 32 {
            return Err(SecretsError::MasterKey);
        }
        Ok(Self {
            master: hmac::Key::new(hmac::HMAC_SHA256, &key),
        })
    }

    /// The key of one purpose, 32 bytes.
    pub(crate) fn derive(&self, purpose: &str) -> hmac::Tag {
        hmac::sign(&self.master, format!("gatehouse/v1/{purpose}").as_bytes())
    }

    /// Encrypts and authenticates (AES-256-GCM, a fresh nonce each time).
    ///
    /// # Errors
    /// [`SecretsError::Sealed`] where the system gives no randomness.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, SecretsError> {
        let key = self.aead(purpose)?;
        let mut body = plain.to_vec();
        let nonce = key
            .seal_in_place_append_tag(aead::Aad::from(purpose.as_bytes()), &mut body)
            .map_err(|_| SecretsError::Sealed)?;
        let mut sealed = vec![SEALED_V1];
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// The plain text of a sealed value.
    ///
    /// # Errors
    /// [`SecretsError::Sealed`].
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, SecretsError> {
        let (nonce, body) = sealed
            .strip_prefix(&[SEALED_V1])
            .and_then(|rest| rest.split_at_checked(NONCE_LEN))
            .ok_or(SecretsError::Sealed)?;
        let nonce =
            aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| SecretsError::Sealed)?;
        let mut body = body.to_vec();
        let plain = self
            .aead(purpose)?
            .open_in_place(nonce, aead::Aad::from(purpose.as_bytes()), &mut body)
            .map_err(|_| SecretsError::Sealed)?;
        Ok(plain.to_vec())
    }

    /// A digest of a value under a key of this purpose: the same value gives the same digest, and nobody
    /// without the key can try out values. For finding again what is kept sealed.
    #[must_use]
    pub fn digest(&self, purpose: &str, plain: &[u8]) -> Vec<u8> {
        let key = self.derive(&format!("digest/{purpose}"));
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_ref());
        hmac::sign(&key, plain).as_ref().to_vec()
    }

    /// A message with a signature of 16 bytes under a key of this purpose, as base64url: short enough
    /// for a code that a camera reads. The message stays readable, and does not expire by itself.
    #[must_use]
    pub fn sign(&self, purpose: &str, message: &[u8]) -> String {
        let mut signed = self.signature(purpose, message);
        signed.extend_from_slice(message);
        BASE64URL.encode_to_string(signed)
    }

    /// The message of a token that [`Secrets::sign`] made for this purpose; none where it did not.
    #[must_use]
    pub fn verify(&self, purpose: &str, token: &str) -> Option<Vec<u8>> {
        let signed = BASE64URL.decode_to_vec(token.as_bytes()).ok()?;
        let (signature, message) = signed.split_at_checked(SIGNATURE_LEN)?;
        same_secret(signature, &self.signature(purpose, message)).then(|| message.to_vec())
    }

    fn signature(&self, purpose: &str, message: &[u8]) -> Vec<u8> {
        let key = self.derive(&format!("sign/{purpose}"));
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_ref());
        let mut tag = hmac::sign(&key, message).as_ref().to_vec();
        tag.truncate(SIGNATURE_LEN);
        tag
    }

    fn aead(&self, purpose: &str) -> Result<aead::RandomizedNonceKey, SecretsError> {
        aead::RandomizedNonceKey::new(
            &aead::AES_256_GCM,
            self.derive(&format!("seal/{purpose}")).as_ref(),
        )
        .map_err(|_| SecretsError::Sealed)
    }

    /// A short proof (128 bits) that a message of ours was made with this master key and for this
    /// purpose: for tokens that have no room for more.
    #[must_use]
    pub fn tag(&self, purpose: &str, message: &[u8]) -> [u8; TAG_LEN] {
        let key = hmac::Key::new(
            hmac::HMAC_SHA256,
            self.derive(&format!("tag/{purpose}")).as_ref(),
        );
        let mut short = [0; TAG_LEN];
        for (to, from) in short.iter_mut().zip(hmac::sign(&key, message).as_ref()) {
            *to = *from;
        }
        short
    }

    /// A link to one stored object that needs no credential and ends by itself:
    /// `{public_url}/v1/media/{token}`.
    #[must_use]
    pub fn media_url(
        &self,
        public_url: &str,
        object_key: &str,
        now: chrono::DateTime<chrono::Utc>,
        valid_for: Duration,
    ) -> String {
        format!(
            "{public_url}/v1/media/{}",
            self.media_token(object_key, now, valid_for)
        )
    }

    fn media_token(
        &self,
        object_key: &str,
        now: chrono::DateTime<chrono::Utc>,
        valid_for: Duration,
    ) -> String {
        let expires_at = now
            .timestamp()
            .saturating_add(i64::try_from(valid_for.as_secs()).unwrap_or(i64::MAX));
        let signed = format!("{expires_at}.{object_key}");
        let tag = hmac::sign(&self.media_key(), signed.as_bytes());
        let mut token = tag.as_ref().to_vec();
        token.extend_from_slice(signed.as_bytes());
        BASE64URL.encode_to_string(token)
    }

    fn media_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.derive("media-link").as_ref())
    }

    /// The key of the object that a link's token opens.
    ///
    /// # Errors
    /// [`SecretsError::LinkSignature`] or [`SecretsError::LinkExpired`].
    pub fn verify_media(
        &self,
        token: &str,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<String, SecretsError> {
        let bytes = BASE64URL
            .decode_to_vec(token.as_bytes())
            .map_err(|_| SecretsError::LinkSignature)?;
        let (tag, signed) = bytes
            .split_at_checked(32)
            .ok_or(SecretsError::LinkSignature)?;
        hmac::verify(&self.media_key(), signed, tag).map_err(|_| SecretsError::LinkSignature)?;
        let signed = std::str::from_utf8(signed).map_err(|_| SecretsError::LinkSignature)?;
        let (expires_at, object_key) = signed.split_once('.').ok_or(SecretsError::LinkSignature)?;
        let expires_at: i64 = expires_at
            .parse()
            .map_err(|_| SecretsError::LinkSignature)?;
        if now.timestamp() > expires_at {
            return Err(SecretsError::LinkExpired);
        }
        Ok(object_key.to_owned())
    }
}

/// 32 random bytes as 43 characters of base64url: a bearer secret.
///
/// # Panics
/// Never in practice: only where the system has no randomness at all.
#[must_use]
pub fn new_token() -> String {
    let mut bytes = [0_u8; 32];
    #[expect(
        clippy::expect_used,
        reason = "a system without randomness must not hand out secrets"
    )]
    rand::fill(&mut bytes).expect("the system has randomness");
    BASE64URL.encode_to_string(bytes)
}

/// What is stored of a bearer secret. Its entropy makes a slow hash needless.
#[must_use]
pub fn hash_token(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes())
        .as_ref()
        .to_vec()
}

/// Compares without telling by its duration where the difference is.
#[must_use]
pub fn same_secret(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::new(&SecretSettings {
            master_key: "ab".repeat(32),
            operator_key: None,
        })
        .unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_purpose_only() {
        let s = secrets();
        let sealed = s.seal("facade", b"secret").unwrap();
        assert_eq!(s.open("facade", &sealed).unwrap(), b"secret");
        assert_eq!(s.open("other", &sealed), Err(SecretsError::Sealed));
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(
                s.open("facade", &damaged),
                Err(SecretsError::Sealed),
                "byte {at}"
            );
        }
        assert_eq!(s.open("facade", &[]), Err(SecretsError::Sealed));
    }

    #[test]
    fn a_digest_belongs_to_its_purpose() {
        let s = secrets();
        assert_eq!(s.digest("card", b"1"), s.digest("card", b"1"));
        assert_ne!(s.digest("card", b"1"), s.digest("card", b"2"));
        assert_ne!(s.digest("card", b"1"), s.digest("other", b"1"));
    }

    #[test]
    fn a_tag_is_of_one_purpose_one_message_and_one_key() {
        let s = secrets();
        let tag = s.tag("push-image", b"message");
        assert_eq!(tag, s.tag("push-image", b"message"));
        assert_ne!(tag, s.tag("push-image", b"massage"));
        assert_ne!(tag, s.tag("visit", b"message"));
        let other = Secrets::new(&SecretSettings {
            master_key: "cd".repeat(32),
            operator_key: None,
        });
        assert_ne!(tag, other.unwrap().tag("push-image", b"message"));
    }

    #[test]
    fn a_signature_holds_for_its_purpose_and_message_only() {
        let s = secrets();
        let token = s.sign("visit", b"somebody");
        assert_eq!(s.verify("visit", &token).unwrap(), b"somebody");
        assert_eq!(s.verify("other", &token), None);
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(s.verify("visit", &forged), None, "{at}");
        }
        for nonsense in ["", "AAAA", "?", &"A".repeat(22)] {
            assert_eq!(s.verify("visit", nonsense), None);
        }
    }

    #[test]
    fn a_link_opens_one_object_until_it_ends() {
        let s = secrets();
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let url = s.media_url("http://h", "t/records/x.jpg", now, Duration::from_secs(60));
        let token = url.strip_prefix("http://h/v1/media/").unwrap();
        assert_eq!(s.verify_media(token, now).unwrap(), "t/records/x.jpg");
        let later = now + chrono::Duration::seconds(61);
        assert_eq!(s.verify_media(token, later), Err(SecretsError::LinkExpired));
        let other = Secrets::new(&SecretSettings {
            master_key: "cd".repeat(32),
            operator_key: None,
        })
        .unwrap();
        assert_eq!(
            other.verify_media(token, now),
            Err(SecretsError::LinkSignature)
        );
        assert_eq!(s.verify_media("", now), Err(SecretsError::LinkSignature));
    }

    #[test]
    fn a_master_key_of_another_form_is_refused() {
        for key in ["", "ab", &"zz".repeat(32)] {
            let settings = SecretSettings {
                master_key: key.to_owned(),
                operator_key: None,
            };
            assert!(Secrets::new(&settings).is_err());
        }
    }
}
