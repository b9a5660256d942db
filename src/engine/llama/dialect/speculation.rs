//! Draft models and prompt lookup. Their options differ most between builds.

use super::argv::ArgvBuilder;
use super::{DraftSpec, Intent, UncheckedIntent};
use crate::engine::Word;

/// Default maximum number of drafted tokens. orchgen chooses it and always writes it: the engine's default is 3 since
/// b10434 (`--help`), and unknown for older builds.
pub const DRAFT_MAX: u32 = 16;
/// The same for drafts that read the state of their target: the engine's own default, because these drafts are short.
/// Only builds since b10434 have them.
pub const DEPENDENT_DRAFT_MAX: u32 = 3;
/// The longest n-gram that the engine accepts (llama.cpp b11434, `common/arg.cpp`).
const MAX_LOOKUP_NGRAM: u32 = 1024;

/// The kinds of drafting, each with its `--spec-type` (llama.cpp b11434, `common/speculative.cpp`).
pub const DRAFT_KINDS: &[(&str, &str)] = &[
    (SIMPLE, "draft-simple"),
    ("mtp", "draft-mtp"),
    ("eagle3", "draft-eagle3"),
    ("dflash", "draft-dflash"),
    ("dspark", "draft-dspark"),
];
/// The kind of drafting and of lookup without a `kind`.
const SIMPLE: &str = "simple";

/// A kind of lookup.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LookupKind {
    /// The kind.
    pub word: &'static str,
    /// Its `--spec-type`.
    pub spec_type: &'static str,
    /// The spellings of the option for the length of an n-gram.
    size: &'static [&'static str],
    /// The default length. For `simple`, orchgen chooses it: the engine's 12 finds little. For the others it is the
    /// engine's own (llama.cpp b11434, `common/common.h`).
    default: u32,
}

impl LookupKind {
    /// The option with the length of an n-gram, without dashes. Empty for a kind without n-grams.
    pub fn length_option(&self) -> &'static str {
        self.size.first().map_or("", |name| name.trim_start_matches('-'))
    }
}

/// The kinds of lookup (llama.cpp b11434, `common/speculative.cpp`). The tree of March 2026 has one option for all.
pub const LOOKUP_KINDS: &[LookupKind] = &[
    LookupKind {
        word: SIMPLE,
        spec_type: "ngram-simple",
        size: &["--spec-ngram-simple-size-n", "--spec-ngram-size-n"],
        default: 3,
    },
    LookupKind {
        word: "map-k",
        spec_type: "ngram-map-k",
        size: &["--spec-ngram-map-k-size-n", "--spec-ngram-size-n"],
        default: 12,
    },
    LookupKind {
        word: "map-k4v",
        spec_type: "ngram-map-k4v",
        size: &["--spec-ngram-map-k4v-size-n", "--spec-ngram-size-n"],
        default: 12,
    },
    LookupKind {
        word: "mod",
        spec_type: "ngram-mod",
        size: &["--spec-ngram-mod-n-match", "--spec-ngram-size-n"],
        default: 24,
    },
    LookupKind { word: "cache", spec_type: "ngram-cache", size: &[], default: 0 },
];

/// Prompt lookup with n-grams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookupSpec {
    /// The kind, a word of [`LOOKUP_KINDS`]. `None` means the lookup of a fork, else `simple`.
    pub kind: Option<&'static str>,
    /// The length of an n-gram, 1 to 1024 tokens. `None` means the default of the kind.
    pub ngram: Option<u32>,
}

impl LookupSpec {
    /// Lookup with n-grams of this length.
    pub const fn of(ngram: u32) -> Self {
        Self { kind: None, ngram: Some(ngram) }
    }

    /// The declared kind, or `simple`.
    pub(super) fn kind(self) -> Option<&'static LookupKind> {
        LOOKUP_KINDS.iter().find(|known| known.word == self.kind.unwrap_or(SIMPLE))
    }
}

/// Writes the options of the draft and of the lookup, and the `--spec-type` that they need.
pub(super) fn speculate(
    argv: &mut ArgvBuilder<'_>,
    draft: Option<&DraftSpec<'_>>,
    lookup: Option<LookupSpec>,
) {
    let lookup = lookup.and_then(|lookup| plan_lookup(argv, lookup, draft));
    // List n-gram types first, in the order in which the engine tries them.
    let mut types: Vec<&'static str> = lookup.and_then(|lookup| lookup.kind).into_iter().collect();
    if let Some(draft) = draft {
        types.extend(spec_type(argv, draft));
        write_draft(argv, draft);
    }
    if let Some((size, length)) = lookup.and_then(|lookup| lookup.size) {
        argv.write_option((Intent::Lookup, "lookup"), &[size], length.to_string());
    }
    if !types.is_empty() {
        let origin = if draft.is_some() { (Intent::Draft, "draft") } else { (Intent::Lookup, "lookup") };
        argv.write_option(origin, &["--spec-type"], types.join(","));
    }
}

