//! Options that need another option, or that other settings make ineffective. The engine reports none of these.

use super::argv::ArgvBuilder;
use super::options::{AcceptedOption, OptionFault};
use super::serve::keeps_prompts;
use super::{FaultKind, Intent, LookupSpec, LoweringFault, OverrideValue, ServerSpec, Sparsity};
use crate::engine::llama::options::{Idle, Owner};
use crate::engine::{OptionRecord, Profile, Switch};

/// Checks the options of a server against each other and against its fields.
pub(super) fn check(argv: &mut ArgvBuilder<'_>, spec: &ServerSpec<'_>, accepted: &[AcceptedOption<'_>]) {
    if spec.lookup.is_some_and(|lookup| lookup.kind == Some("cache")) && !has_ngram_file(accepted) {
        let why = "the kind `cache` needs an n-gram file; without it the engine drafts no tokens".to_owned();
        let help = "add the option `lookup-cache-static` or `lookup-cache-dynamic` with a path".to_owned();
        let (intent, kind) = (Intent::Lookup, FaultKind::NotExpressible);
        argv.errors.push(LoweringFault { intent, kind, why, help: Some(help), builds: Vec::new() });
    }
    for one in accepted {
        match one.option.title() {
            "--spec-type" => check_spec_types(argv, spec, accepted, one),
            "--chat-template" => check_chat_template(argv, accepted, one),
            title => {
                if let Some((why, help)) = no_effect_reason(argv.profile, one.option, spec, accepted) {
                    let fault = OptionFault::with(FaultKind::NoEffect, format!("`{title}` {why}"), help);
                    argv.warnings.push(fault.at_option(one.index));
                }
            }
        }
    }
}

/// The accepted option with this title (see [`OptionRecord::title`](crate::engine::OptionRecord::title)).
fn find_accepted<'s, 'p>(accepted: &'s [AcceptedOption<'p>], title: &str) -> Option<&'s AcceptedOption<'p>> {
    accepted.iter().find(|one| one.option.title() == title)
}

