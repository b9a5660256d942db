//! `orchgen explain`.

use super::End;
use super::args::{Explain, Format, Output};
use super::session;
use crate::catalogue::{codes, find};
use crate::diag::{Code, nearest, words};
use serde::Serialize;

#[derive(Serialize)]
struct Catalogue {
    format_version: u32,
    codes: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    code: String,
    name: &'static str,
    severity: &'static str,
    summary: String,
    page: String,
}

pub(super) fn run(command: &Explain, output: Output) -> End {
    let chosen = match &command.code {
        Some(word) => match find(word) {
            Some(code) => vec![code],
            None => return say_unknown(word),
        },
        None => codes(),
    };
    session::print(&match (output.format, &command.code) {
        (Format::Json, _) => json(&chosen),
        (Format::Human, Some(_)) => chosen.iter().map(|code| page(code)).collect(),
        (Format::Human, None) => list(&chosen),
    });
    End::Clean
}

fn page(code: &Code) -> String {
    format!("# {code} {}\n\nSeverity: {}\n\n{}", code.name, code.severity.word(), code.text())
}

fn list(codes: &[&Code]) -> String {
    let width = codes.iter().map(|code| code.name.len()).max().unwrap_or(0);
    let line = |code: &&Code| format!("{code}  {:width$}  {}", code.name, code.severity.word());
    codes.iter().map(line).chain([String::new()]).collect::<Vec<_>>().join("\n")
}

fn json(codes: &[&'static Code]) -> String {
    let entry = |code: &&'static Code| Entry {
        code: code.to_string(),
        name: code.name,
        severity: code.severity.word(),
        summary: code.summary(),
        page: code.text(),
    };
    let catalogue = Catalogue { format_version: 1, codes: codes.iter().map(entry).collect() };
    // Only maps with keys that are not strings can fail, and there is none.
    serde_json::to_string(&catalogue).unwrap_or_default() + "\n"
}

fn say_unknown(word: &str) -> End {
    let all = codes();
    let numbers: Vec<String> = all.iter().map(ToString::to_string).collect();
    let known = all.iter().map(|code| code.name).chain(numbers.iter().map(String::as_str));
    let near = nearest(word, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    session::say(&format!("error: there is no code {}{near}\n", words::quoted(word)));
    session::say("`orchgen explain` lists all codes\n");
    End::CannotRun
}
