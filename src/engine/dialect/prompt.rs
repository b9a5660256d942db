//! The one-shot command of a model.

use super::argv::Argv;
use super::speculation::speculate;
use super::{Intent, Lowered, NotChecked, Prompt};
use crate::engine::Profile;

/// The program of a plain text prompt.
const TEXT: &[&str] = &["llama-cli"];
/// The programs that speculate, in the order of preference.
const DRAFT: &[&str] = &["llama-speculative", "llama-cli"];
/// The programs that look at images; the first is a fork's, and a stub in newer builds, which do not list it.
const IMAGE: &[&str] = &["llama-qwen2vl-cli", "llama-mtmd-cli", "llama-cli"];

pub(super) fn lower(profile: &Profile, wanted: &Prompt<'_>) -> Lowered {
    let Some(tool) = tool(profile, wanted) else { return without_tool(profile, wanted) };
    let mut argv = Argv::new(profile, tool);
    argv.say((Intent::Model, "model"), &["-m", "--model"], wanted.model.to_owned());
    if let Some(projector) = wanted.projector {
        argv.say((Intent::Projector, "projector"), &["--mmproj"], projector.to_owned());
        argv.say((Intent::Projector, "projector"), &["--image"], wanted.image.to_owned());
    }
    speculate(&mut argv, wanted.draft.as_ref(), wanted.lookup);
    argv.overrides(wanted.experts, wanted.overrides);
    if let Some(context) = wanted.context {
        argv.say((Intent::Context, "context"), &["-c", "--ctx-size"], context.to_string());
    }
    if let (Some(_), Some(context)) = (wanted.draft, wanted.context) {
        argv.pin(&["-cd", "--ctx-size-draft"], Some(context.to_string().into()), &[]);
    }
    if let Some(threads) = wanted.threads {
        argv.say((Intent::Threads, "placement"), &["-t", "--threads"], threads.to_string());
    }
    argv.say((Intent::Tool, "model"), &["-p", "--prompt"], wanted.prompt.to_owned());
    argv.finish()
}

fn candidates(wanted: &Prompt<'_>) -> &'static [&'static str] {
    match (wanted.projector, wanted.draft) {
        (Some(_), _) => IMAGE,
        (None, Some(_)) => DRAFT,
        (None, None) => TEXT,
    }
}

/// The first program that takes the files of the prompt.
fn tool(profile: &Profile, wanted: &Prompt<'_>) -> Option<&'static str> {
    let mut needs: Vec<&str> = vec!["-p"];
    if wanted.projector.is_some() {
        needs.extend(["--mmproj", "--image"]);
    }
    if wanted.draft.is_some() {
        needs.push("-md");
    }
    let takes = |tool: &&&'static str| needs.iter().all(|name| profile.spelling(tool, &[*name]).is_some());
    candidates(wanted).iter().find(takes).copied()
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
