//! Tests of the registry language: that YAML and KDL say the same, and what is said of what is wrong.

mod bench;
mod cause;
mod faults;
mod mutation;
mod order;
mod parity;
mod place;
mod seeded;
mod shape;
mod translate;

use crate::support::{Compiled, compile};

/// Everything that roles stand on, without a fault; cases add to it.
pub(crate) const BASE: &str = include_str!("pages/base.kdl");

/// Compiles one text beside the base, which is in KDL for both languages. A store comes instead of the base's, since models
/// need not name the only one.
pub(crate) fn beside_base(language: &str, text: &str) -> Compiled {
    let without = |start: &str, end: &str| {
        let (before, rest) = BASE.split_once(start).unwrap();
        format!("{before}{}", rest.split_once(end).unwrap().1)
    };
    let base = match text {
        text if text.starts_with("store") => without("store \"models\"", "\n"),
        _ => BASE.to_owned(),
    };
    compile(&[("base.kdl", &base), (&format!("case.{language}"), text)])
}

/// Code and message of each finding.
pub(crate) fn said(compiled: &Compiled) -> Vec<(&'static str, String)> {
    let all = compiled.findings.findings().iter();
    all.map(|finding| (finding.code.name, finding.message.clone())).collect()
}

/// The line of each finding, in the order of the text.
pub(crate) fn lines(compiled: &Compiled) -> Vec<u32> {
    let all = compiled.findings.findings().iter();
    all.map(|finding| {
        let span = finding.primary.span;
        compiled.loaded.map.get(span.file).unwrap().position(span.start).line
    })
    .collect()
}
