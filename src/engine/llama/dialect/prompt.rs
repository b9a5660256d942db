//! The one-shot command of a model.

use super::argv::ArgvBuilder;
use super::context::write_fit_options;
use super::gpu::{self, Files};
use super::options::{self, AcceptedOption};
use super::serve::{has_draft_file, write_lock};
use super::speculation::speculate;
use super::{ContextSpec, Intent, Lowered, NumaPlacement, PromptSpec, UncheckedIntent, files, settings};
use crate::engine::llama::SERVER;
use crate::engine::llama::options::{CACHE_RAM, CTX_CHECKPOINTS};
use crate::engine::{OptionRecord, Profile, Word};

/// The program for a chat. It takes a text that starts with `/exit`, `/read` and the like as a command (llama.cpp b11669,
/// `tools/cli/cli-context.cpp`).
const CHAT: &str = "llama-cli";
/// The program for a plain text prompt.
const TEXT_PROGRAMS: &[&str] = &[CHAT];
/// The programs that speculate, preferred first.
const DRAFT_PROGRAMS: &[&str] = &["llama-speculative", CHAT];
/// The programs that accept images, preferred first. `llama-qwen2vl-cli` belongs to a fork; in newer builds it is a
/// stub that their profiles do not list.
const IMAGE_PROGRAMS: &[&str] = &["llama-qwen2vl-cli", "llama-mtmd-cli", CHAT];

/// True if a program takes a text that starts with `/` as a command.
pub fn reads_commands(tool: &str) -> bool {
    tool == CHAT
}

/// The command line of the program that can express the whole prompt and leaves out the fewest settings of the role. If
/// several are equal, the first is used. If no program can express the prompt, it is the first that accepts its files.
pub(super) fn lower(profile: &Profile, spec: &PromptSpec<'_>) -> Lowered {
    let mut best: Option<Lowered> = None;
    for tool in tools(profile, spec) {
        let line = lower_with(profile, tool, spec);
        if line.errors.is_empty() && line.left_out.is_empty() {
            return line;
        }
        let rank = |line: &Lowered| (!line.errors.is_empty(), line.left_out.len());
        if best.as_ref().is_none_or(|best| rank(&line) < rank(best) && line.errors.is_empty()) {
            best = Some(line);
        }
    }
    best.unwrap_or_else(|| without_tool(profile, spec))
}

fn lower_with(profile: &Profile, tool: &'static str, spec: &PromptSpec<'_>) -> Lowered {
    let mut argv = ArgvBuilder::new(profile, tool);
    let options = options::read_possible(&mut argv, spec.options);
    write_files(&mut argv, spec);
    speculate(&mut argv, spec.draft.as_ref(), spec.lookup);
    argv.write_overrides(spec.experts, spec.overrides);
    write_gpu(&mut argv, spec);
    // By default the programs use the trained context.
    match spec.context {
        ContextSpec::Tokens(context) => {
            argv.write_option((Intent::Context, "context"), &["-c", "--ctx-size"], context.to_string());
        }
        ContextSpec::Fit(least) => write_fit_options(&mut argv, spec.gpu.as_ref(), least),
        ContextSpec::Trained(_) => {}
    }
    if let (Some(_), Some(context)) = (spec.draft, spec.context.tokens()) {
        argv.write_unless_set(&["-cd", "--ctx-size-draft"], Some(context.to_string().into()), &[]);
    }
    if let Some(batch) = spec.batch {
        argv.write_unless_set(&["-b", "--batch-size"], Some(batch.to_string().into()), &[]);
    }
    match argv.find_option(&["--load-mode", "--mlock"]) {
        Some(_) if spec.lock => write_lock(&mut argv),
        None if spec.lock => argv.left_out.push("--mlock".into()),
        _ => {}
    }
    settings::write_possible(&mut argv, spec.settings);
    let records = options::records(&options);
    files::write_possible(&mut argv, spec.template, spec.adapters, &records);
    write_fixed_settings(&mut argv, spec, &records);
    if let Some(threads) = spec.threads {
        argv.write_option((Intent::Threads, "placement"), &["-t", "--threads"], threads.to_string());
    }
    if spec.numa == NumaPlacement::Distributed {
        argv.write_option((Intent::Numa, "placement"), &["--numa"], "distribute");
    }
    write_single_turn(&mut argv, &options);
    options::write(&mut argv, options);
    argv.write_option((Intent::Tool, "model"), &["-p", "--prompt"], Word::Prompt);
    argv.finish()
}

/// Writes where the model is, as for a server.
fn write_gpu(argv: &mut ArgvBuilder<'_>, spec: &PromptSpec<'_>) {
    let Some(gpu) = &spec.gpu else { return };
    let files = Files { draft: has_draft_file(spec.draft.as_ref()), projector: spec.projector.is_some() };
    gpu::write(argv, gpu, files);
    let fits_context = matches!(spec.context, ContextSpec::Fit(_));
    if gpu.fits_layers() && !fits_context {
        gpu::write_fit(argv, gpu);
    }
}

fn write_files(argv: &mut ArgvBuilder<'_>, spec: &PromptSpec<'_>) {
    argv.write_model(spec.model, spec.projector);
    if spec.projector.is_some() {
        argv.write_option((Intent::Projector, "projector"), &["--image"], Word::Image);
    }
}

/// Ends the program after one answer. Without these options a chat program waits for the next prompt. Builds of 2024 have
/// only the second, which also disables the chat template.
fn write_single_turn(argv: &mut ArgvBuilder<'_>, options: &[AcceptedOption<'_>]) {
    let ends = &["--single-turn", "--no-conversation"];
    argv.write_unless_set(ends, None, &options::records(options));
}

/// Fixes settings whose engine default costs memory or differs between builds, as for a server.
fn write_fixed_settings(argv: &mut ArgvBuilder<'_>, spec: &PromptSpec<'_>, accepted: &[&OptionRecord]) {
    let mut write = |spellings: &[&'static str], value: &'static str| {
        argv.write_unless_set(spellings, Some(value.into()), accepted);
    };
    let is_default = accepted.iter().any(|option| option.title() == "--spec-default");
    if spec.draft.is_none() && spec.lookup.is_none() && !is_default {
        write(&["--spec-type"], "none");
    }
    write(&["--fit"], "off");
    // The command answers once, so no later request continues its prompt.
    write(CACHE_RAM, "0");
    write(CTX_CHECKPOINTS, "0");
    if spec.numa == NumaPlacement::External {
        write(&["--numa"], "numactl");
    }
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
