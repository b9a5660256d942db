//! Rules for the source code: imports, sizes, names, and external crates that only one file may use.

use crate::support::repository;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Files above the rooms. They may import every room, and no room imports them.
const ABOVE: &[&str] = &["main.rs", "lib.rs", "build.rs", "compile", "catalogue.rs", "cli"];

/// External crates that could be replaced, each with the one file that uses it.
const WRAPPED: &[(&str, &str)] = &[
    ("miette", "diag/report/human.rs"),
    ("granit_parser", "syntax/yaml/events.rs"),
    ("minijinja", "render/template.rs"),
    ("pulldown_cmark", "cli/guide/markdown.rs"),
    ("strsim", "diag/suggest.rs"),
    ("sha2", "source/digest.rs"),
    ("rustix", "cli/engine/program.rs"),
    ("clap_complete", "cli/completions.rs"),
    ("clap_mangen", "cli/man.rs"),
    ("similar", "cli/text_diff.rs"),
    ("serde_yaml", "render/yaml.rs"),
    ("k8s_openapi", "render/kubernetes/api.rs"),
    ("supports_hyperlinks", "cli/links.rs"),
    ("unicode_width", "diag/report/plain.rs"),
];

/// The only files that may access the disk.
const ACCESS_THE_DISK: &[&str] = &[
    "source/load.rs",
    "source/model_files.rs",
    "source/stamp.rs",
    "source/processes.rs",
    "source/process_facts.rs",
    "facts/gguf.rs",
    "emit/",
    "deploy/",
];

/// Modules of a room that its other modules may import.
const SHARED_MODULES: &[(&str, &[&str])] = &[
    ("check", &["shared"]),
    ("render", &["artifact", "command", "container", "names", "presets", "template", "quote", "yaml"]),
];

const BANNED_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "types"];
const MAX_LINES: usize = 400;
/// Lines of a function, signature and braces included: of the longest, and of nine in ten.
const MAX_FUNCTION: usize = 60;
const MAX_USUAL_FUNCTION: usize = 30;

fn root() -> PathBuf {
    repository().join("src")
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

/// The text without inline tests and comments.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]").next().unwrap_or_default();
    body.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The paths that follow a prefix such as `crate::`. `use super::{a, b::c}` gives `a` and `b::c`.
fn paths_after(prefix: &str, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        // `$crate::` and `super::super::` are other prefixes.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c)) {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            found.push(path(rest));
            continue;
        };
        let (mut depth, mut start) = (0, 0);
        for (n, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    found.push(path(&list[start..n]));
                    start = n + 1;
                    if c == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    found.retain(|path| !path.is_empty());
    found
}

/// The path at the start of a text. A macro gives an empty path, because all macros are at the root of the crate.
fn path(text: &str) -> String {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).unwrap_or(text.len());
    if text[end..].starts_with('!') { String::new() } else { text[..end].to_owned() }
}

fn first_segment(path: &str) -> &str {
    path.split("::").next().unwrap_or_default()
}

/// A row of the table of rooms in `src/lib.rs`.
struct Room {
    name: String,
    imports: BTreeSet<String>,
    purpose: String,
}

fn table() -> Vec<Room> {
    let text = std::fs::read_to_string(root().join("lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! "));
    let mut rows = rows.skip_while(|row| !row.starts_with("room "));
    let header = rows.next().unwrap_or_else(|| panic!("src/lib.rs has no table of rooms"));
    let (imports, purpose) = (header.find("imports").unwrap(), header.find("what it does").unwrap());
    let room = |row: &str| {
        assert!(row.len() > purpose, "{row}: no purpose");
        Room {
            name: row[..imports].trim().to_owned(),
            imports: row[imports..purpose].split_whitespace().map(str::to_owned).collect(),
            purpose: row[purpose..].to_owned(),
        }
    };
    rows.take_while(|row| *row != "```").map(room).collect()
}

#[test]
fn the_map_for_contributors_is_the_table() {
    let map = std::fs::read_to_string(repository().join(".github/CONTRIBUTING.md")).unwrap();
    for room in table() {
        let row = format!("| `{}` | {} |", room.name, room.purpose);
        assert!(map.contains(&row), "CONTRIBUTING.md lacks {row}");
    }
}

#[test]
fn rooms_import_what_the_table_lists() {
    let table: BTreeMap<String, BTreeSet<String>> =
        table().into_iter().map(|room| (room.name, room.imports)).collect();
    let mut imports: BTreeMap<String, BTreeSet<String>> =
        table.keys().map(|room| (room.clone(), BTreeSet::new())).collect();
    for (file, text) in sources() {
        // The longest name is the innermost room.
        let rooms = table.keys().filter(|room| file.starts_with(&format!("{room}/")));
        let Some(room) = rooms.max_by_key(|room| room.len()) else {
            assert!(ABOVE.iter().any(|above| file.starts_with(above)), "{file} is in no room of the table");
            continue;
        };
        let names =
            paths_after("crate::", &code(&text)).into_iter().map(|path| first_segment(&path).to_owned());
        // A path from the room to itself, or to an item at the root of the crate, is no import.
        let foreign = names.filter(|name| name != room && !name.starts_with(char::is_uppercase));
        imports.get_mut(room).unwrap().extend(foreign);
    }
    assert_eq!(imports, table, "left: imports, right: the table in src/lib.rs");
}

