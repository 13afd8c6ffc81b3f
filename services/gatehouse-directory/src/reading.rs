//! Reading the fields of a request: each is checked once, here, and all that is wrong with a request
//! is said together, with a pointer to each field.
//!
//! A method answers a value even where the field is at fault, so that the next field can be read;
//! [`Reading::end`] then refuses the request, and the value is never used.

use chrono::{DateTime, Utc};
use gatehouse_domain::access::Permission;
use gatehouse_domain::words::UnknownWord;
use gatehouse_platform::http::problem::FieldFault;
use gatehouse_platform::http::{Answer, Problem};
use serde::{Deserialize, Deserializer};
use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

/// Shortest password that a person may choose.
pub(crate) const PASSWORD_MIN_CHARS: usize = 10;
/// Longest password; more would only cost time.
pub(crate) const PASSWORD_MAX_CHARS: usize = 256;
const EMAIL_MAX_CHARS: usize = 254;
const SN_MAX_CHARS: usize = 64;
const MOST_ADDRESSES: usize = 50;

/// The faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    faults: Vec<FieldFault>,
}

impl Reading {
    pub(crate) const fn begin() -> Self {
        Self { faults: Vec::new() }
    }

    /// Notes a fault; `detail` continues the sentence "The field ...".
    pub(crate) fn fault(&mut self, pointer: &str, detail: impl Display) {
        self.faults.push(FieldFault {
            pointer: pointer.to_owned(),
            detail: detail.to_string(),
        });
    }

    /// Refuses the request where anything was at fault.
    pub(crate) fn end(self) -> Answer<()> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid_fields(self.faults))
        }
    }

    /// Whether nothing was at fault so far.
    pub(crate) const fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// What was at fault, for whoever reads on in a part of a request.
    pub(crate) fn into_faults(self) -> Vec<FieldFault> {
        self.faults
    }

    /// A text for people: trimmed, not empty, without control characters.
    pub(crate) fn text(&mut self, pointer: &str, value: &str, max_chars: usize) -> String {
        let text = self.optional_text(pointer, value, max_chars);
        if text.is_empty() && !value.chars().any(char::is_control) {
            self.fault(pointer, "must not be empty");
        }
        text
    }

    /// The same, and it may be empty.
    pub(crate) fn optional_text(&mut self, pointer: &str, value: &str, max_chars: usize) -> String {
        let text = value.trim();
        if text.chars().any(char::is_control) {
            self.fault(pointer, "must not contain control characters");
        } else if text.chars().count() > max_chars {
            self.fault(pointer, format!("must have at most {max_chars} characters"));
        }
        text.to_owned()
    }

    /// A word of a vocabulary; `otherwise` where the field is absent.
    pub(crate) fn word<T: FromStr<Err = UnknownWord>>(
        &mut self,
        pointer: &str,
        value: Option<&str>,
        otherwise: T,
    ) -> T {
        let Some(text) = value else { return otherwise };
        text.parse().unwrap_or_else(|unknown: UnknownWord| {
            self.fault(pointer, format!("must be one of {}", unknown.known));
            otherwise
        })
    }

    /// A time zone by its IANA name.
    pub(crate) fn timezone(&mut self, pointer: &str, value: &str) -> String {
        let name = value.trim();
        if name.parse::<chrono_tz::Tz>().is_err() {
            self.fault(
                pointer,
                "must be an IANA time zone, for example Asia/Shanghai",
            );
        }
        name.to_owned()
    }

    /// An e-mail address, in lower case.
    pub(crate) fn email(&mut self, pointer: &str, value: &str) -> String {
        let address = value.trim().to_lowercase();
        if !is_email(&address) {
            self.fault(pointer, "must be an e-mail address");
        }
        address
    }

    /// A password that somebody chose.
    pub(crate) fn password(&mut self, pointer: &str, value: &str) {
        if !(PASSWORD_MIN_CHARS..=PASSWORD_MAX_CHARS).contains(&value.chars().count()) {
            self.fault(
                pointer,
                format!("must have {PASSWORD_MIN_CHARS} to {PASSWORD_MAX_CHARS} characters"),
            );
        }
    }

    /// A serial number as terminals tell it: visible ASCII.
    pub(crate) fn serial_number(&mut self, pointer: &str, value: &str) -> String {
        let sn = value.trim();
        if !((1..=SN_MAX_CHARS).contains(&sn.len()) && sn.bytes().all(|b| b.is_ascii_graphic())) {
            self.fault(
                pointer,
                format!("must have 1 to {SN_MAX_CHARS} visible ASCII characters without spaces"),
            );
        }
        sn.to_owned()
    }

    /// An instant that is still to come.
    pub(crate) fn future(
        &mut self,
        pointer: &str,
        at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        if at.is_some_and(|at| at <= now) {
            self.fault(pointer, "must be in the future");
        }
        // Years that the database or a reader's clock cannot hold are nobody's plan.
        if at.is_some_and(|at| at > now + chrono::Duration::days(36_525)) {
            self.fault(pointer, "must be within the next hundred years");
        }
        at
    }

    /// Addresses or ranges of addresses, as they are compared later.
    pub(crate) fn addresses(&mut self, pointer: &str, values: &[String]) -> Vec<String> {
        if values.len() > MOST_ADDRESSES {
            self.fault(
                pointer,
                format!("must have at most {MOST_ADDRESSES} entries"),
            );
            return Vec::new();
        }
        let mut ranges = Vec::with_capacity(values.len());
        for (index, text) in values.iter().enumerate() {
            match address_range(text.trim()) {
                Some(range) => ranges.push(range),
                None => self.fault(
                    &format!("{pointer}/{index}"),
                    "must be an IP address or a range such as 192.0.2.0/24",
                ),
            }
        }
        ranges
    }

    /// Permissions, each once, in the vocabulary's order.
    pub(crate) fn permissions(&mut self, pointer: &str, values: &[String]) -> Vec<Permission> {
        let mut permissions = Vec::with_capacity(values.len().min(Permission::ALL.len()));
        for (index, text) in values.iter().take(100).enumerate() {
            match text.parse::<Permission>() {
                Ok(permission) => permissions.push(permission),
                Err(unknown) => {
                    self.fault(
                        &format!("{pointer}/{index}"),
                        format!("must be one of {}", unknown.known),
                    );
                }
            }
        }
        if values.is_empty() {
            self.fault(pointer, "must name at least one scope");
        } else if values.len() > 100 {
            self.fault(pointer, "names too many scopes");
        }
        permissions.sort_unstable();
        permissions.dedup();
        permissions
    }
}

