//! `orchgen build` and `orchgen build --check`.

use super::args::{Build, Output};
use super::{End, baseline, session};
use crate::compile::analyse_to;
use crate::diag::{Diagnostics, Label, Reach, words};
use crate::emit::{self, Change, EmitError, Force, Outcome, Watch, Written};
use crate::plan::plan;
use crate::render::quote::shell;
use crate::render::{ArtifactSet, render, templates};
use crate::source::{SourceMap, Span};
use std::mem::ManuallyDrop;
use std::path::Path;

pub(super) fn run(command: &Build, output: Output) -> End {
    build(command, output).unwrap_or_else(|end| end)
}

fn build(command: &Build, output: Output) -> Result<End, End> {
    let mut findings = Diagnostics::with(command.check.said.levels()?);
    let mut loaded = session::read(&command.check)?;
    let known = baseline::read(&command.check)?;
    if command
        .out
        .canonicalize()
        .is_ok_and(|out| command.check.registry.canonicalize().is_ok_and(|registry| registry == out))
    {
        session::report(
            "error: the output would be written into the registry: name another folder with --out\n",
        );
        return Err(End::CannotRun);
    }
    let checked = analyse_to(command.proof.demand(), &loaded, &mut findings);
    if let Some(known) = known {
        known.apply(&mut findings, &mut loaded.map, Reach::BelowErrors);
    }
    let Some(checked) = checked.ok().filter(|_| !session::fails(&findings, &command.check)) else {
        return Ok(session::show(&mut findings, &loaded.map, &command.check, output));
    };
    if findings.is_empty() && findings.silenced().is_empty() {
        // There is nothing to show of the texts.
        loaded.map = SourceMap::default();
    }
    // Giving the plan back piece by piece at the end would take longer than much of the work.
    let plan = ManuallyDrop::new(plan(&checked));
    // It has everything that the output says.
    let (templates, ()) = rayon::join(templates, || drop(checked));
    let done = render(&plan, &templates)
        .map_err(EmitError::from)
        .and_then(|set| emit(command, &ManuallyDrop::new(set)));
    Ok(match done {
        Ok(Outcome::Written(written)) => {
            let end = session::show(&mut findings, &loaded.map, &command.check, output);
            if !output.quiet && command.check.reports.speaks_to_people() {
                session::report(&summary(&written, command, output));
            }
            end
        }
        Ok(Outcome::Refused(changes)) => {
            if command.compare && !command.out.exists() {
                say_missing(command, &mut loaded.map, &mut findings);
            } else {
                for change in &changes {
                    report(change, command, &mut loaded.map, &mut findings);
                }
            }
            session::show(&mut findings, &loaded.map, &command.check, output)
        }
        Err(error) => {
            session::show(&mut findings, &loaded.map, &command.check, output);
            session::report(&format!("error: {error}\n"));
            End::CannotRun
        }
    })
}

/// Writes, or only compares: then every difference is one that was refused.
fn emit(command: &Build, set: &ArtifactSet) -> Result<Outcome, EmitError> {
    if command.compare {
        let changes = emit::check(&command.out, set)?;
        let same = Written { unchanged: set.len(), ..Written::default() };
        return Ok(if changes.is_empty() { Outcome::Written(same) } else { Outcome::Refused(changes) });
    }
    let force = if command.force { Force::Yes } else { Force::No };
    emit::write(&command.out, set, force, &Patience)
}

/// Tells people that another build is being waited for.
struct Patience;

impl Watch for Patience {
    fn waiting(&self) {
        session::report("waiting for another build of the same folder to end\n");
    }
}

fn report(change: &Change, command: &Build, map: &mut SourceMap, findings: &mut Diagnostics) {
    let out = command.out.to_string_lossy();
    let mut finding = emit::finding(change, &out, |path, label| {
        let file = map.add(path, "");
        Label { span: Span::new(file, 0, 0), text: label.to_owned() }
    });
    for help in &mut finding.help {
        *help = help.replace("orchgen build", &itself(command));
    }
    findings.report(finding);
}

/// A folder that is not there is one cause, whatever would be in it.
fn say_missing(command: &Build, map: &mut SourceMap, findings: &mut Diagnostics) {
    let out = command.out.to_string_lossy();
    let span = Span::new(map.add(out.clone(), ""), 0, 0);
    let message = format!("the folder {} is missing", words::quoted(&out));
    let finding = emit::codes::OUTPUT_DRIFT.at(span, "not there", message).about("file", out);
    findings.report(finding.help(format!("run `{}` and commit what it writes", itself(command))));
}

/// The command that builds what was compared.
fn itself(command: &Build) -> String {
    let mut line = "orchgen build".to_owned();
    if command.check.registry != Path::new("registry") {
        line.extend([" ", &*shell(&command.check.registry.to_string_lossy())]);
    }
    if command.out != Path::new("out") {
        line.extend([" --out ", &*shell(&command.out.to_string_lossy())]);
    }
    line
}

fn summary(written: &Written, command: &Build, output: Output) -> String {
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
    let out = command.out.display();
    let counts = [
        (written.created.len(), "created"),
        (written.updated.len(), "updated"),
        (written.removed.len(), "removed"),
        (written.unchanged, "unchanged"),
    ];
    let said: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let said = if said.is_empty() { "nothing to write".to_owned() } else { said.join(", ") };
    text + &format!("{out}: {said}\n")
}
