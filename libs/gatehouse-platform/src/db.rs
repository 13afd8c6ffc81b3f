//! Postgres: one pool, private, and the two kinds of transaction through which rows are reached.
//!
//! [`TenantTx`] takes the role of a service and the tenant of a [`TenantScope`]; row-level security
//! then shows that tenant's rows and no others. [`SystemTx`] takes the service's system role, which
//! sees across tenants the tables that admit it. The login role can do neither by itself, and both
//! settings end with the transaction, so that a pooled connection carries nothing over.
//!
//! Deliberately absent: queries. They stand in the `store.rs` of the feature that owns the table.

use crate::tenant::{Actor, TenantScope};
use gatehouse_domain::TenantId;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr,
    SqlxPostgresConnector, Statement, TransactionTrait,
};
use std::time::Duration;

/// Settings of the database.
#[derive(Debug, Clone, clap::Args)]
pub struct DatabaseSettings {
    /// Address of the database, with the services' login role, which owns nothing and may read nothing by itself.
    #[arg(
        long = "database-url",
        env = "GATEHOUSE_DATABASE_URL",
        hide_env_values = true
    )]
    pub url: String,
    /// Most connections that this process keeps open.
    #[arg(
        long = "database-connections",
        env = "GATEHOUSE_DATABASE_CONNECTIONS",
        default_value_t = 16
    )]
    pub connections: u32,
}

/// A service's roles in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceRoles {
    /// The schema the service writes, also the prefix of its queues.
    pub schema: &'static str,
    /// Sees the rows of one tenant.
    pub tenant: &'static str,
    /// Sees across tenants the tables that admit it.
    pub system: &'static str,
}

/// The roles of the directory.
pub const DIRECTORY: ServiceRoles = ServiceRoles {
    schema: "directory",
    tenant: "gatehouse_directory",
    system: "gatehouse_directory_system",
};
/// The roles of the hub.
pub const HUB: ServiceRoles = ServiceRoles {
    schema: "hub",
    tenant: "gatehouse_hub",
    system: "gatehouse_hub_system",
};
/// The roles of attendance.
pub const ATTENDANCE: ServiceRoles = ServiceRoles {
    schema: "attendance",
    tenant: "gatehouse_attendance",
    system: "gatehouse_attendance_system",
};
/// The roles of sync.
pub const SYNC: ServiceRoles = ServiceRoles {
    schema: "sync",
    tenant: "gatehouse_sync",
    system: "gatehouse_sync_system",
};
/// Credentials are verified under this role, before a tenant is known.
pub(crate) const AUTH: ServiceRoles = ServiceRoles {
    schema: "directory",
    tenant: "gatehouse_auth",
    system: "gatehouse_auth",
};

/// What went wrong in the database, sorted by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached, is starting or stopping, or ran out of something; or two
    /// transactions collided. The same work may succeed later.
    #[error("the database is not available at the moment: {0}")]
    Unavailable(#[source] DbErr),
    /// A unique constraint: a row with this key exists.
    #[error("a row with the same {constraint} exists already")]
    Duplicate {
        /// The constraint's name in the database.
        constraint: String,
    },
    /// A foreign key: what the row refers to does not exist.
    #[error("a row refers to something that does not exist ({constraint})")]
    Dangling {
        /// The constraint's name in the database.
        constraint: String,
    },
    /// Anything else: a fault of ours, or data that the database refuses. Repeating will not help.
    #[error("the database refused a statement: {0}")]
    Refused(#[source] DbErr),
}

impl DbError {
    /// Whether the same work may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Whether a unique constraint of this name was hit.
    #[must_use]
    pub fn is_duplicate_of(&self, wanted: &str) -> bool {
        matches!(self, Self::Duplicate { constraint } if constraint == wanted)
    }
}

impl From<DbErr> for DbError {
    fn from(error: DbErr) -> Self {
        if matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Unavailable(error);
        }
        // DbErr is not ours and grows: what we do not know is not repeated.
        let (DbErr::Conn(runtime) | DbErr::Exec(runtime) | DbErr::Query(runtime)) = &error else {
            return Self::Refused(error);
        };
        let RuntimeErr::SqlxError(sqlx_error) = runtime else {
            return Self::Refused(error);
        };
        let Some(db) = sqlx_error.as_database_error() else {
            // Not the database's word: the connection, the pool, the protocol.
            let ours = matches!(
                **sqlx_error,
                sqlx::Error::ColumnDecode { .. }
                    | sqlx::Error::ColumnNotFound(_)
                    | sqlx::Error::Decode(_)
                    | sqlx::Error::Encode(_)
                    | sqlx::Error::RowNotFound
                    | sqlx::Error::TypeNotFound { .. }
                    | sqlx::Error::Configuration(_)
            );
            return if ours {
                Self::Refused(error)
            } else {
                Self::Unavailable(error)
            };
        };
        let constraint = db.constraint().unwrap_or_default().to_owned();
        match db.code().as_deref() {
            Some("23505") => Self::Duplicate { constraint },
            Some("23503") => Self::Dangling { constraint },
            Some(code) if is_transient_sqlstate(code) => Self::Unavailable(error),
            Some(_) | None => Self::Refused(error),
        }
    }
}

/// Classes of SQLSTATE that pass by themselves: 08 connection, 40 rollback by collision, 53 out of
/// resources, 55P03 lock not available, 57 stopped by an operator, 58 system errors.
fn is_transient_sqlstate(code: &str) -> bool {
    ["08", "40", "53", "57", "58"]
        .iter()
        .any(|class| code.starts_with(class))
        || code == "55P03"
}

