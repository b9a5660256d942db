//! A residency: a load policy with a memory budget.

use super::{Bytes, Seconds, Shape, Text};
use crate::source::Spanned;

declare! {
    /// A load policy: when models are loaded, and how much memory they may use together.
    pub item Residency {
        /// Display name of the residency; default: its name.
        title: Text = optional("title", Shape::Text).example("always in memory"),
        /// The maximum memory of all roles of the residency on one host, such as `640 GB`.
        budget: Option<Spanned<Bytes>> = optional("budget", Shape::Size),
        /// When the roles start: at `boot`, or `on-demand` at the first request.
        start: Spanned<Start> = required("start", Shape::Word(Start::WORDS)),
        /// The time without a connection after which a model is unloaded (only with `on-demand`).
        idle: Option<Spanned<Seconds>> = optional("idle", Shape::Duration),
        /// The number of roles that may run at the same time; default: all.
        at_once: Option<Spanned<u32>> =
            optional("at-once", Shape::Count(1, 1_000_000)).example("2").unit("roles"),
    }
}

impl Residency {
    /// True for `hot` and `warm` of a registry that declares no residency.
    pub fn is_implied(&self) -> bool {
        self.head.span.start == self.head.span.end
    }
}

declare_words! {
    /// The event that starts a role.
    pub enum Start {
        /// The boot of the host.
        Boot = "boot",
        /// The first request.
        OnDemand = "on-demand",
    }
}
