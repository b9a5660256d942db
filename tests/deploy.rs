//! Bringing output to a host: plans, the state machine of `apply` with a model of a service manager, and their formats.

mod apply;
mod model;
mod order;
mod plan;
mod status;
