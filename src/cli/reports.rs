//! The report options: formats and destinations of findings.

use super::RunStatus;
use super::args::OutputArgs;
use super::session;
use crate::catalogue::codes;
use crate::diag::report::{ReportInput, Style, concise, github, gitlab, human, json, sarif};
use crate::diag::{Diagnostics, nearest, words};
use crate::source::{ReportPaths, SourceMap};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// The report options.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Reports")]
pub(super) struct Reports {
    /// Write findings in a format: human, concise, json, sarif, github or gitlab. Without FILE, human goes to standard
    /// error and the others to standard output. Can be repeated, for example `--report human --report sarif=FILE`
    #[arg(long = "report", value_name = "FORMAT[=FILE]", value_parser = parse_report)]
    requested: Vec<ReportTarget>,
    /// Same as `--report FORMAT`
    #[arg(long = "output-format", value_name = "FORMAT")]
    formats: Vec<ReportFormat>,
    /// Maximum number of findings in the human format (`all` for no limit). If there are more, the most severe are
    /// printed
    #[arg(long = "max-findings", value_name = "N", default_value = "100", value_parser = parse_max_findings)]
    pub(super) max_findings: usize,
}

/// One report. Without a file, it goes to the default stream of its format.
#[derive(Clone, PartialEq, Eq, Debug)]
struct ReportTarget {
    format: ReportFormat,
    file: Option<PathBuf>,
}

/// A report format.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum ReportFormat {
    /// Human-readable, with source excerpts
    Human,
    /// One line per finding
    Concise,
    /// One JSON object with a stable schema
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub workflow annotations
    Github,
    /// GitLab code quality report
    Gitlab,
}

impl ReportFormat {
    /// True if file paths in the report must be relative to the repository root.
    fn needs_repository_paths(self) -> bool {
        matches!(self, Self::Sarif | Self::Github | Self::Gitlab)
    }

    /// The name on the command line.
    fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// The names of the report formats.
pub(super) fn formats() -> impl Iterator<Item = String> {
    ReportFormat::value_variants().iter().map(|format| format.word())
}

fn parse_report(word: &str) -> Result<ReportTarget, String> {
    let (name, file) = match word.split_once('=') {
        Some((name, file)) => (name, Some(file)),
        None => (word, None),
    };
    if file == Some("") {
        return Err(format!("no file after `=`: write `{name}=FILE`, or `{name}` alone"));
    }
    let all = ReportFormat::value_variants();
    match all.iter().find(|format| format.word() == name) {
        Some(format) => Ok(ReportTarget { format: *format, file: file.map(PathBuf::from) }),
        None => {
            let names: Vec<String> = all.iter().map(|format| format.word()).collect();
            let near = nearest(name, names.iter().map(String::as_str));
            Err(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected {}", words::any_of(&names)),
            })
        }
    }
}

pub(super) fn parse_max_findings(word: &str) -> Result<usize, String> {
    let number = if word == "all" { Some(usize::MAX) } else { word.parse().ok().filter(|n| *n > 0) };
    number.ok_or_else(|| "expected a positive number or `all`".to_owned())
}

impl Reports {
    /// All reports. Adds the human report on standard error if all requested reports go to files.
    fn targets(&self) -> Vec<ReportTarget> {
        let formats = self.formats.iter().map(|format| ReportTarget { format: *format, file: None });
        let mut targets: Vec<ReportTarget> = formats.chain(self.requested.iter().cloned()).collect();
        if targets.iter().all(|one| one.file.is_some()) {
            targets.push(ReportTarget { format: ReportFormat::Human, file: None });
        }
        targets
    }

    /// True if the human report goes to standard error.
    pub(super) fn human_goes_to_stderr(&self) -> bool {
        self.targets().iter().any(|one| one.file.is_none() && one.format == ReportFormat::Human)
    }

    /// True if a report goes to standard output.
    pub(super) fn use_stdout(&self) -> bool {
        self.targets().iter().any(|one| one.file.is_none() && one.format != ReportFormat::Human)
    }

    /// True if a report is written into this folder.
    pub(super) fn write_into(&self, folder: &Path) -> bool {
        let folder = folder.canonicalize().ok();
        let files = self.requested.iter().filter_map(|one| one.file.as_deref());
        folder.is_some() && files.into_iter().any(|file| canonical(file).parent() == folder.as_deref())
    }

