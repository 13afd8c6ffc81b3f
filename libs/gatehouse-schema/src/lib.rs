//! gatehouse-schema
