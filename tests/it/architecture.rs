//! The shape of the code, held by tests: who may depend on whom, what a pure crate may not touch,
//! and who owns an external crate. Each failure says why the rule is there.
//!
//! Needs no service. Deliberately absent: what rustc and clippy refuse by themselves (the lints in
//! Cargo.toml and clippy.toml).

use crate::repository::{cargo, code_of, member, members, refuse, sources};
use kit::environment::root;
use std::collections::{BTreeMap, BTreeSet};

/// Who of us may use whom. A crate that is missing here is refused, so that a new one gets its
/// sentence in ARCHITECTURE.md; an edge that is missing here is a decision, not a detail.
const EDGES: &[(&str, &[&str])] = &[
    ("gatehouse-domain", &[]),
    ("gatehouse-wire", &[]),
    ("gatehouse-contracts", &["gatehouse-domain"]),
    (
        "gatehouse-proto-device",
        &["gatehouse-domain", "gatehouse-wire"],
    ),
    (
        "gatehouse-proto-terminal",
        &["gatehouse-domain", "gatehouse-wire"],
    ),
    ("gatehouse-schema", &[]),
    ("gatehouse-objectstore", &[]),
    ("gatehouse-faces", &[]),
    // Written from the documents alone: with our codecs in it, it would agree with our mistakes.
    ("gatehouse-simulator", &[]),
    (
        "gatehouse-platform",
        &[
            "gatehouse-contracts",
            "gatehouse-domain",
            "gatehouse-schema",
        ],
    ),
    ("gatehouse-attendance", SERVICE),
    (
        "gatehouse-directory",
        &[
            "gatehouse-contracts",
            "gatehouse-domain",
            "gatehouse-faces",
            "gatehouse-platform",
            "gatehouse-schema",
        ],
    ),
    ("gatehouse-sync", SERVICE),
    (
        "gatehouse-hub",
        &[
            "gatehouse-contracts",
            "gatehouse-domain",
            "gatehouse-platform",
            "gatehouse-proto-device",
            "gatehouse-proto-terminal",
            "gatehouse-schema",
            "gatehouse-wire",
        ],
    ),
    (
        "gatehouse",
        &[
            "gatehouse-attendance",
            "gatehouse-directory",
            "gatehouse-domain",
            "gatehouse-hub",
            "gatehouse-objectstore",
            "gatehouse-platform",
            "gatehouse-schema",
            "gatehouse-simulator",
            "gatehouse-sync",
        ],
    ),
    (
        "gatehouse-tests",
        &[
            "gatehouse-domain",
            "gatehouse-faces",
            "gatehouse-platform",
            "gatehouse-simulator",
        ],
    ),
];

const SERVICE: &[&str] = &[
    "gatehouse-contracts",
    "gatehouse-domain",
    "gatehouse-platform",
    "gatehouse-schema",
];
const SERVICES: &[&str] = &[
    "gatehouse-attendance",
    "gatehouse-directory",
    "gatehouse-hub",
    "gatehouse-sync",
];

/// The crates without I/O, and all that they may use from outside. Data types and codecs only.
const PURE: &[(&str, &[&str])] = &[
    (
        "gatehouse-domain",
        &["chrono", "chrono-tz", "serde", "thiserror", "uuid"],
    ),
    ("gatehouse-wire", &["md-5", "serde_json", "thiserror"]),
    (
        "gatehouse-contracts",
        &["chrono", "serde", "serde_json", "thiserror", "uuid"],
    ),
    (
        "gatehouse-proto-device",
        &["chrono", "serde_json", "thiserror"],
    ),
    (
        "gatehouse-proto-terminal",
        &[
            "base64-simd",
            "chrono",
            "chrono-tz",
            "serde",
            "serde_json",
            "thiserror",
        ],
    ),
];

