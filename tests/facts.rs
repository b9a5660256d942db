//! Tests of what is read of model files: headers good, odd and hostile, and the tables of types.

mod build;
mod hostile;
mod locking;
mod pairs;
mod reading;
mod tables;
