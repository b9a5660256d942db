//! A file or folder that several server processes write.

use super::owner;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, words};
use crate::engine::Access;
use crate::engine::dialect::OptionPath;
use crate::hir::{Host, Id, Role};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// A file that several server processes of one host write: two roles with the same `log-file`, or a role with several
    /// ports. If the host has no `user` and a systemd before 262, a folder such as that of `slot-save-path` is also found.
    ///
    /// ## Why
    /// Each process empties the file when it starts (seen with llama-server b11669). The text of the others is lost.
    /// The journal has the log of each service without an option: `journalctl -u UNIT`.
    ///
    /// Without `user`, each service is another temporary user. Older versions of systemd give a folder to the service that
    /// started last, and the others cannot write there any more. systemd 262 gives it to all.
    ///
    /// ## Example
    /// ```kdl
    /// role "one" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "log-file" "/var/log/llama/all.log"
    /// }
    /// role "two" tier="A" residency="hot" model="plain" port=9001 context=4096 {
    ///     option "log-file" "/var/log/llama/all.log"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "one" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "log-file" "/var/log/llama/one.log"
    /// }
    /// role "two" tier="A" residency="hot" model="plain" port=9001 context=4096 {
    ///     option "log-file" "/var/log/llama/two.log"
    /// }
    /// ```
    pub(super) static WRITTEN_TWICE = 368, "written-twice", Warning;
}

/// The first version of systemd that was seen to give a folder to several temporary users.
const SHARES_FOLDERS: u32 = 262;

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut first: BTreeMap<(Id<Host>, &str), (&Role, Span)> = BTreeMap::new();
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for (role, served, command) in derived.commands() {
        let host = registry.hosts.get(served.serving.host.value);
        let moves_folders = host.user.is_none() && host.systemd.value < SHARES_FOLDERS;
        let is_exclusive = |path: &&OptionPath| {
            path.access == Access::Write
                && (!path.is_folder || (moves_folders && path.path.starts_with("/var/")))
        };
        for file in command.paths.iter().filter(is_exclusive) {
            let option = file.option.and_then(|at| served.serving.options.get(at));
            let Some((option, value)) = option.and_then(|option| Some((option, option.value.as_ref()?)))
            else {
                continue;
            };
            if file.path.starts_with("/dev/") {
                continue;
            }
            let key = (served.serving.host.value, file.path.trim_end_matches('/'));
            let earlier = *first.entry(key).or_insert((role, value.span));
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
                let to = with_name(file, &role.head.name.value);
                finding = finding.remedy("write `{}`", Change::Value { span: value.span, to: to.into() });
            } else {
                finding = finding.remedy(
                    "remove `{}`: the journal has the log of each service",
                    Change::remove(option.name.span),
                );
            }
            findings.report(finding);
        }
    }
}

/// The path with the name of a role at the end of its last part.
fn with_name(one: &OptionPath, role: &str) -> String {
    let path = one.path.trim_end_matches('/');
    let (folder, last) = path.rsplit_once('/').unwrap_or(("", path));
    match last.rsplit_once('.') {
        Some((stem, kind)) if !stem.is_empty() && !one.is_folder => format!("{folder}/{stem}-{role}.{kind}"),
        _ => format!("{folder}/{last}-{role}"),
    }
}