/// Reports types of speculation without the draft model or n-gram file that they need.
fn check_spec_types(
    argv: &mut ArgvBuilder<'_>,
    spec: &ServerSpec<'_>,
    accepted: &[AcceptedOption<'_>],
    one: &AcceptedOption<'_>,
) {
    let has_file = has_ngram_file(accepted);
    for kind in one.value().unwrap_or_default().split(',') {
        let (needs, help) = match kind {
            "ngram-cache" if !has_file => {
                ("an n-gram file", "add the option `lookup-cache-static` or `lookup-cache-dynamic`")
            }
            // The layers of the model decide, see the check of MTP layers.
            "draft-mtp" => continue,
            draft if draft.starts_with("draft-") && spec.draft.is_none() => {
                ("a draft model", "use the field `draft`")
            }
            _ => continue,
        };
        let why = format!("`--spec-type {kind}` needs {needs}; without it the engine drafts no tokens");
        argv.errors.push(OptionFault::with(FaultKind::Incomplete, why, help).at_option(one.index));
    }
}

fn has_ngram_file(accepted: &[AcceptedOption<'_>]) -> bool {
    let files = ["--lookup-cache-static", "--lookup-cache-dynamic"];
    files.iter().any(|title| find_accepted(accepted, title).is_some())
}

/// With jinja, the engine does not look up template names: a name such as `llama3` is used as the template text and
/// replaces every prompt (llama.cpp b11434, `common/chat.cpp`). Jinja is on by default.
fn check_chat_template(
    argv: &mut ArgvBuilder<'_>,
    accepted: &[AcceptedOption<'_>],
    one: &AcceptedOption<'_>,
) {
    let is_off = find_accepted(accepted, "--jinja").is_some_and(|jinja| jinja.switch == Switch::Off);
    let text = one.value().unwrap_or_default();
    if is_off || text == "chatml" || text.contains('{') {
        return;
    }
    let why = format!("`--chat-template` needs the text of a template, not `{}`", text.escape_debug());
    let help = "remove it to use the template of the model file, or add the option `no-jinja` to use a name";
    argv.errors.push(OptionFault::with(FaultKind::BadValue, why, help).at_option(one.index));
}

/// The reason why an option has no effect, and the help. `None` if it may have an effect.
fn no_effect_reason(
    profile: &Profile,
    option: &OptionRecord,
    spec: &ServerSpec<'_>,
    accepted: &[AcceptedOption<'_>],
) -> Option<(String, String)> {
    let remove = |why: &str| Some((why.to_owned(), "remove it".to_owned()));
    let title = option.title();
    match option.row().and_then(|row| row.idle) {
        Some(Idle::Without("lora")) if spec.adapters.is_empty() => {
            let help = "add the field `lora`, or remove this option".to_owned();
            return Some(("has no effect without an adapter".to_owned(), help));
        }
        Some(Idle::Without("lora")) => {}
        Some(Idle::Without("threads-batch")) => {
            let field = Owner::of("threads-batch");
            if !spec.settings.iter().any(|(owner, _)| *owner == field) {
                let help = "add the field `threads-batch`, or remove this option".to_owned();
                return Some(("has no effect without `threads-batch`".to_owned(), help));
            }
        }
        Some(Idle::Without(needed)) if !has_option(accepted, needed) => {
            let help = format!("add the option `{needed}`, or remove this one");
            return Some((format!("has no effect without `--{needed}`"), help));
        }
        Some(Idle::WithoutType(kind)) if !may_speculate(spec, accepted, kind) => {
            let why = format!("has no effect without `--spec-type {kind}`");
            // Fields set the type, so that an option cannot.
            if spec.draft.is_some() || spec.lookup.is_some() || !spec_types(accepted).is_empty() {
                return remove(&why);
            }
            let help = format!("add the option `spec-type` with the value `{kind}`, or remove this one");
            return Some((why, help));
        }
        Some(Idle::WithoutFit) if !spec.fits() => {
            let why = "has no effect, because the engine does not fit the context of this role".to_owned();
            return Some((why, "write `fit` as the `context`, or remove the option".to_owned()));
        }
        Some(Idle::WithoutPromptCache) if !has_prompt_cache(profile, spec) => {
            let why = "has no effect without a prompt cache".to_owned();
            return Some((why, "set the field `prompt-cache`, or remove the option".to_owned()));
        }
        Some(Idle::Always) => return remove("is parsed but ignored by the server"),
        Some(Idle::WithDenseModel) if spec.sparsity == Sparsity::Dense => {
            return remove("applies to experts, and the model is dense");
        }
        Some(Idle::WithProjector) if spec.projector.is_some() => {
            return remove("has no effect with a projector: the engine disables it");
        }
        _ => {}
    }
    let is_draft_option = title.starts_with("--spec-draft-") || title.ends_with("-draft");
    if is_draft_option && spec.draft.is_none() && !spec_types(accepted).contains("draft-") {
        let help = "add the field `draft`, or remove the option".to_owned();
        return Some(("has no effect without a draft model".to_owned(), help));
    }
    let is_for_routers = title.starts_with("--models-");
    is_for_routers.then(|| remove("applies only in router mode, but this server has a fixed model"))?
}

/// True if the role has an option with this name.
fn has_option(accepted: &[AcceptedOption<'_>], name: &str) -> bool {
    accepted.iter().any(|one| one.option.title().strip_prefix("--") == Some(name))
}

/// The types of speculation that the options of the role select.
fn spec_types<'s>(accepted: &'s [AcceptedOption<'_>]) -> &'s str {
    find_accepted(accepted, "--spec-type").and_then(AcceptedOption::value).unwrap_or_default()
}

/// True if a type of speculation may be on.
fn may_speculate(spec: &ServerSpec<'_>, accepted: &[AcceptedOption<'_>], kind: &str) -> bool {
    spec_types(accepted).split(',').any(|word| word == kind)
        || spec.lookup.and_then(LookupSpec::kind).is_some_and(|lookup| lookup.spec_type == kind)
        || (kind == "ngram-mod" && find_accepted(accepted, "--spec-default").is_some())
}

fn has_prompt_cache(profile: &Profile, spec: &ServerSpec<'_>) -> bool {
    let mut settings = spec.settings.iter();
    let declared = settings.find(|(owner, _)| owner.field == "prompt-cache");
    declared.map_or_else(|| keeps_prompts(profile, spec), |(_, value)| *value != OverrideValue::Int(0))
}
