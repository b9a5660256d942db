//! orchgen compiles a registry of language models into the files that serve and document them.
//!
//! ```text
//! text --load,parse--> Document --lower--> Registry --derive--> Derived --check--> Checked --plan--> Plan --render--> ArtifactSet --emit--> disk
//!
//! GGUF headers -- facts --> registry.lock ----------------^
//! help of llama.cpp -- engine --> profile JSON -----------^
//! ```
//!
//! A room is a folder of `src`. Each arrow is a function of one room. All findings go to one sink, and the work continues
//! after a finding, so one run reports everything.
//!
//! ```text
//! room       imports                                what it does
//! source                                            reads files, knows positions in text
//! diag       source                                 findings, codes, reports in every format
//! syntax     source diag                            parses YAML and KDL, recovers after errors, edits and formats text
//! facts      source diag                            reads GGUF headers, reads and writes registry.lock
//! hir        source diag                            the typed registry, its tables of fields, its JSON Schema
//! hir/lower  source diag syntax hir                 turns documents into the registry, resolves names
//! engine     facts                                  engine builds: profiles, command lines, draft verdicts, memory
//! derive     source diag hir facts engine           what follows from registry, lock and profiles
//! check      source diag hir facts engine derive    one file for each rule or group of rules
//! plan       hir engine derive check                what to generate, with one command line for each process
//! render     plan                                   one file for each target, with its templates
//! emit       diag render                            compares and writes out/, all or nothing
//! import     source diag syntax engine              reads configurations of other tools, makes a registry of them
//! deploy     source render                          compares out/ with a host, installs it, rolls back, reports the state
//! ```
//!
//! Above the rooms are `compile` (the pipeline), `catalogue` (the list of all codes) and `cli`. They may import every room.
//!
//! - **Invariant:** a room imports only what the table lists. `tests/tidy.rs` compares the table with the imports.
//! - **Invariant:** only [`source`], [`facts`] and [`deploy`] read files, and only [`emit`] and [`deploy`] write files. Everything between is a
//!   pure function.
//! - **Invariant:** [`check::Checked`] is the only gate. After it the input has no errors, and planning cannot fail.
//! - **Invariant:** the output depends only on the input: not on the time, the machine, the folder or the environment.
//! - **Invariant:** [`mod@derive`] computes each command line once. Checks, the plan and all targets use it.
//! - **Invariant:** one file wraps each external crate that could be replaced (`tests/tidy.rs` lists them).

#[macro_use]
pub mod diag;
pub mod catalogue;
pub mod check;
pub mod cli;
pub mod compile;
pub mod deploy;
pub mod derive;
pub mod emit;
pub mod engine;
pub mod facts;
pub mod hir;
pub mod import;
pub mod plan;
pub mod render;
pub mod source;
pub mod syntax;
