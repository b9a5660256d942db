//! `orchgen fmt`: formats registry files.

use super::args::OutputArgs;
use super::folders::STANDARD_INPUT;
use super::standard_input::StdinArgs;
use super::text_diff::unified;
use super::{RunStatus, session};
use crate::compile::format_files;
use crate::diag::report::{Style, human::human};
use crate::diag::words::{count, quoted};
use crate::diag::{Diagnostics, words};
use crate::emit::{Rewrite, rewrite};
use crate::render::quote::shell;
use crate::source::{Loaded, SourceFile, find_registry, is_registry_name, load_files, registry_files};
use crate::syntax::{Formatted, resolve_fixes};
use clap::Args as Arguments;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) const HELP: &str = "Exit codes:
  0  success
  1  a file has syntax errors; with `--check` or `--diff`: a file would change
  2  usage or I/O error

Examples:
  orchgen fmt                             format all files of the registry
  orchgen fmt --check                     list the files that would change, for CI
  orchgen fmt --diff registry/roles.kdl   print what would change in one file
  orchgen fmt - --stdin-filename registry/roles.kdl <draft.kdl
                                          format standard input, for editors";

/// The maximum number of syntax errors to print.
const MAX_FINDINGS: usize = 100;

#[derive(Arguments, Debug)]
pub(in crate::cli) struct FmtArgs {
    /// Registry files, or folders with registry files. `-` formats standard input, and prints it. The default is the folder of
    /// the registry: `registry` in the current folder, else in the nearest parent folder that has one
    #[arg(value_name = "FILE|FOLDER")]
    paths: Vec<PathBuf>,
    /// List the files that would change; write nothing. Exit with 1 if there are any
    #[arg(long)]
    check: bool,
    /// Print the changes as a unified diff; write nothing. Exit with 1 if there are any
    #[arg(long)]
    diff: bool,
    #[command(flatten)]
    stdin: StdinArgs,
}

pub(super) fn run(command: &FmtArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    let is_stdin = |path: &PathBuf| path == Path::new(STANDARD_INPUT);
    if !command.paths.iter().any(is_stdin) {
        command.stdin.refuse("fmt")?;
        let paths = command.files()?;
        let loaded = load_files(&paths).map_err(session::fail)?;
        return run_files(command, output, &paths, &loaded);
    }
    if command.paths.len() > 1 {
        return Err(session::fail("`-` is standard input: write it without other files"));
    }
    let loaded = command.stdin.load_named()?;
    let mut findings = Diagnostics::default();
    let mut status = RunStatus::Clean;
    for (source, formatted) in format_files(&loaded, &mut findings) {
        let new = match &formatted {
            Formatted::Text(new) => new.as_str(),
            Formatted::Unsafe => source.text(),
            Formatted::Invalid => continue,
        };
        if command.writes() {
            status = session::print_stdout(new);
        } else if new != source.text() {
            status = command.print_change(source, new);
        }
        report_unsafe(source, &formatted);
        if formatted == Formatted::Unsafe {
            status = RunStatus::Findings;
        }
    }
    Ok(if report(&mut findings, &loaded, output) == RunStatus::Findings {
        RunStatus::Findings
    } else {
        status
    })
}

impl FmtArgs {
    /// True if the files are changed.
    fn writes(&self) -> bool {
        !self.check && !self.diff
    }

    /// The files to format, each once.
    fn files(&self) -> Result<Vec<PathBuf>, RunStatus> {
        let default = [find_registry()];
        let given = if self.paths.is_empty() { &default[..] } else { &self.paths };
        let (mut files, mut known) = (Vec::new(), BTreeSet::new());
        for path in given {
            if !self.paths.is_empty() && path.symlink_metadata().is_err() {
                let name = quoted(&path.to_string_lossy());
                return Err(session::fail(format!("cannot read {name}: no such file or folder")));
            }
            let found = if !path.is_file() {
                let names = registry_files(path).map_err(|error| session::report_load_error(path, &error))?;
                names.iter().map(|name| path.join(name)).collect()
            } else if is_registry_name(path) {
                vec![path.clone()]
            } else {
                let name = quoted(&path.to_string_lossy());
                let why = "the name of a registry file ends in .yaml, .yml or .kdl";
                return Err(session::fail(format!("cannot format {name}: {why}")));
            };
            files.extend(
                found
                    .into_iter()
                    .filter(|file| known.insert(file.canonicalize().unwrap_or_else(|_| file.clone()))),
            );
        }
        Ok(files)
    }

