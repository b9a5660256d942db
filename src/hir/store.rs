//! A store: a folder of model files.

use super::{Bytes, Shape, Text};
use crate::source::Spanned;

declare! {
    /// A folder of model files.
    pub item Store {
        /// The folder: an absolute path.
        path: Text = required("path", Shape::Path),
        /// Display name of the store.
        title: Option<Text> = optional("title", Shape::Text).example("Model files"),
        /// The read speed of the disk, such as `2 GB/s`. It determines the start timeout of the services.
        speed: Option<Spanned<Bytes>> = optional("speed", Shape::ByteRate),
        /// The `PersistentVolumeClaim` that has the folder in Kubernetes, such as `models`; default: the folder of the node.
        claim: Option<Text> = optional("claim", Shape::ObjectName),
    }
}