/// One `@`, something before it, a dotted name behind it, nothing that a mail program or a log would
/// stumble over. Whether mail arrives there is another question.
fn is_email(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"\"(),:;<>@[\\]".contains(c);
    let labels_fine = domain.split('.').all(|label| {
        !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    });
    address.chars().count() <= EMAIL_MAX_CHARS
        && (1..=64).contains(&local.len())
        && local.chars().all(plain)
        && domain.contains('.')
        && domain
            .chars()
            .all(|c| c.is_alphanumeric() || c == '-' || c == '.')
        && labels_fine
}

fn address_range(text: &str) -> Option<String> {
    let range: ipnet::IpNet = text
        .parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(Into::into))?;
    Some(range.trunc().to_string())
}

/// For fields where absent and null differ: `None` absent, `Some(None)` null.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_domain::device::Direction;

    fn faults(read: impl FnOnce(&mut Reading)) -> Vec<String> {
        let mut reading = Reading::begin();
        read(&mut reading);
        reading.faults.into_iter().map(|f| f.pointer).collect()
    }

    #[test]
    fn texts_are_trimmed_and_bounded() {
        let mut reading = Reading::begin();
        assert_eq!(reading.text("/name", "  North gate ", 20), "North gate");
        assert!(reading.end().is_ok());
        for bad in ["", "   ", "a\0b", "a\nb", "123456789"] {
            assert_eq!(
                faults(|r| {
                    r.text("/name", bad, 8);
                }),
                ["/name"],
                "{bad:?}"
            );
        }
        assert!(
            faults(|r| {
                r.text("/name", "北门北门北门北门", 8);
            })
            .is_empty(),
            "characters, not bytes"
        );
    }

    #[test]
    fn all_faults_are_said_together() {
        let found = faults(|r| {
            r.text("/name", "", 8);
            r.timezone("/timezone", "Mars/Olympus");
            r.word("/direction", Some("up"), Direction::In);
        });
        assert_eq!(found, ["/name", "/timezone", "/direction"]);
    }

    #[test]
    fn email_addresses() {
        for good in [
            "a@b.example",
            "Li.Wei+x@sub.example.com",
            "user@例子.example",
        ] {
            assert!(is_email(&good.to_lowercase()), "{good}");
        }
        let long = format!("{}@b.example", "a".repeat(65));
        for bad in [
            "", "a", "@b.c", "a@b", "a@", "a b@c.d", "a@b..c", "a@-b.c", "a\0@b.c", "a@b@c.d",
            "<a@b.c>", &long,
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn addresses_become_ranges() {
        let mut reading = Reading::begin();
        let given = [
            "192.0.2.7".to_owned(),
            "10.1.2.3/8".to_owned(),
            "2001:db8::/32".to_owned(),
        ];
        assert_eq!(
            reading.addresses("/a", &given),
            ["192.0.2.7/32", "10.0.0.0/8", "2001:db8::/32"]
        );
        assert!(reading.end().is_ok());
        assert_eq!(
            faults(|r| {
                r.addresses("/a", &["10.0.0.0/8".into(), "x".into()]);
            }),
            ["/a/1"]
        );
    }

    #[test]
    fn serial_numbers_are_visible_ascii() {
        for bad in ["", "a b", "序列", "a\tb", &"x".repeat(65)] {
            assert_eq!(
                faults(|r| {
                    r.serial_number("/sn", bad);
                }),
                ["/sn"],
                "{bad:?}"
            );
        }
        assert!(
            faults(|r| {
                r.serial_number("/sn", "FY-2041/A#7");
            })
            .is_empty()
        );
    }

    #[test]
    fn scopes_are_known_and_each_stands_once() {
        let mut reading = Reading::begin();
        let given = ["records:read", "devices:read", "records:read"].map(str::to_owned);
        assert_eq!(
            reading.permissions("/scopes", &given),
            [Permission::ReadDevices, Permission::ReadRecords]
        );
        assert!(reading.end().is_ok());
        assert_eq!(
            faults(|r| {
                r.permissions("/scopes", &[]);
            }),
            ["/scopes"]
        );
        assert_eq!(
            faults(|r| {
                r.permissions("/scopes", &["all".into()]);
            }),
            ["/scopes/0"]
        );
    }

    #[test]
    fn null_is_not_absent() {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default, deserialize_with = "present")]
            direction: Option<Option<String>>,
        }
        let read = |text: &str| serde_json::from_str::<Body>(text).unwrap().direction;
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"direction": null}"#), Some(None));
        assert_eq!(read(r#"{"direction": "in"}"#), Some(Some("in".to_owned())));
    }
}
