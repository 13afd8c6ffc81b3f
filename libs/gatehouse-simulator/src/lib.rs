//! gatehouse-simulator
