//! Tests of the checks beyond the examples of their pages: edge cases, and the texts and places of findings.

mod at_once;
mod auto_gpus;
mod builds;
mod cache_types;
mod defaults;
mod engine;
mod experts;
mod facts;
mod foreign_words;
mod gateway_addresses;
mod gateway_forms;
mod gateways;
mod gpu_builds;
pub(crate) mod gpu_memory;
mod gpu_options;
mod gpu_reports;
mod gpus;
mod growth;
mod hosts;
mod llama_swap;
mod memory;
mod names;
mod needs;
mod option_files;
mod options;
mod overrides;
mod pairs;
mod peers;
mod placement;
mod ports;
mod preset_values;
mod programs;
mod references;
mod rest;
mod security;
mod speculation;
mod stores;
mod unsupported;
mod unused;
mod window;

use crate::language::BASE;
use crate::support::{Compiled, compile};
use orchgen::diag::Diagnostic;

/// The same roles behind the gateway `front`, and started on demand.
fn behind_gateway(text: &str, gateway: &str) -> String {
    let mut routed = format!("gateway \"front\" port=64000 {gateway}\n");
    for line in text.replace("start=\"boot\"", "start=\"on-demand\"").lines() {
        let words = line.split(' ').map(|word| {
            let is_port = word.starts_with("port=") || word.starts_with("ports=");
            if is_port && line.starts_with("role ") { "gateway=\"front\"" } else { word }
        });
        routed += &words.collect::<Vec<_>>().join(" ");
        routed.push('\n');
    }
    routed
}

/// Compiles items together with the base registry of the pages.
fn compile_with_base(text: &str) -> Compiled {
    compile(&[("base.kdl", BASE), ("case.kdl", text)])
}

/// Asserts the codes of the findings for items that are added to the base.
#[track_caller]
fn assert_codes(codes: &[&str], text: &str) {
    let compiled = compile_with_base(text);
    assert_eq!(compiled.codes(), codes, "{text}\n{}", compiled.report());
}

/// The only finding for items that are added to the base.
#[track_caller]
fn single_finding(text: &str) -> Diagnostic {
    let compiled = compile_with_base(text);
    let [finding] = compiled.findings.findings() else { panic!("{text}\n{}", compiled.report()) };
    finding.clone()
}

/// The items after the first fix of their first finding.
#[track_caller]
fn with_first_fix(text: &str) -> String {
    let compiled = compile_with_base(text);
    let fix = compiled.findings.findings().first().and_then(|finding| finding.fixes.first());
    let Some(fix) = fix else { panic!("{text}\n{}", compiled.report()) };
    let mut edits = fix.edits.clone();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
    edits.into_iter().fold(text.to_owned(), |mut text, edit| {
        text.replace_range(edit.span.range(), &edit.text);
        text
    })
}

/// The file and the source text under each label of a finding, the primary label first.
fn label_texts(compiled: &Compiled, finding: &Diagnostic) -> Vec<(String, String)> {
    let labels = std::iter::once(&finding.primary).chain(&finding.secondary);
    let map = &compiled.loaded.map;
    labels
        .map(|label| (map.get(label.span.file).unwrap().name().to_owned(), map.text(label.span).to_owned()))
        .collect()
}

/// A served role with the model `plain` of the base.
fn role(name: &str, rest: &str) -> String {
    format!("role \"{name}\" tier=\"A\" residency=\"hot\" model=\"plain\" context=4096 {rest}\n")
}
