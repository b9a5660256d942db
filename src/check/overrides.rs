//! Metadata overrides of families and roles that the engine ignores or cannot load.

use super::owner_of;
use crate::derive::Derived;
use crate::derive::overrides::EXPERT_USED_COUNT;
use crate::diag::{Change, Diagnostic, Diagnostics, Literal, Safety, suggest, words};
use crate::engine::Profile;
use crate::engine::architecture::lacks_experts;
use crate::engine::keys::{Array, KeyVerdict, OverrideType, check_key, integer_range, keys_for_architecture};
use crate::hir::{Experts, Head, Model, Override, Setting, Text};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A metadata override with a key that the engine does not use for the model's architecture.
    ///
    /// ## Why
    /// The engine silently ignores a key that starts with another architecture, and a key that no build ever had. The
    /// server starts and uses the value of the file.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra:
    ///     {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, override: {key: qwen3next.expert_used_count, value: 4}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra:
    ///     {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, override: {key: qwen3moe.expert_used_count, value: 4}}
    /// ```
    pub(super) static UNKNOWN_OVERRIDE_KEY = 305, "unknown-override-key", Error;
}

declare_code! {
    /// ## What it finds
    /// A metadata override with a value of another type than the key, or for a key that cannot be overridden: a list,
    /// or a key for which the engine ignores overrides.
    ///
    /// ## Why
    /// If the type differs, the engine keeps the value of the file and logs one line. It silently ignores overrides of
    /// keys with one value per layer.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra:
    ///     {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, override: {key: qwen3moe.expert_used_count, value: "4"}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra:
    ///     {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, override: {key: qwen3moe.expert_used_count, value: 4}}
    /// ```
    pub(super) static OVERRIDE_TYPE = 306, "override-type", Error;
}

declare_code! {
    /// ## What it finds
    /// A metadata override with a whole number out of range for its key, or with a number of experts or expert groups
    /// that makes the engine abort.
    ///
    /// ## Why
    /// The engine silently keeps the lower 32 bits: `-1` becomes 4294967295. It aborts with a stack trace if the number
    /// of experts is below the number of used experts, is above 1024, or is set on a model without experts.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra:
    ///     {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, override: {key: qwen3moe.context_length, value: -1}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra:
    ///     {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, override: {key: qwen3moe.context_length, value: 65536}}
    /// ```
    pub(super) static OVERRIDE_RANGE = 376, "override-range", Error;
}

/// The maximum number of experts of a model (llama.cpp b11434, `src/llama-model.cpp`).
const MAX_EXPERTS: i64 = 1024;

/// One override with the item that declares it, and the profile to check it with.
struct DeclaredOverride<'r> {
    /// The family, the role or, for a default, the stack that declares it.
    owner: &'r Head,
    /// The architecture of the model.
    arch: &'r Text,
    /// The model of the role. `None` for an override of a family, which applies to all its models.
    model: Option<&'r Model>,
    /// The engine profile: of the role, or of the stack for an override of a family.
    profile: &'r Profile,
    entry: &'r Override,
}

