//! All tests, in one binary: one link, one place for helpers.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets what it did not expect has failed"
)]

mod emit;
mod engine;
mod kdl;
mod outside;
mod pages;
mod quote;
mod report;
mod support;
mod systemd;
mod tidy;
mod yaml;
