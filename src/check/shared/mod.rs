//! Helpers that several checks use. No file here is a rule.

mod adapter_remedy;
pub(super) mod claims;
pub(super) mod faults;
mod field_line;
pub(super) mod free_ports;
pub(super) mod gateway_remedy;
mod gpu_remedy;
pub(super) mod inside;
pub(super) mod listening;
pub(super) mod mismatch;
pub(super) mod option_remedy;
pub(super) mod pod_mounts;
pub(super) mod pods;
pub(super) mod secrets;
mod speculation_remedy;
pub(super) mod sum;
mod window_remedy;
