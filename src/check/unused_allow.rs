//! What items allow: warnings that are silenced with a reason, and allowances that silence nothing.

use super::{Check, codes};
use crate::diag::{Change, Code, Cure, Diagnostic, Diagnostics, Near, Safety, Severity, near, words};
use crate::hir::{Allow, Head, Registry};

declare_code! {
    /// ## What it finds
    /// An `allow` that silences nothing: there is no such warning on its item, no such code, or the code is an error.
    ///
    /// ## Why
    /// An allowance that outlives its warning would silence the next one unseen. Errors cannot be allowed: what they find would not
    /// start, or not do what the registry says.
    ///
    /// ## Example
    /// ```kdl
    /// family "odd" arch="qwen3moe" {
    ///     allow "unknown-architecture" because="a build of our own"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "odd" arch="our-own-arch" {
    ///     allow "unknown-architecture" because="a build of our own"
    /// }
    /// ```
    static UNUSED_ALLOW = 322, "unused-allow", Warning;
}

pub(super) static CHECK: Check = Check { code: &UNUSED_ALLOW, run };

/// Nothing can be said before everything else was: [`silence`] does it.
fn run(_: &Registry, _: &mut Diagnostics) {}

/// Drops the warnings that their items allow, and says the allowances that are of no use.
pub(super) fn silence(registry: &Registry, findings: &mut Diagnostics) {
    for (kind, head) in registry.heads() {
        for allow in &head.allow {
            let is_allowed = |finding: &Diagnostic| {
                let here = finding.subject.as_ref().is_some_and(|s| s.kind == kind && *s.name == **head.name);
                here && finding.severity != Severity::Error && is_named(finding.code, &allow.code)
            };
            let used = findings.findings().iter().any(is_allowed);
            findings.drop_echoes(is_allowed);
            if !used {
                findings.say(unused(kind, head, allow));
            }
        }
    }
}

fn is_named(code: &Code, word: &str) -> bool {
    code.name == word || code.to_string() == word
}

fn unused(kind: &'static str, head: &Head, allow: &Allow) -> Diagnostic {
    let word: &str = &allow.code;
    let known = codes().find(|code| is_named(code, word));
    let near = near(word, codes().map(|code| code.name));
    let (label, help) = match known {
        Some(code) if code.severity == Severity::Error => {
            ("an error cannot be allowed".to_owned(), "mend what it finds".to_owned())
        }
        Some(_) => ("there is no such warning here".to_owned(), "remove it".to_owned()),
        None => match near {
            Some(Near { name, .. }) => (format!("did you mean `{name}`?"), format!("write `{name}`")),
            None => ("no such code".to_owned(), "`orchgen explain` lists all codes".to_owned()),
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
    finding.cure(Cure { title: "remove `allow`".to_owned(), safety: Safety::Safe, change })
}