/// All overrides, those of families first. Overrides for an engine with an unknown profile are left out.
fn each(derived: &Derived) -> impl Iterator<Item = DeclaredOverride<'_>> {
    let registry = &derived.registry;
    let pinned = registry.stack.engine.and_then(|engine| derived.profile(engine.value));
    let of_families = registry
        .families
        .iter()
        .map(move |family| (&family.head, (None, &family.arch), pinned, &family.overrides));
    let of_roles = registry.served().filter_map(|(role, serving)| {
        let model = registry.model_of(serving).0;
        let arch = registry.arch_of(model)?;
        Some((&role.head, (Some(model), arch), derived.profile_of(serving), &serving.overrides))
    });
    of_families.chain(of_roles).flat_map(move |(owner, (model, arch), profile, overrides)| {
        overrides.iter().filter_map(move |entry| {
            let owner = owner_of(&derived.registry, owner, entry.key.span);
            Some(DeclaredOverride { owner, arch, model, profile: profile?, entry })
        })
    })
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let model = registry.model_of(serving).0;
        if !serving.overrides.is_empty() && registry.arch_of(model).is_none() {
            let why = format!("the architecture of {model} is unknown: run `orchgen lock` where its file is");
            findings.skip(&UNKNOWN_OVERRIDE_KEY, role, why);
        }
    }
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for one in each(derived) {
        let written = &one.entry.key;
        // A default, or a YAML alias, applies to many roles, but is reported once.
        if reported.contains(&written.span) {
            continue;
        }
        let finding = match check_key(one.profile, one.arch, written) {
            KeyVerdict::Known { array: Array::Always, .. } => {
                Some(one.fixed("a list cannot be overridden", "which is a list"))
            }
            KeyVerdict::Known { scalar_effective: false, .. } => {
                Some(one.fixed("has no effect", "but the engine ignores overrides of this key"))
            }
            KeyVerdict::Known { kind, .. } => one.wrong_type(kind),
            KeyVerdict::NotChecked => {
                let (build, key) = (one.profile.name(), words::quoted(written));
                let why = format!("it is unknown if {build} has the key {key}");
                findings.skip(&UNKNOWN_OVERRIDE_KEY, one.owner, why);
                None
            }
            KeyVerdict::OtherArchitecture { arch } => Some(one.other_architecture(arch)),
            KeyVerdict::Unknown => Some(one.unknown_key()),
        };
        for finding in finding.into_iter().chain(one.out_of_range()) {
            reported.insert(written.span);
            findings.report(finding.about(one.owner));
        }
    }
}

impl DeclaredOverride<'_> {
    fn other_architecture(&self, other: &str) -> Diagnostic {
        let written = &self.entry.key;
        let own = written.strip_prefix(other).map(|rest| format!("{}{rest}", self.arch.value));
        let own = own.unwrap_or_default();
        let help = format!("write `{}`", words::printable(&own));
        // The `arch` of the family could be the wrong value.
        self.ignored(format!("a key of `{other}`"), help).suggest_word(&own, written.span, Safety::Unsafe)
    }

    fn unknown_key(&self) -> Diagnostic {
        let arch = self.arch;
        let known = keys_for_architecture(arch);
        let near = suggest(&self.entry.key, known.iter().map(String::as_str));
        let (label, help) = match near {
            Some(near) => (format!("did you mean `{}`?", near.name), format!("write `{}`", near.name)),
            None => (
                "no build has this key".to_owned(),
                format!("use a key of `{0}`, such as `{0}.context_length`", arch.value),
            ),
        };
        self.ignored(label, help).suggest(near, self.entry.key.span)
    }

    fn ignored(&self, label: String, help: String) -> Diagnostic {
        let (key, arch) = (&self.entry.key, words::printable(self.arch));
        let message = format!(
            "{} overrides {}, which the engine ignores for the architecture `{arch}`",
            self.owner,
            words::quoted(key)
        );
        UNKNOWN_OVERRIDE_KEY
            .at(key.span, label, message)
            .also(self.arch.span, format!("the architecture is `{arch}`"))
            .help(help)
    }

    /// A key whose value no override changes.
    fn fixed(&self, label: &str, why: &str) -> Diagnostic {
        let key = &self.entry.key;
        let message = format!("{} overrides {}, {why}", self.owner, words::quoted(key));
        OVERRIDE_TYPE
            .at(key.span, label, message)
            .remedy("remove the override", Change::field("override", key.span))
    }

    fn wrong_type(&self, kind: OverrideType) -> Option<Diagnostic> {
        let Override { key, value, .. } = self.entry;
        if fits(value, kind) {
            return None;
        }
        let (expected, found) = (noun(kind), describe(value));
        let (owner, key) = (self.owner, words::quoted(key));
        let message = format!("{owner} overrides {key} with {found}, but the key needs {expected}");
        let label = format!("expected {expected}, found {found}");
        let finding = OVERRIDE_TYPE.at(value.span, label, message);
        Some(match converted(value, kind) {
            Some(to) => finding.remedy("write `{}`", Change::Value { span: value.span, to }),
            None => finding.help(format!("use {expected}")),
        })
    }

    fn out_of_range(&self) -> Option<Diagnostic> {
        let Override { key, value, .. } = self.entry;
        let Setting::Integer(number) = value.value else { return None };
        // Other checks cover the number of used experts; they know the total.
        if key.ends_with(EXPERT_USED_COUNT) {
            return None;
        }
        let range = integer_range(self.profile, self.arch, key)?;
        let expected = if range.contains(&number) {
            self.accepted_experts(number)?
        } else {
            format!("{} to {}", range.start(), range.end())
        };
        let message =
            format!("{} overrides {} with {number}; expected {expected}", self.owner, words::quoted(key));
        let finding = OVERRIDE_RANGE.at(value.span, format!("expected {expected}"), message);
        let finding = finding.help(format!("use another value: {expected}"));
        Some(finding.remedy("or remove the override", Change::field("override", key.span)))
    }

    /// The numbers that the loader accepts for a key of experts or expert groups. `None` if it accepts this number.
    fn accepted_experts(&self, number: i64) -> Option<String> {
        let name = self.entry.key.strip_prefix(&***self.arch)?.strip_prefix('.')?;
        let declared = self.model.and_then(|model| model.experts.as_ref()).map(|experts| &experts.value);
        let of = |pick: fn(&Experts) -> Option<u32>| declared.and_then(pick).map(i64::from);
        let total = of(|experts| experts.total.map(|total| total.value));
        let used = of(|experts| experts.default.map(|default| default.value));
        match name {
            "expert_count" if declared.is_none() && lacks_experts(self.arch) => {
                (number != 0).then(|| "0, because the model has no experts".to_owned())
            }
            "expert_count" => {
                let least = used.unwrap_or(1);
                (!(least..=MAX_EXPERTS).contains(&number)).then(|| format!("{least} to {MAX_EXPERTS}"))
            }
            "expert_group_count" => {
                let total = total?;
                let divides = number <= 1 || (number < total && total % number == 0);
                (!divides).then(|| format!("a number below {total} that divides it"))
            }
            "expert_group_used_count" => (number == 0).then(|| "at least 1".to_owned()),
            _ => None,
        }
    }
}

