//! `orchgen explain`.

use super::RunStatus;
use super::args::OutputArgs;
use super::guide;
use super::session;
use super::table::{Column, Section, Table, Text, Tone};
use crate::catalogue::{codes, find};
use crate::diag::page::Example;
use crate::diag::report::Style;
use crate::diag::{Code, Severity, nearest, words};
use clap::{Args as Arguments, ValueEnum};
use serde::Serialize;

pub(in crate::cli) const EXPLAIN_HELP: &str = "\
Codes in findings and lists are links to these pages if the terminal has links.
FORCE_HYPERLINK=1 and FORCE_HYPERLINK=0 override its detection. The pages are in
`../share/doc/orchgen/guide/codes`, relative to the folder of the program;
`orchgen guide --out` writes them. ORCHGEN_EXPLAIN_URL names another place:
`{code}` in it is replaced with the code. Without `{code}`, the code follows it.

Examples:
  orchgen explain port-conflict       explain a code
  orchgen explain --all --output-format markdown > codes.md
                                      write all pages as one document
  ORCHGEN_EXPLAIN_URL=https://wiki.example/ orchgen check
                                      codes are links, for example to https://wiki.example/ORC302";

#[derive(Serialize)]
struct CatalogueJson {
    format_version: u32,
    codes: Vec<CodeJson>,
}

/// One code as JSON. The page is Markdown; its examples are also available separately.
#[derive(Serialize)]
struct CodeJson {
    code: String,
    name: &'static str,
    severity: &'static str,
    summary: String,
    page: String,
    bad: Vec<Example>,
    good: Vec<Example>,
}

#[derive(Arguments, Debug)]
pub(in crate::cli) struct ExplainArgs {
    /// Number or name of a code, for example ORC302 or port-conflict. Without CODE, all codes are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
    /// Print the pages of all codes
    #[arg(long, conflicts_with = "code")]
    all: bool,
    /// Output format
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    format: PageFormat,
}

/// The output format of `explain`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::cli) enum PageFormat {
    /// Text for a terminal
    Human,
    /// Markdown, for a website
    Markdown,
    /// One JSON object with the pages and examples
    Json,
}

pub(super) fn run(command: &ExplainArgs, output: OutputArgs) -> RunStatus {
    let chosen = match &command.code {
        Some(word) => match find(word) {
            Some(code) => vec![code],
            None => return report_unknown_code(word),
        },
        None => codes(),
    };
    let style = session::style(output, &std::io::stdout());
    session::print_stdout(&match command.format {
        PageFormat::Json => json(&chosen),
        PageFormat::Markdown if command.code.is_some() => chosen.iter().map(|code| markdown(code)).collect(),
        PageFormat::Markdown => markdown_document(&chosen),
        PageFormat::Human if command.code.is_none() && !command.all => list(&chosen, style),
        PageFormat::Human => {
            let pages: Vec<String> = chosen.iter().map(|code| guide::code_page(code, style)).collect();
            pages.join("\n\n")
        }
    })
}

/// The page of a code as Markdown.
pub(super) fn markdown(code: &Code) -> String {
    format!("# {code} {}\n\nSeverity: {}\n\n{}", code.name, code.severity.word(), code.text())
}

/// A table of all codes. A function gives the target of the link of a code.
pub(super) fn markdown_list(codes: &[&Code], target: impl Fn(&Code) -> String) -> String {
    let mut out =
        "# What orchgen finds\n\n| code | name | severity | what it finds |\n|---|---|---|---|\n".to_owned();
    for code in codes {
        let row = [
            format!("[{code}]({})", target(code)),
            format!("`{}`", code.name),
            code.severity.word().to_owned(),
            code.summary().replace('|', "\\|"),
        ];
        out.extend(["| ", &row.join(" | "), " |\n"]);
    }
    out
}

/// One document with all pages: a table of links, then the pages with their headings one level deeper.
fn markdown_document(codes: &[&Code]) -> String {
    let mut out = markdown_list(codes, |code| format!("#{code}-{}", code.name).to_lowercase());
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

fn list(codes: &[&'static Code], style: Style) -> String {
    let row = |code: &&'static Code| {
        let tone = match code.severity {
            Severity::Error => Tone::Bad,
            Severity::Warning => Tone::Open,
            Severity::Note => Tone::Plain,
        };
        vec![Text::code(code), code.name.into(), Text::new(tone, code.severity.word())]
    };
    let columns = ["code", "name", "severity"].map(Column::words).to_vec();
    Table::new(vec![Section { title: None, columns, rows: codes.iter().map(row).collect() }]).print(style)
}

fn json(codes: &[&'static Code]) -> String {
    let entry = |code: &&'static Code| CodeJson {
        code: code.to_string(),
        name: code.name,
        severity: code.severity.word(),
        summary: code.summary(),
        page: code.text(),
        bad: code.examples("Example"),
        good: code.examples("Instead"),
    };
    let catalogue = CatalogueJson { format_version: 1, codes: codes.iter().map(entry).collect() };
    session::json_line(&catalogue)
}

/// Reports an unknown code, with the nearest known one.
pub(super) fn report_unknown_code(word: &str) -> RunStatus {
    let all = codes();
    let numbers: Vec<String> = all.iter().map(ToString::to_string).collect();
    let names = all.iter().map(|code| code.name).chain(numbers.iter().map(String::as_str));
    let is_number = word.chars().any(|c| c.is_ascii_digit());
    let folded = if is_number { word.to_ascii_uppercase() } else { word.to_ascii_lowercase() };
    let near = nearest(&folded, names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    session::fail(format!("unknown code {}{near}\n`orchgen explain` lists all codes", words::quoted(word)))
}
