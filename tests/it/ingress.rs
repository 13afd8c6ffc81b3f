//! The Ingress: every operation of the API reaches the role that serves it. Which one that is, the
//! roles are asked themselves, so that no second table of owners can be wrong.

use crate::manifests::{Manifests, selected};
use crate::openapi::{Operation, document};
use crate::repository::refuse;
use k8s_openapi::api::networking::v1::HTTPIngressPath;
use kit::world::{migrate, undisturbed};
use kit::{Api, Gatehouse};
use regex::Regex;
use reqwest::Method;
use serde_json::json;

/// The Ingress as ingress-nginx with `use-regex` reads it: patterns without regard to case, from the
/// start of the path, the longest written one first.
struct Routes {
    patterns: Vec<(Regex, String)>,
}

impl Routes {
    fn read() -> Self {
        let manifests = Manifests::read();
        let ingress = manifests.ingresses.first().expect("there is an Ingress");
        let annotations = ingress
            .metadata
            .annotations
            .as_ref()
            .expect("it has annotations");
        assert_eq!(
            annotations
                .get("nginx.ingress.kubernetes.io/use-regex")
                .map(String::as_str),
            Some("true")
        );
        let rules = ingress
            .spec
            .as_ref()
            .and_then(|s| s.rules.as_ref())
            .expect("it has rules");
        let mut paths: Vec<&HTTPIngressPath> = rules
            .iter()
            .filter_map(|r| r.http.as_ref())
            .flat_map(|h| &h.paths)
            .collect();
        paths.sort_by_key(|p| std::cmp::Reverse(p.path.as_deref().map_or(0, str::len)));
        let patterns = paths.into_iter().map(|path| {
            assert_eq!(path.path_type, "ImplementationSpecific");
            let pattern = path.path.as_deref().expect("a rule has a path");
            let backend = path
                .backend
                .service
                .as_ref()
                .expect("a rule leads to a Service");
            let service = manifests
                .services
                .iter()
                .find(|s| s.metadata.name.as_deref() == Some(backend.name.as_str()));
            let spec = service
                .and_then(|s| s.spec.as_ref())
                .unwrap_or_else(|| panic!("there is no Service {}", backend.name));
            let port = backend.port.as_ref().and_then(|p| p.name.as_deref());
            assert!(
                spec.ports
                    .iter()
                    .flatten()
                    .any(|p| p.name.as_deref() == port),
                "{} has no port {port:?}",
                backend.name
            );
            let role = selected(
                &manifests,
                spec.selector.as_ref().expect("a Service has a selector"),
            );
            (
                Regex::new(&format!("(?i)^{pattern}")).expect("a pattern is a pattern"),
                role.to_owned(),
            )
        });
        Self {
            patterns: patterns.collect(),
        }
    }

    fn role_of(&self, path: &str) -> Option<&str> {
        self.patterns
            .iter()
            .find(|(pattern, _)| pattern.is_match(path))
            .map(|(_, role)| role.as_str())
    }
}

/// Whether a role has this operation: one that it does not have is refused as such, whoever asks.
async fn serves(api: &Api, operation: &Operation) -> bool {
    let body = (operation.method != Method::GET).then(|| json!({}));
    let reply = api
        .send(
            operation.method.clone(),
            &operation.path_with(|_| "x".to_owned()),
            &[],
            body,
        )
        .await;
    reply.json["code"] != "no_such_operation"
}

#[tokio::test]
async fn every_operation_reaches_the_role_that_serves_it() {
    let _turn = undisturbed().await;
    migrate();
    let routes = Routes::read();
    let mut roles = Vec::new();
    for role in ["directory", "hub", "attendance", "sync"] {
        roles.push((role, Gatehouse::start(role, &[]).await));
    }
    let mut offences = Vec::new();
    for operation in document() {
        let mut owners = Vec::new();
        for (role, process) in &roles {
            if serves(&Api::new(&process.base_url, None), &operation).await {
                owners.push(*role);
            }
        }
        let routed = routes.role_of(&operation.path_with(|_| "x".to_owned()));
        if owners.len() != 1 || routed != owners.first().copied() {
            offences.push(format!(
                "{} {}: served by {owners:?}, routed to {routed:?}",
                operation.method, operation.path
            ));
        }
    }
    refuse(
        "a request through the Ingress must find its role:",
        &offences,
    );
}

#[test]
fn terminals_reach_the_hub_and_the_machine_room_is_not_reachable() {
    let routes = Routes::read();
    for path in ["/terminal/token", "/push/token/anything", "/"] {
        assert_eq!(routes.role_of(path), Some("hub"), "{path}");
    }
    for path in ["/docs", "/docs/", "/docs/index.html", "/openapi.json"] {
        assert!(routes.role_of(path).is_some(), "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(
            routes.role_of(path),
            None,
            "{path} is for the cluster, not for the world"
        );
    }
}

#[test]
fn pictures_for_push_devices_have_a_host_of_their_own_without_tls() {
    let manifests = Manifests::read();
    let spec = manifests.ingresses[0].spec.as_ref().unwrap();
    let mut found = 0;
    for rule in spec.rules.iter().flatten() {
        let host = rule.host.as_deref().expect("a rule has a host");
        let is_secured = spec
            .tls
            .iter()
            .flatten()
            .any(|tls| tls.hosts.iter().flatten().any(|secured| secured == host));
        for path in rule.http.iter().flat_map(|http| &http.paths) {
            let service = path.backend.service.as_ref().unwrap();
            let port = service.port.as_ref().and_then(|port| port.name.as_deref());
            // Devices that fetch pictures speak no TLS; everything else has it, and not that port.
            assert_eq!(
                port == Some("images"),
                !is_secured,
                "{host} {:?}",
                path.path
            );
            if port == Some("images") {
                let pattern = Regex::new(&format!("^{}", path.path.as_ref().unwrap())).unwrap();
                assert!(pattern.is_match(&format!("/{}.jpg", "aZ0_-".repeat(14))));
                assert!(!pattern.is_match("/v1/persons") && !pattern.is_match("/a/b.jpg"));
                found += 1;
            }
        }
    }
    assert_eq!(found, 1);
}
