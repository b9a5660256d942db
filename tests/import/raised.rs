//! Raising is the inverse of lowering: the command lines that orchgen writes are imported, and give the same command lines.

use super::library::{arguments, compiled, differences, import_texts, registry};
use super::options::Options;
use crate::support::{Compiled, compile, compile_folder, repository};
use orchgen::engine::{Family, Profile};
use orchgen::import::Format;
use orchgen::syntax::Language;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Registries with roles of every kind. Words in capitals are replaced.
const FIXTURES: &[(&str, &str)] = &[
    ("kitchen", include_str!("../scripts/kitchen.kdl")),
    ("two-nodes", include_str!("../scripts/two-nodes.kdl")),
    ("systemd", include_str!("../systemd/stack.kdl")),
    ("gpus", include_str!("../systemd/gpus.kdl")),
    ("many-options", include_str!("options.kdl")),
];

/// Options that are not the same, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("--numa", "the policy of the placement is in a wrapper, which `--dry-run` does not print"),
    ("--lookup-ngram-min", "only a fork has it"),
    ("start", "a command line does not state when it starts"),
];

fn fixtures() -> Vec<(String, Compiled)> {
    let replaced = |text: &str| {
        let text = text.replace("VERSION USER", "257").replace("VERSION", "257");
        let text = text.replace("BIN", "/opt/engine").replace("MODELS", "/srv/models");
        text.replace("/rig", "/opt/rig").replace(" lock=#true", "")
    };
    let own = FIXTURES
        .iter()
        .map(|(name, text)| ((*name).to_owned(), compile(&[("stack.kdl", replaced(text).as_str())])));
    let registry = ("registry".to_owned(), compile_folder(&repository().join("registry")));
    own.chain([registry]).collect()
}

/// A command line that orchgen writes.
struct Written {
    role: String,
    /// The arguments after the program.
    args: Vec<String>,
    /// The command as a line of a shell.
    line: String,
}

/// The output of a script of a role for its first process. `None` for a role without an own process.
fn printed(script: &Path, args: &[&str]) -> String {
    let run = |more: &[&str]| Command::new("bash").arg(script).args(args).args(more).output().unwrap();
    let first = run(&[]);
    // The script of a role with several processes needs the number of one.
    let output = if first.status.success() { first } else { run(&["0"]) };
    assert!(output.status.success(), "{}: {output:?}", script.display());
    String::from_utf8(output.stdout).unwrap()
}

/// The command lines of a registry by profile: as scripts print them, or as units have them if there are no scripts.
fn lines(compiled: &Compiled) -> BTreeMap<String, Vec<Written>> {
    let folder = tempfile::tempdir().unwrap();
    compiled.write(folder.path());
    let checked = compiled.checked();
    let mut found: BTreeMap<String, Vec<Written>> = BTreeMap::new();
    let of_library = arguments(compiled);
    for (served, command) in checked.roles() {
        let role = checked.registry().roles.get(served.id).head.name.value.to_string();
        let script = folder.path().join("bin").join(&role);
        let (args, line) = if script.is_file() {
            let words = printed(&script, &["--dry-run", "--print0"]);
            let args = words.split_terminator('\0').skip(1).map(str::to_owned).collect();
            (args, printed(&script, &["--dry-run"]))
        } else {
            let args = of_library[&role].clone();
            let words = std::iter::once(command.program()).chain(args.iter().cloned());
            let quoted: Vec<String> =
                words.map(|word| orchgen::render::quote::shell(&word).into_owned()).collect();
            (args, format!("{}\n", quoted.join(" ")))
        };
        found.entry(command.profile.name().to_owned()).or_default().push(Written { role, args, line });
    }
    found
}

/// The options without those that are exceptions, and without the address and the names, which are compared separately.
fn options(family: Family, args: &[String]) -> (Options, Vec<String>) {
    let mut options = Options::read_with(family, args);
    let mut address = Vec::new();
    for name in ["--host", "--port"] {
        address.extend(options.values.remove(name));
    }
    options.values.remove("--alias");
    for (name, _) in EXCEPTIONS {
        options.values.remove(*name);
    }
    (options, address)
}

/// Imports the command lines of one profile of a registry. Returns the faults.
fn faults(title: &str, profile: &str, lines: &[Written]) -> Vec<String> {
    let text: String = lines.iter().map(|written| written.line.as_str()).collect();
    let imported = import_texts(&[("commands.sh", &text)], Format::Shell, profile, Language::Kdl);
    let again = compiled(&imported);
    if again.checked.is_none() {
        return vec![format!("{title}: {}\n{}", again.report(), registry(&imported))];
    }
    let family = Profile::built_in(profile).unwrap().family();
    let after = arguments(&again);
    let mut faults = Vec::new();
    assert_eq!(imported.report.servers.len(), lines.len(), "{title}: {text}");
    for (Written { role: name, args, .. }, own) in lines.iter().zip(&imported.report.servers) {
        let Some(role) = &own.role else {
            faults.push(format!("{title}: {name} has no role"));
            continue;
        };
        let ((was, address_was), (is, address_is)) = (options(family, args), options(family, &after[role]));
        let lost = was.values.iter().filter(|option| !is.values.iter().any(|other| other == *option));
        let added = is.values.iter().filter(|option| !was.values.iter().any(|other| other == *option));
        faults.extend(lost.map(|(option, value)| format!("{title}: {name}: before {option} {value}")));
        faults.extend(added.map(|(option, value)| format!("{title}: {name}: after {option} {value}")));
        if address_was != address_is {
            faults.push(format!("{title}: {name}: {address_was:?} is {address_is:?}"));
        }
        let is_exception =
            |text: &String| EXCEPTIONS.iter().any(|(option, _)| text.split(' ').any(|word| word == *option));
        let reported = differences(own).into_iter().filter(|text| !is_exception(text));
        faults.extend(reported.map(|text| format!("{title}: {name}: the report has {text}")));
    }
    faults
}

#[test]
fn command_lines_of_all_fixtures_come_back() {
    let (mut all, mut count) = (Vec::new(), 0);
    for (title, compiled) in fixtures() {
        for (profile, lines) in lines(&compiled) {
            count += lines.len();
            all.extend(faults(&title, &profile, &lines));
        }
    }
    assert!(count > 50, "{count} command lines");
    assert!(all.is_empty(), "{} faults of {count} command lines\n{}", all.len(), all.join("\n"));
}
