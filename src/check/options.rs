//! Options of roles that the engine build refuses, misreads or ignores.

use super::owner;
use super::shared::faults::{self, FaultyRole};
use super::shared::option_remedy::FaultyOption;
use super::shared::secrets;
use crate::derive::{Derived, ServedRole, faults_of_option};
use crate::diag::{Change, Code, Diagnostic, Diagnostics, words};
use crate::engine::dialect::{FaultKind, Intent, LoweringFault};
use crate::engine::options::{owning_field, row_of, sets_keys};
use crate::hir::{EngineOption, Head};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that llama-server of the pinned build does not have: a misspelled option, an option of
    /// another program, or an option of a newer build.
    ///
    /// ## Why
    /// llama-server refuses unknown options, and the unit does not start.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "tpo-k" 20
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "top-k" 20
    /// }
    /// ```
    pub(super) static UNKNOWN_OPTION = 369, "unknown-option", Error;
}

declare_code! {
    /// ## What it finds
    /// An `option` of a role that older builds of the engine had, but that the pinned build removed or refuses.
    ///
    /// ## Why
    /// Builds remove options, sometimes silently: `--mlock` worked in spring 2026, and stops every server of autumn
    /// 2026 at start.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "mlock"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     placement { lock #true }
    /// }
    /// ```
    pub(super) static REMOVED_OPTION = 370, "removed-option", Error;
}

declare_code! {
    /// ## What it finds
    /// An `option` of a role that the pinned build still accepts but marks as deprecated.
    ///
    /// ## Why
    /// A later build may reject it. The unit would then fail to start after an upgrade.
    ///
    /// ## Example
    /// ```kdl
    /// engine "autumn" profile="llama.cpp-b10434" bin="/opt/autumn/bin"
    /// role "extra" tier="A" residency="hot" model="plain" engine="autumn" port=9000 context=4096 {
    ///     option "no-mmap"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "autumn" profile="llama.cpp-b10434" bin="/opt/autumn/bin"
    /// role "extra" tier="A" residency="hot" model="plain" engine="autumn" port=9000 context=4096 {
    ///     option "load-mode" "none"
    /// }
    /// ```
    pub(super) static DEPRECATED_OPTION = 371, "deprecated-option", Warning;
}

declare_code! {
    /// ## What it finds
    /// An `option` of a role with a value that the pinned build refuses or misreads.
    ///
    /// Such values are:
    ///
    /// - a number with a unit;
    /// - a word that is not one of its choices;
    /// - a value for an option without a value;
    /// - a missing value.
    ///
    /// ## Why
    /// The engine reads the leading digits of a number and silently drops the rest: `8k` is 8. Other bad values stop
    /// the server, are misread, or (for `chat-template llama3`) replace every prompt.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "top-k" "8k"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "top-k" 8000
    /// }
    /// ```
    pub(super) static OPTION_VALUE = 372, "option-value", Error;
}

declare_code! {
    /// ## What it finds
    /// An `option` of a role that is given twice, by the same name or by an alias, if the engine does not keep both
    /// values.
    ///
    /// ## Why
    /// The engine uses the last value and only logs a line.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "top-k" 20
    ///     option "top-k" 40
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "top-k" 40
    /// }
    /// ```
    pub(super) static REPEATED_OPTION = 373, "repeated-option", Error;
}

declare_code! {
    /// ## What it finds
    /// An `option` of a role that a field of the registry sets, such as `port` or `ctx-size`, or that keeps the
    /// server from serving: an option that prints something and exits, that loads another model, or that hides `/health`
    /// from health checks.
    ///
    /// ## Why
    /// Units, documents and memory sums are made from the fields. An additional option would contradict them, and the
    /// engine uses the last one.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "parallel" 4
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     slots 4
    /// }
    /// ```
    pub(super) static OWNED_OPTION = 374, "owned-option", Error;
}

declare_code! {
    /// ## What it finds
    /// An `option` of a role that has an effect only together with another option or field, which is missing.
    ///
    /// ## Why
    /// The engine prints no warning. For example, with `--spec-type draft-eagle3` and no draft it serves without
    /// speculation, at a fifth of the speed.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "spec-type" "ngram-cache"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "spec-type" "ngram-cache"
    ///     option "lookup-cache-static" "/srv/models/ngrams.bin"
    /// }
    /// ```
    pub(super) static LONE_OPTION = 375, "lone-option", Error;
}

declare_code! {
    /// ## What it finds
    /// An `option` of a role that the engine accepts but ignores.
    ///
    /// Examples:
    ///
    /// - a CPU mask for batches without `threads-batch`;
    /// - draft options without a draft;
    /// - expert options for a model without experts;
    /// - router options for a server with a model.
    ///
    /// ## Why
    /// The engine prints no warning, so the option appears to work.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "cpu-range-batch" "0-7"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 threads-batch=8 {
    ///     option "cpu-range-batch" "0-7"
    /// }
    /// ```
    pub(super) static IDLE_OPTION = 379, "idle-option", Warning;
}

