//! Entities of the schema `hub`, a module per table, in the order of the migration.

/// What is known of a terminal from its sessions.
pub mod terminals {
    use sea_orm::entity::prelude::*;

    /// A row of `hub.terminals`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "hub", table_name = "terminals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub device_id: Uuid,
        pub connected_at: Option<DateTimeUtc>,
        pub disconnected_at: Option<DateTimeUtc>,
        pub last_seen_at: Option<DateTimeUtc>,
        #[sea_orm(column_type = "Text")]
        pub close_reason: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub remote_address: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub node: Option<String>,
        pub session: Option<i64>,
        #[sea_orm(column_type = "Text")]
        pub protocol_version: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub hardware_version: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub software_version: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub algorithm_version: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub sign_verdict: Option<String>,
        pub clock_offset_ms: Option<i64>,
        pub clock_measured_at: Option<DateTimeUtc>,
        pub longitude: Option<f64>,
        pub latitude: Option<f64>,
        pub unknown_messages: i64,
        pub malformed_messages: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A serial number that knocked and is not claimed.
pub mod discovered_devices {
    use sea_orm::entity::prelude::*;

    /// A row of `hub.discovered_devices`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "hub", table_name = "discovered_devices")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub sn: String,
        #[sea_orm(column_type = "Text")]
        pub protocol: String,
        pub first_seen_at: DateTimeUtc,
        pub last_seen_at: DateTimeUtc,
        pub attempts: i64,
        #[sea_orm(column_type = "Text")]
        pub remote_address: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub hardware_version: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub software_version: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub algorithm_version: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What a terminal saw.
pub mod records {
    use sea_orm::entity::prelude::*;

    /// A row of `hub.records`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "hub", table_name = "records")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub device_id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub message_id: String,
        #[sea_orm(column_type = "Text")]
        pub device_time: String,
        pub passed_at: DateTimeUtc,
        pub device_passed_at: Option<DateTimeUtc>,
        pub clock_offset_ms: Option<i64>,
        #[sea_orm(column_type = "Text")]
        pub clock_verdict: String,
        pub received_at: DateTimeUtc,
        pub person_id: Option<Uuid>,
        #[sea_orm(column_type = "Text")]
        pub person_number: String,
        #[sea_orm(column_type = "Text")]
        pub person_name: String,
        #[sea_orm(column_type = "Text", column_name = "type")]
        pub r#type: String,
        #[sea_orm(column_type = "Text")]
        pub result: String,
        #[sea_orm(column_type = "Text")]
        pub verification: String,
        #[sea_orm(column_type = "Text")]
        pub passage: String,
        pub temperature_celsius: Option<f32>,
        #[sea_orm(column_type = "Text")]
        pub temperature_verdict: String,
        #[sea_orm(column_type = "Text")]
        pub mask: String,
        pub match_score: Option<f32>,
        #[sea_orm(column_type = "Text")]
        pub card_number: Option<String>,
        pub longitude: Option<f64>,
        pub latitude: Option<f64>,
        #[sea_orm(column_type = "Text")]
        pub snapshot_key: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub compare_key: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub photo_fault: Option<String>,
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub id_document_sealed: Option<Vec<u8>>,
        #[sea_orm(column_type = "Text")]
        pub door_answer: String,
        #[sea_orm(column_type = "Text")]
        pub door_reason: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub raw: Json,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// An upload that could never be stored, as it came.
pub mod rejected_uploads {
    use sea_orm::entity::prelude::*;

    /// A row of `hub.rejected_uploads`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "hub", table_name = "rejected_uploads")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub device_id: Uuid,
        pub received_at: DateTimeUtc,
        #[sea_orm(column_type = "Text")]
        pub message_id: String,
        #[sea_orm(column_type = "Text")]
        pub reason: String,
        #[sea_orm(column_type = "Text")]
        pub raw: String,
        #[sea_orm(column_type = "Text")]
        pub person_number: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Something a terminal was asked to do.
pub mod commands {
    use sea_orm::entity::prelude::*;

    /// A row of `hub.commands`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "hub", table_name = "commands")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub device_id: Uuid,
        #[sea_orm(column_type = "Text", column_name = "type")]
        pub r#type: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub parameters: Json,
        #[sea_orm(column_type = "Text")]
        pub state: String,
        pub urgency: i16,
        #[sea_orm(column_type = "Text")]
        pub origin: String,
        pub created_at: DateTimeUtc,
        pub expires_at: DateTimeUtc,
        pub sent_at: Option<DateTimeUtc>,
        pub session: Option<i64>,
        pub heard_at: Option<DateTimeUtc>,
        pub finished_at: Option<DateTimeUtc>,
        #[sea_orm(column_type = "JsonBinary")]
        pub progress: Option<Json>,
        #[sea_orm(column_type = "JsonBinary")]
        pub result: Option<Json>,
        #[sea_orm(column_type = "Text")]
        pub photo_key: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub error_code: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub error_detail: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A person that a terminal told in answer to `list_persons`.
pub mod command_persons {
    use sea_orm::entity::prelude::*;

    /// A row of `hub.command_persons`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "hub", table_name = "command_persons")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub command_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub index: i64,
        #[sea_orm(column_type = "JsonBinary")]
        pub person: Json,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Desired and reported parameters of a terminal.
pub mod parameters {
    use sea_orm::entity::prelude::*;

    /// A row of `hub.parameters`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "hub", table_name = "parameters")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub device_id: Uuid,
        #[sea_orm(column_type = "JsonBinary")]
        pub desired: Json,
        pub desired_version: i64,
        pub desired_at: Option<DateTimeUtc>,
        #[sea_orm(column_type = "JsonBinary")]
        pub reported: Option<Json>,
        pub reported_version: i64,
        pub reported_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A firmware file.
pub mod firmware {
    use sea_orm::entity::prelude::*;

    /// A row of `hub.firmware`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "hub", table_name = "firmware")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        #[sea_orm(column_type = "Text")]
        pub version: String,
        #[sea_orm(column_type = "Text")]
        pub update_type: String,
        pub size_bytes: i64,
        #[sea_orm(column_type = "VarBinary(StringLen::None)")]
        pub sha256: Vec<u8>,
        #[sea_orm(column_type = "Text")]
        pub object_key: String,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A message of a type we do not know.
pub mod unknown_messages {
    use sea_orm::entity::prelude::*;

    /// A row of `hub.unknown_messages`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "hub", table_name = "unknown_messages")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub device_id: Uuid,
        pub received_at: DateTimeUtc,
        #[sea_orm(column_type = "Text")]
        pub message_type: String,
        #[sea_orm(column_type = "Text")]
        pub body: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody who must not enter was recognised.
pub mod alarms {
    use sea_orm::entity::prelude::*;

    /// A row of `hub.alarms`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "hub", table_name = "alarms")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub kind: String,
        pub record_id: Uuid,
        pub device_id: Uuid,
        pub person_id: Option<Uuid>,
        pub raised_at: DateTimeUtc,
        pub acknowledged_at: Option<DateTimeUtc>,
        #[sea_orm(column_type = "Text")]
        pub acknowledged_by: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub note: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