/// External crates with few owners: whoever else uses one goes around what the owner guards.
const OWNED: &[(&str, &[&str], &str)] = &[
    (
        "aws-sdk-s3",
        &["gatehouse-platform"],
        "objects are reached through platform::objects, which bounds and classifies",
    ),
    (
        "lapin",
        &["gatehouse-platform"],
        "messages leave through the outbox and arrive through consumers, never directly",
    ),
    (
        "redis",
        &["gatehouse-platform"],
        "the cache is reached through platform::cache, whose every call has a time-out",
    ),
    (
        "sqlx",
        &["gatehouse-platform", "gatehouse-tests"],
        "the pool is private to platform::db; rows are reached inside a TenantTx or a SystemTx",
    ),
    (
        "sea-orm",
        &[
            "gatehouse",
            "gatehouse-attendance",
            "gatehouse-directory",
            "gatehouse-hub",
            "gatehouse-platform",
            "gatehouse-schema",
            "gatehouse-sync",
        ],
        "queries belong to the services",
    ),
    (
        "sea-orm-migration",
        &["gatehouse", "gatehouse-schema"],
        "migrations have one home",
    ),
    ("s3s", &["gatehouse-objectstore"], "serving S3 has one home"),
    (
        "tokio-tungstenite",
        &["gatehouse-simulator", "gatehouse-tests"],
        "only terminals are WebSocket clients",
    ),
    (
        "actix-ws",
        &["gatehouse-hub", "gatehouse-tests"],
        "terminals connect to the hub alone",
    ),
];

/// Words that a pure crate's source may not contain, with what they would let in.
const IMPURE: &[(&str, &str)] = &[
    ("std::fs", "files"),
    ("std::net", "the network"),
    ("std::env", "the environment"),
    ("std::process", "processes"),
    ("std::thread", "threads"),
    ("std::io", "I/O"),
    ("SystemTime", "a clock"),
    ("Instant", "a clock"),
    ("Utc::now", "a clock"),
    ("Local::now", "a clock"),
    ("now_v7", "a clock"),
    ("new_v4", "randomness"),
    ("rand::", "randomness"),
    ("getrandom", "randomness"),
    ("RandomState", "randomness"),
    ("tokio", "a runtime"),
    ("async fn", "async"),
    ("async move", "async"),
    (".await", "async"),
];
#[test]
fn crates_depend_on_each_other_only_as_the_table_says() {
    let table: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let members = members();
    let names: BTreeSet<&str> = members.iter().map(|m| m.name.as_str()).collect();
    let mut offences = Vec::new();
    for member in &members {
        let Some(allowed) = table.get(member.name.as_str()) else {
            offences.push(format!("{} is not in the table", member.name));
            continue;
        };
        for (dependency, kind) in &member.dependencies {
            if names.contains(dependency.as_str()) && !allowed.contains(&dependency.as_str()) {
                offences.push(format!("{} -> {dependency} ({kind})", member.name));
            }
        }
    }
    for name in table.keys().filter(|name| !names.contains(**name)) {
        offences.push(format!("{name} is in the table and does not exist"));
    }
    refuse(
        "each edge between our crates is a decision; this one is not in the table of allowed edges:",
        &offences,
    );
}

#[test]
fn services_meet_in_messages_and_grants_only() {
    let mut offences = Vec::new();
    for member in members() {
        let in_libs = member.folder.starts_with(root().join("libs"));
        for (dependency, kind) in &member.dependencies {
            let service = SERVICES.contains(&dependency.as_str()) || dependency == "gatehouse";
            if service && (in_libs || SERVICES.contains(&member.name.as_str())) {
                offences.push(format!("{} -> {dependency} ({kind})", member.name));
            }
        }
    }
    refuse(
        "a service that another crate links can no longer run, or fail, alone:",
        &offences,
    );
    for (name, allowed) in EDGES.iter().filter(|(name, _)| *name != "gatehouse") {
        assert!(
            allowed.iter().all(|a| !SERVICES.contains(a)),
            "the table itself lets {name} use a service"
        );
    }
}

