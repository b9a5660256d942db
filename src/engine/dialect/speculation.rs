//! Draft models and prompt lookup, whose spellings differ most between builds.

use super::argv::Argv;
use super::{Draft, Intent, NotChecked};

/// Tokens that a draft model runs ahead where the registry names none: a choice of this program, always written, since the
/// engine's own default is 3 from b10434 on (`--help`) and is not known to be so before.
pub const DRAFT_MAX: u32 = 16;
/// The n-gram of a bare `lookup`, in tokens. The engine's own is 12 for `ngram-simple` (llama.cpp b11434); a fork's is not
/// known.
pub const LOOKUP: u32 = 3;
/// The longest n-gram that `ngram-simple` takes (llama.cpp b11434, `common/arg.cpp`).
const LOOKUP_LONGEST: u32 = 1024;

/// Writes the draft, its length and the lookup, and the `--spec-type` that they need.
pub(super) fn speculate(argv: &mut Argv<'_>, draft: Option<&Draft<'_>>, lookup: Option<u32>) {
    let lookup = lookup.and_then(|shortest| plan_lookup(argv, shortest, draft));
    // n-gram types come first: the engine tries them before a draft model anyway.
    let mut types: Vec<&'static str> = lookup.and_then(|lookup| lookup.kind).into_iter().collect();
    if let Some(draft) = draft {
        types.extend(kind(argv, draft));
        length(argv, draft);
    }
    if let Some(lookup) = lookup {
        argv.report((Intent::Lookup, "lookup"), &[lookup.size], lookup.shortest.to_string());
    }
    if !types.is_empty() {
        let whose = if draft.is_some() { (Intent::Draft, "draft") } else { (Intent::Lookup, "lookup") };
        argv.report(whose, &["--spec-type"], types.join(","));
    }
}

/// The type of speculation that the architecture of a draft asks for (llama.cpp b11434, `common/speculative.cpp`); none where
/// the build tells it by the file alone.
fn kind(argv: &mut Argv<'_>, draft: &Draft<'_>) -> Option<&'static str> {
    let wanted = match draft.arch {
        "eagle3" => "draft-eagle3",
        "dflash" => "draft-dflash",
        _ => return choice(argv, "draft-simple"),
    };
    let found = choice(argv, wanted);
    if found.is_none() {
        let arch = draft.arch;
        let why = format!("{} has no `--spec-type {wanted}`, which a draft of `{arch}` needs", argv.build());
        argv.cannot(Intent::Draft, why);
    } else if wanted == "draft-dflash" {
        let why = "whether the draft has the head that `draft-dspark` needs is not known".to_owned();
        argv.not_checked.push(NotChecked { intent: Intent::Draft, why });
    }
    found
}

fn length(argv: &mut Argv<'_>, draft: &Draft<'_>) {
    let max = draft.max.unwrap_or(DRAFT_MAX);
    argv.report((Intent::Draft, "draft"), &["-md", "--model-draft"], draft.path.to_owned());
    argv.report((Intent::DraftMax, "draft"), &["--spec-draft-n-max", "--draft-max"], max.to_string());
    if let Some(min) = draft.min {
        if min > max {
            argv.cannot(Intent::DraftMin, format!("a draft of at least {min} and at most {max} tokens"));
        }
        argv.report((Intent::DraftMin, "draft"), &["--spec-draft-n-min", "--draft-min"], min.to_string());
    }
    if let Some(least) = draft.p_min {
        probability(argv, least);
    }
}

fn probability(argv: &mut Argv<'_>, least: f64) {
    if (0.0..=1.0).contains(&least) {
        argv.report((Intent::DraftPMin, "draft"), P_MIN, least.to_string());
    } else {
        argv.cannot(Intent::DraftPMin, format!("{least} is no probability, which lies between 0 and 1"));
    }
}

/// How builds spell the least probability of a draft; all five have the short one.
const P_MIN: &[&str] = &["--draft-p-min", "--spec-draft-p-min"];

/// How a build does lookup: the option for the n-gram, and the type that switches it on where that takes one.
#[derive(Clone, Copy)]
struct Lookup {
    shortest: u32,
    size: &'static str,
    kind: Option<&'static str>,
}

fn plan_lookup(argv: &mut Argv<'_>, shortest: u32, draft: Option<&Draft<'_>>) -> Option<Lookup> {
    if !(1..=LOOKUP_LONGEST).contains(&shortest) {
        argv.cannot(Intent::Lookup, format!("an n-gram of {shortest} tokens; it has 1 to {LOOKUP_LONGEST}"));
        return None;
    }
    if let Some((size, _)) = argv.known(&["--lookup-ngram-min"]) {
        return Some(Lookup { shortest, size, kind: None });
    }
    let size = argv.known(&["--spec-ngram-simple-size-n", "--spec-ngram-size-n"]);
    let (Some((size, _)), Some(kind)) = (size, choice(argv, "ngram-simple")) else {
        let why = format!(
            "{} of {} has neither `--lookup-ngram-min` nor `--spec-type ngram-simple`",
            argv.tool,
            argv.build()
        );
        argv.cannot(Intent::Lookup, why);
        return None;
    };
    let one_word = argv.known(&["--spec-type"]).is_some_and(|(_, option)| !option.takes_list_of_choices());
    if draft.is_some() && one_word {
        let why = format!(
            "`--spec-type` of {} takes one word, so lookup and a draft model exclude each other",
            argv.build()
        );
        argv.cannot(Intent::DraftWithLookup, why);
        return None;
    }
    Some(Lookup { shortest, size, kind: Some(kind) })
}

/// A type of speculation, where `--spec-type` of this program has it.
fn choice(argv: &Argv<'_>, kind: &'static str) -> Option<&'static str> {
    let (_, option) = argv.known(&["--spec-type"])?;
    option.lists(kind).then_some(kind)
}
