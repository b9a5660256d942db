//! Tests of the generated units, scripts and wrappers with a booted systemd and a real llama-server.
//!
//! They need root and the rig (`bash tests/rig create`). Each test prints its steps with the time of each.

mod containers;
mod deploy;
mod devices;
mod faults;
mod files;
mod first_steps;
mod fleet;
mod gpu;
mod guide;
mod hardening;
mod hot;
mod import;
mod memory;
mod minimal;
mod preset;
mod program;
pub(crate) mod rig;
mod router;
mod scripts;
mod speculation;
mod status;
mod user;
mod warm;
mod window;

pub(crate) use guide::PAGES as GUIDE_PAGES;

const STACK: &str = include_str!("served/stack.kdl");
