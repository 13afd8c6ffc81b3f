//! The Kubernetes base: every manifest is something that Kubernetes knows, field by field, the parts
//! find each other, and what they say to the binary is what the binary understands.
//!
//! Needs no service and no cluster. Beside it: `ingress.rs` (who serves which path), `images.rs` (the
//! image and the compose file).

use crate::help::{help_of, roles};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Container, Namespace, PodSpec, Probe, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
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
    jobs: Vec<Job>,
    /// In front of the roles.
    pub services: Vec<Service>,
    /// The one way in.
    pub ingresses: Vec<Ingress>,
    budgets: Vec<PodDisruptionBudget>,
    autoscalers: Vec<HorizontalPodAutoscaler>,
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
    compare("", source, &serde_json::to_value(&typed).unwrap(), &mut lost);
    assert!(lost.is_empty(), "{file}: Kubernetes knows no such field, or reads another value:\n  {}", lost.join("\n  "));
    typed
}

fn compare(path: &str, source: &Value, typed: &Value, lost: &mut Vec<String>) {
    match (source, typed) {
        (Value::Object(source), Value::Object(typed)) => {
            for (name, value) in source {
                compare(&format!("{path}/{name}"), value, typed.get(name).unwrap_or(&Value::Null), lost);
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
    folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
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
    let [document] = documents("deploy/k8s/kustomization.yaml").try_into().expect("one document");
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
                    ("networking.k8s.io/v1", "Ingress") => all.ingresses.push(known(&file, &document)),
                    ("policy/v1", "PodDisruptionBudget") => all.budgets.push(known(&file, &document)),
                    ("autoscaling/v2", "HorizontalPodAutoscaler") => all.autoscalers.push(known(&file, &document)),
                    other => panic!("{file}: {other:?} is not known to this test; add its type"),
                }
            }
        }
        all
    }

    /// What a container finds in its environment.
    fn environment(&self, container: &Container) -> BTreeSet<String> {
        let own = container.env.iter().flatten().map(|variable| variable.name.clone());
        let mut names: BTreeSet<String> = own.collect();
        for source in container.env_from.iter().flatten() {
            let maps = source.config_map_ref.iter().map(|wanted| {
                let map = self.config_maps.iter().find(|m| name(&m.metadata) == wanted.name);
                map.unwrap_or_else(|| panic!("there is no ConfigMap {}", wanted.name)).data.as_ref()
            });
            let secrets = source.secret_ref.iter().map(|wanted| {
                let secret = self.secrets.iter().find(|s| name(&s.metadata) == wanted.name);
                secret.unwrap_or_else(|| panic!("there is no Secret {}", wanted.name)).string_data.as_ref()
            });
            names.extend(maps.chain(secrets).flatten().flat_map(|data| data.keys().cloned()));
        }
        names
    }

    /// The port that the settings make a role listen on.
    fn port(&self) -> i32 {
        let listen = self.config_maps.iter().flat_map(|m| m.data.iter().flatten()).find(|(name, _)| *name == "GATEHOUSE_LISTEN");
        listen.and_then(|(_, value)| value.rsplit(':').next()?.parse().ok()).expect("GATEHOUSE_LISTEN ends in a port")
    }
}

fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().expect("everything has a name")
}

fn pod(deployment: &Deployment) -> &PodSpec {
    deployment.spec.as_ref().and_then(|s| s.template.spec.as_ref()).expect("a Deployment has a pod")
}

fn pod_labels(deployment: &Deployment) -> &BTreeMap<String, String> {
    let spec = deployment.spec.as_ref().expect("a Deployment has a spec");
    spec.template.metadata.as_ref().and_then(|m| m.labels.as_ref()).expect("pods have labels")
}

fn only(pod: &PodSpec) -> &Container {
    assert_eq!(pod.containers.len(), 1, "a pod of ours has one container");
    pod.containers.first().unwrap()
}

/// The one word that a container gives to the binary.
fn role(container: &Container) -> &str {
    let args = container.args.as_deref().unwrap_or_default();
    assert!(args.len() == 1 && container.command.is_none(), "a container is the image's binary with a role: {args:?}");
    &args[0]
}

/// The role that a selector leads to: exactly one Deployment's pods.
pub fn selected<'a>(manifests: &'a Manifests, selector: &BTreeMap<String, String>) -> &'a str {
    assert!(!selector.is_empty(), "an empty selector takes every pod of the namespace");
    let matching = manifests.deployments.iter().filter(|d| {
        let labels = pod_labels(d);
        selector.iter().all(|(name, value)| labels.get(name) == Some(value))
    });
    let matching: Vec<_> = matching.collect();
    assert_eq!(matching.len(), 1, "{selector:?} selects the pods of {} Deployments", matching.len());
    role(only(pod(matching[0])))
}

