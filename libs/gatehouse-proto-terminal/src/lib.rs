//! gatehouse-proto-terminal
