//! The template environment: strict, quoting by the kind of file. The one file that knows minijinja.
