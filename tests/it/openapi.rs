//! The OpenAPI document as others read it: complete, and the same wherever it is asked for. Other
//! tests walk its operations, so that a new one is in them by itself.

use crate::repository::refuse;
use kit::process::run;
use kit::world::shared;
use reqwest::Method;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Operations that need no credential, with the reason. Whoever adds one, argues for it here.
pub const OPEN: &[(&str, &str)] = &[
    ("get_media", "the signed link is the credential"),
    (
        "refresh_session",
        "the refresh token in the body is the credential",
    ),
    ("sign_in", "it is how a credential is got"),
    (
        "sign_out",
        "the refresh token in the body is the credential",
    ),
];

/// Which credential an operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// None.
    Nothing,
    /// The platform operator's key.
    Operator,
    /// A tenant's API key, or a user's access token.
    Tenant,
    /// A user's access token.
    User,
}

/// One operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// Its path, with `{names}` for what is variable.
    pub path: String,
    /// Its operationId.
    pub id: String,
    value: Value,
}

impl Operation {
    /// The names of the path's variable parts, in order.
    pub fn variables(&self) -> Vec<String> {
        let parts = self.path.split('{').skip(1);
        parts
            .filter_map(|part| part.split('}').next())
            .map(str::to_owned)
            .collect()
    }

    /// The path with its variable parts filled in.
    pub fn path_with(&self, fill: impl Fn(&str) -> String) -> String {
        self.variables()
            .iter()
            .fold(self.path.clone(), |path, name| {
                path.replace(&format!("{{{name}}}"), &fill(name))
            })
    }

    /// Which credential it takes.
    pub fn needs(&self) -> Needs {
        let schemes: BTreeSet<&str> = self.value["security"]
            .as_array()
            .unwrap_or_else(|| panic!("{} does not say which credential it needs", self.id))
            .iter()
            .flat_map(|requirement| requirement.as_object().unwrap().keys().map(String::as_str))
            .collect();
        match schemes.iter().copied().collect::<Vec<_>>().as_slice() {
            [] => Needs::Nothing,
            ["operator_key"] => Needs::Operator,
            ["api_key", "user_token"] => Needs::Tenant,
            ["user_token"] => Needs::User,
            other => panic!("{} takes {other:?}, which this test does not know", self.id),
        }
    }

    /// Whether the document lists a status among the answers.
    pub fn documents(&self, status: u16) -> bool {
        self.value["responses"].get(status.to_string()).is_some()
    }

    fn parameters(&self) -> Vec<&Value> {
        self.value["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Every operation of the document that the binary prints.
pub fn document() -> Vec<Operation> {
    let document: Value =
        serde_json::from_str(&run(&["openapi"], &[])).expect("the document is JSON");
    operations(&document)
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"]
        .as_object()
        .expect("the document has paths")
    {
        for (method, value) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let id = value["operationId"]
                .as_str()
                .unwrap_or_else(|| panic!("{method} {path} has no operationId"))
                .to_owned();
            found.push(Operation {
                method,
                path: path.clone(),
                id,
                value: value.clone(),
            });
        }
    }
    assert!(found.len() > 30, "only {} operations found", found.len());
    found
}

fn said(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

#[tokio::test]
async fn the_server_serves_the_document_that_the_binary_prints() {
    let world = shared().await;
    let served = world.anonymous().get("/openapi.json").await.expect(200);
    let printed: Value = serde_json::from_str(&run(&["openapi"], &[])).unwrap();
    assert!(
        served == printed,
        "the running server describes another API than `gatehouse openapi`"
    );
    let page = world.anonymous().get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(
        String::from_utf8_lossy(&page.body)
            .to_lowercase()
            .contains("swagger")
    );
}

#[test]
fn every_operation_is_named_and_described() {
    let mut offences = Vec::new();
    let mut ids = BTreeMap::new();
    for operation in document() {
        let mut say =
            |what: &str| offences.push(format!("{} {}: {what}", operation.method, operation.path));
        if let Some(other) = ids.insert(operation.id.clone(), operation.path.clone()) {
            say(&format!("has the operationId of {other}"));
        }
        if !said(&operation.value["summary"]) {
            say("has no summary");
        }
        if operation.value["tags"]
            .as_array()
            .is_none_or(|tags| tags.len() != 1 || !said(&tags[0]))
        {
            say("needs exactly one tag");
        }
        let responses = operation.value["responses"].as_object().unwrap();
        if !responses.keys().any(|status| status.starts_with('2')) {
            say("tells no success");
        }
        if responses
            .values()
            .any(|response| !said(&response["description"]))
        {
            say("has an answer without a description");
        }
        for parameter in operation.parameters() {
            if !said(&parameter["description"]) {
                say(&format!("does not explain {}", parameter["name"]));
            }
        }
        let documented: BTreeSet<&str> = operation
            .parameters()
            .iter()
            .filter(|p| p["in"] == "path" && p["required"] == true)
            .filter_map(|p| p["name"].as_str())
            .collect();
        let variables = operation.variables();
        if variables
            .iter()
            .map(String::as_str)
            .collect::<BTreeSet<_>>()
            != documented
        {
            say(&format!(
                "its path has {variables:?} and its parameters are {documented:?}"
            ));
        }
    }
    refuse(
        "programs are generated from this document, and people read it:",
        &offences,
    );
}

#[test]
fn every_operation_tells_how_it_refuses() {
    let mut offences = Vec::new();
    for operation in document() {
        let mut wanted = vec![401, 429, 503];
        if operation.needs() == Needs::Nothing {
            wanted.clear();
        } else if !operation.variables().is_empty() {
            wanted.push(404);
        }
        if operation.value["requestBody"].is_object() && operation.needs() != Needs::Nothing {
            wanted.extend([400, 422]);
        }
        for status in wanted
            .into_iter()
            .filter(|status| !operation.documents(*status))
        {
            offences.push(format!("{}: {status} is not documented", operation.id));
        }
        let refusals = operation.value["responses"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(status, _)| status.starts_with(['4', '5']));
        for (status, response) in refusals {
            let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
            if schema != "#/components/schemas/ProblemBody" {
                offences.push(format!("{}: {status} is not a problem", operation.id));
            }
        }
    }
    refuse(
        "each refusal is an RFC 9457 problem, and a program must know which to expect:",
        &offences,
    );
}

#[test]
fn only_the_reviewed_operations_are_open() {
    let open: BTreeSet<String> = document()
        .into_iter()
        .filter(|o| o.needs() == Needs::Nothing)
        .map(|o| o.id)
        .collect();
    let reviewed: BTreeSet<String> = OPEN.iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(open, reviewed);
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, document: &Value, lost: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str)
                    && reference
                        .strip_prefix('#')
                        .is_none_or(|pointer| document.pointer(pointer).is_none())
                {
                    lost.push(reference.to_owned());
                }
                fields
                    .values()
                    .for_each(|field| walk(field, document, lost));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, document, lost)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document: Value = serde_json::from_str(&run(&["openapi"], &[])).unwrap();
    let mut lost = Vec::new();
    walk(&document, &document, &mut lost);
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .expect("there are security schemes");
    for operation in operations(&document) {
        for requirement in operation.value["security"].as_array().into_iter().flatten() {
            lost.extend(
                requirement
                    .as_object()
                    .unwrap()
                    .keys()
                    .filter(|name| !schemes.contains_key(*name))
                    .cloned(),
            );
        }
    }
    refuse(
        "a reference to what the document does not hold breaks every generator:",
        &lost,
    );
}