    /// Returns an error text if two reports have the same destination, or if one would overwrite an input.
    pub(super) fn conflict(&self, registry: &Path, baseline: Option<&Path>) -> Option<String> {
        let targets = self.targets();
        for (n, one) in targets.iter().enumerate() {
            let (before, _) = targets.split_at(n);
            if before.iter().any(|other| destination(other) == destination(one)) {
                return Some(one.conflict_text(before));
            }
            let Some(file) = &one.file else { continue };
            let name = words::quoted(&file.to_string_lossy());
            if is_registry_file(registry, file) {
                return Some(format!(
                    "the report {name} would become part of the registry: choose another file"
                ));
            }
            if baseline.is_some_and(|baseline| canonical(baseline) == canonical(file)) {
                return Some(format!("the report {name} would overwrite the baseline: choose another file"));
            }
        }
        None
    }

    /// Writes all reports. If one cannot be written, the others still are.
    pub(super) fn write(&self, findings: &Diagnostics, map: &SourceMap, output: OutputArgs) -> RunStatus {
        let targets = self.targets();
        let needs_paths = targets.iter().any(|one| one.format.needs_repository_paths());
        let places = if needs_paths { ReportPaths::resolve(map) } else { ReportPaths::default() };
        let codes = codes();
        let run = ReportInput { findings, map, places: &places, codes: &codes };
        let mut end = RunStatus::Clean;
        for one in targets {
            let style = match one.file {
                Some(_) => session::file_style(output),
                None => session::style(output, &std::io::stderr()),
            };
            let style = Style { max_findings: self.max_findings, ..style };
            let text = match one.format {
                ReportFormat::Human => human::human(findings, map, style),
                ReportFormat::Concise => concise::concise(findings, map),
                ReportFormat::Json => json::json(findings, map),
                ReportFormat::Sarif => sarif::sarif(run),
                ReportFormat::Github => github::github(run),
                ReportFormat::Gitlab => gitlab::gitlab(run),
            };
            let written = match (&one.file, one.format) {
                (Some(file), _) => session::write_file(file, &text),
                (None, ReportFormat::Human) => {
                    if !output.quiet || !findings.is_empty() {
                        session::print_stderr(&text);
                    }
                    RunStatus::Clean
                }
                (None, _) => session::print_stdout(&text),
            };
            if written != RunStatus::Clean {
                end = written;
            }
        }
        end
    }
}

impl ReportTarget {
    fn conflict_text(&self, before: &[Self]) -> String {
        let other = before.iter().find(|other| destination(other) == destination(self)).unwrap_or(self);
        let (one, two) = (other.format.word(), self.format.word());
        let (reports, times) =
            if one == two { (format!("`{one}`"), " twice") } else { (format!("`{one}` and `{two}`"), "") };
        match &self.file {
            Some(file) => format!(
                "{reports} would be written to {}{times}: choose another file",
                words::quoted(&file.to_string_lossy())
            ),
            None => format!(
                "{reports} would be written to {}{times}: write one to a file, for example `--report {two}=FILE`",
                if self.format == ReportFormat::Human { "standard error" } else { "standard output" }
            ),
        }
    }
}

/// The destination of a report, for comparison: true for standard error, or the canonical path of the file.
fn destination(report: &ReportTarget) -> (bool, Option<PathBuf>) {
    (report.file.is_none() && report.format == ReportFormat::Human, report.file.as_deref().map(canonical))
}

/// The canonical path of a file. If the file does not exist yet, only its folder is resolved.
fn canonical(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let in_folder = || Some(folder.canonicalize().ok()?.join(file.file_name()?));
    file.canonicalize().ok().or_else(in_folder).unwrap_or_else(|| file.to_owned())
}

/// True if orchgen would read the file as part of the registry.
fn is_registry_file(registry: &Path, file: &Path) -> bool {
    let is_text = file.extension().is_some_and(|ending| {
        ["yaml", "yml", "kdl", "lock"].iter().any(|known| ending.eq_ignore_ascii_case(known))
    });
    let folder = registry.canonicalize().unwrap_or_else(|_| registry.to_owned());
    is_text && canonical(file).parent() == Some(&folder)
}
