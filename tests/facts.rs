//! Tests of facts from model files: valid, unusual and hostile headers, the lock, and the tables of types.

pub(crate) mod build;
mod hostile;
mod hosts;
mod locking;
mod next_step;
mod pairs;
mod reading;
mod tables;
