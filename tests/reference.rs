//! The generated reference: every field and option is in it, its examples are correct, and its links work.

use crate::support::lower;
use orchgen::catalogue::find;
use orchgen::cli::guide::page::Page;
use orchgen::cli::guide::pages;
use orchgen::engine::{Family, Profile};
use orchgen::hir::KINDS;
use orchgen::hir::schema::{FieldPath, schema};
use orchgen::import::llama_swap::{KEYS, Meaning};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn reference() -> Vec<Page> {
    pages().into_iter().filter(|page| page.name.starts_with("reference/")).collect()
}

fn page(name: &str) -> Page {
    reference().into_iter().find(|page| page.name == format!("reference/{name}")).unwrap()
}

/// The lines outside of fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_open = false;
    text.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        is_open ^= is_fence;
        !is_open && !is_fence
    })
}

/// The fields whose examples may write nothing: only checks and other fields use them. All `allow` are such fields, too.
const ONLY_CHECKED: &[&str] = &[
    "ban.except",
    "engine.profile",
    "expect.residency",
    "expect.fits",
    "expect.gpu",
    "family.arch",
    "family.label",
    "family.tokenizer",
    "family.override.why",
    "gateway.host",
    "host.cpuset",
    "host.cpuset.name",
    "host.cpuset.cpus",
    "host.cpuset.exclusive",
    "model.label",
    "model.store",
    "model.trained-context",
    "model.retired",
    "model.retired.why",
    "pair.except",
    "pair.lookup",
    "quirk.models",
    "residency.at-once",
    "role.host",
    "role.override.why",
    "service.host",
    "store.mount",
    "store.mount.host",
    "stack.targets",
    "store.claim",
];

/// The headings below the title.
fn headings(text: &str) -> Vec<&str> {
    let all = prose(text).filter(|line| line.starts_with("##"));
    all.map(|line| line.trim_start_matches('#').trim_start()).collect()
}

/// The anchor of a heading as GitHub computes it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.replace(' ', "-").chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}

/// The targets of all links.
fn links(text: &str) -> Vec<&str> {
    prose(text).flat_map(|line| line.split("](").skip(1)).filter_map(|rest| rest.split(')').next()).collect()
}

/// The sections of a page by their headings.
fn sections(text: &str) -> BTreeMap<&str, &str> {
    let parts = text.split("\n##").skip(1);
    parts.filter_map(|part| part.trim_start_matches('#').trim_start().split_once('\n')).collect()
}

