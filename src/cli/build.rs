//! `orchgen build` and `orchgen build --check`.

use super::End;
use super::args::{Build, Format, Output};
use super::session;
use crate::compile::analyse;
use crate::diag::{Diagnostics, Label, Severity};
use crate::emit::{self, Change, EmitError, Force, Outcome, Watch, Written};
use crate::plan::plan;
use crate::render::{ArtifactSet, render, templates};
use crate::source::{SourceMap, Span};
use std::mem::ManuallyDrop;

pub(super) fn run(command: &Build, output: Output) -> End {
    let mut loaded = match session::read(&command.check) {
        Ok(loaded) => loaded,
        Err(end) => return end,
    };
    let mut findings = Diagnostics::default();
    let checked = analyse(&loaded, &mut findings);
    let denied = !command.check.deny.is_empty()
        && findings.findings().iter().any(|finding| finding.code.severity == Severity::Warning);
    let Some(checked) = checked.ok().filter(|_| !denied) else {
        return session::show(&mut findings, &loaded.map, &command.check, output);
    };
    // Giving the plan back piece by piece at the end would take longer than much of the work.
    let plan = ManuallyDrop::new(plan(&checked));
    // It has everything that the output says.
    let (templates, ()) = rayon::join(templates, || drop(checked));
    let done = render(&plan, &templates)
        .map_err(EmitError::from)
        .and_then(|set| emit(command, &ManuallyDrop::new(set)));
    match done {
        Ok(Outcome::Written(written)) => {
            let end = session::show(&mut findings, &loaded.map, &command.check, output);
            if !output.quiet && output.format == Format::Human {
                session::say(&summary(&written, command, output));
            }
            end
        }
        Ok(Outcome::Refused(changes)) => {
            for change in &changes {
                say(change, command, &mut loaded.map, &mut findings);
            }
            session::show(&mut findings, &loaded.map, &command.check, output)
        }
        Err(error) => {
            session::show(&mut findings, &loaded.map, &command.check, output);
            session::say(&format!("error: {error}\n"));
            End::CannotRun
        }
    }
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
        session::say("waiting for another build of the same folder to end\n");
    }
}

fn say(change: &Change, command: &Build, map: &mut SourceMap, findings: &mut Diagnostics) {
    let out = command.out.to_string_lossy();
    let finding = emit::finding(change, &out, |path, label| {
        let file = map.add(path, "");
        Label { span: Span::new(file, 0, 0), text: label.to_owned() }
    });
    findings.say(finding);
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
