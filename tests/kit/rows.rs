//! Rows of one tenant, as the database's owner sees them who says for whom they look: the guard on
//! the tables holds for the owner as well.

use crate::environment::Environment;
use crate::world::{Tenant, migrate};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor, PgPool};

impl Tenant {
    /// The tenant's UUID, as rows hold it.
    ///
    /// # Panics
    /// Where the id is none.
    #[must_use]
    pub fn uuid(&self) -> uuid::Uuid {
        uuid_of(&self.id)
    }

    /// A connection that sees this tenant's rows and no others.
    ///
    /// # Panics
    /// Where the database cannot be reached.
    pub async fn rows(&self) -> PgPool {
        migrate();
        let tenant = self.uuid();
        PgPoolOptions::new()
            .max_connections(1)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    let name =
                        format!("select set_config('gatehouse.tenant_id', '{tenant}', false)");
                    connection
                        .execute(sqlx::AssertSqlSafe(name))
                        .await
                        .map(drop)
                })
            })
            .connect(Environment::get().var("GATEHOUSE_DATABASE_OWNER_URL"))
            .await
            .expect("the database answers")
    }
}

/// The UUID in a prefixed id.
///
/// # Panics
/// Where it is none.
#[must_use]
pub fn uuid_of(id: &str) -> uuid::Uuid {
    let (_, digits) = id.split_once('_').expect("a prefixed id");
    digits.parse().expect("an id holds a UUID")
}
