//! What the hub does when the directory says that a device was created, changed or removed.

use super::store;
use crate::hub::Hub;
use crate::terminals;
use async_trait::async_trait;
use gatehouse_contracts::{DeviceChange, DeviceChanged, Event, RawEnvelope, Wake};
use gatehouse_platform::bus::{Consumer, HandleError, Handler};
use gatehouse_platform::db::TenantTx;
use std::sync::Arc;

/// Reads changes of devices.
pub(crate) fn device_consumer(hub: &Arc<Hub>) -> Consumer {
    Consumer {
        queue: "hub.devices",
        kinds: &[DeviceChanged::KIND],
        handler: Arc::new(Devices { hub: hub.clone() }),
    }
}

struct Devices {
    hub: Arc<Hub>,
}

#[async_trait]
impl Handler for Devices {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let event = message.read::<DeviceChanged>()?;
        let device_id = event.data.device_id;
        match event.data.change {
            // A change may have given it the number of another terminal.
            DeviceChange::Created | DeviceChange::Updated => {
                store::forget_number(tx, &event.data.sn).await?;
            }
            DeviceChange::Deleted => terminals::forget(tx, device_id).await?,
        }
        // Sessions look into the directory, which is changed already.
        self.hub.kit.bus.wake(Wake::Device {
            tenant_id: event.tenant_id,
            device_id,
        });
        Ok(())
    }
}
