//! A rule whose `except` excludes its only model.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::hir::{Head, Pattern, Text, glob_matches};
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A pair or ban for one model whose `except` matches that model.
    ///
    /// ## Why
    /// The rule matches nothing. A glob that matches no title is not reported: the rule can be kept for later models.
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
    pub(super) static EMPTY_RULE = 348, "empty-rule", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut check = |kind: &'static str, head: &Head, target: &Spanned<Pattern>, except: Option<&Text>| {
        let (Pattern::Model(id), Some(except)) = (&target.value, except) else { return };
        let title = &registry.models.get(*id).title;
        if !glob_matches(except, title) {
            return;
        }
        let message = format!(
            "{kind} {} matches nothing: its `except` excludes its only target {}",
            words::quoted(&head.name),
            words::quoted(title)
        );
        let finding = EMPTY_RULE
            .at(except.span, format!("matches {}", words::quoted(title)), message)
            .also(target.span, "the only target")
            .about((kind, &*head.name.value));
        findings.report(finding.help(format!("remove `except`, or remove the {kind}")));
    };
    for pair in registry.pairs.iter() {
        check("pair", &pair.head, &pair.target, pair.except.as_ref());
    }
    for ban in registry.bans.iter() {
        check("ban", &ban.head, &ban.target, ban.except.as_ref());
    }
}
