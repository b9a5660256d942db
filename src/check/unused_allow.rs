//! What items allow: warnings that are silenced with a reason, and allowances that silence nothing.

use super::{Check, codes};
use crate::diag::{
    Change, Code, Diagnostic, Diagnostics, Near, ProposedFix, Safety, Severity, Silence, near, words,
};
use crate::hir::{Allow, Head, Registry, codes as shape};
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// An `allow` that silences nothing: there is no such warning on its item, no such code, or the code is an error.
    ///
    /// ## Why
    /// An allowance that outlives its warning would silence the next one unseen. Errors cannot be allowed: what they find would not
    /// start, or not do what the registry says. Nothing is said of it while part of the registry cannot be read, or while the code
    /// is left out with `--ignore`.
    ///
    /// ## Example
    /// ```kdl
    /// family "odd" arch="qwen3moe" {
    ///     allow "unknown-architecture" because="a build of our own"
    /// }
    /// ban target="odd" draft="*" failure="it stutters"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "odd" arch="our-own-arch" {
    ///     allow "unknown-architecture" because="a build of our own"
    /// }
    /// ban target="odd" draft="*" failure="it stutters"
    /// ```
    static UNUSED_ALLOW = 322, "unused-allow", Warning;
}

pub(super) static CHECK: Check = Check { code: &UNUSED_ALLOW, run };

/// Nothing can be said before everything else was: [`silence`] does it.
fn run(_: &Registry, _: &mut Diagnostics) {}

/// Takes the warnings that their items allow out of what counts, and says the allowances that are of no use.
pub(super) fn silence(registry: &Registry, findings: &mut Diagnostics) {
    let all: Vec<(&'static str, &Head, &Allow)> = (registry.heads())
        .flat_map(|(kind, head)| head.allow.iter().map(move |allow| (kind, head, allow)))
        .collect();
    let mut by_item: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (at, (kind, head, _)) in all.iter().enumerate() {
        by_item.entry((kind, &head.name)).or_default().push(at);
    }
    let mut used = BTreeSet::new();
    findings.silence(|finding| {
        let subject = finding.subject.as_ref().filter(|_| finding.code.severity != Severity::Error)?;
        let here = by_item.get(&(subject.kind, &*subject.name))?.iter();
        let mut allowed = here.filter_map(|at| all.get(*at).map(|(_, _, allow)| (*at, *allow)));
        let (at, allow) = allowed.find(|(_, allow)| finding.code.is_named(&allow.code))?;
        used.insert(at);
        Some(Silence::Allowed { because: allow.because.value.to_string() })
    });
    // What could not be read was not checked, and what it would have given may be what is allowed.
    let is_blind = findings.findings().iter().any(Diagnostic::hides_findings);
    for (at, (kind, head, allow)) in all.iter().enumerate() {
        let known = of_items().find(|code| code.is_named(&allow.code));
        let is_open = known
            .is_some_and(|code| code.severity != Severity::Error && (is_blind || findings.ignores(code)));
        // One without a reason was said.
        if !used.contains(&at) && !is_open && !allow.because.is_empty() {
            findings.report(unused(kind, head, allow, known));
        }
    }
}

/// The codes of findings that speak of an item.
fn of_items() -> impl Iterator<Item = &'static Code> {
    shape::ALL.iter().copied().chain(codes())
}

fn unused(kind: &'static str, head: &Head, allow: &Allow, known: Option<&Code>) -> Diagnostic {
    let word: &str = &allow.code;
    let near = near(word, of_items().map(|code| code.name));
    let (label, help) = match known {
        Some(code) if code.severity == Severity::Error => {
            ("an error cannot be allowed".to_owned(), "mend what it finds".to_owned())
        }
        Some(_) => ("there is no such warning here".to_owned(), "remove it".to_owned()),
        None => match near {
            Some(Near { name, .. }) => (format!("did you mean `{name}`?"), format!("write `{name}`")),
            None => {
                let label = "no warning about an item has this code".to_owned();
                (label, "remove it; `orchgen explain` lists all codes".to_owned())
            }
        },
    };
    let item = format!("{kind} {}", words::quoted(&head.name));
    let message = format!("{item} allows {}, which silences nothing", words::quoted(word));
    let place = allow.code.span;
    let finding = UNUSED_ALLOW.at(place, label, message).about(kind, &*head.name.value).help(help);
    if known.is_none() {
        return finding.meant(near, place);
    }
    let change = Change::Field { name: "allow", holding: place };
    finding.propose(ProposedFix { title: "remove `allow`".to_owned(), safety: Safety::Safe, change })
}
