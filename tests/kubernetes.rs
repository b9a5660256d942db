//! The target `kubernetes`.

mod findings;
