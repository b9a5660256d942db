//! Known findings: reading the file that lists them, and writing it anew.

use super::End;
use super::args::{Check, Output};
use super::session;
use crate::diag::{Baseline, Diagnostics, Reach, words};
use crate::render::quote::shell;
use crate::source::{SourceMap, text};
use std::path::Path;

/// The known findings that a run was given.
pub(super) struct Given {
    name: String,
    text: String,
    baseline: Baseline,
    cure: String,
}

/// Reads the file of the command line, where one is named; says what keeps it from being read.
pub(super) fn read(command: &Check) -> Result<Option<Given>, End> {
    let Some(path) = &command.baseline else { return Ok(None) };
    let cure = update_command(command, path);
    let text = text(path).map_err(|error| {
        session::report(&format!("error: {error}\n"));
        if error.is_missing() {
            session::report(&format!("run `{cure}` to write it from what is found\n"));
        }
        End::CannotRun
    })?;
    let name = path.to_string_lossy().into_owned();
    let baseline = Baseline::parse(&text).map_err(|problem| {
        let file = words::quoted(&name);
        session::report(&format!(
            "error: {file} is no list of known findings: {problem}\n\
             restore it from version control, or remove it and run `{cure}`\n"
        ));
        End::CannotRun
    })?;
    Ok(Some(Given { name, text, baseline, cure }))
}

impl Given {
    /// Takes what is known out of what counts, and says what is known and not found.
    pub(super) fn apply(&self, findings: &mut Diagnostics, map: &mut SourceMap, reach: Reach) {
        let stale = self.baseline.silence(findings, map, (&self.name, reach));
        if !stale.is_empty() {
            let file = map.add(&*self.name, &*self.text);
            self.baseline.say_stale(&stale, (file, &self.text), findings, &self.cure);
        }
    }
}

/// Writes the file from what is found, and says what that changes; all of it is known from then on.
pub(super) fn update(
    command: &Check,
    findings: &mut Diagnostics,
    map: &SourceMap,
    output: Output,
) -> Result<(), End> {
    let Some(path) = &command.baseline else { return Ok(()) };
    let known = if path.exists() { read(command)?.map(|given| given.baseline) } else { None };
    findings.sort();
    let found = Baseline::of(findings, map);
    if session::put(path, &found.text()) != End::Clean {
        return Err(End::CannotRun);
    }
    let name = path.to_string_lossy();
    let (added, removed) = match &known {
        Some(known) => (found.beyond(known), known.beyond(&found)),
        None => (found.len(), 0),
    };
    if !output.quiet {
        let all = words::count(found.len(), "known finding");
        session::report(&format!("{name}: {all}, {added} added, {removed} removed\n"));
    }
    found.silence(findings, map, (&name, Reach::All));
    Ok(())
}

/// The command that writes the file anew.
fn update_command(command: &Check, path: &Path) -> String {
    let mut line = "orchgen check".to_owned();
    if command.registry != Path::new("registry") {
        line.extend([" ", &*shell(&command.registry.to_string_lossy())]);
    }
    line.extend([" --baseline ", &*shell(&path.to_string_lossy()), " --update-baseline"]);
    line
}
