//! How a fact is put in a cell or a sentence.

use crate::plan::reference::{Acceleration, Advised, Drafts, ExpertKey, Owner, Pair, Reason};
use crate::plan::{Bytes, Date, Forbids, Prompt};

/// What stands where nothing is known.
pub(super) const NOTHING: &str = "—";

/// From here on gigabytes are whole.
const LARGE: Bytes = Bytes(10_000_000_000);

/// What makes a role faster: a draft model, else experts, else lookup alone, else nothing.
pub(super) fn acceleration(of: Acceleration) -> String {
    let mut text = match (of.draft, of.experts, of.lookup) {
        (Some(max), _, _) => format!("Spec K={max}"),
        (None, Some(experts), _) => format!("MoE {experts} experts"),
        (None, None, true) => "Lookup".to_owned(),
        (None, None, false) if of.has_projector => "None (VL model)".to_owned(),
        (None, None, false) => "None".to_owned(),
    };
    if of.lookup && (of.draft.is_some() || of.experts.is_some()) {
        text.push_str(" + lookup");
    }
    if of.forbids_speculation {
        text.push_str(" (NO SPEC!)");
    }
    text
}

/// A sum of files; their sizes are what people say of them, so it is about that.
pub(super) fn size(bytes: Bytes) -> String {
    if bytes < LARGE { format!("~{bytes}") } else { format!("~{}", bytes.whole_gb()) }
}

/// The most tokens that the draft of a pair runs ahead.
pub(super) fn length(pair: &Pair) -> String {
    let max = pair.max.filter(|_| pair.draft.is_some());
    max.map_or_else(|| NOTHING.to_owned(), |max| format!("K={max}"))
}

/// How much a pair gains; where no draft is known, what to do instead.
pub(super) fn speedup(pair: &Pair) -> String {
    match (&pair.draft, pair.instead.as_deref(), &pair.speedup) {
        (None, Some("experts"), _) => "Use MoE reduction".to_owned(),
        (None, Some(instead), _) => instead.to_owned(),
        (Some(_), _, Some(factor)) if pair.lookup => format!("{factor} (w/ lookup)"),
        (Some(_), _, Some(factor)) => factor.to_string(),
        (_, _, _) => NOTHING.to_owned(),
    }
}

/// Which drafts a ban speaks of.
pub(super) fn drafts(drafts: &Drafts) -> &str {
    match drafts {
        Drafts::Any => "Any",
        Drafts::AnyText => "Any text draft",
        Drafts::Lookup => "Prompt lookup",
        Drafts::Named(name) => name,
    }
}

/// What else people should know of a rule, and since when.
pub(super) fn note(note: Option<&str>, date: Option<Date>) -> Option<String> {
    match (note, date) {
        (Some(note), Some(date)) => Some(format!("{note} ({date})")),
        (Some(note), None) => Some(note.to_owned()),
        (None, Some(date)) => Some(format!("found {date}")),
        (None, None) => None,
    }
}

/// Who holds an advice.
pub(super) fn owner(row: &ExpertKey) -> String {
    match row.owner {
        Owner::Model => row.label.to_string(),
        Owner::Family => format!("{}-*", row.label),
        Owner::RecurrentFamily => format!("{} (SSM)", row.label),
    }
}

/// Numbers that are worth using, then those that are not.
pub(super) fn experts(row: &ExpertKey) -> String {
    let advised = |advised: &Advised| match &advised.purpose {
        Some(purpose) => format!("{} ({purpose})", advised.experts),
        None => advised.experts.to_string(),
    };
    let avoided = row.avoid.iter().map(|experts| format!("{experts} degrades"));
    row.advise.iter().map(advised).chain(avoided).collect::<Vec<_>>().join(", ")
}

/// What must not be used.
pub(super) fn never(what: &[Forbids]) -> String {
    let word = |what: &Forbids| match what {
        Forbids::Speculation => "speculative decoding",
        Forbids::Lookup => "prompt lookup",
    };
    what.iter().map(word).collect::<Vec<_>>().join(" or ")
}

/// What happens, and why, as a sentence without its full stop.
pub(super) fn reason(reason: &Reason) -> String {
    let parts = [&reason.failure, &reason.why].into_iter().flatten();
    parts.map(|part| clause(part)).collect::<Vec<_>>().join(": ")
}

/// A text without the full stop that it may end with.
pub(super) fn clause(text: &str) -> &str {
    let text = text.trim_end();
    text.strip_suffix('.').unwrap_or(text)
}

/// What makes a command faster, and what that is called.
type Means = (fn(&Prompt) -> bool, &'static str);

const MEANS: &[Means] = &[
    (|prompt| prompt.sets_experts, "expert reduction"),
    (|prompt| prompt.drafts, "speculation"),
    (|prompt| prompt.looks_up, "lookup"),
];

/// What any of the commands uses to be faster.
pub(super) fn means(prompts: &[&Prompt]) -> String {
    let used = MEANS.iter().filter(|(has, _)| prompts.iter().any(|prompt| has(prompt)));
    used.map(|(_, called)| *called).collect::<Vec<_>>().join(" + ")
}
