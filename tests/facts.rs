//! Tests of what is read of model files: headers good, odd and hostile, and the tables of types.

mod build;
mod hostile;
mod reading;
mod tables;
