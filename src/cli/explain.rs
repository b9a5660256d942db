//! `orchgen explain`.

use super::End;
use super::args::{Explain, Output, PageFormat};
use super::session;
use crate::catalogue::{codes, find};
use crate::diag::page::Example;
use crate::diag::report::page::page;
use crate::diag::{Code, nearest, words};
use serde::Serialize;

#[derive(Serialize)]
struct Catalogue {
    format_version: u32,
    codes: Vec<Entry>,
}

/// One code as JSON has it: its page is Markdown, and its examples stand beside it once more for those who only want these.
#[derive(Serialize)]
struct Entry {
    code: String,
    name: &'static str,
    severity: &'static str,
    summary: String,
    page: String,
    bad: Vec<Shown>,
    good: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    language: String,
    text: String,
}

pub(super) fn run(command: &Explain, output: Output) -> End {
    let chosen = match &command.code {
        Some(word) => match find(word) {
            Some(code) => vec![code],
            None => return say_unknown(word),
        },
        None => codes(),
    };
    let style = session::style(output, &std::io::stdout());
    session::print(&match command.format {
        PageFormat::Json => json(&chosen),
        PageFormat::Markdown if command.code.is_some() => chosen.iter().map(|code| markdown(code)).collect(),
        PageFormat::Markdown => document(&chosen),
        PageFormat::Human if command.code.is_none() && !command.all => list(&chosen),
        PageFormat::Human => {
            let pages: Vec<String> = chosen.iter().map(|code| page(code, style)).collect();
            pages.join("\n\n")
        }
    })
}

fn markdown(code: &Code) -> String {
    format!("# {code} {}\n\nSeverity: {}\n\n{}", code.name, code.severity.word(), code.text())
}

/// All pages below one heading, each a step deeper than it is alone, behind a table that links to them.
fn document(codes: &[&Code]) -> String {
    let mut out =
        "# What orchgen finds\n\n| code | name | severity | what it finds |\n|---|---|---|---|\n".to_owned();
    for code in codes {
        let anchor = format!("{code}-{}", code.name).to_lowercase();
        let row = [
            format!("[{code}](#{anchor})"),
            format!("`{}`", code.name),
            code.severity.word().to_owned(),
            code.summary().replace('|', "\\|"),
        ];
        out.extend(["| ", &row.join(" | "), " |\n"]);
    }
    for code in codes {
        let mut is_open = false;
        out.push('\n');
        for line in markdown(code).lines() {
            is_open ^= line.starts_with("```");
            let deeper = if line.starts_with('#') && !is_open { "#" } else { "" };
            out.extend([deeper, line, "\n"]);
        }
    }
    out
}

fn list(codes: &[&Code]) -> String {
    let width = codes.iter().map(|code| code.name.len()).max().unwrap_or(0);
    let line = |code: &&Code| format!("{code}  {:width$}  {}", code.name, code.severity.word());
    codes.iter().map(line).chain([String::new()]).collect::<Vec<_>>().join("\n")
}

fn json(codes: &[&'static Code]) -> String {
    let shown = |Example { language, text }| Shown { language, text };
    let entry = |code: &&'static Code| Entry {
        code: code.to_string(),
        name: code.name,
        severity: code.severity.word(),
        summary: code.summary(),
        page: code.text(),
        bad: code.examples("Example").into_iter().map(shown).collect(),
        good: code.examples("Instead").into_iter().map(shown).collect(),
    };
    let catalogue = Catalogue { format_version: 1, codes: codes.iter().map(entry).collect() };
    // Only maps with keys that are not strings can fail, and there is none.
    serde_json::to_string(&catalogue).unwrap_or_default() + "\n"
}

/// Says that a word is no code, with the nearest one.
pub(super) fn say_unknown(word: &str) -> End {
    let all = codes();
    let numbers: Vec<String> = all.iter().map(ToString::to_string).collect();
    let known = all.iter().map(|code| code.name).chain(numbers.iter().map(String::as_str));
    let is_number = word.chars().any(|c| c.is_ascii_digit());
    let folded = if is_number { word.to_ascii_uppercase() } else { word.to_ascii_lowercase() };
    let near = nearest(&folded, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    session::report(&format!("error: there is no code {}{near}\n", words::quoted(word)));
    session::report("`orchgen explain` lists all codes\n");
    End::CannotRun
}
