//! Comparison with `serde_yaml`: files of the repository and random texts.

use super::good;
use orchgen::syntax::{Node, Value};
use proptest::prelude::*;
use serde_yaml::Value as Other;

/// Compares the nodes of orchgen with a mapping of `serde_yaml`.
fn compare(nodes: &[Node<'_>], other: &Other) -> Result<(), String> {
    let Other::Mapping(mapping) = other else {
        return if nodes.is_empty() && other.is_null() {
            Ok(())
        } else {
            Err(format!("{other:?} is not a mapping"))
        };
    };
    let mut expected = Vec::new();
    for (key, value) in mapping {
        unfold(&name(key), value, &mut expected);
    }
    let mut nodes: Vec<&Node<'_>> = nodes.iter().collect();
    // `serde_yaml` puts merged keys in another position.
    nodes.sort_by(|a, b| a.key.cmp(&b.key));
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    if nodes.len() != expected.len() {
        return Err(format!("{} nodes for {expected:?}", nodes.len()));
    }
    nodes.into_iter().zip(&expected).try_for_each(|(node, (key, value))| {
        if node.key != *key {
            return Err(format!("{} for {key}", node.key));
        }
        compare_node(node, value).map_err(|why| format!("{key}: {why}"))
    })
}

/// A list that contains a mapping gives one node per member.
fn unfold<'v>(key: &str, value: &'v Other, into: &mut Vec<(String, &'v Other)>) {
    match value.as_sequence() {
        Some(members) if members.iter().any(Other::is_mapping) => {
            into.extend(members.iter().map(|member| (key.to_owned(), member)));
        }
        _ => into.push((key.to_owned(), value)),
    }
}

fn name(key: &Other) -> String {
    let text = key.as_str().map(str::to_owned);
    text.or_else(|| key.as_bool().map(|is| is.to_string()))
        .unwrap_or_else(|| serde_yaml::to_string(key).unwrap())
}

fn compare_node(node: &Node<'_>, other: &Other) -> Result<(), String> {
    if other.is_mapping() {
        if !node.args.is_empty() || node.block.is_none() {
            return Err(format!("{node:?} is not a block"));
        }
        return compare(&node.fields, other);
    }
    if let Some(members) = other.as_sequence() {
        if node.args.len() != members.len() || members.is_empty() != node.block.is_some() {
            return Err(format!("{:?} for {members:?}", node.args));
        }
        return node
            .args
            .iter()
            .zip(members)
            .try_for_each(|(arg, member)| compare_scalar(&arg.value, member));
    }
    match &node.args[..] {
        [arg] => compare_scalar(&arg.value, other),
        args => Err(format!("{args:?} for {other:?}")),
    }
}

fn compare_scalar(value: &Value<'_>, other: &Other) -> Result<(), String> {
    let same = match (value, other) {
        (Value::Null, Other::Null) => true,
        (Value::Bool(a), Other::Bool(b)) => a == b,
        (Value::Integer(a), Other::Number(b)) => {
            b.as_i64().map(i128::from).or(b.as_u64().map(i128::from)).or(b.to_string().parse().ok())
                == Some(*a)
        }
        (Value::Float(a), Other::Number(b)) => {
            b.as_f64().is_some_and(|b| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
        }
        (Value::String(a), Other::String(b)) => a == b,
        // `014` is 14 in the core schema of YAML 1.2, but a string in `serde_yaml`.
        (Value::Integer(a), Other::String(b)) => {
            b.parse() == Ok(*a) && b.trim_start_matches(['+', '-']).starts_with('0')
        }
        _ => false,
    };
    if same { Ok(()) } else { Err(format!("{value:?} for {other:?}")) }
}

fn check(text: &str) -> Result<(), String> {
    let mut other: Other = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    other.apply_merge().map_err(|error| error.to_string())?;
    compare(&good(text), &other)
}

#[test]
fn both_parsers_agree_on_the_yaml_files_of_the_repository() {
    let root = crate::support::repository();
    let mut folders = vec![root.join("registry"), root.join("tests")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
                // Skip files that are not UTF-8, which are also test data.
                let Ok(text) = std::fs::read_to_string(&path) else { continue };
                // Skip files with syntax errors: they are test data for findings.
                if serde_yaml::from_str::<Other>(&text).is_ok() && super::read(&text).1.is_empty() {
                    check(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
                }
            }
        }
    }
}

#[test]
fn both_parsers_agree_on_samples() {
    let samples = [
        include_str!("sample.yaml"),
        "a: >\n  folded\n  text\n\n  more\n   indented\nb: |-\n  x\nc: >+\n  y\n\nd: |2\n    z\n",
        "a: \"\\u00e9\\t\\x41 \\\n  joined\"\nb: 'it''s'\nc: plain\n  on lines\n\n  of text\n",
        "a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: [*a, *a]\nd: *a\n",
        "a: {x: 1, \"y\": 2,}\nb: [1, 2,]\nc: http://x:80/#y\nd: a#b\ne: [a b, c:d]\ng: '-'\n",
        "a:\n- x\n- y\nb:\n  - {c: 1}\n  -\n    d: 2\n",
        "a: .5\nb: 1e3\nc: -0\nd: 0x1f\ne: 0o17\nf: 18446744073709551615\ng: -9223372036854775808\nh: .nan\ni: -.inf\n",
        "---\n# c\na: ~\nb:\nc: null\nd: ''\n...\n",
    ];
    for text in samples {
        check(text).unwrap_or_else(|why| panic!("{text}\n{why}"));
    }
}

fn scalar() -> impl Strategy<Value = Other> {
    prop_oneof![
        Just(Other::Null),
        any::<bool>().prop_map(Other::from),
        any::<i64>().prop_map(Other::from),
        any::<u64>().prop_map(Other::from),
        any::<f64>().prop_map(Other::from),
        "[ -~]{0,20}".prop_map(Other::from),
        "[a-zü日🙂 \n\t:#'\"\\\\{}\\[\\],&*!|>%@`~0-9.-]{0,30}".prop_map(Other::from),
        "(true|No|on|null|014|0x1f|1_000|12:30:45|1e3|[.]inf|~|-|---|[.]{3}|<<| x|x )".prop_map(Other::from),
    ]
}

fn mapping(value: impl Strategy<Value = Other> + 'static) -> impl Strategy<Value = Other> {
    let key = "[a-zé:# '\"-]{1,8}";
    prop::collection::vec((key, value), 0..5).prop_map(|pairs| {
        Other::Mapping(pairs.into_iter().map(|(key, value)| (Other::from(key), value)).collect())
    })
}

fn document() -> impl Strategy<Value = Other> {
    let leaf = prop_oneof![
        4 => scalar(),
        1 => prop::collection::vec(scalar(), 0..5).prop_map(Other::Sequence),
    ];
    let value = leaf.prop_recursive(4, 40, 5, |inner| {
        let member = prop_oneof![1 => scalar(), 2 => mapping(inner.clone())];
        prop_oneof![mapping(inner), prop::collection::vec(member, 0..4).prop_map(Other::Sequence)]
    });
    mapping(value)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn text_written_by_serde_yaml_is_parsed_correctly(value in document()) {
        let text = serde_yaml::to_string(&value).unwrap();
        let (document, findings) = super::read(&text);
        prop_assert!(findings.is_empty(), "{text}\n{:?}", findings.findings());
        let same = compare(&document.nodes, &value);
        prop_assert!(same.is_ok(), "{text}\n{same:?}");
    }

    #[test]
    fn json_is_yaml(value in document()) {
        let json = serde_json::to_string_pretty(&value).unwrap();
        // JSON has no infinity and no NaN, so parse the value again.
        let value: Other = serde_yaml::from_str(&json).unwrap();
        let (document, findings) = super::read(&json);
        prop_assert!(findings.is_empty(), "{json}\n{:?}", findings.findings());
        let same = compare(&document.nodes, &value);
        prop_assert!(same.is_ok(), "{json}\n{same:?}");
    }
}
