//! Tests of the kdl.
