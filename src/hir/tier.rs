//! A tier: a heading under which the documents list roles.

use super::{Shape, Text};

declare! {
    /// A heading under which the documents list roles.
    pub item Tier {
        /// The heading in the documents; default: the name of the tier.
        title: Text = optional("title", Shape::Text).example("Assistants"),
    }
}
