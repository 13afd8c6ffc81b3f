//! gatehouse-directory
