//! An override that the engine ignores because of its type.

use super::overrides::{self, DeclaredOverride};
use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::engine::keys::{Array, KeyVerdict, OverrideType, check_key};
use crate::hir::Setting;

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
    ///     {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, override: {key: qwen3moe.expert_used_count, value: 4.5}}
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

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    overrides::each(derived).for_each(|one| check_one(&one, findings));
}

fn check_one(declared: &DeclaredOverride, findings: &mut Diagnostics) {
    let one = declared.entry;
    let verdict = check_key(declared.profile, &declared.family.arch, &one.key);
    let KeyVerdict::Known { kind, array, scalar_effective } = verdict else { return };
    let (by, shown) = (declared.owner(), words::quoted(&one.key));
    let finding = if array == Array::Always {
        let message = format!("{by} overrides {shown}, which is a list");
        OVERRIDE_TYPE.at(one.key.span, "a list cannot be overridden", message).help("remove the override")
    } else if !scalar_effective {
        let message = format!("{by} overrides {shown}, but the engine ignores overrides of this key");
        OVERRIDE_TYPE.at(one.key.span, "has no effect", message).help("remove the override")
    } else if !fits(&one.value, kind) {
        let (expected, found) = (noun(kind), describe(&one.value));
        let message = format!("{by} overrides {shown} with {found}, but the key needs {expected}");
        OVERRIDE_TYPE
            .at(one.value.span, format!("expected {expected}, found {found}"), message)
            .help(format!("write {expected}"))
    } else {
        return;
    };
    findings.report(finding.about((declared.kind, declared.name)));
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
