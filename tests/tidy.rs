//! The house rules: who imports whom, sizes, names, and foreign crates known to one file.

use std::path::{Path, PathBuf};

/// Each room with the rooms it may name; `file` rows are stricter than the room they lie in.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("diag", &["source"]),
    ("syntax", &["source", "diag"]),
    ("hir/lower", &["source", "diag", "syntax", "hir"]),
    ("hir", &["source", "diag"]),
    ("facts", &["source", "diag"]),
    ("engine", &["facts"]),
    ("check", &["source", "diag", "hir", "facts", "engine"]),
    ("plan", &["hir", "facts", "engine", "check"]),
    ("render", &["plan"]),
    ("emit", &["render", "diag"]),
];

/// Files that stand above the rooms and may name all of them; no room imports them.
const ABOVE: &[&str] = &["main.rs", "lib.rs", "compile.rs", "catalogue.rs", "cli"];

/// Foreign crates with an opinion, each with the one file that knows it.
const KNOWN_TO_ONE: &[(&str, &str)] = &[
    ("miette", "diag/report/human.rs"),
    ("granit_parser", "syntax/yaml/events.rs"),
    ("minijinja", "render/template.rs"),
    ("strsim", "diag/suggest.rs"),
    ("sha2", "source/digest.rs"),
    ("rustix", "cli/engine/program.rs"),
];

/// The files that touch the disk; everything between `load` and `emit` is a function of text.
const TOUCH_THE_DISK: &[&str] = &["source/load.rs", "facts/gguf.rs", "emit/"];

const BANNED_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "types"];
const MAX_LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(found.len() > 10, "the walk found {} files", found.len());
    found
}

/// The text without its inline tests and without comments.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]").next().unwrap_or_default();
    body.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The first segments after `crate::`, those of a brace list included.
fn rooms_named(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let (mut depth, mut word) = (0, String::new());
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push(std::mem::take(&mut word)),
                    _ if depth == 0 => word.push(c),
                    _ => {}
                }
            }
            found.push(word);
        } else {
            found.push(rest.to_owned());
        }
    }
    let first = |path: String| {
        let path = path.trim();
        let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
        // A macro stands at the root of the crate, whichever room declares it.
        (!path[end..].starts_with('!')).then(|| path[..end].to_owned())
    };
    found.into_iter().filter_map(first).filter(|room| !room.is_empty()).collect()
}

#[test]
fn rooms_import_only_what_the_table_says() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let Some((room, may)) = MAY_IMPORT.iter().find(|(room, _)| name.starts_with(&format!("{room}/")))
        else {
            assert!(ABOVE.iter().any(|above| name.starts_with(above)), "{name} lies in no room");
            continue;
        };
        let own = room.split('/').next().unwrap();
        for named in rooms_named(&code(&text)) {
            if named != own && !may.contains(&named.as_str()) {
                wrong.push(format!("{name} imports {named}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_import_test_sees_what_it_looks_for() {
    assert_eq!(rooms_named("use crate::plan::Plan; x(crate::diag::y)"), ["plan", "diag"]);
    assert_eq!(rooms_named("use crate::{plan::{Plan, Service}, diag::Code};"), ["plan", "diag"]);
    assert_eq!(rooms_named("crate::template!(\"x\"); crate::emit::x!()"), ["emit"]);
    assert_eq!(
        rooms_named(&code("// crate::plan\nuse crate::hir;\n#[cfg(test)] mod t { use crate::cli; }")),
        ["hir"]
    );
}

#[test]
fn siblings_in_check_and_render_do_not_know_each_other() {
    let mut wrong = Vec::new();
    for (room, shared) in [
        (
            "check",
            &[
                "mod",
                "ground",
                "options",
                "intent",
                "forbidden",
                "overrides",
                "experts",
                "locked",
                "secrets",
                "sum",
                "nodes",
                "threads",
                "claims",
            ][..],
        ),
        ("render", &["mod", "artifact", "template", "quote"][..]),
    ] {
        let files: Vec<_> =
            sources().into_iter().filter(|(name, _)| name.starts_with(&format!("{room}/"))).collect();
        let names: Vec<String> =
            files.iter().map(|(n, _)| n[room.len() + 1..].trim_end_matches(".rs").to_owned()).collect();
        for (name, text) in &files {
            if shared.iter().any(|s| *name == format!("{room}/{s}.rs")) {
                continue;
            }
            for sibling in
                names.iter().filter(|s| !shared.contains(&s.as_str()) && *name != format!("{room}/{s}.rs"))
            {
                if code(text).contains(&format!("super::{sibling}::"))
                    || code(text).contains(&format!("{room}::{sibling}::"))
                {
                    wrong.push(format!("{name} knows {sibling}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_foreign_crate_with_an_opinion_is_known_to_one_file() {
    for (krate, file) in KNOWN_TO_ONE {
        let users: Vec<String> = sources()
            .into_iter()
            .filter(|(_, text)| code(text).contains(&format!("{krate}::")))
            .map(|(name, _)| name)
            .collect();
        assert!(users.iter().all(|user| user == file), "{krate} belongs to {file} and is used in {users:?}");
    }
}

#[test]
fn files_are_small_enough_to_know_and_have_names_that_say_something() {
    for (name, text) in sources() {
        let lines = text.split("#[cfg(test)]").next().unwrap_or_default().lines().count();
        assert!(lines <= MAX_LINES, "{name} has {lines} lines, {MAX_LINES} at the most");
        assert!(text.starts_with("//!"), "{name} does not say what lives in it");
        let parts = name.trim_end_matches(".rs").split('/');
        assert!(parts.into_iter().all(|part| !BANNED_NAMES.contains(&part)), "{name} says nothing");
    }
}

#[test]
fn only_the_two_ends_touch_the_disk() {
    for (name, text) in sources() {
        let may = TOUCH_THE_DISK.iter().any(|place| name.starts_with(place));
        let does = ["std::fs", "File::open", "fs::read", "OpenOptions"]
            .iter()
            .any(|word| code(&text).contains(word));
        assert!(may || !does, "{name} touches the disk");
    }
}

#[test]
fn one_file_starts_processes() {
    for (name, text) in sources() {
        let starts =
            ["process::Command", "process::{Child, Command"].iter().any(|word| code(&text).contains(word));
        assert_eq!(starts, name == "cli/engine/program.rs", "{name}");
    }
}

#[test]
fn nothing_depends_on_chance_or_is_left_undone() {
    let banned = ["HashMap", "HashSet", "TODO", "FIXME", "todo!(", "unimplemented!(", "dbg!("];
    for (name, text) in sources() {
        for word in banned {
            assert!(!code(&text).contains(word), "{name} has {word}");
        }
        for line in text.lines().filter(|line| line.trim_start().starts_with("//")) {
            assert!(!["TODO", "FIXME", "XXX"].iter().any(|word| line.contains(word)), "{name}: {line}");
        }
    }
}

#[test]
fn the_top_level_is_the_one_agreed() {
    let agreed = ["Cargo.toml", "Cargo.lock", "src", "templates", "registry", "out", "tests", "README.md"];
    let listed =
        std::process::Command::new("git").args(["ls-files"]).current_dir(root().parent().unwrap()).output();
    let listed = String::from_utf8(listed.expect("git lists the files").stdout).unwrap();
    for file in listed.lines() {
        let top = file.split('/').next().unwrap();
        let fine = agreed.contains(&top)
            || top.starts_with('.')
            || top.starts_with("LICENSE")
            || top == "CHANGELOG.md";
        assert!(fine, "{top} stands at the top level");
    }
}
