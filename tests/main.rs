//! All tests, in one binary: one link, one place for helpers.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets what it did not expect has failed"
)]

mod checks;
mod cli;
mod documents;
mod emit;
mod engine;
mod facts;
mod fix;
mod fuzz;
mod hooks;
mod kdl;
mod language;
mod outside;
mod own;
mod pages;
mod probe;
mod quote;
mod readme;
mod report;
mod schema;
mod scripts;
mod served;
mod support;
mod systemd;
mod tidy;
mod tools;
mod upgrade;
mod yaml;
