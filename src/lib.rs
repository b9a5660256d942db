//! orchgen compiles a declarative registry of language models into everything that serves them.
//!
//! ```text
//! text --load,parse--> Document --lower--> Registry --check--> Checked --plan--> Plan --render--> ArtifactSet --emit--> disk
//! ```
//!
//! Each arrow is a function in its own room and changes the type. Findings go to one sink and work goes on, so one run
//! reports everything.
//!
//! - **Invariant:** a room imports only what `tests/tidy.rs` lists for it; arrows go down the list of rooms.
//! - **Invariant:** only [`source`] reads and only [`emit`] writes; everything between is a function of text.
//! - **Invariant:** [`check::Checked`] is the one gate. After it nothing the user wrote can be wrong, and planning cannot fail.
//! - **Invariant:** nothing of the time, the machine, the folder or the environment reaches what is rendered.
//! - **Invariant:** one process has one argv, in [`plan`]; every target is a projection of it.
//! - **Invariant:** a foreign crate with an opinion is known to one file.

#[macro_use]
pub mod diag;
pub mod catalogue;
pub mod check;
pub mod cli;
pub mod compile;
pub mod emit;
pub mod engine;
pub mod facts;
pub mod hir;
pub mod plan;
pub mod render;
pub mod source;
pub mod syntax;
