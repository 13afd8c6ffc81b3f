//! The Kubernetes base: every manifest is something that Kubernetes knows, field by field.
//!
//! Needs no service and no cluster. Beside it: `workloads.rs` (what the parts say to each other and to
//! the binary), `ingress.rs` (who serves which path), `images.rs` (the image and the compose file).

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Container, Namespace, PodSpec, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kit::environment::root;
use serde::Deserialize;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything under `deploy/k8s`.
#[derive(Debug, Default)]
pub struct Manifests {
    namespaces: Vec<Namespace>,
    config_maps: Vec<ConfigMap>,
    secrets: Vec<Secret>,
    /// A role each.
    pub deployments: Vec<Deployment>,
    /// Run to their end.
    pub jobs: Vec<Job>,
    /// In front of the roles.
    pub services: Vec<Service>,
    /// The one way in.
    pub ingresses: Vec<Ingress>,
    /// How many pods may be away.
    pub budgets: Vec<PodDisruptionBudget>,
    /// Who owns the number of pods.
    pub autoscalers: Vec<HorizontalPodAutoscaler>,
}

/// What a kustomization may say here; a field that is not in this list is a mistake or needs one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Kustomization {
    api_version: String,
    kind: String,
    namespace: String,
    resources: Vec<String>,
    labels: Vec<Labels>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    pairs: BTreeMap<String, String>,
}

/// A value as Kubernetes reads it; fails where a field was not understood, since Kubernetes' own
/// types drop those in silence.
fn known<T: Serialize + DeserializeOwned>(file: &str, source: &Value) -> T {
    let typed: T = serde_json::from_value(source.clone()).unwrap_or_else(|e| panic!("{file}: {e}"));
    let mut lost = Vec::new();
    compare(
        "",
        source,
        &serde_json::to_value(&typed).unwrap(),
        &mut lost,
    );
    assert!(
        lost.is_empty(),
        "{file}: Kubernetes knows no such field, or reads another value:\n  {}",
        lost.join("\n  ")
    );
    typed
}

fn compare(path: &str, source: &Value, typed: &Value, lost: &mut Vec<String>) {
    match (source, typed) {
        (Value::Object(source), Value::Object(typed)) => {
            for (name, value) in source {
                compare(
                    &format!("{path}/{name}"),
                    value,
                    typed.get(name).unwrap_or(&Value::Null),
                    lost,
                );
            }
        }
        (Value::Array(source), Value::Array(typed)) if source.len() == typed.len() => {
            for (index, (value, typed)) in source.iter().zip(typed).enumerate() {
                compare(&format!("{path}/{index}"), value, typed, lost);
            }
        }
        (source, typed) if source == typed => {}
        (source, typed) => lost.push(format!("{path}: {source} was read as {typed}")),
    }
}

