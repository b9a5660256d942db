//! The one-shot command of a model.

use super::argv::ArgvBuilder;
use super::speculation::speculate;
use super::{CHECKPOINTS, Intent, Lowered, PromptSpec, UncheckedIntent};
use crate::engine::llama::SERVER;
use crate::engine::{Profile, Word};

/// The program for a plain text prompt.
const TEXT_PROGRAMS: &[&str] = &["llama-cli"];
/// The programs that speculate, preferred first.
const DRAFT_PROGRAMS: &[&str] = &["llama-speculative", "llama-cli"];
/// The programs that accept images, preferred first. `llama-qwen2vl-cli` belongs to a fork; in newer builds it is a
/// stub that their profiles do not list.
const IMAGE_PROGRAMS: &[&str] = &["llama-qwen2vl-cli", "llama-mtmd-cli", "llama-cli"];

/// The command line of the first program that can express the whole prompt, else of the first that accepts its files.
pub(super) fn lower(profile: &Profile, spec: &PromptSpec<'_>) -> Lowered {
    let mut lines = tools(profile, spec).map(|tool| lower_with(profile, tool, spec));
    let Some(first) = lines.next() else { return without_tool(profile, spec) };
    if first.errors.is_empty() {
        return first;
    }
    lines.find(|line| line.errors.is_empty()).unwrap_or(first)
}

fn lower_with(profile: &Profile, tool: &'static str, spec: &PromptSpec<'_>) -> Lowered {
    let mut argv = ArgvBuilder::new(profile, tool);
    argv.write_option((Intent::Model, "model"), &["-m", "--model"], Word::ModelFile(spec.model.into()));
    if let Some(projector) = spec.projector {
        argv.write_option(
            (Intent::Projector, "projector"),
            &["--mmproj"],
            Word::ProjectorFile(projector.into()),
        );
        argv.write_option((Intent::Projector, "projector"), &["--image"], Word::Image);
    }
    speculate(&mut argv, spec.draft.as_ref(), spec.lookup);
    argv.write_overrides(spec.experts, spec.overrides);
    if let Some(context) = spec.context {
        argv.write_option((Intent::Context, "context"), &["-c", "--ctx-size"], context.to_string());
    }
    if let (Some(_), Some(context)) = (spec.draft, spec.context) {
        argv.write_unless_set(&["-cd", "--ctx-size-draft"], Some(context.to_string().into()), &[]);
    }
    write_fixed_settings(&mut argv, spec);
    if let Some(threads) = spec.threads {
        argv.write_option((Intent::Threads, "placement"), &["-t", "--threads"], threads.to_string());
    }
    argv.write_option((Intent::Tool, "model"), &["-p", "--prompt"], Word::Prompt);
    argv.finish()
}

/// Fixes settings whose engine default costs memory or differs between builds, as for a server.
fn write_fixed_settings(argv: &mut ArgvBuilder<'_>, spec: &PromptSpec<'_>) {
    let mut write = |spellings: &[&'static str], value: &'static str| {
        argv.write_unless_set(spellings, Some(value.into()), &[]);
    };
    if spec.draft.is_none() && spec.lookup.is_none() {
        write(&["--spec-type"], "none");
    }
    write(&["--fit"], "off");
    write(&["--cache-ram", "-cram"], "0");
    argv.write_unless_set(&["-ctxcp", "--ctx-checkpoints"], Some(CHECKPOINTS.to_string().into()), &[]);
}

fn candidates(spec: &PromptSpec<'_>) -> &'static [&'static str] {
    match (spec.projector, spec.draft) {
        (Some(_), _) => IMAGE_PROGRAMS,
        (None, Some(_)) => DRAFT_PROGRAMS,
        (None, None) => TEXT_PROGRAMS,
    }
}

/// The programs that accept the files of the prompt, preferred first.
fn tools(profile: &Profile, spec: &PromptSpec<'_>) -> impl Iterator<Item = &'static str> {
    let image: &[&str] = if spec.projector.is_some() { &["--mmproj", "--image"] } else { &[] };
    let draft: &[&str] = if spec.draft.is_some() { &["-md"] } else { &[] };
    let needs = move || ["-p"].iter().chain(image).chain(draft);
    let accepts_all =
        move |tool: &&'static str| needs().all(|name| profile.first_spelling(tool, &[*name]).is_some());
    candidates(spec).iter().copied().filter(accepts_all)
}

fn without_tool(profile: &Profile, spec: &PromptSpec<'_>) -> Lowered {
    let first = candidates(spec).first().copied().unwrap_or_default();
    let mut argv = ArgvBuilder::new(profile, first);
    let listed = candidates(spec).join(", ");
    if profile.tools().all(|tool| tool == SERVER) {
        let why = format!("the profile {} lists only {SERVER}, and none of {listed}", argv.build());
        argv.not_checked.push(UncheckedIntent { intent: Intent::Tool, why });
    } else {
        let why = format!("{} has no program for this model (tried {listed})", argv.build());
        argv.add_error(Intent::Tool, why);
    }
    argv.finish()
}
