//! Entities of the people in the schema `directory`, a module per table that is written whole; rows
//! of the others are reached by statements.

/// Somebody who may pass, or may not.
pub mod persons {
    use sea_orm::entity::prelude::*;

    /// A row of `directory.persons`; the columns are described in the migration.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(schema_name = "directory", table_name = "persons")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub number: i64,
        #[sea_orm(column_name = "type", column_type = "Text")]
        pub kind: String,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        #[sea_orm(column_type = "Text")]
        pub code: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub gender: String,
        pub birthday_on: Option<Date>,
        #[sea_orm(column_type = "Text")]
        pub phone_area_code: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub phone: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub email: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub position: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub work_place: Option<String>,
        pub entry_on: Option<Date>,
        pub department_id: Option<Uuid>,
        pub id_document_sealed: Option<Vec<u8>>,
        pub id_document_digest: Option<Vec<u8>>,
        #[sea_orm(column_type = "Text")]
        pub id_document_hint: Option<String>,
        pub pin_sealed: Option<Vec<u8>>,
        #[sea_orm(column_type = "Text")]
        pub remark: String,
        #[sea_orm(column_type = "Text")]
        pub priority: String,
        pub valid_from: Option<DateTimeUtc>,
        pub valid_to: Option<DateTimeUtc>,
        #[sea_orm(column_type = "Text")]
        pub welcome_text: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub display_text: Option<String>,
        #[sea_orm(column_type = "JsonBinary")]
        pub attributes: Json,
        pub disabled_at: Option<DateTimeUtc>,
        pub photo_count: i16,
        pub terminal_hash: Vec<u8>,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
