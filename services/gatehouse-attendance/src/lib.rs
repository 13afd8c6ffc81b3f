//! gatehouse-attendance
