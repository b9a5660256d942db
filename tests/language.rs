//! The registry language: YAML and KDL give the same registry, and a mistake gives the same findings in both.

mod bench;
mod cascading;
mod faults;
mod labels;
mod mutation;
mod order;
mod parity;
mod seeded;
mod shape;
pub(crate) mod translate;
mod values;

use crate::support::{Compiled, compile};

/// A complete registry without findings. Test cases add items to it.
pub(crate) const BASE: &str = include_str!("pages/base.kdl");

/// Compiles a text together with the base, which is in KDL for both languages. A store in the text replaces the store of
/// the base, because with two stores every model would have to name one.
pub(crate) fn compile_with_base(language: &str, text: &str) -> Compiled {
    let without = |start: &str, end: &str| {
        let (before, rest) = BASE.split_once(start).unwrap();
        format!("{before}{}", rest.split_once(end).unwrap().1)
    };
    let base = match text {
        text if text.starts_with("store") => {
            without("store \"models\"", "\n").replace(" store=\"models\"", "")
        }
        _ => BASE.to_owned(),
    };
    compile(&[("base.kdl", &base), (&format!("case.{language}"), text)])
}

/// The code and the message of each finding.
pub(crate) fn codes_and_messages(compiled: &Compiled) -> Vec<(&'static str, String)> {
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
