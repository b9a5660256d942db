//! Plan to artifacts: one file a target, one folder of templates each.

mod artifact;
pub mod quote;
pub mod template;

pub use artifact::{Artifact, ArtifactPath, ArtifactSet, RenderError};
