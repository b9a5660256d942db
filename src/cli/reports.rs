//! Where findings go: which formats, to which stream or file.

use super::End;
use super::args::Output;
use super::session;
use crate::catalogue::codes;
use crate::diag::report::{Run, Style, concise, github, gitlab, human, json, sarif};
use crate::diag::{Diagnostics, nearest, words};
use crate::source::{Places, SourceMap};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// How findings are written.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Reports")]
pub(super) struct Reports {
    /// Write findings in a format: human, concise, json, sarif, github or gitlab. To FILE if it is named, else human to
    /// standard error and the others to standard output. Several may be asked for at once
    #[arg(long = "report", value_name = "FORMAT[=FILE]", value_parser = report)]
    asked: Vec<Report>,
    /// The same as --report FORMAT
    #[arg(long = "output-format", value_name = "FORMAT")]
    formats: Vec<Format>,
    /// How many findings are drawn for people, the most severe first to be chosen; `all` draws all
    #[arg(long = "max-findings", value_name = "N", default_value = "100", value_parser = most)]
    pub(super) most: usize,
}

/// One report: its format, and the file that it goes to; the stream of the format where there is none.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Report {
    format: Format,
    file: Option<PathBuf>,
}

/// A format of findings.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// Drawn, with the text that each is about
    Human,
    /// A line each
    Concise,
    /// One object, stable, for programs
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of a GitHub workflow
    Github,
    /// A code quality report of GitLab
    Gitlab,
}

impl Format {
    /// Whether its readers look for files from the root of the repository.
    fn has_places(self) -> bool {
        matches!(self, Self::Sarif | Self::Github | Self::Gitlab)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Concise => "concise",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
        }
    }
}

fn report(word: &str) -> Result<Report, String> {
    let (name, file) = match word.split_once('=') {
        Some((name, file)) => (name, Some(file)),
        None => (word, None),
    };
    if file == Some("") {
        return Err(format!("a file is missing after `=`: write `{name}=FILE`, or `{name}` alone"));
    }
    let all = Format::value_variants();
    match all.iter().find(|format| format.word() == name) {
        Some(format) => Ok(Report { format: *format, file: file.map(PathBuf::from) }),
        None => {
            let names: Vec<&str> = all.iter().map(|format| format.word()).collect();
            let near = nearest(name, names.iter().copied());
            Err(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected {}", words::any_of(&names)),
            })
        }
    }
}

fn most(word: &str) -> Result<usize, String> {
    let number = if word == "all" { Some(usize::MAX) } else { word.parse().ok().filter(|n| *n > 0) };
    number.ok_or_else(|| "expected a number from 1 on, or `all`".to_owned())
}

impl Reports {
    /// All reports. People are told on the terminal too, unless a report on a stream was asked for instead.
    fn wanted(&self) -> Vec<Report> {
        let formats = self.formats.iter().map(|format| Report { format: *format, file: None });
        let mut wanted: Vec<Report> = formats.chain(self.asked.iter().cloned()).collect();
        if wanted.iter().all(|one| one.file.is_some()) {
            wanted.push(Report { format: Format::Human, file: None });
        }
        wanted
    }

    /// Whether people read what is said on standard error.
    pub(super) fn speaks_to_people(&self) -> bool {
        self.wanted().iter().any(|one| one.file.is_none() && one.format == Format::Human)
    }

    /// Whether a report goes to standard output.
    pub(super) fn are_printed(&self) -> bool {
        self.wanted().iter().any(|one| one.file.is_none() && one.format != Format::Human)
    }

    /// What keeps these reports from being written beside each other, or beside the registry.
    pub(super) fn clash(&self, registry: &Path, baseline: Option<&Path>) -> Option<String> {
        let wanted = self.wanted();
        for (n, one) in wanted.iter().enumerate() {
            let (before, _) = wanted.split_at(n);
            if before.iter().any(|other| place(other) == place(one)) {
                return Some(one.is_in_the_way(before));
            }
            let Some(file) = &one.file else { continue };
            let name = words::quoted(&file.to_string_lossy());
            if is_of(registry, file) {
                return Some(format!("the report {name} would be a file of the registry: name another file"));
            }
            if baseline.is_some_and(|baseline| real(baseline) == real(file)) {
                return Some(format!(
                    "the report {name} would take the place of the known findings: name another file"
                ));
            }
        }
        None
    }

    /// Writes all reports, as far as each can be.
    pub(super) fn write(&self, findings: &Diagnostics, map: &SourceMap, output: Output) -> End {
        let wanted = self.wanted();
        let is_placed = wanted.iter().any(|one| one.format.has_places());
        let places = if is_placed { Places::find(map) } else { Places::default() };
        let codes = codes();
        let run = Run { findings, map, places: &places, codes: &codes };
        let mut end = End::Clean;
        for one in wanted {
            let style = match one.file {
                Some(_) => session::style_of_file(output),
                None => session::style(output, &std::io::stderr()),
            };
            let style = Style { most: self.most, ..style };
            let text = match one.format {
                Format::Human => human::human(findings, map, style),
                Format::Concise => concise::concise(findings, map),
                Format::Json => json::json(findings, map),
                Format::Sarif => sarif::sarif(run),
                Format::Github => github::github(run),
                Format::Gitlab => gitlab::gitlab(run),
            };
            let sent = match (&one.file, one.format) {
                (Some(file), _) => session::put(file, &text),
                (None, Format::Human) => {
                    if !output.quiet || !findings.is_empty() {
                        session::report(&text);
                    }
                    End::Clean
                }
                (None, _) => session::print(&text),
            };
            if sent != End::Clean {
                end = sent;
            }
        }
        end
    }
}

impl Report {
    fn is_in_the_way(&self, before: &[Self]) -> String {
        let other = before.iter().find(|other| place(other) == place(self)).unwrap_or(self);
        let (one, two) = (other.format.word(), self.format.word());
        let what = if one == two { format!("`{one}` twice") } else { format!("`{one}` and `{two}` both") };
        match &self.file {
            Some(file) => format!(
                "the reports would write {what} to {}: name another file",
                words::quoted(&file.to_string_lossy())
            ),
            None => format!(
                "the reports would write {what} to {}: name a file for one, as in `--report {two}=FILE`",
                if self.format == Format::Human { "standard error" } else { "standard output" }
            ),
        }
    }
}

/// What a report is written to, whatever it is called: a file that is not there yet by the folder that it will be in.
fn place(report: &Report) -> (bool, Option<PathBuf>) {
    (report.file.is_none() && report.format == Format::Human, report.file.as_deref().map(real))
}

fn real(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = || Some(folder.canonicalize().ok()?.join(file.file_name()?));
    file.canonicalize().ok().or_else(beside).unwrap_or_else(|| file.to_owned())
}

/// Whether a file would be read as part of the registry.
fn is_of(registry: &Path, file: &Path) -> bool {
    let is_text = file.extension().is_some_and(|ending| {
        ["yaml", "yml", "kdl", "lock"].iter().any(|known| ending.eq_ignore_ascii_case(known))
    });
    let folder = registry.canonicalize().unwrap_or_else(|_| registry.to_owned());
    is_text && real(file).parent() == Some(&folder)
}
