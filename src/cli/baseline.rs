//! The options `--baseline` and `--update-baseline`.

use super::RunStatus;
use super::args::{CommonArgs, OutputArgs};
use super::session;
use crate::diag::{Baseline, BaselineScope, Diagnostics, words};
use crate::render::quote::shell;
use crate::source::{SourceMap, text};
use std::path::Path;

/// The baseline file of a run.
pub(super) struct BaselineFile {
    name: String,
    text: String,
    baseline: Baseline,
    update_command: String,
}

/// Reads the file of `--baseline`, if given. Reports read errors.
pub(super) fn read(command: &CommonArgs) -> Result<Option<BaselineFile>, RunStatus> {
    let Some(path) = &command.baseline else { return Ok(None) };
    let update_command = update_command_line(command, path);
    let text = text(path).map_err(|error| {
        let status = session::fail(&error);
        if error.is_missing() {
            session::print_stderr(&format!(
                "run `{update_command}` to create it from the current findings\n"
            ));
        }
        status
    })?;
    let name = path.to_string_lossy().into_owned();
    let baseline = Baseline::parse(&text).map_err(|problem| {
        let file = words::quoted(&name);
        session::fail(format!(
            "{file} is not a valid baseline: {problem}\n\
             restore it from version control, or remove it and run `{update_command}`"
        ))
    })?;
    Ok(Some(BaselineFile { name, text, baseline, update_command }))
}

impl BaselineFile {
    /// Silences the listed findings and reports stale entries.
    pub(super) fn apply(&self, findings: &mut Diagnostics, map: &mut SourceMap, scope: BaselineScope) {
        let stale = self.baseline.silence(findings, map, (&self.name, scope));
        if !stale.is_empty() {
            let file = map.add(&*self.name, &*self.text);
            self.baseline.report_stale(&stale, (file, &self.text), findings, &self.update_command);
        }
    }
}

/// Writes all current findings to the file, prints how many were added and removed, and silences them.
pub(super) fn update(
    command: &CommonArgs,
    findings: &mut Diagnostics,
    map: &SourceMap,
    output: OutputArgs,
) -> Result<(), RunStatus> {
    let Some(path) = &command.baseline else { return Ok(()) };
    let old = if path.exists() { read(command)?.map(|file| file.baseline) } else { None };
    findings.sort();
    let found = Baseline::from_findings(findings, map);
    if session::write_file(path, &found.text()) != RunStatus::Clean {
        return Err(RunStatus::CannotRun);
    }
    let name = path.to_string_lossy();
    let (added, removed) = match &old {
        Some(old) => (found.count_not_in(old), old.count_not_in(&found)),
        None => (found.len(), 0),
    };
    if !output.quiet {
        let all = words::count(found.len(), "finding");
        session::print_stderr(&format!("{name}: {all}, {added} added, {removed} removed\n"));
    }
    found.silence(findings, map, (&name, BaselineScope::All));
    Ok(())
}

/// The command that updates the file.
fn update_command_line(command: &CommonArgs, path: &Path) -> String {
    let (operand, file) = (command.registry.operand(), shell(&path.to_string_lossy()).into_owned());
    format!("orchgen check{operand} --baseline {file} --update-baseline")
}
