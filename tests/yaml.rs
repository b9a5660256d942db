//! The YAML parser: comparison with another parser, spans, syntax errors, and malicious text.

mod hostile;
mod language;
mod mistakes;
mod oracle;
mod random;
mod spans;

use orchgen::diag::Diagnostics;
use orchgen::source::FileId;
use orchgen::syntax::{Document, Node, yaml};

fn read(text: &str) -> (Document<'_>, Diagnostics) {
    let mut findings = Diagnostics::default();
    let document = yaml::parse(FileId(0), text, &mut findings);
    (document, findings)
}

/// The nodes of a text without findings.
fn good(text: &str) -> Vec<Node<'_>> {
    let (document, findings) = read(text);
    assert!(findings.is_empty(), "{text}\n{:#?}", findings.findings());
    document.nodes
}

/// The code names and the primary source texts of all findings.
fn found(text: &str) -> Vec<(&'static str, &str)> {
    let (_, findings) = read(text);
    findings.findings().iter().map(|f| (f.code.name, &text[f.primary.span.range()])).collect()
}

/// Joins `n` parts.
fn many(n: usize, part: impl Fn(usize) -> String) -> String {
    (0..n).map(part).collect::<Vec<_>>().concat()
}

/// The number of nodes and scalars, including nested ones.
fn count(nodes: &[Node<'_>]) -> usize {
    nodes.iter().map(|node| 1 + node.args.len() + count(&node.fields)).sum()
}

/// The maximum nesting depth.
fn depth(nodes: &[Node<'_>]) -> usize {
    nodes.iter().map(|node| 1 + depth(&node.fields)).max().unwrap_or(0)
}

fn child<'n, 'a>(nodes: &'n [Node<'a>], path: &str) -> &'n Node<'a> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let node = nodes.iter().find(|node| node.key == first).unwrap();
    if rest.is_empty() { node } else { child(&node.fields, rest) }
}

fn keys(nodes: &[Node<'_>]) -> Vec<String> {
    nodes.iter().map(|node| node.key.to_string()).collect()
}
