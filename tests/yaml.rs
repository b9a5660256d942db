//! Tests of the yaml.
