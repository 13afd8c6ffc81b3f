//! What the tests against a real database share: a tenant of their own with devices, and rows to look
//! at. They need the services of the machine: `make services`, then `. .run/env`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use chrono::{DateTime, Utc};
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::{
    DIRECTORY, Database, DatabaseSettings, HUB, SYNC, ServiceRoles, TenantTx, sql,
};
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use uuid::Uuid;

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run \"make services\" first, then `. .run/env`")
    })
}

/// The database, migrated, as sync.
async fn database() -> Database {
    static MIGRATED: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    MIGRATED
        .get_or_init(|| async {
            let owner = sea_orm::Database::connect(env("GATEHOUSE_DATABASE_OWNER_URL"))
                .await
                .unwrap();
            gatehouse_schema::migrate_alone(&owner).await.unwrap();
            gatehouse_schema::admit_login_role(&owner, "gatehouse_app")
                .await
                .unwrap();
        })
        .await;
    let settings = DatabaseSettings {
        url: env("GATEHOUSE_DATABASE_URL"),
        connections: 8,
    };
    Database::open(&settings, SYNC).unwrap()
}

/// A tenant that no other test knows, with its devices.
pub(crate) struct House {
    pub(crate) db: Database,
    pub(crate) scope: TenantScope,
}

/// A row of `sync.assignments`, as far as tests look at it.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub(crate) struct AssignmentRow {
    pub(crate) number: String,
    pub(crate) person_id: Option<Uuid>,
    pub(crate) desired: Option<Vec<u8>>,
    pub(crate) applied: Option<Vec<u8>>,
    pub(crate) maybe_held: bool,
    pub(crate) state: String,
    pub(crate) due_at: Option<DateTime<Utc>>,
    pub(crate) attempts: i32,
    pub(crate) offer: Option<Uuid>,
    pub(crate) offered: Option<Vec<u8>>,
    pub(crate) offered_session: Option<i64>,
    pub(crate) error_code: Option<String>,
    pub(crate) applied_at: Option<DateTime<Utc>>,
    pub(crate) proved_at: Option<DateTime<Utc>>,
}

impl House {
    pub(crate) async fn new() -> Self {
        let db = database().await;
        let scope = {
            let tx = db.system().await.unwrap();
            tx.scope(TenantId::from_uuid(Uuid::now_v7()), Actor::System)
        };
        let house = Self { db, scope };
        house
            .run_as(
                DIRECTORY,
                "insert into directory.tenants (tenant_id, name, timezone) values ($1, 'House', 'UTC')",
                vec![],
            )
            .await;
        house
    }

    pub(crate) async fn tx(&self) -> TenantTx {
        self.db.tenant(&self.scope).await.unwrap()
    }

    /// Runs a statement under a service's role; `$1` is the tenant, `values` follow.
    pub(crate) async fn run_as(&self, roles: ServiceRoles, text: &str, values: Vec<Value>) -> u64 {
        let tx = self
            .db
            .for_service(roles)
            .tenant(&self.scope)
            .await
            .unwrap();
        let mut all: Vec<Value> = vec![tx.tenant_uuid().into()];
        all.extend(values);
        let done = tx.conn().execute_raw(sql(text, all)).await.unwrap();
        tx.commit().await.unwrap();
        done.rows_affected()
    }

    pub(crate) async fn run(&self, text: &str, values: Vec<Value>) -> u64 {
        self.run_as(SYNC, text, values).await
    }

    /// A device that was never connected.
    pub(crate) async fn device(&self, protocol: &str) -> DeviceId {
        let id = Uuid::now_v7();
        self.run_as(
            DIRECTORY,
            "insert into directory.devices (tenant_id, id, sn, name, protocol, timezone) values ($1, $2, $3, 'Gate', $4, 'Asia/Shanghai')",
            vec![id.into(), id.simple().to_string().into(), protocol.into()],
        )
        .await;
        DeviceId::from_uuid(id)
    }

    /// A terminal with a live session.
    pub(crate) async fn terminal(&self, session: i64) -> DeviceId {
        let device = self.device("terminal_ws").await;
        self.connect(device, session).await;
        device
    }

    pub(crate) async fn connect(&self, device: DeviceId, session: i64) {
        self.run_as(
            HUB,
            "insert into hub.terminals (tenant_id, device_id, session, connected_at) values ($1, $2, $3, now()) \
             on conflict (tenant_id, device_id) do update set session = excluded.session, connected_at = now(), disconnected_at = null",
            vec![device.uuid().into(), session.into()],
        )
        .await;
    }

    pub(crate) async fn disconnect(&self, device: DeviceId) {
        self.run_as(
            HUB,
            "update hub.terminals set disconnected_at = now() where tenant_id = $1 and device_id = $2",
            vec![device.uuid().into()],
        )
        .await;
    }

    /// Plans that a device should hold a person (`desired` given) or should not.
    pub(crate) async fn want(&self, device: DeviceId, number: &str, desired: Option<&[u8]>) {
        self.run(
            "insert into sync.assignments as a (tenant_id, device_id, number, person_id, desired, state, urgency, due_at) \
             values ($1, $2, $3, gen_random_uuid(), $4, case when $4::bytea is null then 'removing' else 'pending' end, \
                     case when $4::bytea is null then 0 else 1 end, now()) \
             on conflict (tenant_id, device_id, number) do update set desired = excluded.desired, urgency = excluded.urgency, \
               changed_at = now(), attempts = 0, error_code = null, \
               state = case when a.offer is not null then a.state else excluded.state end, \
               due_at = case when a.offer is not null then a.due_at else now() end",
            vec![
                device.uuid().into(),
                number.into(),
                desired.map(<[u8]>::to_vec).into(),
            ],
        )
        .await;
    }

    /// A person that the device holds, proved.
    pub(crate) async fn held(&self, device: DeviceId, number: &str, content: &[u8]) {
        self.want(device, number, Some(content)).await;
        self.run(
            "update sync.assignments set applied = desired, state = 'applied', due_at = null, applied_at = now() - interval '1 hour', \
               changed_at = now() - interval '1 hour' where tenant_id = $1 and device_id = $2 and number = $3",
            vec![device.uuid().into(), number.into()],
        )
        .await;
    }

    pub(crate) async fn rows(&self, device: DeviceId) -> Vec<AssignmentRow> {
        let tx = self.tx().await;
        AssignmentRow::find_by_statement(sql(
            "select * from sync.assignments where tenant_id = $1 and device_id = $2 order by number",
            [tx.tenant_uuid().into(), device.uuid().into()],
        ))
        .all(tx.conn())
        .await
        .unwrap()
    }

    pub(crate) async fn row(&self, device: DeviceId, number: &str) -> Option<AssignmentRow> {
        let rows = self.rows(device).await;
        rows.into_iter().find(|row| row.number == number)
    }

    /// The events of a kind that wait in sync's outbox, in order.
    pub(crate) async fn told(&self, kind: &str) -> Vec<serde_json::Value> {
        let tx = self.tx().await;
        let rows = tx
            .conn()
            .query_all_raw(sql(
                "select data::jsonb as data from sync.outbox where tenant_id = $1 and kind = $2 order by id",
                [tx.tenant_uuid().into(), kind.into()],
            ))
            .await
            .unwrap();
        rows.iter()
            .map(|row| row.try_get("", "data").unwrap())
            .collect()
    }
}
