//! Comparison with the `kdl` crate: both parsers give the same nodes and values.

use super::read;
use kdl::{KdlDocument, KdlNode, KdlValue};
use orchgen::diag::Severity;
use orchgen::syntax::{Node, Value};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// A node in a form common to both parsers.
#[derive(PartialEq, Debug)]
pub(super) struct Plain {
    name: String,
    args: Vec<String>,
    props: Vec<(String, String)>,
    children: Vec<Plain>,
}

fn number(value: f64) -> String {
    format!("{value:e}")
}

fn orchgen_value(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float(value) => number(*value),
        Value::String(value) => format!("{value:?}"),
    }
}

fn crate_value(value: &KdlValue) -> String {
    match value {
        KdlValue::Null => "null".into(),
        KdlValue::Bool(value) => value.to_string(),
        KdlValue::Integer(value) => value.to_string(),
        KdlValue::Float(value) => number(*value),
        KdlValue::String(value) => format!("{value:?}"),
    }
}

/// Converts the nodes of orchgen. Fields that begin before the block are properties.
pub(super) fn from_orchgen(nodes: &[Node]) -> Vec<Plain> {
    let plain = |node: &Node| {
        let brace = node.block.map_or(u32::MAX, |block| block.start);
        let (props, children): (Vec<_>, Vec<_>) = node.fields.iter().partition(|f| f.span.start < brace);
        Plain {
            name: node.key.to_string(),
            args: node.args.iter().map(|arg| orchgen_value(&arg.value)).collect(),
            props: props
                .iter()
                .map(|prop| (prop.key.to_string(), orchgen_value(&prop.args[0].value)))
                .collect(),
            children: children
                .into_iter()
                .flat_map(|child| from_orchgen(std::slice::from_ref(child)))
                .collect(),
        }
    };
    nodes.iter().map(plain).collect()
}

/// Converts the nodes of the `kdl` crate.
pub(super) fn from_crate(nodes: &[KdlNode]) -> Vec<Plain> {
    let plain = |node: &KdlNode| {
        let entries = node.entries().iter();
        let (props, args): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.name().is_some());
        Plain {
            name: node.name().value().to_owned(),
            args: args.iter().map(|arg| crate_value(arg.value())).collect(),
            props: props
                .iter()
                .map(|prop| (prop.name().unwrap().value().to_owned(), crate_value(prop.value())))
                .collect(),
            children: from_crate(node.children().map_or(&[][..], KdlDocument::nodes)),
        }
    };
    nodes.iter().map(plain).collect()
}

/// Keeps only the last property of each name, and sorts the properties by name.
pub(super) fn rightmost(mut nodes: Vec<Plain>) -> Vec<Plain> {
    for node in &mut nodes {
        let last: std::collections::BTreeMap<_, _> = node.props.drain(..).collect();
        node.props = last.into_iter().collect();
        node.children = rightmost(std::mem::take(&mut node.children));
    }
    nodes
}

/// Checks that orchgen and the `kdl` crate accept the same texts, with the same nodes and values. Ignores findings about type
/// annotations, which are valid KDL.
pub(crate) fn agrees_with_oracle(text: &str) {
    let (document, findings) = read(text);
    let faults: Vec<_> = findings.findings().iter().filter(|f| f.code.name != "type-annotation").collect();
    match KdlDocument::parse_v2(text) {
        Ok(oracle) => {
            assert!(faults.is_empty(), "the kdl crate accepts a text with errors: {faults:#?}\n{text}");
            assert_eq!(from_orchgen(&document.nodes), from_crate(oracle.nodes()), "{text}");
        }
        Err(error) => {
            assert!(
                faults.iter().any(|f| f.severity == Severity::Error),
                "{error:?} is accepted by orchgen:\n{text}"
            );
        }
    }
}

fn kdl_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            kdl_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "kdl") {
            found.push(path);
        }
    }
}

#[test]
fn both_parsers_agree_on_every_kdl_file_of_the_repository() {
    let root = crate::support::repository();
    let mut files = Vec::new();
    kdl_files(&root.join("registry"), &mut files);
    kdl_files(&root.join("tests"), &mut files);
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        agrees_with_oracle(&std::fs::read_to_string(&file).unwrap());
    }
}

fn text_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9._-]{0,6}".prop_filter("a keyword", |word| {
            !["true", "false", "null", "inf", "nan", "r"].contains(&word.as_str())
        }),
        "[ a-zé€😀,{};/#=]{0,8}".prop_map(|body| format!("\"{body}\"")),
        r#"[ a-z]{0,4}(\\n|\\t|\\s|\\\\|\\"|\\u\{e9\}|\\   |\\
  ){1,2}[ a-z]{0,4}"#
            .prop_map(|body| format!("\"{body}\"")),
        r#"[ a-z\\"]{0,6}[a-z]"#.prop_map(|body| format!("##\"a{body}\"##")),
        "[ a-zé]{0,4}\"{0,2}\n?(  [a-z]{0,3})?".prop_map(|body| {
            let body = body.replace('\n', "\n  ");
            format!("\"\"\"\n  {body}x\n  \"\"\"")
        }),
    ]
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => text_value(),
        2 => "[+-]?[0-9][0-9_]{0,4}",
        1 => "[+-]?[0-9]{1,3}\\.[0-9][0-9_]{0,3}([eE][+-]?[0-9]{1,2})?",
        1 => "-?0(x[0-9a-fA-F][0-9a-f_]{0,6}|o[0-7]{1,6}|b[01][01_]{0,6})",
        1 => prop_oneof!["#true", "#false", "#null", "#inf", "#-inf"].prop_map(|word| word.clone()),
    ]
}

fn node_text() -> impl Strategy<Value = String> {
    let space = || prop_oneof![4 => Just(" "), 1 => Just("\t "), 1 => Just(" /* a /* b */ */ "), 1 => Just(" \\ // c\n ")];
    let entry =
        (space(), prop_oneof![3 => Just(""), 1 => Just("/-")], prop::option::of(text_value()), scalar())
            .prop_map(|(space, dash, key, value)| match key {
                Some(key) => format!("{space}{dash}{key}={value}"),
                None => format!("{space}{dash}{value}"),
            });
    let head =
        (prop_oneof![4 => Just(""), 1 => Just("/-")], text_value(), prop::collection::vec(entry, 0..4))
            .prop_map(|(dash, name, entries)| format!("{dash}{name}{}", entries.concat()))
            .boxed();
    let end =
        || prop_oneof![3 => Just("\n"), 1 => Just(";"), 1 => Just(" // end\r\n"), 1 => Just("\u{2028}\n")];
    let leaf = (head.clone(), end()).prop_map(|(head, end)| format!("{head}{end}"));
    leaf.prop_recursive(3, 12, 3, move |inner| {
        (head.clone(), prop::collection::vec(inner, 0..3), end())
            .prop_map(|(head, children, end)| format!("{head} {{\n{}}}{end}", children.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn both_parsers_agree_on_random_valid_text(nodes in prop::collection::vec(node_text(), 0..4)) {
        let text = nodes.concat();
        // The kdl crate refuses some valid texts, such as `a {\n/-a;}`. Then only check that orchgen has no findings.
        if KdlDocument::parse_v2(&text).is_ok() {
            agrees_with_oracle(&text);
        } else {
            let findings = read(&text).1;
            prop_assert!(findings.is_empty(), "{:#?}\n{text}", findings.findings());
        }
    }
}
