//! Entities of the schema `directory`, a module per table, in the order of the migration.

/// An organisation.
pub mod tenants {
    use sea_orm::entity::prelude::*;

    /// A row of `directory.tenants`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "directory", table_name = "tenants")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        pub number: i64,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        #[sea_orm(column_type = "Text")]
        pub timezone: String,
        pub disabled_at: Option<DateTimeUtc>,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody who signs in to the console.
pub mod users {
    use sea_orm::entity::prelude::*;

    /// A row of `directory.users`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "directory", table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub email: String,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        #[sea_orm(column_type = "Text")]
        pub role: String,
        #[sea_orm(column_type = "Text")]
        pub password_hash: String,
        pub disabled_at: Option<DateTimeUtc>,
        pub last_login_at: Option<DateTimeUtc>,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One issued refresh token.
pub mod refresh_tokens {
    use sea_orm::entity::prelude::*;

    /// A row of `directory.refresh_tokens`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "directory", table_name = "refresh_tokens")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub user_id: Uuid,
        pub family: Uuid,
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub token_hash: Vec<u8>,
        pub created_at: DateTimeUtc,
        pub expires_at: DateTimeUtc,
        pub used_at: Option<DateTimeUtc>,
        pub revoked_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A key of a program.
pub mod api_keys {
    use sea_orm::entity::prelude::*;

    /// A row of `directory.api_keys`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "directory", table_name = "api_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub secret_hash: Vec<u8>,
        #[sea_orm(column_type = "Text")]
        pub hint: String,
        pub scopes: Vec<String>,
        pub allowed_addresses: Vec<String>,
        pub expires_at: Option<DateTimeUtc>,
        pub disabled_at: Option<DateTimeUtc>,
        pub last_used_at: Option<DateTimeUtc>,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// The secret part of a terminal URL.
pub mod terminal_tokens {
    use sea_orm::entity::prelude::*;

    /// A row of `directory.terminal_tokens`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "directory", table_name = "terminal_tokens")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub token_hash: Vec<u8>,
        #[sea_orm(column_type = "Text")]
        pub hint: String,
        pub expires_at: Option<DateTimeUtc>,
        pub revoked_at: Option<DateTimeUtc>,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A vendor facade's key.
pub mod facade_credentials {
    use sea_orm::entity::prelude::*;

    /// A row of `directory.facade_credentials`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "directory", table_name = "facade_credentials")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub vendor: String,
        #[sea_orm(column_type = "Text")]
        pub key_id: String,
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub secret_sealed: Vec<u8>,
        pub disabled_at: Option<DateTimeUtc>,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A terminal that a tenant has claimed.
pub mod devices {
    use sea_orm::entity::prelude::*;

    /// A row of `directory.devices`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "directory", table_name = "devices")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub number: i64,
        #[sea_orm(column_type = "Text")]
        pub sn: String,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        #[sea_orm(column_type = "Text")]
        pub protocol: String,
        #[sea_orm(column_type = "Text")]
        pub location: String,
        #[sea_orm(column_type = "Text")]
        pub direction: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub timezone: String,
        #[sea_orm(column_type = "Text")]
        pub sign_check: String,
        #[sea_orm(column_type = "Text")]
        pub door_decision: String,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub version: i64,
        pub person_capacity: Option<i32>,
        #[sea_orm(column_type = "Float", nullable)]
        pub deny_above_celsius: Option<f32>,
        pub deny_without_mask: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A serial number bound to a tenant by the operator.
pub mod terminal_bindings {
    use sea_orm::entity::prelude::*;

    /// A row of `directory.terminal_bindings`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "directory", table_name = "terminal_bindings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
        pub sn: String,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Who changed what.
pub mod audit_entries {
    use sea_orm::entity::prelude::*;

    /// A row of `directory.audit_entries`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "directory", table_name = "audit_entries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub at: DateTimeUtc,
        #[sea_orm(column_type = "Text")]
        pub actor_kind: String,
        #[sea_orm(column_type = "Text")]
        pub actor_id: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub action: String,
        #[sea_orm(column_type = "Text")]
        pub subject_kind: String,
        #[sea_orm(column_type = "Text")]
        pub subject_id: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub detail: Json,
        #[sea_orm(column_type = "Text")]
        pub request_id: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
