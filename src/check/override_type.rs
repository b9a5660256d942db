//! An override whose value the engine would not take.

use super::GroundCheck;
use super::ground::Ground;
use super::overrides::{self, Placed};
use crate::diag::{Diagnostics, words};
use crate::engine::keys::{Array, KeyVerdict, ValueKind, key};
use crate::hir::Setting;

declare_code! {
    /// ## What it finds
    /// A metadata override whose value has another type than the key, or whose key holds a list or is read past overrides.
    ///
    /// ## Why
    /// Where the type differs the engine keeps the file's value and logs one line; keys that hold a value a layer cannot be
    /// overridden at all, which it does not say.
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
    static OVERRIDE_TYPE = 306, "override-type", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &OVERRIDE_TYPE, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    overrides::each(ground).for_each(|one| judge(&one, findings));
}

fn judge(placed: &Placed, findings: &mut Diagnostics) {
    let one = placed.said;
    let verdict = key(placed.profile, &placed.family.arch, &one.key);
    let KeyVerdict::Known { kind, array, scalar_effective } = verdict else { return };
    let (by, shown) = (placed.owner(), words::quoted(&one.key));
    let finding = if array == Array::Always {
        let message = format!("{by} overrides {shown}, which holds a list");
        OVERRIDE_TYPE.at(one.key.span, "a list cannot be overridden", message).help("remove the override")
    } else if !scalar_effective {
        let message = format!("{by} overrides {shown}, which the engine reads past overrides");
        OVERRIDE_TYPE.at(one.key.span, "has no effect", message).help("remove the override")
    } else if !fits(&one.value, kind) {
        let (expected, found) = (noun(kind), said(&one.value));
        let message = format!("{by} overrides {shown} with {found}, and the key holds {expected}");
        OVERRIDE_TYPE
            .at(one.value.span, format!("expected {expected}, found {found}"), message)
            .help(format!("write {expected}"))
    } else {
        return;
    };
    findings.report(finding.about(placed.kind, placed.name));
}

fn fits(value: &Setting, kind: ValueKind) -> bool {
    match (value, kind) {
        (Setting::Integer(_), ValueKind::Int)
        | (Setting::Float(_) | Setting::Integer(_), ValueKind::Float)
        | (Setting::Flag(_), ValueKind::Bool) => true,
        // The engine keeps 127 bytes of a text (llama.cpp b11434, `common/common.cpp`).
        (Setting::Text(text), ValueKind::Str) => text.len() <= 127,
        _ => false,
    }
}

fn noun(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Int => "a whole number",
        ValueKind::Float => "a number",
        ValueKind::Bool => "a boolean",
        ValueKind::Str => "a text of at most 127 bytes",
    }
}

fn said(value: &Setting) -> String {
    match value {
        Setting::Flag(flag) => format!("the boolean `{flag}`"),
        Setting::Integer(number) => format!("the whole number `{number}`"),
        Setting::Float(number) => format!("the number `{number}`"),
        Setting::Text(text) => format!("the text {}", words::quoted(text)),
    }
}
