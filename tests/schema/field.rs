//! `orchgen schema --field`: every field has a page with correct examples in both languages.

use crate::support::lower;
use orchgen::diag::Line;
use orchgen::hir::schema::{ExampleValue, FieldPath, description, range, unit};
use orchgen::hir::{KINDS, Shape};
use orchgen::syntax::{Language, write_line};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Command, Output};

fn schema_of(arguments: &[&str]) -> Output {
    let mut command = Command::new(crate::support::orchgen());
    command.arg("schema").args(arguments).env_clear().env("COLUMNS", "70").output().unwrap()
}

fn page(field: &str) -> String {
    let output = schema_of(&["--field", field]);
    assert!(output.status.success(), "{field}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(field: &str) -> Value {
    let output = schema_of(&["--field", field, "--output-format", "json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{field}: {error}: {output:?}"))
}

/// The item of a path as text: the example of its kind, and the example of the field instead of the field of this name.
fn item_text(path: &FieldPath, language: Language) -> String {
    let mut item = FieldPath { kind: path.kind, fields: Vec::new() }.example();
    let added = path.example();
    item.fields.retain(|field| field.name != added.name);
    if path.fields.first().map(|field| field.name) == path.kind.table.principal {
        item.values.clear();
    }
    let Line { name, values, fields, .. } = item;
    let plain = Line { name, values: values.clone(), fields: Vec::new(), principal: "" };
    let lines = fields.iter().chain([&added]).map(|field| write_line(language, field));
    match language {
        Language::Kdl => {
            let lines: Vec<String> = lines.collect();
            format!("{} {{\n{}\n}}\n", write_line(language, &plain), lines.join("\n"))
        }
        Language::Yaml => {
            let plural = path.kind.plural;
            let name = write_line(language, &plain);
            let (_, name) = name.split_once(": ").unwrap();
            match (plural, values.is_empty()) {
                ("stack", true) => format!("stack:\n{}", indented(lines, "  ")),
                ("stack", false) => format!("stack:\n  name: {name}\n{}", indented(lines, "  ")),
                (_, true) => format!("{plural}:\n  -\n{}", indented(lines, "    ")),
                (_, false) => format!("{plural}:\n  {name}:\n{}", indented(lines, "    ")),
            }
        }
    }
}

fn indented(lines: impl Iterator<Item = String>, start: &str) -> String {
    lines.flat_map(|line| [start.to_owned(), line, "\n".to_owned()]).collect()
}

/// The examples of both languages in the example registry give the same registry, without findings about their form.
#[test]
fn examples_of_both_languages_mean_the_same() {
    let mut tried = 0;
    for path in FieldPath::all() {
        if path.fields.is_empty() {
            continue;
        }
        let mut base = path.registry(ExampleValue::Shown, None);
        base.as_object_mut().unwrap().remove(path.kind.plural);
        let base = base.to_string();
        let results = [Language::Kdl, Language::Yaml].map(|language| {
            let name = if language == Language::Kdl { "b.kdl" } else { "b.yaml" };
            let text = item_text(&path, language);
            let (registry, compiled) = lower(&[("a.yaml", &base), (name, &text)]);
            let about_names = ["unknown-name", "conflicting-fields"];
            let wrong: Vec<_> =
                compiled.codes().into_iter().filter(|code| !about_names.contains(code)).collect();
            assert!(wrong.is_empty(), "{}: {text}{}", path.text(), compiled.report());
            registry
        });
        assert!(results[0] == results[1], "{}: {}", path.text(), item_text(&path, Language::Kdl));
        tried += 1;
    }
    assert!(tried > 120, "{tried} fields");
}

#[test]
fn every_field_has_a_type_and_every_path_is_found() {
    let all = FieldPath::all();
    let texts: BTreeSet<String> = all.iter().map(FieldPath::text).collect();
    assert_eq!(texts.len(), all.len());
    for path in &all {
        assert_eq!(FieldPath::find(&path.text()).unwrap().text(), path.text());
        if let Some(field) = path.field() {
            assert!(!description(&field.shape).is_empty(), "{}", path.text());
            if matches!(field.shape, Shape::Count(..)) {
                assert!(range(&field.shape).is_some() && unit(field).is_some(), "{}", path.text());
            }
        }
    }
    assert!(
        FieldPath::find("roles.draft.max").is_some() && FieldPath::find("stack.defaults.store").is_some()
    );
    for unknown in ["", ".", "role.", "role.draft.max.more", "stack.defaults.x", "role..draft"] {
        assert!(FieldPath::find(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn a_page_has_type_range_unit_examples_and_what_the_field_writes() {
    let draft = page("role.draft.max");
    for line in [
        "role.draft.max (optional)",
        "  range     1 to 1024",
        "  unit      tokens",
        "  KDL       draft \"qwen3-0.6b\" max=16",
        "  YAML      draft: {model: qwen3-0.6b, max: 16}",
        "  writes    --spec-draft-n-max 16",
    ] {
        assert!(draft.lines().any(|other| other == line), "{line}: {draft}");
    }
    let role = page("role");
    assert!(role.contains("\n  KDL       role \"frontdoor\" {\n"), "{role}");
    assert!(role.contains("\n  YAML      roles:\n              frontdoor:\n"), "{role}");
    let fields = KINDS.iter().find(|kind| kind.word == "role").unwrap().table.fields;
    for field in fields {
        assert!(role.lines().any(|line| line.starts_with(&format!("  {} ", field.name))), "{}", field.name);
    }
    assert!(role.lines().all(|line| line.len() <= 70), "{role}");
    assert!(page("role.hardening").contains("`strict`, `default`, `gpu` or `off`"));
    assert!(page("role.context").contains("-c 32768"));
    assert!(page("residency.idle").contains("--exit-idle-time=15min"));
    assert!(page("host.user").contains("User=llm"));
    assert!(page("stack.defaults.batch").contains("-b 2048"));
}

/// The table of options and the measured effect agree: a field that owns an option writes options.
#[test]
fn fields_that_own_options_write_them() {
    let mut written = 0;
    for path in FieldPath::all().iter().filter(|path| path.kind.word == "role" && !path.fields.is_empty()) {
        let page = json(&path.text());
        assert_eq!(page["format_version"], 1);
        let replaces = page["replaces"].as_array().unwrap();
        // The fields that need other fields.
        if page["writes"].is_null() {
            assert!(
                ["role.gateway", "role.shares", "role.unset"].contains(&&*path.text()),
                "{}: {page}",
                path.text()
            );
        } else if !replaces.is_empty() {
            let count = |key: &str| page["writes"][key].as_array().unwrap().len();
            assert!(count("options") + count("unit_lines") > 0, "{}: {page}", path.text());
            written += 1;
        }
    }
    assert!(written > 15, "{written} fields");
}

#[test]
fn unknown_fields_get_the_nearest_ones() {
    for (unknown, near) in [
        ("draft", "did you mean `role.draft`, `pair.draft` or `ban.draft`?"),
        ("role.drafft", "did you mean `role.draft`?"),
        ("rolle", "did you mean `role`?"),
        ("role.ctx-size", "did you mean `role.context`?"),
        ("ngl", "did you mean `role.placement.layers`?"),
        ("xyzzyxyz", "write a kind, such as `role`, or a field of it, such as `role.draft`"),
    ] {
        let output = schema_of(&["--field", unknown]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        assert_eq!(error, format!("error: unknown field `{unknown}`; {near}\n"));
    }
    assert_eq!(schema_of(&["--output-format", "json"]).status.code(), Some(2));
}
