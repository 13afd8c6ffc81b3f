//! Links to pictures: `{base}/{token}.jpg`. The token is 52 bytes in base64url: the tenant, the
//! photo, when it ends, and 128 bits of proof that the platform made it.

use crate::settings::HubSettings;
use base64_simd::URL_SAFE_NO_PAD as BASE64URL;
use chrono::{DateTime, Utc};
use gatehouse_domain::TenantId;
use gatehouse_platform::secrets::{Secrets, TAG_LEN, same_secret};
use std::time::Duration;
use uuid::Uuid;

/// The key's purpose.
const PURPOSE: &str = "push-image";
/// Longest address that the document allows (002, L942).
const URL_MAX_CHARS: usize = 128;
const UUID_LEN: usize = 16;
/// Seconds since 1970 in four bytes last until 2106.
const END_LEN: usize = 4;
const TOKEN_LEN: usize = UUID_LEN + UUID_LEN + END_LEN + TAG_LEN;

/// Makes links and opens them.
#[derive(Debug)]
pub(crate) struct Links {
    secrets: Secrets,
    /// Without a slash at the end; `None` where devices could not fetch anything.
    base: Option<String>,
    valid_for: Duration,
}

impl Links {
    /// From the settings; `public_url` is where the platform is reached otherwise.
    pub(crate) fn new(secrets: &Secrets, settings: &HubSettings, public_url: &str) -> Self {
        let base = base(settings, public_url);
        if let Some(base) = &base {
            let length = base.len() + 1 + token_chars() + ".jpg".len();
            if length > URL_MAX_CHARS || !base.starts_with("http://") {
                tracing::error!(
                    base,
                    length,
                    "push devices cannot fetch pictures from there: GATEHOUSE_PUSH_IMAGES_URL must be plain http and short enough for addresses of 128 characters"
                );
            }
        }
        Self {
            secrets: secrets.clone(),
            base: base.filter(|base| base.starts_with("http://")),
            valid_for: Duration::from_secs(u64::from(settings.push_images_valid_s)),
        }
    }

    /// A link to a photo, from now on for a while; `None` where no device could use one.
    pub(crate) fn url(&self, tenant: TenantId, photo: Uuid, now: DateTime<Utc>) -> Option<String> {
        let base = self.base.as_ref()?;
        let end = now.checked_add_signed(chrono::TimeDelta::from_std(self.valid_for).ok()?)?;
        let end = u32::try_from(end.timestamp()).ok()?;
        let mut token = Vec::with_capacity(TOKEN_LEN);
        token.extend_from_slice(tenant.uuid().as_bytes());
        token.extend_from_slice(photo.as_bytes());
        token.extend_from_slice(&end.to_be_bytes());
        let tag = self.secrets.tag(PURPOSE, &token);
        token.extend_from_slice(&tag);
        let url = format!("{base}/{}.jpg", BASE64URL.encode_to_string(token));
        (url.len() <= URL_MAX_CHARS).then_some(url)
    }

    /// The tenant and the photo of a token that is ours and has not ended.
    pub(crate) fn open(&self, token: &str, now: DateTime<Utc>) -> Option<(TenantId, Uuid)> {
        if token.len() != token_chars() {
            return None;
        }
        let bytes = BASE64URL.decode_to_vec(token.as_bytes()).ok()?;
        let (signed, tag) = bytes.split_at_checked(TOKEN_LEN - TAG_LEN)?;
        if !same_secret(&self.secrets.tag(PURPOSE, signed), tag) {
            return None;
        }
        let (tenant, rest) = signed.split_at_checked(UUID_LEN)?;
        let (photo, end) = rest.split_at_checked(UUID_LEN)?;
        let end = u32::from_be_bytes(end.try_into().ok()?);
        if now.timestamp() > i64::from(end) {
            return None;
        }
        let tenant = TenantId::from_uuid(Uuid::from_slice(tenant).ok()?);
        Some((tenant, Uuid::from_slice(photo).ok()?))
    }
}

