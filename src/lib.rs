//! orchgen compiles a declarative registry of language models into everything that serves them.
//!
//! ```text
//! text --load,parse--> Document --lower--> Registry --check--> Checked --plan--> Plan --render--> ArtifactSet --emit--> disk
//! ```
//!
//! Each arrow is a function in its own room and changes the type. Findings go to one sink and work goes on, so one run
//! reports everything.

#[macro_use]
pub mod diag;
pub mod emit;
pub mod engine;
pub mod hir;
pub mod render;
pub mod source;
pub mod syntax;
