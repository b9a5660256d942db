//! What one engine build accepts and does with a model: profiles, spellings, metadata keys, architectures.