/// The code and the label of each kind of fault. `engine-cannot` reports faults of fields.
const RULES: &[(FaultKind, &Code, &str)] = &[
    (FaultKind::UnknownOption, &UNKNOWN_OPTION, "not an option of this build"),
    (FaultKind::Removed, &REMOVED_OPTION, "removed before this build"),
    (FaultKind::Deprecated, &DEPRECATED_OPTION, "deprecated"),
    (FaultKind::BadValue, &OPTION_VALUE, "not a value of this option"),
    (FaultKind::Repeated, &REPEATED_OPTION, "given again"),
    (FaultKind::OwnedByField, &OWNED_OPTION, "cannot be set as an option"),
    (FaultKind::Incomplete, &LONE_OPTION, "needs another option or field"),
    (FaultKind::NoEffect, &IDLE_OPTION, "has no effect"),
];

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let mut reported: BTreeSet<(Span, &str)> = BTreeSet::new();
    for (kind, code, label) in RULES {
        for (role, fault) in faults::of_kind(derived, *kind) {
            let Intent::OptionName(at) = fault.intent else { continue };
            let Some(option) = role.serving.options.get(at) else { continue };
            // `secret-in-registry` reports keys.
            if sets_keys(&option.name) && secrets::in_option(option) {
                continue;
            }
            let owner = owner(&derived.registry, role.role, option.name.span);
            // A default, or a YAML alias, applies to many roles, but is reported once.
            if reported.insert((option.name.span, &fault.why)) {
                findings.report(finding((code, label), (&role, owner), option, fault));
            }
        }
    }
    report_unused_defaults(derived, findings);
}

/// Reports the wrong options of `defaults` that all roles replace or unset: an option that is wrong for each build.
fn report_unused_defaults(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let options = registry.unused.defaults.iter().filter_map(|default| default.option.as_ref());
    for option in options.filter(|option| !(sets_keys(&option.name) && secrets::in_option(option))) {
        let mut builds = BTreeSet::new();
        let mut roles = derived.commands().filter(|(.., command)| builds.insert(command.profile.name()));
        let Some((role, ServedRole { serving, .. }, command)) = roles.next() else { return };
        let profile = &command.profile;
        let faults = faults_of_option(option, profile);
        let Some(fault) = faults.first() else { continue };
        let Some((_, code, label)) = RULES.iter().find(|(kind, ..)| *kind == fault.kind) else { continue };
        if roles.all(|(.., command)| !faults_of_option(option, &command.profile).is_empty()) {
            let role = FaultyRole { registry, role, serving, profile };
            findings.report(finding((code, label), (&role, &registry.stack.head), option, fault));
        }
    }
}

fn finding(
    (code, label): (&'static Code, &str),
    (role, owner): (&FaultyRole, &Head),
    option: &EngineOption,
    fault: &LoweringFault,
) -> Diagnostic {
    let name = &option.name;
    let faulty = FaultyOption { role, option, fault };
    let near = faulty.near();
    let (place, label) = match (fault.kind, &option.value, near) {
        (FaultKind::BadValue, None, _) => (name.span, "value missing".to_owned()),
        (FaultKind::BadValue, Some(value), _) => (value.span, label.to_owned()),
        (FaultKind::Deprecated, Some(value), _) if faulty.deprecated_key().is_some() => {
            (value.span, "a deprecated key".to_owned())
        }
        _ if faulty.has_known_name() => (name.span, "a name with its value".to_owned()),
        (_, _, Some(near)) => (name.span, format!("did you mean `{}`?", words::printable(near.name))),
        (_, _, None) => (name.span, label.to_owned()),
    };
    let why = words::printable(&fault.why);
    let message = format!("option {} of {owner}: {why}", words::quoted(name));
    let mut finding = role.about(code.at(place, label, message)).about(owner);
    finding.word = faulty.deprecated_key().map(|deprecated| deprecated.key);
    // The field sets the option in all builds.
    let builds = faults::builds_without(fault).filter(|_| fault.kind != FaultKind::OwnedByField);
    let finding = faulty.remedies(finding, help(role, option, fault)).maybe_help(builds);
    let record = |name: &str| role.profile.option(role.profile.server(), name).map(std::ptr::from_ref);
    let first = role.serving.options.iter().find(|other| record(&other.name) == record(name));
    match first.filter(|_| fault.kind == FaultKind::Repeated) {
        Some(first) => finding
            .also(first.name.span, "first given here")
            .remedy("remove the first one, which has no effect", Change::field("option", first.name.span)),
        None => finding,
    }
}

/// The help of the fault. If the role already has the field that sets the option, no field is missing.
fn help(role: &FaultyRole, option: &EngineOption, fault: &LoweringFault) -> Option<String> {
    let gateway = role.serving.gateway.map(|gateway| role.registry.gateways.get(gateway.value));
    match owning_field(&option.name) {
        Some("metrics") if fault.kind == FaultKind::OwnedByField && gateway.is_some() => {
            gateway.map(|gateway| format!("remove this option: `metrics` of {gateway} sets it"))
        }
        Some(field) if fault.kind == FaultKind::OwnedByField && has_field(role, option, field) => {
            Some(format!("remove this option: `{field}` sets it"))
        }
        _ => fault.help.as_deref().map(words::printable),
    }
}

/// True if the role has the field. False for fields of which an option sets only a part.
fn has_field(role: &FaultyRole, option: &EngineOption, field: &str) -> bool {
    let serving = role.serving;
    match field {
        "batch" => serving.batch.is_some(),
        "context" => row_of(&option.name).and_then(|row| row.owner).is_none_or(|owner| owner.part.is_none()),
        "model" | "port" => true,
        "key-file" => serving.key_file.is_some(),
        "listen" => !serving.listen.is_empty(),
        // The option may ask for another pooling: `rerank` is the pooling `rank`.
        "pooling" => {
            let is_same = |word: &str| word == "rank" || !option.name.contains("rerank");
            serving.pooling.as_ref().is_some_and(|pooling| is_same(pooling))
        }
        "slots" | "cache-type" => false,
        _ => serving.setting(field).is_some(),
    }
}