/// The imports in the table are a list without circles if each room imports only rooms above it.
#[test]
fn rooms_and_modules_of_derive_import_only_those_above_them() {
    let mut above = BTreeSet::new();
    for room in table() {
        let below: Vec<&String> = room.imports.iter().filter(|import| !above.contains(*import)).collect();
        assert!(below.is_empty(), "{} imports {below:?}, which is below it", room.name);
        above.insert(room.name);
    }
    let text = std::fs::read_to_string(root().join("derive/mod.rs")).unwrap();
    let rows = text.split("```").nth(1).unwrap().lines().filter_map(|row| row.strip_prefix("//! "));
    let modules: Vec<&str> = rows.filter_map(|row| row.split_whitespace().next()).collect();
    for (file, text) in sources() {
        let Some(module) = file.strip_prefix("derive/").filter(|name| *name != "mod.rs") else { continue };
        let at = modules.iter().position(|known| *known == module.trim_end_matches(".rs"));
        let above = &modules[..at.unwrap_or_else(|| panic!("the table in derive/mod.rs lacks {module}"))];
        let imports = paths_after("super::", &code(&text));
        let below: Vec<&String> =
            imports.iter().filter(|path| !above.contains(&first_segment(path))).collect();
        assert!(below.is_empty(), "derive/{module} imports {below:?}, which is not above it");
    }
}

#[test]
fn paths_are_found() {
    assert_eq!(paths_after("crate::", "use crate::plan::Plan; x(crate::diag::y)"), ["plan::Plan", "diag::y"]);
    assert_eq!(
        paths_after("crate::", "use crate::{plan::{Plan, Service}, diag::Code};"),
        ["plan::", "diag::Code"]
    );
    assert_eq!(paths_after("crate::", "crate::template!(\"x\"); $crate::emit::x!()"), Vec::<String>::new());
    assert_eq!(paths_after("super::", "use super::{a, b::c};"), ["a", "b::c"]);
    assert_eq!(paths_after("super::", "use super::super::a;"), ["super::a"]);
    let text = "// crate::plan\nuse crate::hir;\n#[cfg(test)] mod t { use crate::cli; }";
    assert_eq!(paths_after("crate::", &code(text)), ["hir"]);
}

