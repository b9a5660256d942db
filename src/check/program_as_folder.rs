//! A `bin` that names a program instead of the folder of the programs.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, Line, words};

declare_code! {
    /// ## What it finds
    /// A `bin` of an engine that ends with the name of a program.
    ///
    /// ## Why
    /// `bin` is the folder of the programs of a build. orchgen adds the name of the program, so the units and scripts
    /// would start a file that does not exist.
    ///
    /// ## Example
    /// ```kdl
    /// engine "other" profile="llama.cpp-b11434" bin="/usr/bin/llama-server"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="other"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "other" profile="llama.cpp-b11434" bin="/usr/bin"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="other"
    /// ```
    pub(super) static PROGRAM_AS_FOLDER = 385, "program-as-folder", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for (engine, profile) in derived.registry.engines.iter().zip(&derived.profiles) {
        let Some(bin) = &engine.bin else { continue };
        let Some((folder, name)) = bin.trim_end_matches('/').rsplit_once('/') else { continue };
        let Some(program) = profile.iter().flat_map(|profile| profile.tools()).find(|tool| *tool == name)
        else {
            continue;
        };
        let folder = if folder.is_empty() { "/" } else { folder };
        let message = format!(
            "`bin` of {} names the program {} and not its folder",
            engine.head,
            words::quoted(program)
        );
        let finding = PROGRAM_AS_FOLDER.at(bin.span, "expected the folder of the programs", message);
        let change = Change::rewrite(bin.span, Line::of("bin", folder));
        findings.report(finding.about(&engine.head).remedy("write `{}`", change));
    }
}