fn fits(value: &Setting, kind: OverrideType) -> bool {
    match (value, kind) {
        (Setting::Integer(_), OverrideType::Int)
        | (Setting::Float(_) | Setting::Integer(_), OverrideType::Float)
        | (Setting::Flag(_), OverrideType::Bool) => true,
        // The engine keeps 127 bytes of a string (llama.cpp b11434, `common/common.cpp`).
        (Setting::Text(text), OverrideType::Str) => text.len() <= 127,
        _ => false,
    }
}

/// The value in the type of the key, if it can be converted.
fn converted(value: &Setting, kind: OverrideType) -> Option<Literal> {
    let text = match value {
        Setting::Flag(flag) => flag.to_string(),
        Setting::Integer(number) => number.to_string(),
        Setting::Float(number) => number.to_string(),
        Setting::Text(text) => text.trim().to_string(),
    };
    // `int:6` is the form of `--override-kv`.
    let plain = text.split_once(':').map(|(_, plain)| plain.trim().to_owned());
    let text = plain.filter(|_| kind != OverrideType::Str).unwrap_or(text);
    match kind {
        OverrideType::Int => {
            let number =
                text.parse::<f64>().ok().filter(|number| number.is_finite() && number.fract() == 0.0)?;
            Some(Literal::Number(format!("{number:.0}")))
        }
        OverrideType::Float => text.parse::<f64>().is_ok_and(f64::is_finite).then_some(Literal::Number(text)),
        OverrideType::Bool => match &*text {
            "true" | "1" | "yes" | "on" => Some(Literal::Flag(true)),
            "false" | "0" | "no" | "off" => Some(Literal::Flag(false)),
            _ => None,
        },
        OverrideType::Str => (text.len() <= 127).then_some(Literal::Text(text)),
    }
}

fn noun(kind: OverrideType) -> &'static str {
    match kind {
        OverrideType::Int => "a whole number",
        OverrideType::Float => "a number",
        OverrideType::Bool => "a boolean",
        OverrideType::Str => "a string of at most 127 bytes",
    }
}

fn describe(value: &Setting) -> String {
    match value {
        Setting::Flag(flag) => format!("the boolean `{flag}`"),
        Setting::Integer(number) => format!("the whole number `{number}`"),
        Setting::Float(number) => format!("the number `{number}`"),
        Setting::Text(text) => format!("the string {}", words::quoted(text)),
    }
}