#[test]
fn checks_and_targets_do_not_import_each_other() {
    let mut wrong = Vec::new();
    for (room, shared) in SHARED_MODULES {
        let files: Vec<(String, String)> = sources()
            .into_iter()
            .filter_map(|(file, text)| Some((file.strip_prefix(&format!("{room}/"))?.to_owned(), text)))
            .collect();
        let module = |file: &str| file.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let modules: BTreeSet<String> = files.iter().map(|(file, _)| module(file)).collect();
        for name in *shared {
            assert!(modules.contains(*name), "{room}/{name} does not exist");
        }
        for (file, text) in &files {
            let own = module(file);
            if own == "mod" || shared.contains(&own.as_str()) {
                continue;
            }
            let code = code(text);
            let mut paths = paths_after(&format!("crate::{room}::"), &code);
            if !file.contains('/') {
                paths.extend(paths_after("super::", &code));
            }
            let siblings =
                paths.iter().map(|path| first_segment(path)).filter(|name| modules.contains(*name));
            let foreign = siblings.filter(|name| *name != own && !shared.contains(name));
            wrong.extend(foreign.map(|name| format!("{room}/{file} imports {name}")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn one_file_uses_each_wrapped_crate() {
    for (krate, file) in WRAPPED {
        let users: Vec<String> = sources()
            .into_iter()
            .filter(|(_, text)| code(text).contains(&format!("{krate}::")))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(users, [*file], "{krate}");
    }
}

#[test]
fn files_are_short_and_begin_with_their_purpose() {
    for (name, text) in sources() {
        let lines = text.split("#[cfg(test)]").next().unwrap_or_default().lines().count();
        assert!(lines <= MAX_LINES, "{name} has {lines} lines, the limit is {MAX_LINES}");
        assert!(text.starts_with("//!"), "{name} does not begin with its purpose");
        let parts = name.trim_end_matches(".rs").split('/');
        assert!(
            parts.into_iter().all(|part| !BANNED_NAMES.contains(&part)),
            "{name}: this name does not describe the module"
        );
    }
}

/// The functions with a body, as name and number of lines. In formatted code, the closing brace has the indentation of
/// the signature.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let words: Vec<&str> = line.split_whitespace().take_while(|word| *word != "//").collect();
        let Some(name) = words.iter().position(|word| *word == "fn").filter(|n| *n < 4) else { continue };
        let closing = format!("{indent}}}");
        let body = lines[at..].iter().position(|line| line.ends_with('{') || line.ends_with(['}', ';']));
        let Some(opening) = body.filter(|n| lines[at + n].ends_with('{')) else { continue };
        let length = lines[at + opening..].iter().position(|line| *line == closing);
        found.push((words[name + 1].to_owned(), opening + length.unwrap() + 1));
    }
    found
}

#[test]
fn functions_are_short() {
    let mut all: Vec<(usize, String, String)> = Vec::new();
    for (file, text) in sources() {
        all.extend(functions(&text).into_iter().map(|(name, lines)| (lines, file.clone(), name)));
    }
    all.sort();
    assert!(all.len() > 1000, "{} functions", all.len());
    let long: Vec<_> = all.iter().filter(|(lines, ..)| *lines > MAX_FUNCTION).collect();
    assert!(long.is_empty(), "functions with more than {MAX_FUNCTION} lines: {long:#?}");
    let usual = all[all.len() * 9 / 10].0;
    assert!(usual <= MAX_USUAL_FUNCTION, "one in ten functions has more than {usual} lines");
}

#[test]
fn only_listed_files_access_the_disk() {
    for (name, text) in sources() {
        let may = ACCESS_THE_DISK.iter().any(|place| name.starts_with(place));
        let does = ["std::fs", "File::open", "fs::read", "OpenOptions"]
            .iter()
            .any(|word| code(&text).contains(word));
        assert!(may || !does, "{name} accesses the disk");
    }
}

/// The build script starts git.
#[test]
fn few_files_start_processes() {
    for (name, text) in sources() {
        let starts =
            ["process::Command", "process::{Child, Command"].iter().any(|word| code(&text).contains(word));
        assert_eq!(
            starts,
            ["cli/engine/program.rs", "cli/deploy/programs.rs", "build.rs"].contains(&&*name),
            "{name}"
        );
    }
}

/// The commit of the build is in no output, so that each build of a version writes the same files and reports.
#[test]
fn only_the_version_and_the_man_pages_name_the_commit() {
    for (name, text) in sources() {
        let users = [("ORCHGEN_VERSION", "cli/args.rs"), ("ORCHGEN_DATE", "cli/man.rs")];
        for (variable, user) in users {
            assert_eq!(
                code(&text).contains(variable),
                name == user || name == "build.rs",
                "{name}: {variable}"
            );
        }
    }
}

#[test]
fn no_hash_order_and_no_unfinished_code() {
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

/// Names of llama.cpp are data of `engine/llama`, and those of llama-swap of `engine/llama_swap.rs`. Only texts for users, which have blanks, name them elsewhere,
/// the pages of the reference, and the readers of `import`, which recognize commands and files of these programs.
#[test]
fn names_of_llama_cpp_are_in_one_room() {
    let is_checked = |name: &str| !name.starts_with("engine/llama") && !name.starts_with("import/");
    for (name, text) in sources().into_iter().filter(|(name, _)| is_checked(name)) {
        let is_name = |literal: &&str| !literal.contains(' ') && !literal.starts_with("reference/");
        for literal in code(&text).split('"').skip(1).step_by(2).filter(is_name) {
            for word in ["llama-server", "/health", "LLAMA_ARG_", "LLAMA_API_KEY"] {
                assert!(!literal.contains(word), "{name} has \"{literal}\"");
            }
        }
    }
}

mod tools {
    use super::*;

    #[test]
    fn the_top_level_has_only_the_agreed_entries() {
        let agreed =
            ["Cargo.toml", "Cargo.lock", "src", "templates", "registry", "out", "tests", "README.md"];
        let git = std::process::Command::new("git").args(["ls-files"]).current_dir(repository()).output();
        let listed = String::from_utf8(git.expect("git lists the files").stdout).unwrap();
        assert!(listed.lines().count() > 100, "git lists the files of the repository");
        for file in listed.lines() {
            let top = file.split('/').next().unwrap();
            let is_agreed = agreed.contains(&top)
                || top.starts_with('.')
                || top.starts_with("LICENSE")
                || top == "CHANGELOG.md";
            assert!(is_agreed, "{top} is at the top level");
        }
    }
}

#[test]
fn every_declared_code_is_in_the_catalogue() {
    let number = |line: &str| -> Option<u16> {
        let (_, declaration) = line.split_once("static ")?.1.split_once(" = ")?;
        declaration.split_once(", \"")?.0.parse().ok()
    };
    let declared: BTreeSet<u16> = sources()
        .iter()
        .flat_map(|(_, text)| code(text).lines().filter_map(number).collect::<Vec<_>>())
        .collect();
    let listed: BTreeSet<u16> = orchgen::catalogue::codes().iter().map(|code| code.number).collect();
    assert_eq!(declared, listed, "left: declared, right: in the catalogue");
}
