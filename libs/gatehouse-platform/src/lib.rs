//! gatehouse-platform