fn files() -> BTreeSet<String> {
    let folder = std::fs::read_dir(root().join("deploy/k8s")).unwrap();
    folder
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// The documents of a YAML file.
///
/// # Panics
/// Where it cannot be read, or a name stands twice in one mapping.
pub fn documents(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_saphyr::from_multiple(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn kustomization() -> Kustomization {
    let [document] = documents("deploy/k8s/kustomization.yaml")
        .try_into()
        .expect("one document");
    serde_json::from_value(document).expect("kustomization.yaml")
}

impl Manifests {
    /// Reads and judges all of them.
    ///
    /// # Panics
    /// Where one is not what Kubernetes knows.
    pub fn read() -> Self {
        let mut all = Self::default();
        for file in files().into_iter().filter(|f| f != "kustomization.yaml") {
            for document in documents(&format!("deploy/k8s/{file}")) {
                let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
                match (text("apiVersion").as_str(), text("kind").as_str()) {
                    ("v1", "Namespace") => all.namespaces.push(known(&file, &document)),
                    ("v1", "ConfigMap") => all.config_maps.push(known(&file, &document)),
                    ("v1", "Secret") => all.secrets.push(known(&file, &document)),
                    ("v1", "Service") => all.services.push(known(&file, &document)),
                    ("apps/v1", "Deployment") => all.deployments.push(known(&file, &document)),
                    ("batch/v1", "Job") => all.jobs.push(known(&file, &document)),
                    ("networking.k8s.io/v1", "Ingress") => {
                        all.ingresses.push(known(&file, &document))
                    }
                    ("policy/v1", "PodDisruptionBudget") => {
                        all.budgets.push(known(&file, &document))
                    }
                    ("autoscaling/v2", "HorizontalPodAutoscaler") => {
                        all.autoscalers.push(known(&file, &document))
                    }
                    other => panic!("{file}: {other:?} is not known to this test; add its type"),
                }
            }
        }
        all
    }

    /// What a container finds in its environment.
    pub fn environment(&self, container: &Container) -> BTreeSet<String> {
        let own = container
            .env
            .iter()
            .flatten()
            .map(|variable| variable.name.clone());
        let mut names: BTreeSet<String> = own.collect();
        for source in container.env_from.iter().flatten() {
            let maps = source.config_map_ref.iter().map(|wanted| {
                let map = self
                    .config_maps
                    .iter()
                    .find(|m| name(&m.metadata) == wanted.name);
                map.unwrap_or_else(|| panic!("there is no ConfigMap {}", wanted.name))
                    .data
                    .as_ref()
            });
            let secrets = source.secret_ref.iter().map(|wanted| {
                let secret = self
                    .secrets
                    .iter()
                    .find(|s| name(&s.metadata) == wanted.name);
                secret
                    .unwrap_or_else(|| panic!("there is no Secret {}", wanted.name))
                    .string_data
                    .as_ref()
            });
            names.extend(
                maps.chain(secrets)
                    .flatten()
                    .flat_map(|data| data.keys().cloned()),
            );
        }
        names
    }

    /// The port that the settings make a role listen on.
    pub fn port(&self) -> i32 {
        let listen = self
            .config_maps
            .iter()
            .flat_map(|m| m.data.iter().flatten())
            .find(|(name, _)| *name == "GATEHOUSE_LISTEN");
        listen
            .and_then(|(_, value)| value.rsplit(':').next()?.parse().ok())
            .expect("GATEHOUSE_LISTEN ends in a port")
    }
}

/// Its name.
pub fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().expect("everything has a name")
}

/// What it runs.
pub fn pod(deployment: &Deployment) -> &PodSpec {
    deployment
        .spec
        .as_ref()
        .and_then(|s| s.template.spec.as_ref())
        .expect("a Deployment has a pod")
}

fn pod_labels(deployment: &Deployment) -> &BTreeMap<String, String> {
    let spec = deployment.spec.as_ref().expect("a Deployment has a spec");
    spec.template
        .metadata
        .as_ref()
        .and_then(|m| m.labels.as_ref())
        .expect("pods have labels")
}

/// A pod's one container.
pub fn only(pod: &PodSpec) -> &Container {
    assert_eq!(pod.containers.len(), 1, "a pod of ours has one container");
    pod.containers.first().unwrap()
}

/// The one word that a container gives to the binary.
pub fn role(container: &Container) -> &str {
    let args = container.args.as_deref().unwrap_or_default();
    assert!(
        args.len() == 1 && container.command.is_none(),
        "a container is the image's binary with a role: {args:?}"
    );
    &args[0]
}

/// The role that a selector leads to: exactly one Deployment's pods.
pub fn selected<'a>(manifests: &'a Manifests, selector: &BTreeMap<String, String>) -> &'a str {
    assert!(
        !selector.is_empty(),
        "an empty selector takes every pod of the namespace"
    );
    let matching = manifests.deployments.iter().filter(|d| {
        let labels = pod_labels(d);
        selector
            .iter()
            .all(|(name, value)| labels.get(name) == Some(value))
    });
    let matching: Vec<_> = matching.collect();
    assert_eq!(
        matching.len(),
        1,
        "{selector:?} selects the pods of {} Deployments",
        matching.len()
    );
    role(only(pod(matching[0])))
}

#[test]
fn every_manifest_is_what_kubernetes_knows() {
    let all = Manifests::read();
    assert!(
        all.deployments.len() >= 4
            && all.services.len() >= 4
            && all.ingresses.len() == 1
            && all.jobs.len() == 1
    );
    let everything = (all.deployments.iter().map(|d| &d.metadata))
        .chain(all.services.iter().map(|s| &s.metadata))
        .chain(all.config_maps.iter().map(|c| &c.metadata))
        .chain(all.secrets.iter().map(|s| &s.metadata))
        .chain(all.jobs.iter().map(|j| &j.metadata))
        .chain(all.ingresses.iter().map(|i| &i.metadata))
        .chain(all.budgets.iter().map(|b| &b.metadata))
        .chain(all.autoscalers.iter().map(|a| &a.metadata));
    let namespace = kustomization().namespace;
    for metadata in everything {
        assert_eq!(
            metadata.namespace.as_deref(),
            Some(namespace.as_str()),
            "{}",
            name(metadata)
        );
    }
    let names: Vec<&str> = all.namespaces.iter().map(|n| name(&n.metadata)).collect();
    assert_eq!(names, [namespace.as_str()]);
}

#[test]
fn the_kustomization_lists_every_manifest() {
    let base = kustomization();
    assert_eq!(
        (base.api_version.as_str(), base.kind.as_str()),
        ("kustomize.config.k8s.io/v1beta1", "Kustomization")
    );
    assert!(base.labels.iter().all(|l| !l.pairs.is_empty()));
    let listed: BTreeSet<String> = base.resources.iter().cloned().collect();
    assert_eq!(
        listed.len(),
        base.resources.len(),
        "a resource is listed twice"
    );
    let mut present = files();
    for beside in ["kustomization.yaml", "secrets.example.yaml"] {
        assert!(present.remove(beside), "{beside} is missing");
    }
    present.remove("secrets.yaml"); // the reader's own, never checked in
    assert_eq!(listed, present);
}
