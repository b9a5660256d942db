//! A rule that leaves out the one model it is for.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Head, Pattern, Registry, Text, glob_matches};
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A pair or a ban of one model whose `except` leaves out that model.
    ///
    /// ## Why
    /// It is for nothing at all, and reads as if it were for something. A glob that matches no title is no finding: rules
    /// outlive models.
    ///
    /// ## Example
    /// ```kdl
    /// ban target="plain" draft="*" except="Plain-*" failure="vocabulary differs"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// ban target="qwen2" draft="*" except="Plain-*" failure="vocabulary differs"
    /// ```
    static EMPTY_RULE = 348, "empty-rule", Warning;
}

pub(super) static CHECK: Check = Check { code: &EMPTY_RULE, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let mut look = |kind: &'static str, head: &Head, target: &Spanned<Pattern>, except: Option<&Text>| {
        let (Pattern::Model(id), Some(except)) = (&target.value, except) else { return };
        let title = &registry.models.get(*id).title;
        if !glob_matches(except, title) {
            return;
        }
        let message =
            format!("a {kind} is for {} alone, and its `except` leaves that out", words::quoted(title));
        let finding = EMPTY_RULE
            .at(except.span, format!("matches {}", words::quoted(title)), message)
            .also(target.span, "for this model")
            .about(kind, &*head.name.value);
        findings.report(finding.help(format!("remove `except`, or the {kind}")));
    };
    for pair in registry.pairs.iter() {
        look("pair", &pair.head, &pair.target, pair.except.as_ref());
    }
    for ban in registry.bans.iter() {
        look("ban", &ban.head, &ban.target, ban.except.as_ref());
    }
}
