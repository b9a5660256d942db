//! Imports of configurations of other tools.

mod compose;
mod llama_swap;
mod prefix;
mod presets;
mod quadlet;
mod running;
mod shell;
mod unit;
