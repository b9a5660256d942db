//! Pairs and bans that are declared twice, or that match nothing.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, words};
use crate::hir::{Head, Pattern, Text, glob_matches};
use crate::source::{Span, Spanned};
use std::collections::BTreeMap;

declare_code! {
    /// ## What it finds
    /// A pair or a ban with the same target, draft and exception as an earlier one.
    ///
    /// ## Why
    /// The documents print both, but only one of their numbers, failures or notes can be valid.
    ///
    /// ## Example
    /// ```yaml
    /// pairs:
    ///   - {target: plain, draft: tiny, max: 16}
    ///   - {target: plain, draft: tiny, max: 24}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// pairs:
    ///   - {target: plain, draft: tiny, max: 24}
    /// ```
    pub(super) static REPEATED_RULE = 347, "repeated-rule", Warning;
}

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

/// The properties that identify a rule.
type Key<'r> = (&'static str, &'r Pattern, Option<&'r Pattern>, Option<&'r str>);

/// The fields that pairs and bans have in common.
struct PairOrBan<'r> {
    head: &'r Head,
    target: &'r Spanned<Pattern>,
    draft: Option<&'r Pattern>,
    except: Option<&'r Text>,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let pairs = registry.pairs.iter().map(|pair| PairOrBan {
        head: &pair.head,
        target: &pair.target,
        draft: pair.draft.as_ref().map(|draft| &draft.value),
        except: pair.except.as_ref(),
    });
    let bans = registry.bans.iter().map(|ban| PairOrBan {
        head: &ban.head,
        target: &ban.target,
        draft: Some(&ban.draft.value),
        except: ban.except.as_ref(),
    });
    let mut first: BTreeMap<Key, Span> = BTreeMap::new();
    for PairOrBan { head, target, draft, except } in pairs.chain(bans) {
        let key = (head.kind, &target.value, draft, except.map(|except| &*except.value));
        let earlier = *first.entry(key).or_insert(target.span);
        if earlier != target.span {
            let finding = REPEATED_RULE
                .at(target.span, "declared again", format!("{head} is declared twice"))
                .also(earlier, "first declared here")
                .about(head);
            findings.report(finding.remedy(format!("remove one {}", head.kind), Change::remove(head.span)));
        }
        let (Pattern::Model(id), Some(except)) = (&target.value, except) else { continue };
        let title = &registry.models.get(*id).title;
        if glob_matches(except, title) {
            let title = words::quoted(title);
            let message = format!("{head} matches nothing: its `except` excludes its only target {title}");
            let finding = EMPTY_RULE
                .at(except.span, format!("matches {title}"), message)
                .also(target.span, "the only target")
                .about(head);
            findings.report(
                finding
                    .remove(except.span)
                    .remedy(format!("or remove the {}", head.kind), Change::remove(head.span)),
            );
        }
    }
}