#[test]
fn every_field_has_a_section_and_every_link_works() {
    let pages = reference();
    let anchors: BTreeMap<String, BTreeSet<String>> = pages
        .iter()
        .map(|page| (page.name.clone(), headings(page.text()).into_iter().map(anchor).collect()))
        .collect();
    let mut codes = 0;
    for page in &pages {
        let text = page.text();
        assert_eq!(text.lines().next(), Some(&*format!("# {}", page.title())), "{}", page.name);
        let all = headings(text);
        assert_eq!(all.len(), anchors[&page.name].len(), "{} has an anchor twice", page.name);
        for target in links(text) {
            if let Some(code) = target.strip_prefix("../codes/") {
                let code = code.strip_suffix(".md").unwrap();
                assert!(find(code).is_some(), "{}: {code}", page.name);
                codes += 1;
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let name = match file.strip_suffix(".md") {
                Some(name) => format!("reference/{name}"),
                None => page.name.clone(),
            };
            let known = anchors.get(&name).unwrap_or_else(|| panic!("{}: no page {target}", page.name));
            assert!(anchor.is_empty() || known.contains(anchor), "{}: no section {target}", page.name);
        }
    }
    assert!(codes > 100, "{codes} links to codes");
    for kind in KINDS {
        let page = pages.iter().find(|page| page.name == format!("reference/{}", kind.word)).unwrap();
        let sections = sections(page.text());
        let fields: Vec<String> = FieldPath::fields_of(kind)
            .iter()
            .map(|path| path.text().split_once('.').unwrap().1.to_owned())
            .collect();
        assert_eq!(headings(page.text()), fields, "{}", page.name);
        for field in fields {
            let section = sections[field.as_str()];
            let (kdl, yaml) = section.split_once("\n```\n\n```yaml\n").unwrap_or_else(|| panic!("{field}"));
            assert!(kdl.contains("\n```kdl\n") && yaml.contains("\n```\n"), "{field}: {section}");
            assert!(section.contains("Type: ") && section.contains("\n- "), "{field}: {section}");
            assert!(section.lines().count() <= 25, "{field}: {section}");
            let path = format!("{}.{field}", kind.word);
            let is_only_checked = ONLY_CHECKED.contains(&&*path) || field.split('.').next() == Some("allow");
            assert_eq!(section.contains("- Writes: nothing"), is_only_checked, "{path}: {section}");
            assert!(page.text().contains(&format!("| [{field}](#{}) |", anchor(&field))), "{field}");
        }
    }
}

/// The first cells of the rows of all tables.
fn first_cells(text: &str) -> Vec<&str> {
    let rows = prose(text).filter(|line| line.starts_with("| `"));
    rows.map(|line| line.trim_start_matches("| `").split(['`', ' ']).next().unwrap()).collect()
}

#[test]
fn every_option_is_in_the_cheat_sheet_once() {
    let page = page("llama-server-options");
    let cells = first_cells(page.text());
    let unique: BTreeSet<&str> = cells.iter().copied().collect();
    assert_eq!(cells.len(), unique.len());
    let latest = Profile::built_in_of(Family::LlamaCpp).last().unwrap();
    let (first, _) = page.text().split_once("\n## Options of other builds").unwrap();
    let first: BTreeSet<&str> = first_cells(first).into_iter().collect();
    let expected: BTreeSet<&str> = latest
        .option_names(latest.server())
        .into_iter()
        .map(|name| latest.option(latest.server(), name).unwrap().title())
        .collect();
    assert!(expected.len() > 200, "{} options", expected.len());
    let missing: Vec<_> = expected.difference(&first).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for other in Family::ALL.into_iter().flat_map(Profile::built_in_of) {
        for name in other.option_names(other.server()) {
            let option = other.option(other.server(), name).unwrap();
            let is_listed = page.text().contains(&format!("`{}", option.title()));
            assert!(is_listed, "{}: {}", other.name(), option.title());
        }
    }
}

#[test]
fn the_cheat_sheet_names_fields_options_and_refusals() {
    let page = page("llama-server-options");
    let row = |option: &str| {
        let is_row =
            |line: &&str| [" ", "`"].iter().any(|end| line.starts_with(&format!("| `{option}{end}")));
        page.text().lines().find(is_row).unwrap_or_else(|| panic!("{option}"))
    };
    for (option, part) in [
        ("--spec-draft-n-max", "| [role.draft.max](role.md#draftmax)"),
        ("--ctx-size", "| [role.context](role.md#context) | all built-in profiles |"),
        ("--mmproj", "| [model.projector](model.md#projector)"),
        ("--host", "| [role.listen](role.md#listen)"),
        ("--top-k", "| `option \"top-k\"` |"),
        ("--api-prefix", "| refused: `--api-prefix` breaks health checks"),
        ("--hf-token", "| refused: its value is a secret"),
        ("--version", "| refused: with `--version` the program prints something and exits"),
        ("--mlock", "[role.placement.lock](role.md#placementlock)"),
    ] {
        assert!(row(option).contains(part), "{}", row(option));
    }
}

/// The keys of the JSON Schema of llama-swap, with `*` for any name.
fn schema_keys(root: &Value, node: &Value, path: &str, found: &mut BTreeSet<String>) {
    let node = match node["$ref"].as_str() {
        Some(target) => root.pointer(target.trim_start_matches('#')).unwrap(),
        None => node,
    };
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for (name, inner) in node["properties"].as_object().into_iter().flatten() {
        found.insert(below(name));
        schema_keys(root, inner, &below(name), found);
    }
    for part in ["anyOf", "oneOf", "allOf"] {
        for inner in node[part].as_array().into_iter().flatten() {
            schema_keys(root, inner, path, found);
        }
    }
    if node["additionalProperties"].is_object() {
        schema_keys(root, &node["additionalProperties"], &below("*"), found);
    }
}

/// Every key of the schema is in the table of the importer, or in a key that the importer treats as a whole.
#[test]
fn every_key_of_llama_swap_is_in_the_table() {
    let root: Value = serde_json::from_str(include_str!("llama_swap/config-schema.json")).unwrap();
    let mut keys = BTreeSet::new();
    schema_keys(&root, &root, "", &mut keys);
    assert!(keys.len() > 80, "{} keys", keys.len());
    let names = |path: &str| {
        let is_any = |name: &str| name.chars().all(|c| c.is_ascii_uppercase());
        path.split('.').map(|name| if is_any(name) { "*" } else { name }).collect::<Vec<_>>().join(".")
    };
    let table: BTreeMap<String, Meaning> = KEYS.iter().map(|key| (names(key.path), key.meaning)).collect();
    assert_eq!(table.len(), KEYS.len());
    let has_keys = |path: &str| table.keys().any(|other| other.starts_with(&format!("{path}.")));
    for key in &keys {
        let around = key.match_indices('.').filter_map(|(at, _)| key.get(..at));
        let is_whole = |path: &str| match table.get(path) {
            Some(Meaning::SameAs(_)) => true,
            Some(Meaning::Group) | None => false,
            Some(_) => !has_keys(path),
        };
        assert!(table.contains_key(key) || around.into_iter().any(is_whole), "{key} is not in the table");
    }
    for (path, meaning) in &table {
        if let Meaning::Field(field, _) = meaning {
            assert!(FieldPath::find(field).is_some(), "{path}: {field}");
        }
        if let Meaning::SameAs(other) = meaning {
            assert!(table.contains_key(*other), "{path}: {other}");
        }
        let is_known = keys.contains(path) || keys.iter().any(|key| key.starts_with(&format!("{path}.")));
        // Keys of earlier versions, which the reader accepts.
        let is_old = ["logRequests", "models.*.filters.strip_params", "models.*.healthCheckTimeout"];
        assert!(is_known || is_old.contains(&path.as_str()), "{path} is not in the schema");
    }
    let page = page("llama-swap-keys");
    for key in KEYS.iter().filter(|key| key.meaning != Meaning::Group) {
        assert!(page.text().contains(&format!("\n| `{}` |", key.path)), "{}", key.path);
    }
}

/// The blocks of a page with this language.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("\n```{language}\n");
    text.split(&*fence).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn the_examples_of_the_language_mean_the_same() {
    let page = page("language");
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let whole = &schema["examples"][0];
    let (kdl, yaml) = (blocks(page.text(), "kdl"), blocks(page.text(), "yaml"));
    assert!(kdl.len() > 3 && kdl.len() == yaml.len());
    for (kdl, yaml) in kdl.iter().zip(yaml) {
        let mut base = whole.clone();
        // A registry has one stack.
        if kdl.starts_with("stack ") {
            base.as_object_mut().unwrap().remove("stack");
        }
        let base = base.to_string();
        let (one, one_found) = lower(&[("a.yaml", &base), ("b.kdl", kdl)]);
        let (other, other_found) = lower(&[("a.yaml", &base), ("b.yaml", yaml)]);
        assert!(one_found.findings.is_empty(), "{kdl}\n{}", one_found.report());
        assert!(other_found.findings.is_empty(), "{yaml}\n{}", other_found.report());
        assert!(one == other, "{kdl}\n{yaml}");
    }
    for kind in KINDS {
        assert!(page.text().contains(&format!("[{0}]({0}.md)", kind.word)), "{}", kind.word);
    }
}
