//! The one-shot command of a model.

use std::borrow::Cow;

use super::argv::Argv;
use super::speculation::speculate;
use super::{CHECKPOINTS, Intent, Lowered, NotChecked, Prompt};
use crate::engine::Profile;

/// The program of a plain text prompt.
const TEXT: &[&str] = &["llama-cli"];
/// The programs that speculate, in the order of preference.
const DRAFT: &[&str] = &["llama-speculative", "llama-cli"];
/// The programs that look at images; the first is a fork's, and a stub in newer builds, which do not list it.
const IMAGE: &[&str] = &["llama-qwen2vl-cli", "llama-mtmd-cli", "llama-cli"];

/// The line of the first program that can say everything, else of the first that takes the files.
pub(super) fn lower(profile: &Profile, wanted: &Prompt<'_>) -> Lowered {
    let mut lines = tools(profile, wanted).map(|tool| line(profile, tool, wanted));
    let Some(first) = lines.next() else { return without_tool(profile, wanted) };
    if first.cannot.is_empty() {
        return first;
    }
    lines.find(|line| line.cannot.is_empty()).unwrap_or(first)
}

fn line(profile: &Profile, tool: &'static str, wanted: &Prompt<'_>) -> Lowered {
    let mut argv = Argv::new(profile, tool);
    argv.report((Intent::Model, "model"), &["-m", "--model"], wanted.model.to_owned());
    if let Some(projector) = wanted.projector {
        argv.report((Intent::Projector, "projector"), &["--mmproj"], projector.to_owned());
        argv.report((Intent::Projector, "projector"), &["--image"], wanted.image.to_owned());
    }
    speculate(&mut argv, wanted.draft.as_ref(), wanted.lookup);
    argv.overrides(wanted.experts, wanted.overrides);
    if let Some(context) = wanted.context {
        argv.report((Intent::Context, "context"), &["-c", "--ctx-size"], context.to_string());
    }
    if let (Some(_), Some(context)) = (wanted.draft, wanted.context) {
        argv.pin(&["-cd", "--ctx-size-draft"], Some(context.to_string().into()), &[]);
    }
    pins(&mut argv, wanted);
    if let Some(threads) = wanted.threads {
        argv.report((Intent::Threads, "placement"), &["-t", "--threads"], threads.to_string());
    }
    argv.report((Intent::Tool, "model"), &["-p", "--prompt"], wanted.prompt.to_owned());
    argv.finish()
}

/// Settles what costs memory or has moved between builds, as for a server.
fn pins(argv: &mut Argv<'_>, wanted: &Prompt<'_>) {
    let mut pin = |spellings: &[&'static str], value: &'static str| {
        argv.pin(spellings, Some(Cow::Borrowed(value)), &[]);
    };
    if wanted.draft.is_none() && wanted.lookup.is_none() {
        pin(&["--spec-type"], "none");
    }
    pin(&["--fit"], "off");
    pin(&["--cache-ram", "-cram"], "0");
    argv.pin(&["-ctxcp", "--ctx-checkpoints"], Some(CHECKPOINTS.to_string().into()), &[]);
}

fn candidates(wanted: &Prompt<'_>) -> &'static [&'static str] {
    match (wanted.projector, wanted.draft) {
        (Some(_), _) => IMAGE,
        (None, Some(_)) => DRAFT,
        (None, None) => TEXT,
    }
}

/// The programs that take the files of the prompt, the preferred one first.
fn tools(profile: &Profile, wanted: &Prompt<'_>) -> impl Iterator<Item = &'static str> {
    let image: &[&str] = if wanted.projector.is_some() { &["--mmproj", "--image"] } else { &[] };
    let draft: &[&str] = if wanted.draft.is_some() { &["-md"] } else { &[] };
    let needs = move || ["-p"].iter().chain(image).chain(draft);
    let takes = move |tool: &&'static str| needs().all(|name| profile.spelling(tool, &[*name]).is_some());
    candidates(wanted).iter().copied().filter(takes)
}

fn without_tool(profile: &Profile, wanted: &Prompt<'_>) -> Lowered {
    let first = candidates(wanted).first().copied().unwrap_or_default();
    let mut argv = Argv::new(profile, first);
    let listed = candidates(wanted).join(", ");
    if profile.tools().all(|tool| tool == "llama-server") {
        let why = format!("{} knows llama-server alone, none of {listed}", argv.build());
        argv.not_checked.push(NotChecked { intent: Intent::Tool, why });
    } else {
        let why = format!("{} has none of {listed} that takes what this model needs", argv.build());
        argv.cannot(Intent::Tool, why);
    }
    argv.finish()
}
