//! A pair or ban that is declared twice.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::hir::{Head, Pattern, Text};
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

/// The properties that identify a rule.
type Key<'r> = (&'static str, &'r Pattern, Option<&'r Pattern>, Option<&'r str>);

/// The fields of a pair or a ban that this check compares.
struct PairOrBan<'r> {
    kind: &'static str,
    head: &'r Head,
    target: &'r Spanned<Pattern>,
    draft: Option<&'r Spanned<Pattern>>,
    except: Option<&'r Text>,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let pairs = registry.pairs.iter().map(|pair| PairOrBan {
        kind: "pair",
        head: &pair.head,
        target: &pair.target,
        draft: pair.draft.as_ref(),
        except: pair.except.as_ref(),
    });
    let bans = registry.bans.iter().map(|ban| PairOrBan {
        kind: "ban",
        head: &ban.head,
        target: &ban.target,
        draft: Some(&ban.draft),
        except: ban.except.as_ref(),
    });
    let mut first: BTreeMap<Key, Span> = BTreeMap::new();
    for rule in pairs.chain(bans) {
        let draft = rule.draft.map(|draft| &draft.value);
        let except = rule.except.map(|except| &*except.value);
        let earlier =
            *first.entry((rule.kind, &rule.target.value, draft, except)).or_insert(rule.target.span);
        if earlier == rule.target.span {
            continue;
        }
        let message = format!("{} {} is declared twice", rule.kind, words::quoted(&rule.head.name));
        let finding = REPEATED_RULE
            .at(rule.target.span, "declared again", message)
            .also(earlier, "first declared here")
            .about((rule.kind, &*rule.head.name.value));
        findings.report(finding.help("remove one of them, and keep the valid values in the other"));
    }
}
