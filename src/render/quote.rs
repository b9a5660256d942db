//! Quoting for each language that a value lands in: one function a language.
