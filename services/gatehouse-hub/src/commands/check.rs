//! What of a request can be checked without a database: lengths, ranges of document 004, and what
//! belongs together. Every fault gets its pointer.

use gatehouse_domain::FirmwareId;
use gatehouse_platform::http::problem::FieldFault;
use gatehouse_platform::http::{Answer, Problem};
use gatehouse_proto_terminal::{UpdateType, parameters};
use std::collections::BTreeMap;

/// Longest text that a terminal says aloud (004, 2.1.3), in characters.
const MESSAGE_MAX_CHARS: usize = 128;
/// Longest address of a firmware file (004, 2.1.4), in characters.
const URL_MAX_CHARS: usize = 256;

/// Checks what a terminal is to say aloud.
///
/// # Errors
/// A problem at `/message`.
pub(super) fn check_message(message: &str) -> Answer<()> {
    let chars = message.chars().count();
    if chars > MESSAGE_MAX_CHARS {
        return Err(Problem::invalid(
            "/message",
            format!("must have at most {MESSAGE_MAX_CHARS} characters, and has {chars}"),
        ));
    }
    if message.chars().any(char::is_control) {
        return Err(Problem::invalid(
            "/message",
            "must not contain line breaks or other control characters",
        ));
    }
    Ok(())
}

/// Checks parameters against the ranges of the document and gives them back by canonical name.
///
/// # Errors
/// One problem, with a pointer below `base` and the expected values for each fault.
pub(crate) fn check_changes(
    values: BTreeMap<String, String>,
    base: &str,
) -> Answer<BTreeMap<String, String>> {
    parameters::validate(&values).map_err(|faults| {
        let faults = faults
            .into_iter()
            .map(|fault| FieldFault {
                pointer: format!("{base}/{}", pointer_step(&fault.name)),
                detail: fault.expected.trim_end_matches('.').to_owned(),
            })
            .collect();
        Problem::invalid_fields(faults)
    })?;
    Ok(parameters::Parameters::new(values).into_map())
}

/// A member's name as a step of a JSON pointer (RFC 6901).
pub(crate) fn pointer_step(name: &str) -> String {
    name.chars()
        .take(64)
        .collect::<String>()
        .replace('~', "~0")
        .replace('/', "~1")
}

/// Checks that a firmware file is named in one of the two ways.
///
/// # Errors
/// One problem with a pointer for each fault.
pub(super) fn check_upgrade(
    firmware_id: Option<FirmwareId>,
    url: Option<&str>,
    size: Option<u64>,
    update_type: Option<UpdateType>,
) -> Answer<()> {
    if firmware_id.is_some() {
        if url.is_some() || size.is_some() || update_type.is_some() {
            return Err(Problem::invalid(
                "/firmware_id",
                "says it all: leave out url, size and update_type beside it",
            ));
        }
        return Ok(());
    }
    let missing = [
        ("url", url.is_none()),
        ("size", size.is_none()),
        ("update_type", update_type.is_none()),
    ];
    let mut faults: Vec<FieldFault> = missing
        .into_iter()
        .filter(|(_, missing)| *missing)
        .map(|(name, _)| FieldFault {
            pointer: format!("/{name}"),
            detail: "must be given where there is no firmware_id".to_owned(),
        })
        .collect();
    if let Some(fault) = url.and_then(url_fault) {
        faults.push(FieldFault {
            pointer: "/url".to_owned(),
            detail: fault,
        });
    }
    if size == Some(0) {
        faults.push(FieldFault {
            pointer: "/size".to_owned(),
            detail: "must be the file's length in bytes, at least 1".to_owned(),
        });
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid_fields(faults))
    }
}

fn url_fault(url: &str) -> Option<String> {
    let host = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"));
    if !host.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')) {
        return Some("must begin with http:// or https:// and name a host".to_owned());
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("must not contain white space".to_owned());
    }
    let chars = url.chars().count();
    (chars > URL_MAX_CHARS)
        .then(|| format!("must have at most {URL_MAX_CHARS} characters, and has {chars}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::pointer_step;
    use crate::commands::request::CommandRequest;
    use serde_json::{Value, json};

    fn read(value: Value) -> Result<CommandRequest, serde_json::Error> {
        serde_json::from_value(value)
    }

    #[test]
    fn firmware_is_named_in_one_of_two_ways() {
        let id = format!("fw_{}", "0".repeat(32));
        let url = "http://h/f.bin";
        for (value, fine) in [
            (json!({ "firmware_id": id }), true),
            (
                json!({ "url": url, "size": 5, "update_type": "application" }),
                true,
            ),
            (json!({ "url": url, "size": 5, "update_type": "1" }), true),
            (json!({ "url": url, "size": 5, "update_type": 3 }), true),
            (json!({ "firmware_id": id, "url": url }), false),
            (json!({ "url": url, "size": 5 }), false),
            (
                json!({ "url": url, "size": 0, "update_type": "kernel" }),
                false,
            ),
            (
                json!({ "url": "ftp://h/f", "size": 5, "update_type": "kernel" }),
                false,
            ),
            (
                json!({ "url": "http://", "size": 5, "update_type": "kernel" }),
                false,
            ),
            (
                json!({ "url": "http://h/a b", "size": 5, "update_type": "kernel" }),
                false,
            ),
            (
                json!({ "url": format!("http://h/{}", "a".repeat(256)), "size": 5, "update_type": "kernel" }),
                false,
            ),
            (json!({}), false),
        ] {
            let mut value = value;
            value["type"] = json!("upgrade_firmware");
            let checked = read(value.clone()).unwrap().checked();
            assert_eq!(checked.is_ok(), fine, "{value}: {checked:?}");
        }
        assert!(
            read(json!({ "type": "upgrade_firmware", "url": url, "size": 5, "update_type": 2 }))
                .is_err()
        );
    }

    #[test]
    fn a_message_fits_what_the_terminal_can_say() {
        for (message, fine) in [
            ("", true),
            ("欢迎光临", true),
            (&*"门".repeat(128), true),
            (&*"门".repeat(129), false),
            ("a\nb", false),
        ] {
            let request = CommandRequest::OpenDoor {
                message: message.to_owned(),
            };
            assert_eq!(request.checked().is_ok(), fine, "{message}");
        }
    }

    #[test]
    fn names_stand_escaped_in_pointers() {
        assert_eq!(pointer_step("a/b~c"), "a~1b~0c");
    }
}
