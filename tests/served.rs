//! What is made, served for real: the units on a booted systemd, the scripts and wrappers, with a llama.cpp that loads models.
//!
//! They need root and the rig, which `.ci/test` makes; where it cannot be had they say so in a line, and fail only if
//! `ORCHGEN_RIG=required`. Each prints what it reached and when.

mod faults;
mod hardening;
mod hot;
mod memory;
mod rig;
mod scripts;
mod warm;

const STACK: &str = include_str!("served/stack.kdl");
