//! The formats that findings are shown in. `human.rs` alone knows the library that draws.

mod closing;
pub mod concise;
mod excerpt;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
mod narrated;
pub mod page;
mod place;
mod plain;
mod run;
pub mod sarif;
mod style;
mod window;

pub use run::Run;
pub use style::Style;
