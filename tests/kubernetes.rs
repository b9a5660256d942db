//! The target `kubernetes`: its findings, the same stack as units and as manifests, and external checkers.

mod comparison;
mod findings;
pub(crate) mod own;
mod pods;
mod tools;
