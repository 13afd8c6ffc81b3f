//! The Kubernetes base: what it says to the binary is what the binary understands, and its parts
//! find each other.

use crate::help::{help_of, roles};
use crate::manifests::{Manifests, name, only, pod, role, selected};
use k8s_openapi::api::core::v1::{Container, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeSet;

#[test]
fn there_is_a_deployment_for_every_role_of_the_binary() {
    let all = Manifests::read();
    let deployed: BTreeSet<String> = all
        .deployments
        .iter()
        .map(|d| role(only(pod(d))).to_owned())
        .collect();
    let mut wanted = roles();
    assert!(wanted.remove("all"), "one machine runs `all`");
    assert_eq!(deployed, wanted);
    assert_eq!(
        deployed.len(),
        all.deployments.len(),
        "a role is deployed twice"
    );
    let jobs: Vec<&str> = all
        .jobs
        .iter()
        .map(|j| {
            role(only(
                j.spec.as_ref().unwrap().template.spec.as_ref().unwrap(),
            ))
        })
        .collect();
    assert_eq!(jobs, ["migrate"]);
    for deployment in &all.deployments {
        let container = only(pod(deployment));
        assert_eq!(
            name(&deployment.metadata),
            format!("gatehouse-{}", role(container))
        );
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
        assert!(
            unknown.is_empty(),
            "{} is given what `gatehouse {} --help` does not know: {unknown:?}",
            name(&deployment.metadata),
            role(container)
        );
        let missing: Vec<_> = help.required.difference(&given).collect();
        assert!(
            !help.required.is_empty() && missing.is_empty(),
            "{} is not given {missing:?}",
            name(&deployment.metadata)
        );
    }
    for job in &all.jobs {
        // It shares the roles' settings, so that it may find some that it does not read.
        let container = only(job.spec.as_ref().unwrap().template.spec.as_ref().unwrap());
        let help = help_of(&[role(container)]);
        let given = all.environment(container);
        let missing: Vec<_> = help.required.difference(&given).collect();
        assert!(
            !help.required.is_empty() && missing.is_empty(),
            "the Job is not given {missing:?}"
        );
    }
}

#[test]
fn only_the_migration_knows_the_owner_of_the_database() {
    let all = Manifests::read();
    for deployment in &all.deployments {
        let given = all.environment(only(pod(deployment)));
        assert!(
            !given.contains("GATEHOUSE_DATABASE_OWNER_URL"),
            "{} could change its own guards",
            name(&deployment.metadata)
        );
    }
}

#[test]
fn selectors_find_the_pods_of_one_role() {
    let all = Manifests::read();
    for deployment in &all.deployments {
        let spec = deployment.spec.as_ref().unwrap();
        let own = role(only(pod(deployment)));
        assert_eq!(
            selected(&all, spec.selector.match_labels.as_ref().unwrap()),
            own
        );
        for spread in pod(deployment).topology_spread_constraints.iter().flatten() {
            let selector = spread
                .label_selector
                .as_ref()
                .and_then(|s| s.match_labels.as_ref())
                .unwrap();
            assert_eq!(selected(&all, selector), own);
        }
        let job_labels = all
            .jobs
            .iter()
            .filter_map(|j| j.spec.as_ref()?.template.metadata.as_ref()?.labels.as_ref());
        for labels in job_labels {
            let taken = spec
                .selector
                .match_labels
                .iter()
                .flatten()
                .all(|(name, value)| labels.get(name) == Some(value));
            assert!(
                !taken,
                "{} would adopt the migration's pod",
                name(&deployment.metadata)
            );
        }
    }
    for service in &all.services {
        let found = selected(
            &all,
            service.spec.as_ref().unwrap().selector.as_ref().unwrap(),
        );
        assert_eq!(name(&service.metadata), format!("gatehouse-{found}"));
    }
    for budget in &all.budgets {
        let selector = budget
            .spec
            .as_ref()
            .and_then(|s| s.selector.as_ref()?.match_labels.as_ref())
            .unwrap();
        assert_eq!(
            name(&budget.metadata),
            format!("gatehouse-{}", selected(&all, selector))
        );
    }
    for autoscaler in &all.autoscalers {
        let target = &autoscaler.spec.as_ref().unwrap().scale_target_ref;
        let deployment = all
            .deployments
            .iter()
            .find(|d| target.kind == "Deployment" && name(&d.metadata) == target.name);
        let spec = deployment
            .and_then(|d| d.spec.as_ref())
            .unwrap_or_else(|| panic!("there is no {}", target.name));
        assert!(
            spec.replicas.is_none(),
            "{} sets replicas, and so fights its autoscaler",
            target.name
        );
    }
}

/// The port of the listener for push devices' pictures, where the container's settings make one.
fn images_port(container: &Container) -> Option<i32> {
    let variable = container
        .env
        .iter()
        .flatten()
        .find(|variable| variable.name == "GATEHOUSE_PUSH_IMAGES_LISTEN")?;
    variable.value.as_ref()?.rsplit(':').next()?.parse().ok()
}

#[test]
fn ports_and_probes_are_where_the_role_listens() {
    let all = Manifests::read();
    let path_of = |probe: &Option<Probe>| {
        let http = probe
            .as_ref()
            .and_then(|p| p.http_get.as_ref())
            .expect("a probe asks by HTTP");
        assert_eq!(http.port, IntOrString::String("http".to_owned()));
        http.path.clone().expect("a probe has a path")
    };
    for deployment in &all.deployments {
        let container = only(pod(deployment));
        let ports: Vec<_> = container
            .ports
            .iter()
            .flatten()
            .map(|p| (p.name.as_deref(), p.container_port))
            .collect();
        let mut expected = vec![(Some("http"), all.port())];
        expected.extend(images_port(container).map(|port| (Some("images"), port)));
        assert_eq!(ports, expected, "{}", name(&deployment.metadata));
        // A store that is away must not make Kubernetes kill the pod with its sockets.
        assert_eq!(path_of(&container.liveness_probe), "/healthz");
        assert_eq!(path_of(&container.startup_probe), "/healthz");
        assert_eq!(path_of(&container.readiness_probe), "/readyz");
        let metadata = deployment
            .spec
            .as_ref()
            .unwrap()
            .template
            .metadata
            .as_ref()
            .unwrap();
        let scraped = metadata.annotations.as_ref().expect("metrics are scraped");
        assert_eq!(scraped["prometheus.io/port"], all.port().to_string());
        assert_eq!(scraped["prometheus.io/path"], "/metrics");
    }
    for service in &all.services {
        let ports: Vec<_> = service
            .spec
            .as_ref()
            .unwrap()
            .ports
            .iter()
            .flatten()
            .map(|p| (p.name.as_deref(), p.target_port.clone()))
            .collect();
        let found = selected(
            &all,
            service.spec.as_ref().unwrap().selector.as_ref().unwrap(),
        );
        let named = |port: &'static str| (Some(port), Some(IntOrString::String(port.to_owned())));
        let expected: &[_] = match found {
            // Pictures for push devices have a port of their own.
            "hub" => &[named("http"), named("images")],
            _ => &[named("http")],
        };
        assert_eq!(ports, expected, "{}", name(&service.metadata));
    }
}

#[test]
fn pods_get_the_time_to_drain_and_no_powers() {
    let all = Manifests::read();
    let jobs = all
        .jobs
        .iter()
        .map(|j| j.spec.as_ref().unwrap().template.spec.as_ref().unwrap());
    for pod in all.deployments.iter().map(pod).chain(jobs) {
        let container = only(pod);
        let what = role(container);
        let security = pod
            .security_context
            .as_ref()
            .expect("a pod has a security context");
        assert_eq!(security.run_as_non_root, Some(true), "{what}");
        let security = container
            .security_context
            .as_ref()
            .expect("a container has a security context");
        assert_eq!(security.read_only_root_filesystem, Some(true), "{what}");
        assert_eq!(security.allow_privilege_escalation, Some(false), "{what}");
        assert_eq!(
            pod.automount_service_account_token,
            Some(false),
            "{what} needs nothing of Kubernetes"
        );
        let limits = container
            .resources
            .as_ref()
            .and_then(|r| r.limits.as_ref())
            .expect("memory is limited");
        assert!(limits.contains_key("memory"), "{what}");
    }
    for deployment in &all.deployments {
        let pod = pod(deployment);
        let sleep = only(pod)
            .lifecycle
            .as_ref()
            .and_then(|l| l.pre_stop.as_ref()?.sleep.as_ref())
            .map_or(0, |s| s.seconds);
        let grace = pod.termination_grace_period_seconds.unwrap_or(30);
        assert!(
            sleep >= 5,
            "the ingress needs a moment to forget a pod: {}",
            name(&deployment.metadata)
        );
        assert!(
            grace >= sleep + 30,
            "{} is killed {} s after it was asked to stop",
            name(&deployment.metadata),
            grace - sleep
        );
    }
}