    /// Prints that a file would change, or its diff. Returns the status of the run.
    fn print_change(&self, source: &SourceFile, new: &str) -> RunStatus {
        if self.diff && session::print_stdout(&unified(source.name(), source.text(), new)) != RunStatus::Clean
        {
            return RunStatus::CannotRun;
        }
        if self.check {
            session::print_stderr(&format!("would format {}\n", words::printable(source.name())));
        }
        RunStatus::Findings
    }

    /// The command that formats the same files.
    fn command(&self) -> String {
        let paths = self.paths.iter().map(|path| format!(" {}", shell(&path.to_string_lossy())));
        format!("orchgen fmt{}", paths.collect::<String>())
    }
}

/// Formats files. The loaded files are in the order of the paths.
fn run_files(
    command: &FmtArgs,
    output: OutputArgs,
    paths: &[PathBuf],
    loaded: &Loaded,
) -> Result<RunStatus, RunStatus> {
    let mut findings = Diagnostics::default();
    let all = format_files(loaded, &mut findings);
    let invalid = all.iter().filter(|(_, formatted)| *formatted == Formatted::Invalid).count();
    let changed: Vec<(&SourceFile, Rewrite)> = paths
        .iter()
        .zip(&all)
        .filter_map(|(path, (source, formatted))| match formatted {
            Formatted::Text(new) if new != source.text() => {
                Some((*source, Rewrite { path: path.clone(), old: source.text(), new }))
            }
            Formatted::Text(_) | Formatted::Invalid | Formatted::Unsafe => None,
        })
        .collect();
    let mut status = RunStatus::Clean;
    if command.writes() {
        let rewrites: Vec<Rewrite> = changed.iter().map(|(_, file)| file.clone()).collect();
        rewrite(&rewrites).map_err(session::fail)?;
    }
    for (source, file) in &changed {
        if !command.writes() {
            status = command.print_change(source, file.new);
        } else if output.verbose {
            session::print_stderr(&format!("formatted {}\n", words::printable(source.name())));
        }
        if status == RunStatus::CannotRun {
            return Err(status);
        }
    }
    for (source, formatted) in &all {
        report_unsafe(source, formatted);
    }
    let mistakes = all.iter().filter(|(_, formatted)| *formatted == Formatted::Unsafe).count();
    if mistakes > 0 {
        status = RunStatus::Findings;
    }
    if report(&mut findings, loaded, output) == RunStatus::Findings {
        status = RunStatus::Findings;
    }
    if !output.quiet {
        session::print_stderr(&summary(command, [changed.len(), invalid + mistakes, all.len()]));
    }
    Ok(status)
}

/// The summary, for example `formatted 2 files, 3 unchanged`, and the next command. The numbers are those of changed files, of
/// files that cannot be formatted, and of all files.
fn summary(command: &FmtArgs, [changed, invalid, all]: [usize; 3]) -> String {
    let verb = if command.writes() { "formatted" } else { "would format" };
    let unchanged = all - changed - invalid;
    let mut parts = Vec::new();
    if changed > 0 {
        parts.push(format!("{verb} {}", count(changed, "file")));
    }
    if unchanged > 0 || all == 0 {
        let noun = if changed > 0 { unchanged.to_string() } else { count(unchanged, "file") };
        parts.push(format!("{noun} unchanged"));
    }
    if invalid > 0 {
        parts.push(format!("{} not formatted", count(invalid, "file")));
    }
    let mut text = parts.join(", ") + "\n";
    if changed > 0 && !command.writes() {
        let them = if changed == 1 { "it" } else { "them" };
        text.extend(["run `", &command.command(), "` to format ", them, "\n"]);
    }
    text
}

/// Reports a mistake of the formatter.
fn report_unsafe(source: &SourceFile, formatted: &Formatted) {
    if *formatted == Formatted::Unsafe {
        let name = quoted(source.name());
        session::print_stderr(&format!(
            "{name} is unchanged: orchgen cannot format it without changing its meaning. Please report this file as a bug\n"
        ));
    }
}

/// Prints the findings. Returns the status of the run.
fn report(findings: &mut Diagnostics, loaded: &Loaded, output: OutputArgs) -> RunStatus {
    if findings.is_empty() {
        return RunStatus::Clean;
    }
    findings.sort();
    resolve_fixes(&loaded.map, |_| true, findings);
    let style = Style { max_findings: MAX_FINDINGS, ..session::style(output, &std::io::stderr()) };
    session::print_stderr(&human(findings, &loaded.map, style));
    RunStatus::Findings
}
