//! The `kdl` crate as oracle: the same text gives the same nodes and values.

use super::read;
use kdl::{KdlDocument, KdlNode, KdlValue};
use orchgen::diag::Severity;
use orchgen::syntax::{Node, Value};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// A node in the form that both readers can be brought to.
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

fn our_value(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float(value) => number(*value),
        Value::String(value) => format!("{value:?}"),
    }
}

fn their_value(value: &KdlValue) -> String {
    match value {
        KdlValue::Null => "null".into(),
        KdlValue::Bool(value) => value.to_string(),
        KdlValue::Integer(value) => value.to_string(),
        KdlValue::Float(value) => number(*value),
        KdlValue::String(value) => format!("{value:?}"),
    }
}

/// Our nodes. Fields that begin before the block are properties.
pub(super) fn ours(nodes: &[Node]) -> Vec<Plain> {
    let plain = |node: &Node| {
        let brace = node.block.map_or(u32::MAX, |block| block.start);
        let (props, children): (Vec<_>, Vec<_>) = node.fields.iter().partition(|f| f.span.start < brace);
        Plain {
            name: node.key.to_string(),
            args: node.args.iter().map(|arg| our_value(&arg.value)).collect(),
            props: props.iter().map(|prop| (prop.key.to_string(), our_value(&prop.args[0].value))).collect(),
            children: children.into_iter().flat_map(|child| ours(std::slice::from_ref(child))).collect(),
        }
    };
    nodes.iter().map(plain).collect()
}

/// The oracle's nodes.
pub(super) fn theirs(nodes: &[KdlNode]) -> Vec<Plain> {
    let plain = |node: &KdlNode| {
        let entries = node.entries().iter();
        let (props, args): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.name().is_some());
        Plain {
            name: node.name().value().to_owned(),
            args: args.iter().map(|arg| their_value(arg.value())).collect(),
            props: props
                .iter()
                .map(|prop| (prop.name().unwrap().value().to_owned(), their_value(prop.value())))
                .collect(),
            children: theirs(node.children().map_or(&[][..], KdlDocument::nodes)),
        }
    };
    nodes.iter().map(plain).collect()
}

/// Of properties with one name the rightmost alone, in the order of their names.
pub(super) fn rightmost(mut nodes: Vec<Plain>) -> Vec<Plain> {
    for node in &mut nodes {
        let last: std::collections::BTreeMap<_, _> = node.props.drain(..).collect();
        node.props = last.into_iter().collect();
        node.children = rightmost(std::mem::take(&mut node.children));
    }
    nodes
}

/// Checks that a text which the oracle reads gives the same nodes and values here, and that none else is read without
/// a finding. Type annotations are legal KDL and no fault here.
pub(crate) fn agrees_with_oracle(text: &str) {
    let (document, findings) = read(text);
    let faults: Vec<_> = findings.findings().iter().filter(|f| f.code.name != "type-annotation").collect();
    match KdlDocument::parse_v2(text) {
        Ok(oracle) => {
            assert!(faults.is_empty(), "the oracle reads what has faults here: {faults:#?}\n{text}");
            assert_eq!(ours(&document.nodes), theirs(oracle.nodes()), "{text}");
        }
        Err(error) => {
            assert!(faults.iter().any(|f| f.severity == Severity::Error), "{error:?} is read here:\n{text}");
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
fn every_kdl_file_of_the_repository_reads_as_the_oracle_reads_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
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
    fn well_formed_text_reads_as_the_oracle_reads_it(nodes in prop::collection::vec(node_text(), 0..4)) {
        let text = nodes.concat();
        // The oracle refuses some legal text, such as `a {\n/-a;}`: then it is only known that there is no fault.
        if KdlDocument::parse_v2(&text).is_ok() {
            agrees_with_oracle(&text);
        } else {
            let findings = read(&text).1;
            prop_assert!(findings.is_empty(), "{:#?}\n{text}", findings.findings());
        }
    }
}