/// The kinds of drafting for a draft of this architecture. Empty for an ordinary model. As another kind of draft,
/// `gemma4-assistant` crashes the server: it has MTP layers in a separate file (seen with b11669). The Markov head of a
/// `dflash` file decides between `dflash` and `dspark`, and the lock does not have it.
pub fn kinds_of_architecture(arch: &str) -> &'static [&'static str] {
    match arch {
        "eagle3" => &["eagle3"],
        "dflash" => &["dflash", "dspark"],
        "gemma4-assistant" => &["mtp"],
        _ => &[],
    }
}

/// The `--spec-type` for the kind or the architecture of a draft. `None` if the build needs none.
fn spec_type(argv: &mut ArgvBuilder<'_>, draft: &DraftSpec<'_>) -> Option<&'static str> {
    let implied = kinds_of_architecture(draft.arch);
    let word = draft.kind.or_else(|| implied.first().copied()).unwrap_or(SIMPLE);
    let (word, required) = DRAFT_KINDS.iter().find(|(known, _)| *known == word)?;
    let found = available_spec_type(argv, required);
    if found.is_none() && *word != SIMPLE {
        let what = match draft.kind {
            Some(_) => format!("the kind `{word}`"),
            None => format!("a draft of architecture `{}`", draft.arch),
        };
        let why = format!("{what} needs `--spec-type {required}`, which {} lacks", argv.build());
        argv.add_error(Intent::Draft, why);
    } else if draft.kind.is_none() && implied.len() > 1 {
        let why = "it is unknown if the draft has the head for `draft-dspark`: declare its `kind`".to_owned();
        argv.not_checked.push(UncheckedIntent { intent: Intent::Draft, why });
    }
    found
}

fn write_draft(argv: &mut ArgvBuilder<'_>, draft: &DraftSpec<'_>) {
    let max = draft.max.unwrap_or(DRAFT_MAX);
    // Without a file, the model drafts with its own layers.
    if !draft.path.is_empty() {
        argv.write_option(
            (Intent::Draft, "draft"),
            &["-md", "--model-draft"],
            Word::DraftFile(draft.path.into()),
        );
    }
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

/// The options for lookup in a build: the option for the n-gram length with its value, and the `--spec-type` if the
/// build needs one.
#[derive(Clone, Copy)]
struct LookupPlan {
    size: Option<(&'static str, u32)>,
    kind: Option<&'static str>,
}

fn plan_lookup(
    argv: &mut ArgvBuilder<'_>,
    lookup: LookupSpec,
    draft: Option<&DraftSpec<'_>>,
) -> Option<LookupPlan> {
    let LookupKind { word, spec_type, size, default } = *lookup.kind()?;
    let length = lookup.ngram.unwrap_or(default);
    if lookup.ngram.is_some_and(|length| !(1..=MAX_LOOKUP_NGRAM).contains(&length)) {
        let why = format!("an n-gram has 1 to {MAX_LOOKUP_NGRAM} tokens, not {length}");
        argv.add_error(Intent::Lookup, why);
        return None;
    }
    if lookup.ngram.is_some() && size.is_empty() {
        let why = format!(
            "`ngram-min` has no effect with the kind `{word}`, whose files have n-grams of 1 to 4 tokens"
        );
        argv.add_error(Intent::Lookup, why);
        return None;
    }
    if let (None, Some((size, _))) = (lookup.kind, argv.find_option(&["--lookup-ngram-min"])) {
        return Some(LookupPlan { size: Some((size, length)), kind: None });
    }
    let found = argv.find_option(size);
    let (true, Some(kind)) = (found.is_some() || size.is_empty(), available_spec_type(argv, spec_type))
    else {
        let fork = if lookup.kind.is_none() { "neither `--lookup-ngram-min` nor" } else { "no" };
        let why = format!("{} of {} has {fork} `--spec-type {spec_type}`", argv.tool, argv.build());
        argv.add_error(Intent::Lookup, why);
        return None;
    };
    let one_word =
        argv.find_option(&["--spec-type"]).is_some_and(|(_, option)| !option.takes_list_of_choices());
    if draft.is_some() && one_word {
        let why = format!(
            "`--spec-type` of {} accepts only one type, so lookup and a draft exclude each other",
            argv.build()
        );
        argv.add_error(Intent::DraftWithLookup, why);
        return None;
    }
    Some(LookupPlan { size: found.map(|(size, _)| (size, length)), kind: Some(kind) })
}

/// The given type of speculation. `None` if `--spec-type` of this program does not have it.
fn available_spec_type(argv: &ArgvBuilder<'_>, kind: &'static str) -> Option<&'static str> {
    let (_, option) = argv.find_option(&["--spec-type"])?;
    option.lists_value(kind).then_some(kind)
}