#[test]
fn every_manifest_is_what_kubernetes_knows() {
    let all = Manifests::read();
    assert!(all.deployments.len() >= 4 && all.services.len() >= 4 && all.ingresses.len() == 1 && all.jobs.len() == 1);
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
        assert_eq!(metadata.namespace.as_deref(), Some(namespace.as_str()), "{}", name(metadata));
    }
    let names: Vec<&str> = all.namespaces.iter().map(|n| name(&n.metadata)).collect();
    assert_eq!(names, [namespace.as_str()]);
}

#[test]
fn the_kustomization_lists_every_manifest() {
    let base = kustomization();
    assert_eq!((base.api_version.as_str(), base.kind.as_str()), ("kustomize.config.k8s.io/v1beta1", "Kustomization"));
    assert!(base.labels.iter().all(|l| !l.pairs.is_empty()));
    let listed: BTreeSet<String> = base.resources.iter().cloned().collect();
    assert_eq!(listed.len(), base.resources.len(), "a resource is listed twice");
    let mut present = files();
    for beside in ["kustomization.yaml", "secrets.example.yaml"] {
        assert!(present.remove(beside), "{beside} is missing");
    }
    present.remove("secrets.yaml"); // the reader's own, never checked in
    assert_eq!(listed, present);
}

#[test]
fn there_is_a_deployment_for_every_role_of_the_binary() {
    let all = Manifests::read();
    let deployed: BTreeSet<String> = all.deployments.iter().map(|d| role(only(pod(d))).to_owned()).collect();
    let mut wanted = roles();
    assert!(wanted.remove("all"), "one machine runs `all`");
    assert_eq!(deployed, wanted);
    assert_eq!(deployed.len(), all.deployments.len(), "a role is deployed twice");
    let jobs: Vec<&str> = all.jobs.iter().map(|j| role(only(j.spec.as_ref().unwrap().template.spec.as_ref().unwrap()))).collect();
    assert_eq!(jobs, ["migrate"]);
    for deployment in &all.deployments {
        let container = only(pod(deployment));
        assert_eq!(name(&deployment.metadata), format!("gatehouse-{}", role(container)));
    }
}

#[test]
fn every_variable_is_one_that_the_binary_reads() {
    let all = Manifests::read();
    for deployment in &all.deployments {
        let container = only(pod(deployment));
        let help = help_of(&[role(container)]);
        let given = all.environment(container);
        let unknown: Vec<_> = given.difference(&help.variables).collect();
        assert!(unknown.is_empty(), "{} is given what `gatehouse {} --help` does not know: {unknown:?}", name(&deployment.metadata), role(container));
        let missing: Vec<_> = help.required.difference(&given).collect();
        assert!(!help.required.is_empty() && missing.is_empty(), "{} is not given {missing:?}", name(&deployment.metadata));
    }
    for job in &all.jobs {
        // It shares the roles' settings, so that it may find some that it does not read.
        let container = only(job.spec.as_ref().unwrap().template.spec.as_ref().unwrap());
        let help = help_of(&[role(container)]);
        let given = all.environment(container);
        let missing: Vec<_> = help.required.difference(&given).collect();
        assert!(!help.required.is_empty() && missing.is_empty(), "the Job is not given {missing:?}");
    }
}

#[test]
fn only_the_migration_knows_the_owner_of_the_database() {
    let all = Manifests::read();
    for deployment in &all.deployments {
        let given = all.environment(only(pod(deployment)));
        assert!(!given.contains("GATEHOUSE_DATABASE_OWNER_URL"), "{} could change its own guards", name(&deployment.metadata));
    }
}

