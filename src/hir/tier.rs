//! A tier: a heading under which the documents list roles.

use super::{Shape, Text};

declare! {
    /// A heading under which the documents list roles.
    pub item Tier {
        /// The heading in the documents.
        title: Text = required("title", Shape::Text).example("Assistants"),
    }
}
