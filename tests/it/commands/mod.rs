//! What terminals are asked for, through the API, and what becomes of it: nothing is said that the
//! terminal did not prove.
//!
//! Deliberately absent: what terminals send of themselves (`terminal_day`).

mod ends;
mod firmware;
mod order;
mod parameters;
mod persons;
mod powers;
mod shadow;
mod types;

use gatehouse_simulator::{Terminal, TerminalProfile};
use kit::world::fresh_sn;
use kit::{Api, Tenant};
use serde_json::Value;
use std::time::Duration;

/// What a command may take that nothing holds up.
const SOON: Duration = Duration::from_secs(15);

/// Where the commands of a device stand in the API.
fn commands_of(device: &Value) -> String {
    format!("/v1/devices/{}/commands", device["id"].as_str().unwrap())
}

/// Gives a command and waits for its end.
async fn carry_out(api: &Api, device: &Value, command: Value) -> Value {
    let done = api
        .post(&format!("{}?wait=15s", commands_of(device)), command)
        .await
        .expect(201);
    assert!(
        !matches!(done["state"].as_str().unwrap(), "queued" | "sent"),
        "it did not end: {done}"
    );
    done
}

/// Gives a command and does not wait; its path.
async fn give(api: &Api, device: &Value, command: Value) -> String {
    let given = api.post(&commands_of(device), command).await.expect(201);
    format!("{}/{}", commands_of(device), given["id"].as_str().unwrap())
}

/// Waits for the end of a command.
async fn end_of(api: &Api, path: &str) -> Value {
    let done = api.get(&format!("{path}?wait=30s")).await.expect(200);
    assert!(done["finished_at"].is_string(), "it did not end: {done}");
    done
}

/// Claims a device and connects a terminal of this kind for it.
async fn terminal(tenant: &Tenant, kind: impl FnOnce(&mut TerminalProfile)) -> (Value, Terminal) {
    let sn = fresh_sn();
    let device = tenant.device(&sn).await;
    let mut profile = TerminalProfile::new(&tenant.terminal_url, &sn);
    kind(&mut profile);
    (device, Terminal::connect(profile).await.unwrap())
}
