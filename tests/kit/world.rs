//! One running `gatehouse all` for all ordinary tests, and the right to be alone with the services
//! for tests that take them away.

use crate::api::Api;
use crate::environment::Environment;
use crate::process::{Gatehouse, free_port, run};
use gatehouse_simulator::{Terminal, TerminalProfile};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::sync::OnceLock;
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

static TURN: RwLock<()> = RwLock::const_new(());

/// The platform as a test sees it. While it is held, the services are shared, or the test's alone.
#[derive(Debug)]
pub struct World {
    /// The address of `gatehouse all`.
    pub base_url: String,
    _shared: Option<RwLockReadGuard<'static, ()>>,
    _alone: Option<RwLockWriteGuard<'static, ()>>,
}

/// The platform, beside other tests.
pub async fn shared() -> World {
    let guard = TURN.read().await;
    World {
        base_url: common().await.base_url.clone(),
        _shared: Some(guard),
        _alone: None,
    }
}

/// The platform, with no other test running: for those that stop services.
pub async fn alone() -> World {
    let guard = TURN.write().await;
    World {
        base_url: common().await.base_url.clone(),
        _shared: None,
        _alone: Some(guard),
    }
}

/// The services alone, with no test running that takes them away: for tests that look at a store
/// without any process of ours.
pub async fn undisturbed() -> RwLockReadGuard<'static, ()> {
    TURN.read().await
}

async fn common() -> &'static Gatehouse {
    static COMMON: OnceCell<Gatehouse> = OnceCell::const_new();
    COMMON
        .get_or_init(|| async {
            migrate();
            // Tests send more requests a minute than a customer should, and come from wherever they say.
            let images = format!("127.0.0.1:{}", free_port());
            let settings = [
                ("GATEHOUSE_PUSH_IMAGES_LISTEN", images.as_str()),
                ("GATEHOUSE_RATE_LIMIT_PER_KEY", "1000000"),
                ("GATEHOUSE_RATE_LIMIT_PER_TENANT", "1000000"),
                ("GATEHOUSE_TRUSTED_PROXIES", "127.0.0.1/32"),
            ];
            Gatehouse::start("all", &settings).await
        })
        .await
}

/// Brings the database up to date, once in a test run.
pub fn migrate() {
    static MIGRATED: OnceLock<()> = OnceLock::new();
    MIGRATED.get_or_init(|| drop(run(&["migrate"], &[])));
}

impl World {
    /// The API as the platform's operator.
    #[must_use]
    pub fn operator(&self) -> Api {
        Api::new(
            &self.base_url,
            Some(Environment::get().var("GATEHOUSE_OPERATOR_KEY")),
        )
    }

    /// The API without a credential.
    #[must_use]
    pub fn anonymous(&self) -> Api {
        Api::new(&self.base_url, None)
    }

    /// A fresh tenant.
    pub async fn tenant(&self) -> Tenant {
        Tenant::create(&self.base_url).await
    }
}

/// A pool of the database's owner, for looking at rows from outside.
///
/// # Panics
/// Where the database cannot be reached.
pub async fn owner_pool() -> PgPool {
    migrate();
    PgPool::connect(Environment::get().var("GATEHOUSE_DATABASE_OWNER_URL"))
        .await
        .expect("the database answers")
}

/// A tenant and all its keys.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// `ten_...`.
    pub id: String,
    /// The API with the key of all scopes.
    pub api: Api,
    /// `ws://HOST/terminal/<token>`.
    pub terminal_url: String,
    /// What `POST /v1/tenants` answered.
    pub created: Value,
}

impl Tenant {
    /// Creates one through the API of this process.
    pub async fn create(base_url: &str) -> Self {
        let operator = Api::new(
            base_url,
            Some(Environment::get().var("GATEHOUSE_OPERATOR_KEY")),
        );
        let name = format!("Test {}", uuid::Uuid::new_v4().simple());
        let created = operator
            .post(
                "/v1/tenants",
                json!({"name": name, "timezone": "Asia/Shanghai"}),
            )
            .await
            .expect(201);
        let text = |field: &str| {
            created[field]
                .as_str()
                .unwrap_or_else(|| panic!("{field} in {created}"))
                .to_owned()
        };
        Self {
            id: text("tenant_id"),
            api: operator.with_bearer(&text("api_key")),
            terminal_url: text("terminal_url"),
            created: created.clone(),
        }
    }

    /// Claims a device; its representation.
    pub async fn device(&self, sn: &str) -> Value {
        self.api
            .post("/v1/devices", json!({"sn": sn, "name": format!("Door {sn}"), "location": "Hall", "direction": "in"}))
            .await
            .expect(201)
    }

    /// Claims a device and connects a well-behaved terminal for it.
    pub async fn terminal(&self, sn: &str) -> (Value, Terminal) {
        let device = self.device(sn).await;
        let terminal = Terminal::connect(TerminalProfile::new(&self.terminal_url, sn))
            .await
            .expect("it registers");
        (device, terminal)
    }
}

/// A serial number nobody else uses.
#[must_use]
pub fn fresh_sn() -> String {
    let number = uuid::Uuid::new_v4().as_u128() % 1_000_000_000;
    format!("168{number:09}")
}
