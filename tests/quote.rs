//! Tests of the quote.