#[test]
fn selectors_find_the_pods_of_one_role() {
    let all = Manifests::read();
    for deployment in &all.deployments {
        let spec = deployment.spec.as_ref().unwrap();
        let own = role(only(pod(deployment)));
        assert_eq!(selected(&all, spec.selector.match_labels.as_ref().unwrap()), own);
        for spread in pod(deployment).topology_spread_constraints.iter().flatten() {
            let selector = spread.label_selector.as_ref().and_then(|s| s.match_labels.as_ref()).unwrap();
            assert_eq!(selected(&all, selector), own);
        }
        let job_labels = all.jobs.iter().filter_map(|j| j.spec.as_ref()?.template.metadata.as_ref()?.labels.as_ref());
        for labels in job_labels {
            let taken = spec.selector.match_labels.iter().flatten().all(|(name, value)| labels.get(name) == Some(value));
            assert!(!taken, "{} would adopt the migration's pod", name(&deployment.metadata));
        }
    }
    for service in &all.services {
        let found = selected(&all, service.spec.as_ref().unwrap().selector.as_ref().unwrap());
        assert_eq!(name(&service.metadata), format!("gatehouse-{found}"));
    }
    for budget in &all.budgets {
        let selector = budget.spec.as_ref().and_then(|s| s.selector.as_ref()?.match_labels.as_ref()).unwrap();
        assert_eq!(name(&budget.metadata), format!("gatehouse-{}", selected(&all, selector)));
    }
    for autoscaler in &all.autoscalers {
        let target = &autoscaler.spec.as_ref().unwrap().scale_target_ref;
        let deployment = all.deployments.iter().find(|d| target.kind == "Deployment" && name(&d.metadata) == target.name);
        let spec = deployment.and_then(|d| d.spec.as_ref()).unwrap_or_else(|| panic!("there is no {}", target.name));
        assert!(spec.replicas.is_none(), "{} sets replicas, and so fights its autoscaler", target.name);
    }
}

#[test]
fn ports_and_probes_are_where_the_role_listens() {
    let all = Manifests::read();
    let path_of = |probe: &Option<Probe>| {
        let http = probe.as_ref().and_then(|p| p.http_get.as_ref()).expect("a probe asks by HTTP");
        assert_eq!(http.port, IntOrString::String("http".to_owned()));
        http.path.clone().expect("a probe has a path")
    };
    for deployment in &all.deployments {
        let container = only(pod(deployment));
        let ports: Vec<_> = container.ports.iter().flatten().map(|p| (p.name.as_deref(), p.container_port)).collect();
        assert_eq!(ports, [(Some("http"), all.port())], "{}", name(&deployment.metadata));
        // A store that is away must not make Kubernetes kill the pod with its sockets.
        assert_eq!(path_of(&container.liveness_probe), "/healthz");
        assert_eq!(path_of(&container.startup_probe), "/healthz");
        assert_eq!(path_of(&container.readiness_probe), "/readyz");
        let metadata = deployment.spec.as_ref().unwrap().template.metadata.as_ref().unwrap();
        let scraped = metadata.annotations.as_ref().expect("metrics are scraped");
        assert_eq!(scraped["prometheus.io/port"], all.port().to_string());
        assert_eq!(scraped["prometheus.io/path"], "/metrics");
    }
    for service in &all.services {
        let ports: Vec<_> = service.spec.as_ref().unwrap().ports.iter().flatten().map(|p| (p.name.as_deref(), p.target_port.clone())).collect();
        assert_eq!(ports, [(Some("http"), Some(IntOrString::String("http".to_owned())))], "{}", name(&service.metadata));
    }
}

#[test]
fn pods_get_the_time_to_drain_and_no_powers() {
    let all = Manifests::read();
    let jobs = all.jobs.iter().map(|j| j.spec.as_ref().unwrap().template.spec.as_ref().unwrap());
    for pod in all.deployments.iter().map(pod).chain(jobs) {
        let container = only(pod);
        let what = role(container);
        let security = pod.security_context.as_ref().expect("a pod has a security context");
        assert_eq!(security.run_as_non_root, Some(true), "{what}");
        let security = container.security_context.as_ref().expect("a container has a security context");
        assert_eq!(security.read_only_root_filesystem, Some(true), "{what}");
        assert_eq!(security.allow_privilege_escalation, Some(false), "{what}");
        assert_eq!(pod.automount_service_account_token, Some(false), "{what} needs nothing of Kubernetes");
        let limits = container.resources.as_ref().and_then(|r| r.limits.as_ref()).expect("memory is limited");
        assert!(limits.contains_key("memory"), "{what}");
    }
    for deployment in &all.deployments {
        let pod = pod(deployment);
        let sleep = only(pod).lifecycle.as_ref().and_then(|l| l.pre_stop.as_ref()?.sleep.as_ref()).map_or(0, |s| s.seconds);
        let grace = pod.termination_grace_period_seconds.unwrap_or(30);
        assert!(sleep >= 5, "the ingress needs a moment to forget a pod: {}", name(&deployment.metadata));
        assert!(grace >= sleep + 30, "{} is killed {} s after it was asked to stop", name(&deployment.metadata), grace - sleep);
    }
}
