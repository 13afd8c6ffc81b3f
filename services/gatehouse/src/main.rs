//! Gatehouse
fn main() {}
