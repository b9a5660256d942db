//! Turns facts into cell texts and sentences.

use crate::plan::reference::{
    Acceleration, AdviceOwner, AdvisedExperts, BannedDrafts, ExpertKey, ForbidReason, Pair,
};
use crate::plan::{Bytes, Date, ForbiddenFeature, Prompt};

/// The text of a cell without a value.
pub(super) const NOTHING: &str = "—";

/// Sizes from here on are rounded to whole gigabytes.
const WHOLE_GB_LIMIT: Bytes = Bytes(10_000_000_000);

/// The acceleration of a role: a draft model, otherwise fewer experts, otherwise lookup.
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

/// A sum of file sizes. It is approximate, because sizes may be declared values.
pub(super) fn size(bytes: Bytes) -> String {
    if bytes < WHOLE_GB_LIMIT { format!("~{bytes}") } else { format!("~{}", bytes.whole_gb()) }
}

/// The maximum number of tokens that the draft of a pair proposes at once.
pub(super) fn length(pair: &Pair) -> String {
    let max = pair.max.filter(|_| pair.draft.is_some());
    max.map_or_else(|| NOTHING.to_owned(), |max| format!("K={max}"))
}

/// The speedup of a pair. If no draft is known: what to use instead.
pub(super) fn speedup(pair: &Pair) -> String {
    match (&pair.draft, pair.instead.as_deref(), &pair.speedup) {
        (None, Some("experts"), _) => "Use MoE reduction".to_owned(),
        (None, Some(instead), _) => instead.to_owned(),
        (Some(_), _, Some(factor)) if pair.lookup => format!("{factor} (w/ lookup)"),
        (Some(_), _, Some(factor)) => factor.to_string(),
        (_, _, _) => NOTHING.to_owned(),
    }
}

/// The drafts that a ban applies to.
pub(super) fn drafts(drafts: &BannedDrafts) -> &str {
    match drafts {
        BannedDrafts::Any => "Any",
        BannedDrafts::AnyText => "Any text draft",
        BannedDrafts::Lookup => "Prompt lookup",
        BannedDrafts::Named(name) => name,
    }
}

/// The note of a rule with its date.
pub(super) fn note(note: Option<&str>, date: Option<Date>) -> Option<String> {
    match (note, date) {
        (Some(note), Some(date)) => Some(format!("{note} ({date})")),
        (Some(note), None) => Some(note.to_owned()),
        (None, Some(date)) => Some(format!("found {date}")),
        (None, None) => None,
    }
}

/// The model or family that an advice is for.
pub(super) fn owner(row: &ExpertKey) -> String {
    match row.owner {
        AdviceOwner::Model => row.label.to_string(),
        AdviceOwner::Family => format!("{}-*", row.label),
        AdviceOwner::RecurrentFamily => format!("{} (SSM)", row.label),
    }
}

/// The recommended numbers of experts, then those to avoid.
pub(super) fn experts(row: &ExpertKey) -> String {
    let advised = |advised: &AdvisedExperts| match &advised.purpose {
        Some(purpose) => format!("{} ({purpose})", advised.experts),
        None => advised.experts.to_string(),
    };
    let avoided = row.avoid.iter().map(|experts| format!("{experts} degrades"));
    row.advise.iter().map(advised).chain(avoided).collect::<Vec<_>>().join(", ")
}

/// The forbidden features.
pub(super) fn forbidden(what: &[ForbiddenFeature]) -> String {
    let word = |what: &ForbiddenFeature| match what {
        ForbiddenFeature::Speculation => "speculative decoding",
        ForbiddenFeature::Lookup => "prompt lookup",
    };
    what.iter().map(word).collect::<Vec<_>>().join(" or ")
}

/// The failure and its reason, as a sentence without a full stop.
pub(super) fn reason(reason: &ForbidReason) -> String {
    let parts = [&reason.failure, &reason.why].into_iter().flatten();
    parts.map(|part| clause(part)).collect::<Vec<_>>().join(": ")
}

/// The text without a full stop at its end.
pub(super) fn clause(text: &str) -> &str {
    let text = text.trim_end();
    text.strip_suffix('.').unwrap_or(text)
}

/// A method to speed up a command: a test if a command uses it, and its name.
type SpeedupMethod = (fn(&Prompt) -> bool, &'static str);

const SPEEDUP_METHODS: &[SpeedupMethod] = &[
    (|prompt| prompt.sets_experts, "expert reduction"),
    (|prompt| prompt.has_draft, "speculation"),
    (|prompt| prompt.has_lookup, "lookup"),
];

/// The speedup methods that at least one of the commands uses.
pub(super) fn speedups(prompts: &[&Prompt]) -> String {
    let used = SPEEDUP_METHODS.iter().filter(|(uses, _)| prompts.iter().any(|prompt| uses(prompt)));
    used.map(|(_, name)| *name).collect::<Vec<_>>().join(" + ")
}
