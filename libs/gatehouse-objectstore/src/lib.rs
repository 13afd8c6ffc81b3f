//! gatehouse-objectstore
