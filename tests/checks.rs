//! Tests of the checks beyond their pages: the cases at their edges, and what their findings say.

mod engine;
mod experts;
mod facts;
mod hosts;
mod memory;
mod names;
mod needs;
mod options;
mod overrides;
mod pairs;
mod placement;
mod ports;
mod references;
mod rest;
mod security;
mod unused;

use crate::language::BASE;
use crate::support::{Compiled, compile};
use orchgen::diag::Diagnostic;

/// Compiles items beside the base of the pages.
fn beside(text: &str) -> Compiled {
    compile(&[("base.kdl", BASE), ("case.kdl", text)])
}

/// Asserts the codes that items give beside the base.
#[track_caller]
fn gives(codes: &[&str], text: &str) {
    let compiled = beside(text);
    assert_eq!(compiled.codes(), codes, "{text}\n{}", compiled.report());
}

/// The one finding that items give beside the base.
#[track_caller]
fn only(text: &str) -> Diagnostic {
    let compiled = beside(text);
    let [finding] = compiled.findings.findings() else { panic!("{text}\n{}", compiled.report()) };
    finding.clone()
}

/// The texts that the labels of a finding lie on, the primary one first.
fn labelled(compiled: &Compiled, finding: &Diagnostic) -> Vec<(String, String)> {
    let labels = std::iter::once(&finding.primary).chain(&finding.secondary);
    let map = &compiled.loaded.map;
    labels
        .map(|label| (map.get(label.span.file).unwrap().name().to_owned(), map.text(label.span).to_owned()))
        .collect()
}

/// A served role on the base's model `plain`.
fn role(name: &str, rest: &str) -> String {
    format!("role \"{name}\" tier=\"A\" residency=\"hot\" model=\"plain\" context=4096 {rest}\n")
}
