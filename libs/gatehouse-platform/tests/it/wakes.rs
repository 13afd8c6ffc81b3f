//! Wake-ups between processes.

use crate::kit::{bus, eventually};
use gatehouse_contracts::Wake;
use gatehouse_domain::{DeviceId, TenantId};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use uuid::Uuid;

fn wake(device: Uuid, session: u64) -> Wake {
    Wake::SessionBegan {
        tenant_id: TenantId::from_uuid(Uuid::nil()),
        device_id: DeviceId::from_uuid(device),
        session,
    }
}

/// What was heard of this device, up to and with `last`.
async fn heard_until(wakes: &mut Receiver<Wake>, device: Uuid, last: u64) -> Vec<u64> {
    let mut heard = Vec::new();
    let hearing = async {
        while heard.last() != Some(&last) {
            if let Wake::SessionBegan {
                device_id, session, ..
            } = wakes.recv().await.unwrap()
                && device_id == DeviceId::from_uuid(device)
            {
                heard.push(session);
            }
        }
    };
    tokio::time::timeout(crate::kit::DEADLINE, hearing)
        .await
        .unwrap();
    heard
}

#[tokio::test]
async fn a_wake_up_is_heard_once_here_and_once_there() {
    let (here, there) = (bus(), bus());
    let (mut heard_here, mut heard_there) = (here.wakes(), there.wakes());
    // Until both have their queues: they are told of until they hear of each other.
    let greeting = Uuid::now_v7();
    for (from, to) in [(&here, &there), (&there, &here)] {
        let mut hears = to.wakes();
        eventually("the other process hears", || {
            from.wake(wake(greeting, 0));
            let heard = hears.try_recv().is_ok();
            async move { heard }
        })
        .await;
    }
    let device = Uuid::now_v7();
    for session in 1..=20 {
        here.wake(wake(device, session));
    }
    let expected: Vec<u64> = (1..=20).collect();
    assert_eq!(heard_until(&mut heard_there, device, 20).await, expected);
    // By now an echo of its own would have arrived before this.
    there.wake(wake(device, 21));
    let expected: Vec<u64> = (1..=21).collect();
    assert_eq!(heard_until(&mut heard_here, device, 21).await, expected);
}

#[tokio::test]
async fn without_a_broker_a_wake_up_is_heard_here_and_nobody_waits() {
    let bus = crate::kit::bus_at("amqp://guest:guest@127.0.0.1:1/%2f".to_owned());
    let mut wakes = bus.wakes();
    let device = Uuid::now_v7();
    for session in 0..3000 {
        bus.wake(wake(device, session));
    }
    let heard = tokio::time::timeout(
        Duration::from_secs(5),
        heard_until(&mut wakes, device, 2999),
    );
    assert_eq!(heard.await.unwrap().len(), 3000);
    bus.ping().await.unwrap_err();
}
