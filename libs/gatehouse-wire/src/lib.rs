//! gatehouse-wire
