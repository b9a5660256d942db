//! The formats that findings are shown in. `human.rs` alone knows the library that draws.

mod closing;
mod excerpt;
pub mod human;
pub mod json;
mod narrated;
pub mod page;
mod place;
mod plain;
mod style;
mod window;

pub use style::Style;
