//! Draft models and prompt lookup. Their options differ most between builds.

use super::argv::ArgvBuilder;
use super::{DraftSpec, Intent, UncheckedIntent};
use crate::engine::Word;

/// Default maximum number of drafted tokens. orchgen chooses it and always writes it: the engine's default is 3 since
/// b10434 (`--help`), and unknown for older builds.
pub const DRAFT_MAX: u32 = 16;
/// Default n-gram length of `lookup`, in tokens. The engine's default is 12 for `ngram-simple` (llama.cpp b11434); that
/// of a fork is unknown.
pub const LOOKUP_NGRAM_MIN: u32 = 3;
/// The longest n-gram that `ngram-simple` accepts (llama.cpp b11434, `common/arg.cpp`).
const MAX_LOOKUP_NGRAM: u32 = 1024;

/// Writes the options of the draft and of the lookup, and the `--spec-type` that they need.
pub(super) fn speculate(argv: &mut ArgvBuilder<'_>, draft: Option<&DraftSpec<'_>>, lookup: Option<u32>) {
    let lookup = lookup.and_then(|shortest| plan_lookup(argv, shortest, draft));
    // List n-gram types first, in the order in which the engine tries them.
    let mut types: Vec<&'static str> = lookup.and_then(|lookup| lookup.kind).into_iter().collect();
    if let Some(draft) = draft {
        types.extend(spec_type(argv, draft));
        write_draft(argv, draft);
    }
    if let Some(lookup) = lookup {
        argv.write_option((Intent::Lookup, "lookup"), &[lookup.size], lookup.shortest.to_string());
    }
    if !types.is_empty() {
        let origin = if draft.is_some() { (Intent::Draft, "draft") } else { (Intent::Lookup, "lookup") };
        argv.write_option(origin, &["--spec-type"], types.join(","));
    }
}

/// The `--spec-type` for the architecture of a draft (llama.cpp b11434, `common/speculative.cpp`). `None` if the build
/// recognizes it from the file alone.
fn spec_type(argv: &mut ArgvBuilder<'_>, draft: &DraftSpec<'_>) -> Option<&'static str> {
    let required = match draft.arch {
        "eagle3" => "draft-eagle3",
        "dflash" => "draft-dflash",
        // MTP layers in a separate file. As another kind of draft, they crash the server (seen with b11669).
        "gemma4-assistant" => "draft-mtp",
        _ => return available_spec_type(argv, "draft-simple"),
    };
    let found = available_spec_type(argv, required);
    if found.is_none() {
        let arch = draft.arch;
        let why = format!(
            "a draft of architecture `{arch}` needs `--spec-type {required}`, which {} lacks",
            argv.build()
        );
        argv.add_error(Intent::Draft, why);
    } else if required == "draft-dflash" {
        let why = "it is unknown if the draft has the head for `draft-dspark`".to_owned();
        argv.not_checked.push(UncheckedIntent { intent: Intent::Draft, why });
    }
    found
}

fn write_draft(argv: &mut ArgvBuilder<'_>, draft: &DraftSpec<'_>) {
    let max = draft.max.unwrap_or(DRAFT_MAX);
    argv.write_option(
        (Intent::Draft, "draft"),
        &["-md", "--model-draft"],
        Word::DraftFile(draft.path.into()),
    );
    argv.write_option((Intent::DraftMax, "draft"), &["--spec-draft-n-max", "--draft-max"], max.to_string());
    if let Some(min) = draft.min {
        if min > max {
            argv.add_error(Intent::DraftMin, format!("the minimum, {min}, is above the maximum, {max}"));
        }
        argv.write_option(
            (Intent::DraftMin, "draft"),
            &["--spec-draft-n-min", "--draft-min"],
            min.to_string(),
        );
    }
    if let Some(least) = draft.p_min {
        write_p_min(argv, least);
    }
}

fn write_p_min(argv: &mut ArgvBuilder<'_>, least: f64) {
    if (0.0..=1.0).contains(&least) {
        argv.write_option((Intent::DraftPMin, "draft"), P_MIN, least.to_string());
    } else {
        argv.add_error(Intent::DraftPMin, format!("{least} is not a probability between 0 and 1"));
    }
}

/// The spellings of the minimum probability of a draft. All built-in profiles have the shorter one.
const P_MIN: &[&str] = &["--draft-p-min", "--spec-draft-p-min"];

/// The options for lookup in a build: the option for the n-gram length, and the `--spec-type` if the build needs one.
#[derive(Clone, Copy)]
struct LookupPlan {
    shortest: u32,
    size: &'static str,
    kind: Option<&'static str>,
}

fn plan_lookup(
    argv: &mut ArgvBuilder<'_>,
    shortest: u32,
    draft: Option<&DraftSpec<'_>>,
) -> Option<LookupPlan> {
    if !(1..=MAX_LOOKUP_NGRAM).contains(&shortest) {
        argv.add_error(
            Intent::Lookup,
            format!("an n-gram has 1 to {MAX_LOOKUP_NGRAM} tokens, not {shortest}"),
        );
        return None;
    }
    if let Some((size, _)) = argv.find_option(&["--lookup-ngram-min"]) {
        return Some(LookupPlan { shortest, size, kind: None });
    }
    let size = argv.find_option(&["--spec-ngram-simple-size-n", "--spec-ngram-size-n"]);
    let (Some((size, _)), Some(kind)) = (size, available_spec_type(argv, "ngram-simple")) else {
        let why = format!(
            "{} of {} has neither `--lookup-ngram-min` nor `--spec-type ngram-simple`",
            argv.tool,
            argv.build()
        );
        argv.add_error(Intent::Lookup, why);
        return None;
    };
    let one_word =
        argv.find_option(&["--spec-type"]).is_some_and(|(_, option)| !option.takes_list_of_choices());
    if draft.is_some() && one_word {
        let why = format!(
            "`--spec-type` of {} accepts only one type, so lookup and a draft model exclude each other",
            argv.build()
        );
        argv.add_error(Intent::DraftWithLookup, why);
        return None;
    }
    Some(LookupPlan { shortest, size, kind: Some(kind) })
}

/// The given type of speculation. `None` if `--spec-type` of this program does not have it.
fn available_spec_type(argv: &ArgvBuilder<'_>, kind: &'static str) -> Option<&'static str> {
    let (_, option) = argv.find_option(&["--spec-type"])?;
    option.lists_value(kind).then_some(kind)
}
