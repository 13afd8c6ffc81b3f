//! Push devices (document 002, chapter 9) through the real binary: who is served, what a device
//! learns and proves, when its door opens, and the listener for pictures.

mod admission;
mod doors;
mod learning;
mod pictures;

use gatehouse_simulator::device::{Change, DeviceProfile, PushDevice};
use kit::world::fresh_sn;
use kit::{Tenant, until, uuid_of};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::time::Duration;
use tokio::sync::Mutex;
use uuid::Uuid;

/// What planning, offering and a poll may take together.
const SOON: Duration = Duration::from_secs(30);

/// A tenant with one push device.
pub(crate) struct House {
    tenant: Tenant,
    rows: PgPool,
    device_id: String,
    sn: String,
    pub(crate) device: PushDevice,
}

impl House {
    pub(crate) async fn of(tenant: Tenant) -> Self {
        let sn = fresh_sn();
        let device = json!({"sn": sn, "name": "Gate", "protocol": "http_push", "direction": "in"});
        let made = tenant.api.post("/v1/devices", device).await.expect(201);
        let device = push_device(&push_url(&tenant), &sn);
        Self {
            rows: tenant.rows().await,
            device_id: made["id"].as_str().unwrap().to_owned(),
            tenant,
            sn,
            device,
        }
    }

    fn device_uuid(&self) -> Uuid {
        uuid_of(&self.device_id)
    }

    /// A person with a photo, of this name: id and number.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let api = &self.tenant.api;
        let made = api
            .post(
                "/v1/persons",
                json!({"name": name, "type": "staff", "gender": "female"}),
            )
            .await
            .expect(201);
        let id = made["id"].as_str().unwrap().to_owned();
        let portrait = kit::environment::root().join("tests/kit/fixtures/portrait.jpg");
        let picture = std::fs::read(portrait).unwrap();
        let path = format!("/v1/persons/{id}/photo");
        api.send_bytes(Method::PUT, &path, Some("image/jpeg"), &picture)
            .await
            .expect(200);
        let number: i64 = sqlx::query_scalar("select number from directory.persons where id = $1")
            .bind(uuid_of(&id))
            .fetch_one(&self.rows)
            .await
            .unwrap();
        Person {
            id,
            number: number.to_string(),
        }
    }

    /// An authority of this person at the device, within this plan (`None`: at all times).
    pub(crate) async fn authority(&self, person: &Person, plan: Option<Value>) -> Authority {
        let (tenant, group, authority, schedule) = (
            self.tenant.uuid(),
            Uuid::now_v7(),
            Uuid::now_v7(),
            Uuid::now_v7(),
        );
        let mut tx = self.rows.begin().await.unwrap();
        let name = group.to_string();
        if let Some(plan) = &plan {
            sqlx::query("insert into directory.schedules (tenant_id, id, name, plan) values ($1, $2, $3, $4)")
                .bind(tenant).bind(schedule).bind(&name).bind(plan)
                .execute(&mut *tx).await.unwrap();
        }
        for (statement, ids) in [
            (
                "insert into directory.groups (tenant_id, id, name, type) values ($1, $2, $2::text, 'staff')",
                vec![group],
            ),
            (
                "insert into directory.group_members (tenant_id, group_id, person_id) values ($1, $2, $3)",
                vec![group, uuid_of(&person.id)],
            ),
            (
                "insert into directory.authority_devices (tenant_id, authority_id, device_id) values ($1, $2, $3)",
                vec![authority, self.device_uuid()],
            ),
            (
                "insert into directory.authority_groups (tenant_id, authority_id, group_id) values ($1, $2, $3)",
                vec![authority, group],
            ),
        ] {
            if statement.contains("authority_devices") {
                sqlx::query("insert into directory.authorities (tenant_id, id, schedule_id) values ($1, $2, $3)")
                    .bind(tenant).bind(authority).bind(plan.as_ref().map(|_| schedule))
                    .execute(&mut *tx).await.unwrap();
            }
            let query = ids
                .iter()
                .fold(sqlx::query(statement).bind(tenant), |query, id| {
                    query.bind(*id)
                });
            query.execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        self.changed().await;
        Authority { group, schedule }
    }

    /// Notes, as the directory does, that the device's assignments are to be planned again.
    async fn changed(&self) {
        sqlx::query("insert into directory.access_changes (tenant_id, id, reason, device_ids) values ($1, $2, 'test', array[$3])")
            .bind(self.tenant.uuid()).bind(Uuid::now_v7()).bind(self.device_uuid())
            .execute(&self.rows).await.unwrap();
    }

    /// Polls until the device holds the person, or no more.
    async fn poll_until(&mut self, number: &str, held: bool) {
        poll_until(&mut self.device, number, held).await;
    }

    /// State and error code of each assignment of the device, by number.
    async fn assignments(&self) -> Vec<(String, String, Option<String>)> {
        sqlx::query_as("select number, state, error_code from sync.assignments where tenant_id = $1 and device_id = $2 order by number")
            .bind(self.tenant.uuid()).bind(self.device_uuid())
            .fetch_all(&self.rows).await.unwrap()
    }

    /// Waits until the assignments stand like this: number and state.
    async fn assignments_are(&self, expected: &[(&str, &str)]) {
        until(&format!("assignments {expected:?}"), SOON, || async {
            let found = self.assignments().await;
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|(n, s, _)| (n.as_str(), s.as_str()))
                .collect();
            (found == expected).then_some(())
        })
        .await;
    }

    /// The device's records, newest first.
    pub(crate) async fn records(&self) -> Vec<Value> {
        let path = format!("/v1/records?device_id={}", self.device_id);
        self.tenant.api.list(&path).await
    }
}

/// Polls until the device holds the person, or no more.
async fn poll_until(device: &mut PushDevice, number: &str, held: bool) {
    let what = format!("the device to hold {number}: {held}");
    let device = Mutex::new(device);
    until(&what, SOON, || async {
        let mut device = device.lock().await;
        device.poll().await.unwrap();
        (device.held().contains_key(number) == held).then_some(())
    })
    .await;
}

/// The feed, once it lists something; nothing of it is done.
async fn listed(device: &mut PushDevice) -> Vec<Change> {
    let device = Mutex::new(device);
    until("the feed to list somebody", SOON, || async {
        let changes = device.lock().await.feed().await.unwrap();
        (!changes.is_empty()).then_some(changes)
    })
    .await
}

/// Somebody.
pub(crate) struct Person {
    id: String,
    pub(crate) number: String,
}

/// What stands behind an authority.
pub(crate) struct Authority {
    group: Uuid,
    schedule: Uuid,
}

/// Where a tenant's push devices call.
fn push_url(tenant: &Tenant) -> String {
    tenant
        .terminal_url
        .replacen("ws://", "http://", 1)
        .replacen("/terminal/", "/push/", 1)
}

fn push_device(url: &str, sn: &str) -> PushDevice {
    PushDevice::new(DeviceProfile::new(url, sn)).unwrap()
}

/// Every day from midnight to midnight.
fn all_week() -> Value {
    let days: Vec<Value> = (1..=7)
        .map(|day| json!({"weekday": day, "periods": [{"from": "00:00", "to": "23:59"}]}))
        .collect();
    json!({"weekdays": days, "holidays": []})
}
