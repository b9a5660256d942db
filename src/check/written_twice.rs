//! A file that several server processes write.

use super::owner;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, words};
use crate::engine::Access;
use crate::hir::{Host, Id, Role};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// A file that several server processes of one host write: two roles with the same `log-file`, or a role with several
    /// ports.
    ///
    /// ## Why
    /// Each process empties the file when it starts (seen with llama-server b11669). The text of the others is lost.
    /// The journal has the log of each service without an option: `journalctl -u UNIT`.
    ///
    /// ## Example
    /// ```kdl
    /// role "one" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "log-file" value="/var/log/llama/all.log"
    /// }
    /// role "two" tier="A" residency="hot" model="plain" port=9001 context=4096 {
    ///     option "log-file" value="/var/log/llama/all.log"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "one" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "log-file" value="/var/log/llama/one.log"
    /// }
    /// role "two" tier="A" residency="hot" model="plain" port=9001 context=4096 {
    ///     option "log-file" value="/var/log/llama/two.log"
    /// }
    /// ```
    pub(super) static WRITTEN_TWICE = 368, "written-twice", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut first: BTreeMap<(Id<Host>, &str), (&Role, Span)> = BTreeMap::new();
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for (role, served, command) in derived.commands() {
        for file in command.paths.iter().filter(|path| path.access == Access::Write && !path.is_folder) {
            let option = file.option.and_then(|at| served.serving.options.get(at));
            let Some(value) = option.and_then(|option| option.value.as_ref()) else { continue };
            if file.path.starts_with("/dev/") {
                continue;
            }
            let host = served.serving.host.value;
            let earlier = *first.entry((host, &file.path)).or_insert((role, value.span));
            let is_again = !std::ptr::eq(earlier.0, role);
            if !is_again && served.serving.ports.value.len() == 1 {
                continue;
            }
            let owner = owner(registry, role, value.span);
            // A default applies to many roles, but is reported once.
            if owner.kind != "role" && !reported.insert(value.span) {
                continue;
            }
            let who = if is_again {
                format!("{} and {role}", earlier.0)
            } else {
                format!("all processes of {role}")
            };
            let message = format!("{who} write {}", words::quoted(&file.path));
            let mut finding =
                WRITTEN_TWICE.at(value.span, "written by several processes", message).about(owner);
            if is_again && earlier.1 != value.span {
                finding = finding.also(earlier.1, format!("{} writes it", earlier.0));
                let to = with_name(&file.path, &role.head.name.value);
                finding = finding.remedy("write `{}`", Change::Value { span: value.span, to: to.into() });
            } else {
                finding = finding.remedy(
                    "remove `{}`: the journal has the log of each service",
                    Change::remove(value.span),
                );
            }
            findings.report(finding);
        }
    }
}

/// The path with the name of a role at the end of its file name.
fn with_name(path: &str, role: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    match file.rsplit_once('.') {
        Some((stem, kind)) if !stem.is_empty() => format!("{folder}/{stem}-{role}.{kind}"),
        _ => format!("{folder}/{file}-{role}"),
    }
}