/// The database as one service sees it. Cloning is cheap; the pool is shared.
#[derive(Debug, Clone)]
pub struct Database {
    connection: DatabaseConnection,
    roles: ServiceRoles,
}

impl Database {
    /// Opens a pool without connecting: a process starts and stays up while the database is away.
    ///
    /// # Errors
    /// [`DbError::Refused`] where the address cannot be read.
    pub fn open(settings: &DatabaseSettings, roles: ServiceRoles) -> Result<Self, DbError> {
        let options: sqlx::postgres::PgConnectOptions =
            settings.url.parse().map_err(|e: sqlx::Error| {
                DbError::Refused(DbErr::Conn(RuntimeErr::SqlxError(e.into())))
            })?;
        let pool = sqlx::postgres::PgPoolOptions::new()
            .max_connections(settings.connections)
            .acquire_timeout(Duration::from_secs(5))
            .idle_timeout(Duration::from_secs(300))
            .connect_lazy_with(options.application_name("gatehouse"));
        Ok(Self {
            connection: SqlxPostgresConnector::from_sqlx_postgres_pool(pool),
            roles,
        })
    }

    /// The same pool with the roles of another service, for a process that runs several.
    #[must_use]
    pub fn for_service(&self, roles: ServiceRoles) -> Self {
        Self {
            connection: self.connection.clone(),
            roles,
        }
    }

    /// The roles that transactions take.
    #[must_use]
    pub const fn roles(&self) -> ServiceRoles {
        self.roles
    }

    /// Begins a transaction that sees the scope's tenant and no other.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn tenant(&self, scope: &TenantScope) -> Result<TenantTx, DbError> {
        let tx = begin(&self.connection, self.roles.tenant, Some(scope.tenant())).await?;
        Ok(TenantTx {
            tx,
            scope: scope.clone(),
        })
    }

    /// Begins a transaction under the service's system role.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn system(&self) -> Result<SystemTx, DbError> {
        Ok(SystemTx {
            tx: begin(&self.connection, self.roles.system, None).await?,
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn ping(&self) -> Result<(), DbError> {
        Ok(self.connection.ping().await?)
    }

    /// A connection that hears NOTIFY. It reads no rows.
    ///
    /// # Errors
    /// [`DbError`].
    pub(crate) async fn listener(&self) -> Result<sqlx::postgres::PgListener, DbError> {
        sqlx::postgres::PgListener::connect_with(self.connection.get_postgres_connection_pool())
            .await
            .map_err(|e| DbError::from(DbErr::Conn(RuntimeErr::SqlxError(e.into()))))
    }
}

async fn begin(
    connection: &DatabaseConnection,
    role: &str,
    tenant: Option<TenantId>,
) -> Result<DatabaseTransaction, DbError> {
    let tx = connection.begin().await?;
    let tenant = tenant.map(|t| t.uuid().to_string()).unwrap_or_default();
    tx.execute_raw(Statement::from_sql_and_values(
        sea_orm::DbBackend::Postgres,
        "select set_config('role', $1, true), set_config('gatehouse.tenant_id', $2, true)",
        [role.into(), tenant.into()],
    ))
    .await?;
    Ok(tx)
}

/// A transaction within one tenant. Dropped without [`TenantTx::commit`], it leaves no trace.
#[derive(Debug)]
pub struct TenantTx {
    tx: DatabaseTransaction,
    scope: TenantScope,
}

impl TenantTx {
    /// The connection for queries.
    #[must_use]
    pub const fn conn(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// The tenant and the actor.
    #[must_use]
    pub const fn scope(&self) -> &TenantScope {
        &self.scope
    }

    /// The tenant's id as rows hold it.
    #[must_use]
    pub const fn tenant_uuid(&self) -> uuid::Uuid {
        self.scope.tenant().uuid()
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn commit(self) -> Result<(), DbError> {
        Ok(self.tx.commit().await?)
    }
}

/// A transaction of the platform itself, across tenants.
#[derive(Debug)]
pub struct SystemTx {
    tx: DatabaseTransaction,
}

impl SystemTx {
    /// The connection for queries.
    #[must_use]
    pub const fn conn(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// The scope of a tenant whose row this transaction has found.
    #[must_use]
    pub const fn scope(&self, tenant: TenantId, actor: Actor) -> TenantScope {
        TenantScope::new(tenant, actor)
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn commit(self) -> Result<(), DbError> {
        Ok(self.tx.commit().await?)
    }

    /// Makes everything visible now and durable a moment later: for state that a crash may take
    /// back without harm, because it is found out again (a command marked as sent).
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn commit_soon(self) -> Result<(), DbError> {
        self.tx
            .execute_unprepared("set local synchronous_commit = off")
            .await?;
        self.commit().await
    }
}

/// A statement with `$1` parameters.
#[must_use]
pub fn sql(text: &str, values: impl IntoIterator<Item = sea_orm::Value>) -> Statement {
    Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, text, values)
}

#[cfg(test)]
mod tests {
    use super::is_transient_sqlstate;

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        for code in [
            "08006", "40001", "40P01", "53300", "57P01", "57P03", "55P03", "58030",
        ] {
            assert!(is_transient_sqlstate(code), "{code}");
        }
        for code in ["23505", "22021", "42501", "42P01", "23514"] {
            assert!(!is_transient_sqlstate(code), "{code}");
        }
    }
}
