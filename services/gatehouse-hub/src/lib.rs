//! gatehouse-hub
