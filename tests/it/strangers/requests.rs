//! What each operation is sent, so that it would carry it out but for the ids in its path.

use crate::openapi::Operation;
use kit::Api;
use kit::world::fresh_sn;
use reqwest::Method;
use serde_json::{Value, json};

/// What an operation is sent.
enum Body {
    None,
    Json(Value),
    Octets(&'static [u8]),
    Form(Vec<u8>),
    Picture,
}

/// A request that the operation would carry out, but for the ids in its path: a refusal is then one
/// of the ids, and not of the body. Returns the query and the body.
fn request_of(operation: &Operation) -> (&'static str, Body) {
    if operation.method == Method::GET || operation.method == Method::DELETE {
        return ("", Body::None);
    }
    let body = match operation.id.as_str() {
        "create_firmware" => {
            return (
                "?name=Fresh&version=1&update_type=application",
                Body::Octets(b"firmware"),
            );
        }
        "set_photo" | "add_photo" | "check_photo" => return ("", Body::Picture),
        "create_import" => {
            let table: (&str, &[u8]) = ("file", b"code,name\nS-1,Fresh");
            return (
                "",
                Body::Form(crate::jobs::form(&[table, ("dry_run", b"true")])),
            );
        }
        "bind_terminal" | "add_group_member" | "cancel_job" => return ("", Body::None),
        "create_export" => json!({}),
        "create_api_key" => json!({"name": "Fresh", "scopes": ["devices:read"]}),
        "create_command" => json!({"type": "open_door"}),
        "read_back" | "retry_device_persons" | "acknowledge_alarm" => json!({}),
        "create_device" => json!({"sn": fresh_sn()}),
        "create_person" => json!({"name": "Fresh"}),
        "change_person" => json!({"remark": "Taken"}),
        "choose_criteria" => json!({"level": 3}),
        "create_tenant" => json!({"name": "Fresh", "timezone": "UTC"}),
        "create_group" | "create_department" | "create_schedule" | "create_door" => {
            json!({"name": "Fresh"})
        }
        "create_authority" => json!({"device_ids": [], "group_ids": []}),
        "change_schedule" | "change_door" | "change_authority" => json!({"name": "Taken"}),
        "explain_access" => json!({"person": "nobody", "device": "nowhere"}),
        "add_group_members" | "remove_group_members" => {
            json!({"person_ids": [format!("per_{}", uuid::Uuid::now_v7().simple())]})
        }
        "create_visit" => {
            json!({"person": {"name": "Fresh"}, "starts_at": "2031-05-04T08:00:00", "ends_at": "2031-05-04T18:00:00"})
        }
        "change_visit" => json!({"reason": "Taken"}),
        "verify_visit" => json!({"token": "A".repeat(54)}),
        "create_terminal_token" => json!({"name": "Fresh"}),
        "create_user" => {
            json!({"email": format!("{}@example.com", fresh_sn()), "name": "Fresh", "role": "viewer"})
        }
        "update_parameters" => json!({"voiceVolume": "3"}),
        "change_group" | "change_department" => json!({"name": "Taken"}),
        "change_api_key" | "change_device" | "change_tenant" | "change_my_tenant"
        | "change_user" => json!({"name": "Taken"}),
        "change_my_password" => {
            json!({"current_password": "0123456789", "new_password": "9876543210"})
        }
        "sign_in" => json!({"email": "nobody@example.com", "password": "0123456789"}),
        "refresh_session" | "sign_out" => json!({"refresh_token": "A".repeat(43)}),
        new => panic!("{new} is new: give it a body here that it would take"),
    };
    ("", Body::Json(body))
}

/// Sends the operation's request with these ids.
pub async fn send(api: &Api, operation: &Operation, fill: impl Fn(&str) -> String) -> kit::Reply {
    let (query, body) = request_of(operation);
    let path = format!("{}{query}", operation.path_with(fill));
    match body {
        Body::None => api.send(operation.method.clone(), &path, &[], None).await,
        Body::Json(body) => {
            api.send(operation.method.clone(), &path, &[], Some(body))
                .await
        }
        Body::Picture => {
            let picture = crate::jobs::portrait();
            api.send_bytes(
                operation.method.clone(),
                &path,
                Some("image/jpeg"),
                &picture,
            )
            .await
        }
        Body::Form(bytes) => {
            let content_type = format!("multipart/form-data; boundary={}", crate::jobs::BOUNDARY);
            api.send_bytes(operation.method.clone(), &path, Some(&content_type), &bytes)
                .await
        }
        Body::Octets(bytes) => {
            api.send_bytes(
                operation.method.clone(),
                &path,
                Some("application/octet-stream"),
                bytes,
            )
            .await
        }
    }
}
