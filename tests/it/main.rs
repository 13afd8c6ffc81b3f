//! Integration tests against the real binary and real Postgres, RabbitMQ, Redis and S3: one test
//! binary, a module per subject, a fresh tenant per test.

mod access;
mod accounts;
mod architecture;
mod bad_input;
mod catalogue;
mod commands;
mod convergence;
mod deliveries;
mod distribution_planning;
mod erasure;
mod faults;
mod goldens;
mod groups;
mod help;
mod house_rules;
mod images;
mod ingress;
mod isolation;
mod jobs;
mod journey;
mod manifests;
mod openapi;
mod people;
mod push;
mod readback;
mod readme;
mod repository;
mod strangers;
mod terminal_day;
mod workloads;