/// Base64url without padding: four characters for three bytes.
const fn token_chars() -> usize {
    (TOKEN_LEN * 4).div_ceil(3)
}

/// Where devices fetch: as set, or where the process listens; on all interfaces that is the host
/// under which the platform is reached.
fn base(settings: &HubSettings, public_url: &str) -> Option<String> {
    let set = settings.push_images_url.as_ref().map(|url| url.trim());
    if let Some(url) = set.filter(|url| !url.is_empty()) {
        return Some(url.trim_end_matches('/').to_owned());
    }
    let listen = settings.push_images_listen.0?;
    if !listen.ip().is_unspecified() {
        return Some(format!("http://{listen}"));
    }
    let (_, rest) = public_url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) | None => authority,
    };
    Some(format!("http://{host}:{}", listen.port()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use clap::Parser;
    use gatehouse_platform::secrets::SecretSettings;

    #[derive(Debug, Parser)]
    struct Words {
        #[command(flatten)]
        hub: HubSettings,
    }

    fn links(words: &[&str], public_url: &str) -> Links {
        let secrets = Secrets::new(&SecretSettings {
            master_key: "ab".repeat(32),
            operator_key: None,
        })
        .unwrap();
        let words = ["hub"].iter().chain(words);
        Links::new(&secrets, &Words::parse_from(words).hub, public_url)
    }

    const LISTEN: [&str; 2] = ["--push-images-listen", "127.0.0.1:8081"];

    #[test]
    fn a_link_opens_its_photo_until_it_ends() {
        let links = links(&LISTEN, "http://x");
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let tenant = TenantId::from_uuid(Uuid::from_u128(1));
        let photo = Uuid::from_u128(2);
        let url = links.url(tenant, photo, now).unwrap();
        assert!(url.len() <= 128, "{url}");
        let token = url.strip_prefix("http://127.0.0.1:8081/").unwrap();
        let token = token.strip_suffix(".jpg").unwrap();
        assert_eq!(links.open(token, now), Some((tenant, photo)));
        let end = now + chrono::TimeDelta::seconds(1_800);
        assert_eq!(links.open(token, end), Some((tenant, photo)));
        assert_eq!(links.open(token, end + chrono::TimeDelta::seconds(1)), None);
        for at in 0..token.len() - 1 {
            let mut other = token.as_bytes().to_vec();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                links.open(std::str::from_utf8(&other).unwrap(), now),
                None,
                "{at}"
            );
        }
        for token in [
            "",
            "a",
            &token[1..],
            &format!("{token}A"),
            "../../etc/passwd",
        ] {
            assert_eq!(links.open(token, now), None);
        }
    }

    #[test]
    fn the_base_is_what_devices_can_reach() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let base = |words: &[&str], public_url| {
            let url =
                links(words, public_url).url(TenantId::from_uuid(Uuid::nil()), Uuid::nil(), now)?;
            Some(url.rsplit_once('/')?.0.to_owned())
        };
        let everywhere = ["--push-images-listen", "0.0.0.0:8081"];
        assert_eq!(base(&[], "http://x"), None);
        assert_eq!(
            base(&LISTEN, "http://x").as_deref(),
            Some("http://127.0.0.1:8081")
        );
        assert_eq!(
            base(&everywhere, "https://gatehouse.example.com/x").as_deref(),
            Some("http://gatehouse.example.com:8081")
        );
        assert_eq!(
            base(&everywhere, "http://[::1]:8080").as_deref(),
            Some("http://[::1]:8081")
        );
        let set = ["--push-images-url", "http://img.example.com/"];
        assert_eq!(
            base(&set, "http://x").as_deref(),
            Some("http://img.example.com")
        );
        let long = format!("http://{}", "x".repeat(47));
        assert_eq!(base(&["--push-images-url", &long], "http://x"), None);
        assert_eq!(base(&["--push-images-url", "https://i"], "http://x"), None);
    }
}
