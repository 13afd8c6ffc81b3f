//! A terminal's day through the real binary: it registers, people pass, the API tells of it. With
//! terminals that behave and with those that do not.
//!
//! Deliberately absent: commands (`commands`), what is no message at all (`bad_input`), stores that go
//! away (`faults`).

mod admission;
mod clock;
mod door;
mod frames;
mod lists;
mod records;
mod repeats;
mod sessions;
mod tokens;

use gatehouse_simulator::{SimError, Terminal, TerminalProfile};
use kit::{Tenant, until};
use serde_json::Value;
use std::time::Duration;

/// What a store, a broker and a schedule may take together.
pub(crate) const SOON: Duration = Duration::from_secs(15);

/// The tenant's records by a query, newest first, once there are so many.
pub(crate) async fn records(tenant: &Tenant, query: &str, count: usize) -> Vec<Value> {
    until(&format!("{count} records"), SOON, || async {
        let found = tenant.api.list(&format!("/v1/records?{query}")).await;
        (found.len() >= count).then_some(found)
    })
    .await
}

/// The tenant's only record of a person with this name.
pub(crate) async fn record_of(tenant: &Tenant, name: &str) -> Value {
    let all = tenant.api.list("/v1/records").await;
    let mut of_name = all.iter().filter(|record| record["person_name"] == name);
    let (Some(record), None) = (of_name.next(), of_name.next()) else {
        panic!("not one record of {name}: {all:?}")
    };
    record.clone()
}

/// The device as the API shows it.
pub(crate) async fn device(tenant: &Tenant, id: &Value) -> Value {
    tenant
        .api
        .get(&format!("/v1/devices/{}", id.as_str().unwrap()))
        .await
        .expect(200)
}

/// Waits until a field of the device has this value.
pub(crate) async fn device_with(
    tenant: &Tenant,
    id: &Value,
    field: &str,
    value: impl Into<Value>,
) -> Value {
    let value = value.into();
    until(
        &format!("the device's {field} to be {value}"),
        SOON,
        || async {
            let device = device(tenant, id).await;
            (device[field] == value).then_some(device)
        },
    )
    .await
}

/// Connects a terminal that must be refused; error code and close code.
pub(crate) async fn refused(profile: TerminalProfile) -> (String, Option<u16>) {
    match Terminal::connect(profile).await {
        Err(SimError::Refused {
            error_code,
            close_code,
        }) => (error_code, close_code),
        Err(other) => panic!("refused in another way: {other}"),
        Ok(_) => panic!("it was admitted"),
    }
}

/// Connects a terminal whose handshake must be refused; the HTTP status.
pub(crate) async fn refused_handshake(profile: TerminalProfile) -> u16 {
    match Terminal::connect(profile).await {
        Err(SimError::Handshake { status }) => status,
        Err(other) => panic!("refused in another way: {other}"),
        Ok(_) => panic!("it was admitted"),
    }
}

/// Waits until the terminal's connection is closed; the code of the close frame.
pub(crate) async fn close_code(terminal: &Terminal) -> Option<u16> {
    let closed = |event: &gatehouse_simulator::Event| {
        matches!(event, gatehouse_simulator::Event::Closed { .. })
    };
    match terminal.wait_for(SOON, closed).await.unwrap() {
        gatehouse_simulator::Event::Closed { code, .. } => code,
        other => panic!("{other:?}"),
    }
}
