//! Artifacts to disk: what would change, and making it so, all or nothing.

pub mod codes;
