//! All tests in one binary, so that cargo links only once and the tests share helpers.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic fails the test, as it should"
)]

mod add;
mod browser;
mod careless;
mod checks;
mod cli;
mod containers;
mod deploy;
mod derive;
mod documents;
mod emit;
mod engine;
mod facts;
mod fetch;
mod first_drafts;
mod fix;
mod format;
mod fuzz;
mod guide;
mod hooks;
mod import;
mod init;
mod kdl;
mod kubernetes;
mod language;
mod llama_swap;
mod manifests;
mod memory_options;
mod outside;
mod own;
mod pages;
mod probe;
mod prometheus;
mod quote;
mod readme;
mod reference;
mod registries;
mod release;
mod remedies;
mod report;
mod report_page;
mod schema;
mod scripts;
mod served;
mod shapes;
mod support;
mod systemd;
mod targets;
mod tidy;
mod upgrade;
mod words;
mod yaml;
