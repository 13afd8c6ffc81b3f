//! gatehouse-sync
