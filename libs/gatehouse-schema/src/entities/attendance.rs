//! Entities of the schema `attendance`, a module per table, in the order of the migration.

/// A record as attendance counts it.
pub mod punches {
    use sea_orm::entity::prelude::*;

    /// A row of `attendance.punches`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "attendance", table_name = "punches")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub record_id: Uuid,
        pub device_id: Uuid,
        pub person_id: Option<Uuid>,
        #[sea_orm(column_type = "Text")]
        pub person_number: String,
        pub passed_at: DateTimeUtc,
        pub received_at: DateTimeUtc,
        #[sea_orm(column_type = "Text")]
        pub passage: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
