//! `orchgen build` and `orchgen build --check`.

mod next_step;

use super::args::{BuildArgs, OutputArgs};
use super::{RunStatus, baseline, session};
use crate::compile::{analyze, generate, listed_findings};
use crate::diag::{BaselineScope, Diagnostics, Label, words};
use crate::emit::{self, ChangeKind, EmitError, FileChange, Force, Observer, Outcome, Written};
use crate::hir::Registry;
use crate::plan::{self, TargetName};
use crate::render::ArtifactSet;
use crate::source::{SourceMap, Span};
use next_step::NextStep;
use std::path::Path;

pub(super) fn run(command: &BuildArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    let mut findings = Diagnostics::with(command.common.severity.levels()?);
    let mut loaded = session::read(&command.common)?;
    let baseline = baseline::read(&command.common)?;
    if is_registry(&command.out(), command) {
        return Err(session::fail(
            "the output folder is the registry: choose another folder with `--out FOLDER`",
        ));
    }
    let checked = analyze(&loaded, command.locked.not_checked_policy(), &mut findings);
    let listed = listed_findings(&findings, &loaded.map);
    if let Some(baseline) = baseline {
        baseline.apply(&mut findings, &mut loaded.map, BaselineScope::BelowErrors);
    }
    let Some(checked) = checked.ok().filter(|_| !session::is_failure(&findings, &command.common)) else {
        return Ok(session::report_findings(&mut findings, &loaded.map, &command.common, output));
    };
    if findings.is_empty() && findings.silenced().is_empty() {
        // No report needs the source texts: free their memory.
        loaded.map = SourceMap::default();
    }
    if let Some(problem) = missing_target(&command.only, checked.registry()) {
        session::report_findings(&mut findings, &loaded.map, &command.common, output);
        return Err(session::fail(problem));
    }
    let next_step = NextStep::new(&checked);
    let systemctl = checked.registry().stack.scope.systemctl();
    let mut last_line = String::new();
    let outcome = generate(checked, listed, &command.only, |artifacts| {
        let outcome = write_or_compare(command, artifacts);
        if let (Ok(Outcome::Written(written)), false) = (&outcome, command.compare) {
            last_line = next_step.lines(artifacts, written, command);
        }
        outcome
    });
    let outcome = outcome.map_err(EmitError::from).and_then(|outcome| outcome);
    Ok(match outcome {
        Ok(Outcome::Written(written)) => {
            let status = session::report_findings(&mut findings, &loaded.map, &command.common, output);
            if !output.quiet && command.common.reports.human_goes_to_stderr() {
                session::print_stderr(&(summary(&written, command, output) + &last_line));
            }
            status
        }
        Ok(Outcome::Refused(changes)) => {
            if command.compare && !command.out().exists() {
                report_missing_output(command, &mut loaded.map, &mut findings);
            } else {
                for change in &changes {
                    report_change(change, (command, systemctl), &mut loaded.map, &mut findings);
                }
            }
            session::report_findings(&mut findings, &loaded.map, &command.common, output)
        }
        Err(error) => {
            session::report_findings(&mut findings, &loaded.map, &command.common, output);
            session::fail(error)
        }
    })
}

/// True if a folder is that of the registry.
fn is_registry(folder: &Path, command: &BuildArgs) -> bool {
    let registry = command.common.registry.path().canonicalize();
    folder.canonicalize().is_ok_and(|folder| registry.is_ok_and(|registry| registry == folder))
}

/// Describes a target of `--only` that the stack does not have, with the targets that it has. `None` if it has all.
fn missing_target(only: &[TargetName], registry: &Registry) -> Option<String> {
    let targets = plan::targets(registry);
    let missing = only.iter().find(|name| !targets.contains(name))?;
    let words: Vec<String> = targets.iter().map(|name| words::quoted(name.word())).collect();
    let (missing, has, any) = (missing.word(), words::all_of(&words), words::any_of(&words));
    Some(format!(
        "the stack does not have the target `{missing}`, only {has}\n\
         write {any} after `--only`, or add `{missing}` to the `targets` of the stack"
    ))
}

/// Writes the output. With `--check`, only compares it: then every difference is returned as refused.
fn write_or_compare(command: &BuildArgs, set: &ArtifactSet) -> Result<Outcome, EmitError> {
    if command.compare {
        let changes = emit::check(&command.out(), set)?;
        let same = Written { unchanged: set.len(), ..Written::default() };
        return Ok(if changes.is_empty() { Outcome::Written(same) } else { Outcome::Refused(changes) });
    }
    let force = if command.force { Force::Yes } else { Force::No };
    emit::write(&command.out(), set, force, &WaitMessage)
}

/// Prints a message if the build waits for another build.
struct WaitMessage;

impl Observer for WaitMessage {
    fn waiting(&self) {
        session::print_stderr("waiting for another build of this folder to finish\n");
    }
}

/// Reports a difference. `systemctl` is the command that controls the units.
fn report_change(
    change: &FileChange,
    (command, systemctl): (&BuildArgs, &str),
    map: &mut SourceMap,
    findings: &mut Diagnostics,
) {
    let out = command.out();
    let out = out.to_string_lossy();
    let mut finding = emit::finding(change, &out, |path, label| {
        let file = map.add(path, "");
        Label { span: Span::new(file, 0, 0), text: label.to_owned() }
    });
    // Only a build of all targets writes a new manifest.
    let only =
        if matches!(change.kind, ChangeKind::Damaged(_)) { String::new() } else { command.only_option() };
    let build = build_command(command) + &only;
    for help in &mut finding.help {
        *help = help.replace("orchgen build", &build).replace("systemctl", systemctl);
    }
    findings.report(finding);
}

/// Reports a missing output folder as one finding, instead of one for each file.
fn report_missing_output(command: &BuildArgs, map: &mut SourceMap, findings: &mut Diagnostics) {
    let out = command.out();
    let out = out.to_string_lossy();
    let span = Span::new(map.add(out.clone(), ""), 0, 0);
    let message = format!("the output folder {} is missing", words::quoted(&out));
    let finding = emit::codes::OUTPUT_DRIFT.at(span, "missing", message).about(("file", out));
    let build = build_command(command) + &command.only_option();
    findings.report(finding.help(format!("run `{build}` and commit the changes")));
}

/// The `orchgen build` command for the same registry and output folder.
fn build_command(command: &BuildArgs) -> String {
    format!("orchgen build{}{}", command.common.registry.operand(), command.out_option())
}

fn summary(written: &Written, command: &BuildArgs, output: OutputArgs) -> String {
    let mut text = String::new();
    if output.verbose {
        for (verb, paths) in
            [("created", &written.created), ("updated", &written.updated), ("removed", &written.removed)]
        {
            for path in paths {
                text.extend([verb, " ", path.as_str(), "\n"]);
            }
        }
    }
    let out = command.out();
    let out = out.display();
    let counts = [
        (written.created.len(), "created"),
        (written.updated.len(), "updated"),
        (written.removed.len(), "removed"),
        (written.unchanged, "unchanged"),
    ];
    let counts: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, verb)| format!("{n} {verb}")).collect();
    let counts = if counts.is_empty() { "nothing to write".to_owned() } else { counts.join(", ") };
    text + &format!("{out}: {counts}\n")
}
