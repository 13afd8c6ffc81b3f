//! Integration tests against the real binary and real Postgres, RabbitMQ, Redis and S3: one test
//! binary, a module per subject, a fresh tenant per test.

mod architecture;
mod catalogue;
mod goldens;
