//! The fields of a served role that few roles have.

use super::shape::Shape;
use super::{Serving, Text};
use crate::source::Spanned;

/// The fields of a served role that few roles have.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RareFields {
    /// Further names at the API, next to the role's name and those of the roles that share it.
    pub aliases: Vec<Text>,
    /// A file with the chat template.
    pub template: Option<Text>,
    /// The adapters (`LoRA`).
    pub adapters: Vec<Adapter>,
    /// True if `prompt-cache` or `checkpoints` could not be read (already reported).
    pub has_unread_caches: bool,
}

declare! {
    /// An adapter of a role.
    pub block Adapter = with_principal("file") {
        /// The adapter: the absolute path of a GGUF file.
        file: Text = required("file", Shape::Path).example("/srv/models/adapter.gguf"),
        /// The scale of the adapter, -100 to 100; default 1. With 0 it is loaded, and clients can turn it on.
        scale: Option<Spanned<f64>> = optional("scale", Shape::Scale).example("0.5"),
    }
}

impl Serving {
    /// The further names at the API.
    pub fn aliases(&self) -> &[Text] {
        self.rare.as_ref().map_or(&[], |rare| &rare.aliases)
    }

    /// The file with the chat template.
    pub fn template(&self) -> Option<&Text> {
        self.rare.as_ref()?.template.as_ref()
    }

    /// The adapters (`LoRA`).
    pub fn adapters(&self) -> &[Adapter] {
        self.rare.as_ref().map_or(&[], |rare| &rare.adapters)
    }
}
