//! Options that need another one, or that have no effect beside what else is said; the engine is silent about all of them.

use super::argv::Argv;
use super::options::{Refusal, Said};
use super::{Fault, Intent, Layers, NotChecked, Serve};
use crate::engine::Side;

/// Options of batches of prompt tokens that count only beside `--threads-batch` (llama.cpp b11434, `common/common.cpp`).
const OF_BATCHES: &[&str] =
    &["--cpu-mask-batch", "--cpu-range-batch", "--cpu-strict-batch", "--prio-batch", "--poll-batch"];

/// How the names of draft options begin that the server reads and does not use (llama.cpp b11434,
/// `common/speculative.cpp`): only the threads of a draft are its own.
const UNUSED_OF_DRAFTS: &[&str] = &[
    "--spec-draft-cpu-mask",
    "--spec-draft-cpu-range",
    "--spec-draft-cpu-strict",
    "--spec-draft-poll",
    "--spec-draft-prio",
];

/// Holds the options of a server against each other and against its fields.
pub(super) fn judge(argv: &mut Argv<'_>, wanted: &Serve<'_>, said: &[Said<'_>]) {
    for one in said {
        match one.option.title() {
            "--spec-type" => types(argv, wanted, said, one),
            "--chat-template" => template(argv, said, one),
            title => {
                if let Some((why, help)) = idle(title, wanted, said) {
                    let refusal = Refusal::with(Fault::Idle, format!("`{title}` {why}"), help);
                    argv.warned.push(refusal.of(one.at));
                }
            }
        }
    }
}

/// The option of that first long name.
fn named<'s, 'p>(said: &'s [Said<'p>], title: &str) -> Option<&'s Said<'p>> {
    said.iter().find(|one| one.option.title() == title)
}

/// Types of speculation that lack what they draft with.
fn types(argv: &mut Argv<'_>, wanted: &Serve<'_>, said: &[Said<'_>], one: &Said<'_>) {
    let has_file =
        ["--lookup-cache-static", "--lookup-cache-dynamic"].iter().any(|title| named(said, title).is_some());
    for kind in one.value().unwrap_or_default().split(',') {
        let (needs, help) = match kind {
            "ngram-cache" if !has_file => {
                ("a file with n-grams", "add the option `lookup-cache-static` or `lookup-cache-dynamic`")
            }
            "draft-mtp" => {
                let why = "whether the model predicts tokens by itself, as `draft-mtp` needs, is not known";
                let intent = Intent::OptionName(one.at);
                argv.not_checked.push(NotChecked { intent, why: why.to_owned() });
                continue;
            }
            draft if draft.starts_with("draft-") && wanted.draft.is_none() => {
                ("a draft model", "use the field `draft`")
            }
            _ => continue,
        };
        let why =
            format!("`{kind}` of `--spec-type` needs {needs}, and without one the engine drafts nothing");
        argv.cannot.push(Refusal::with(Fault::Alone, why, help).of(one.at));
    }
}

/// With jinja the name of a template is no name: the word itself becomes every prompt (llama.cpp b11434,
/// `common/chat.cpp`). Jinja is on unless it is switched off.
fn template(argv: &mut Argv<'_>, said: &[Said<'_>], one: &Said<'_>) {
    let is_off = named(said, "--jinja").is_some_and(|jinja| jinja.side == Side::Off);
    let text = one.value().unwrap_or_default();
    if is_off || text == "chatml" || text.contains('{') {
        return;
    }
    let why = format!("`--chat-template` takes the text of a template, not `{}`", text.escape_debug());
    let help = "write the template, name its file with `chat-template-file`, or add the option `no-jinja`";
    argv.cannot.push(Refusal::with(Fault::Value, why, help).of(one.at));
}

/// Why an option has no effect, and what to do; none where it has one, as far as is known.
fn idle(title: &str, wanted: &Serve<'_>, said: &[Said<'_>]) -> Option<(&'static str, &'static str)> {
    let of_drafts = title.starts_with("--spec-draft-") || title.ends_with("-draft");
    if OF_BATCHES.contains(&title) && named(said, "--threads-batch").is_none() {
        return Some(("counts only beside `--threads-batch`", "add the option `threads-batch`"));
    }
    if UNUSED_OF_DRAFTS.iter().any(|start| title.starts_with(start)) {
        return Some(("is read and not used by a server", "remove it"));
    }
    let types = named(said, "--spec-type").and_then(Said::value).unwrap_or_default();
    if of_drafts && wanted.draft.is_none() && !types.contains("draft-") {
        return Some(("has no effect without a draft model", "add the field `draft`, or remove it"));
    }
    if title.starts_with("--models-") {
        return Some(("is for a server that has no model of its own", "remove it"));
    }
    if wanted.layers == Layers::Dense && matches!(title, "--cpu-moe" | "--n-cpu-moe" | "--moe-cache-mib") {
        return Some(("is for experts, and the model has none", "remove it"));
    }
    if wanted.projector.is_some() && matches!(title, "--context-shift" | "--cache-reuse") {
        return Some(("is switched off where there is a projector", "remove it"));
    }
    None
}
