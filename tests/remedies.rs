//! The helps: each line that a help asks the user to write removes its finding and adds no error, in KDL and in YAML.

use crate::language::{BASE, translate::translate};
use crate::support::{Compiled, compile};
use orchgen::catalogue::codes;
use orchgen::diag::{Diagnostic, Fix, Severity};
use std::collections::BTreeSet;

/// The files of a registry: names and texts.
type Files = Vec<(String, String)>;

fn compile_files(files: &Files) -> Compiled {
    compile(&files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
}

/// The bad examples of all pages with the base, in their own language and in the other one.
fn registries() -> Vec<(String, Files)> {
    let mut all = Vec::new();
    for code in codes().into_iter().filter(|code| code.number < 400) {
        for example in code.examples("Example").chunk_by(|_, next| next.language == "lock") {
            let [first, rest @ ..] = example else { continue };
            if first.language == "lock" {
                let lock = ("registry.lock".to_owned(), first.text.clone());
                all.push((code.name.to_owned(), vec![("base.kdl".to_owned(), BASE.to_owned()), lock]));
                continue;
            }
            let other = if first.language == "kdl" { "yaml" } else { "kdl" };
            let translated = translate(&first.language, &first.text);
            let own = (first.language.clone(), first.text.clone());
            for (language, text) in
                std::iter::once(own).chain(translated.map(|text| (other.to_owned(), text)))
            {
                let mut files = vec![("base.kdl".to_owned(), BASE.to_owned())];
                files.push((format!("example.{language}"), text));
                files.extend(rest.iter().map(|lock| ("registry.lock".to_owned(), lock.text.clone())));
                all.push((format!("{} in {language}", code.name), files));
            }
        }
    }
    all
}

/// The files with the edits of a fix.
fn apply(compiled: &Compiled, fix: &Fix) -> Files {
    let files = compiled.loaded.map.files().map(|(id, source)| {
        let mut edits: Vec<_> = fix.edits.iter().filter(|edit| edit.span.file == id).collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
        let text = edits.into_iter().fold(source.text().to_owned(), |mut text, edit| {
            text.replace_range(edit.span.range(), &edit.text);
            text
        });
        (source.name().to_owned(), text)
    });
    files.collect()
}

/// A finding without its place and its numbers: the code and the item.
fn key(finding: &Diagnostic) -> (&'static str, String) {
    let subject = finding.subject.as_ref().map(|subject| format!("{} {}", subject.kind, subject.name));
    (finding.code.name, subject.unwrap_or_default())
}

/// Why a fix does not solve its finding: the finding is still there, or there is a new error.
fn failure(before: &Compiled, finding: &Diagnostic, fix: &Fix) -> Option<String> {
    let files = apply(before, fix);
    let after = compile_files(&files);
    let count = |compiled: &Compiled| {
        compiled.findings.findings().iter().filter(|one| key(one) == key(finding)).count()
    };
    let known: BTreeSet<_> = before.findings.findings().iter().map(key).collect();
    let errors = after.findings.findings().iter();
    let mut new = errors.filter(|one| one.severity == Severity::Error && !known.contains(&key(one)));
    let problem = if count(&after) >= count(before) {
        "the finding stays".to_owned()
    } else {
        format!("new error: {}", new.next()?.message)
    };
    Some(format!(
        "{}: {}: {problem}\n{}",
        finding.code,
        fix.title,
        files.iter().find(|(name, _)| name != "base.kdl").unwrap().1
    ))
}

/// The bad examples of the pages, and the cases of `remedies/cases.txt`, with the base. Each is in both languages.
fn all_registries() -> Vec<(String, Files)> {
    let mut all = registries();
    for case in include_str!("remedies/cases.txt").split("\n\n").skip(1) {
        let kdl = Some(("kdl", case.to_owned()));
        let yaml = translate("kdl", case).map(|text| ("yaml", text));
        for (language, text) in kdl.into_iter().chain(yaml) {
            let base = ("base.kdl".to_owned(), BASE.to_owned());
            all.push((case.to_owned(), vec![base, (format!("case.{language}"), text)]));
        }
    }
    all
}

#[test]
fn each_case_is_a_mistake_in_both_languages() {
    for (title, files) in all_registries().into_iter().filter(|(_, files)| files[1].0.starts_with("case")) {
        assert!(!compile_files(&files).findings.is_empty(), "{title}: {}", files[1].0);
    }
}

#[test]
fn each_line_of_a_help_removes_its_finding_and_adds_no_error() {
    let mut wrong = Vec::new();
    for (title, files) in all_registries() {
        let compiled = compile_files(&files);
        for finding in compiled.findings.findings() {
            let failed = finding.fixes.iter().filter_map(|fix| failure(&compiled, finding, fix));
            wrong.extend(failed.map(|why| format!("{title}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The code spans of a help.
fn spans(help: &str) -> impl Iterator<Item = &str> {
    help.split('`').skip(1).step_by(2)
}

/// The beginnings of commands of a shell and of options.
const COMMANDS: &[&str] = &["orchgen ", "numactl ", "llama-", "-"];

/// Codes whose helps are texts without a fix so far.
const PLAIN: &[&str] = &["kdl-version-1", "kdl-syntax"];

/// The words at the beginning of a help that names a change.
const VERBS: &[&str] = &["write `", "add `", "remove `", "or write `", "or add `", "or remove `"];

/// A help that names a change, or that has a line to write, must be a fix. Other spans are commands, or texts of the
/// registry.
#[test]
fn each_line_of_a_help_is_a_fix() {
    let mut wrong = BTreeSet::new();
    for (_, files) in all_registries() {
        let compiled = compile_files(&files);
        for finding in compiled.findings.findings().iter().filter(|one| !PLAIN.contains(&one.code.name)) {
            let is_line = |span: &str| {
                span.contains([' ', '=', ':', '{', '"'])
                    && !COMMANDS.iter().any(|command| span.starts_with(command))
                    && !files.iter().any(|(_, text)| text.contains(span))
            };
            let is_fix = |help: &String| finding.fixes.iter().any(|fix| fix.title == *help);
            let has_line =
                |help: &String| VERBS.iter().any(|verb| help.starts_with(verb)) || spans(help).any(is_line);
            let lines = finding.help.iter().filter(|help| has_line(help) && !is_fix(help));
            wrong.extend(lines.map(|help| format!("{} {}: {help}", finding.code, finding.code.name)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}
