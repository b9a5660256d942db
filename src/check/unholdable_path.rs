//! A path that a systemd unit cannot contain.

use crate::derive::Derived;
use crate::diag::{Diagnostic, Diagnostics};
use crate::hir::{Head, Model, Program, TargetName, Text};

declare_code! {
    /// ## What it finds
    /// A model folder with a line break in its path, or an engine folder with a quote, a backslash or a control
    /// character.
    ///
    /// ## Why
    /// systemd splits lists of paths at line breaks, even if they are quoted. It refuses programs whose path contains
    /// one of the other characters. The names of model files can contain any of them.
    ///
    /// ## Example
    /// ```kdl
    /// engine "other" profile="llama.cpp-b11434" bin="/opt/it's/bin"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="other"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "other" profile="llama.cpp-b11434" bin="/opt/its/bin"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="other"
    /// ```
    pub(super) static UNHOLDABLE_PATH = 321, "unholdable-path", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    if !registry.stack.has_target(TargetName::Systemd) {
        return;
    }
    for engine in registry.engines.iter() {
        let refused = |c: char| c.is_control() || matches!(c, '"' | '\'' | '\\');
        if let Some(bin) = engine.bin.as_ref().filter(|bin| bin.contains(refused)) {
            findings.report(finding(&engine.head, bin, "quotes, backslashes and control characters"));
        }
    }
    for store in registry.stores.iter() {
        if let Some(path) = store.paths().find(|path| path.contains(['\n', '\r'])) {
            findings.report(finding(&store.head, path, "line breaks"));
        }
    }
    for served in &derived.programs {
        let refused = |path: &&Text| path.contains(['"', '\n', '\r']);
        if let Some(path) = paths(&served.program).find(refused) {
            let head = &registry.roles.get(served.id).head;
            findings.report(finding(head, path, "double quotes and line breaks in a bound path"));
        }
    }
    for model in registry.models.iter() {
        if let Some(file) = files(model).find(|file| folder(file).contains(['\n', '\r'])) {
            findings.report(finding(&model.head, file, "line breaks in a folder"));
        }
    }
}

/// The paths of other programs. systemd 255 and later fail on a bound path with `"`.
fn paths(program: &Program) -> impl Iterator<Item = &Text> {
    program.reads.iter().chain(&program.writes)
}

fn files(model: &Model) -> impl Iterator<Item = &Text> {
    std::iter::once(&model.file).chain(model.projector.as_ref().map(|projector| &projector.file))
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn finding(head: &Head, path: &Text, what: &str) -> Diagnostic {
    let message = format!("the path of {head} cannot be written in a systemd unit");
    let finding = UNHOLDABLE_PATH.at(path.span, format!("a unit cannot contain {what}"), message).about(head);
    finding.help("rename the folder, or use a symbolic link with another name")
}
