//! Imports of configurations of other tools.

mod bounds;
mod cases;
mod command_line;
mod comparison;
mod comparison_faults;
mod compose;
mod emitted;
mod every_option;
mod expectation;
mod large;
mod library;
mod llama_swap;
mod options;
mod permitted;
mod prefix;
mod presets;
mod quadlet;
mod raised;
mod round_trips;
mod running;
mod shell;
mod snapshots;
mod unit;
mod workspace;
