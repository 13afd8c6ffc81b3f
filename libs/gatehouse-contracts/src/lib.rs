//! gatehouse-contracts
