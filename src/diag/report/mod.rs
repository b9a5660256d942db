//! The formats that findings are shown in. `human.rs` alone knows the library that draws.

pub mod human;
pub mod json;