#[test]
fn pure_crates_use_data_and_codecs_only() {
    let mut offences = Vec::new();
    for (name, allowed) in PURE {
        for (dependency, kind) in member(name).dependencies {
            if kind != "dev"
                && !dependency.starts_with("gatehouse-")
                && !allowed.contains(&dependency.as_str())
            {
                offences.push(format!("{name} -> {dependency}"));
            }
        }
        let ours = EDGES.iter().find(|(n, _)| n == name).unwrap().1;
        for used in ours
            .iter()
            .filter(|used| !PURE.iter().any(|(pure, _)| pure == *used))
        {
            offences.push(format!(
                "the table of edges lets the pure crate {name} use {used}, which is not pure"
            ));
        }
    }
    refuse(
        "a pure crate is tested by tables and fuzzed because nothing in it can wait, fail to connect or tell the time:",
        &offences,
    );
}

#[test]
fn pure_crates_do_no_io_and_know_neither_clock_nor_chance() {
    let sources = sources();
    let mut offences = Vec::new();
    for (name, _) in PURE {
        let folder = format!("libs/{name}/src/");
        let files: Vec<_> = sources
            .iter()
            .filter(|(path, _)| path.starts_with(&folder))
            .collect();
        assert!(!files.is_empty(), "no sources in {folder}");
        for (path, source) in files {
            for (line, code) in code_of(source) {
                for (word, brings) in IMPURE.iter().filter(|(word, _)| code.contains(word)) {
                    offences.push(format!("{path}:{line}: {word} brings in {brings}"));
                }
            }
        }
    }
    refuse(
        "time and randomness are arguments of a pure crate, and it does no I/O:",
        &offences,
    );
}

#[test]
fn the_stores_are_reached_through_their_owner() {
    let members = members();
    for (external, owners, reason) in OWNED {
        let mut users = BTreeSet::new();
        for member in &members {
            if member
                .dependencies
                .iter()
                .any(|(d, kind)| d == external && kind != "dev")
            {
                users.insert(member.name.as_str());
            }
        }
        assert!(
            !users.is_empty(),
            "nobody uses {external} any more: take it out of the table"
        );
        let offences: Vec<String> = users
            .iter()
            .filter(|user| !owners.contains(user))
            .map(|user| format!("{user} -> {external}"))
            .collect();
        refuse(&format!("{reason}:"), &offences);
    }
}

#[test]
fn the_binary_reaches_rows_only_to_migrate() {
    let offences: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| {
            path.starts_with("services/gatehouse/src/") && !path.ends_with("/migrate.rs")
        })
        .flat_map(|(path, source)| {
            code_of(source)
                .filter(|(_, code)| code.contains("sea_orm"))
                .map(|(line, _)| format!("{path}:{line}"))
                .collect::<Vec<_>>()
        })
        .collect();
    refuse(
        "the binary is wiring; it has the database's crate for the migrations alone:",
        &offences,
    );
}

#[test]
fn one_tls_implementation_is_linked() {
    // With two providers in the process, the first handshake panics; OpenSSL would also tie the
    // image to a system library.
    let tree = cargo(&[
        "tree",
        "--offline",
        "--locked",
        "--workspace",
        "-e",
        "no-dev",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let linked: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(
        linked.contains("rustls") && linked.contains("aws-lc-rs"),
        "the tree is not read rightly"
    );
    let offences: Vec<String> = ["ring", "openssl", "openssl-sys", "native-tls"]
        .iter()
        .filter(|name| linked.contains(*name))
        .map(|name| format!("{name}: see `cargo tree --workspace -e no-dev -i {name}`"))
        .collect();
    refuse(
        "TLS and hashes come from rustls with aws-lc-rs, and from nothing beside it:",
        &offences,
    );
}

#[test]
fn one_build_serves_tests_and_runs() {
    let offences: Vec<String> = member("gatehouse-tests")
        .dependencies
        .into_iter()
        .filter(|(_, kind)| kind == "dev")
        .map(|(name, _)| name)
        .collect();
    refuse(
        "dev-dependencies give other features to crates that the binary shares, and `make run` and `make test` would \
         each compile what the other has compiled; put them under [dependencies]:",
        &offences,
    );
}
