//! A declared property that differs from the header of the model file.

use crate::derive::Derived;
use crate::derive::locked::{facts, is_unusable};
use crate::diag::{Change, Diagnostics, Line, words};
use crate::facts::{Facts, LockEntry, file_types};
use crate::hir::{Bytes, Family, Model, Registry, Text};
use crate::source::{Span, Spanned};

declare_code! {
    /// ## What it finds
    /// A model whose `quant`, `size`, `experts`, `trained-context` or architecture differs from its file, according to
    /// the lock. Sizes may differ by 2 percent. A `quant` that is not a name of llama.cpp, such as `UD-Q4_K_XL`, is not
    /// compared.
    ///
    /// ## Why
    /// Documents, memory sums and override keys are computed from the declared properties. With a wrong architecture,
    /// the engine silently ignores every override.
    ///
    /// ## Example
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"architecture": "qwen2", "file": "plain.gguf", "header": "0", "quant": "Q8_0", "size": 4400000000}
    /// }}
    /// ```
    ///
    /// ## Instead
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"architecture": "qwen2", "file": "plain.gguf", "header": "0", "quant": "Q4_K_M", "size": 4400000000}
    /// }}
    /// ```
    pub(super) static CONTRADICTED_FACT = 391, "contradicted-fact", Error;
}

const WRITE: &str = "write `{}`";
const FROM_LOCK: &str = "remove `{}`: orchgen reads it from the lock";

/// A declared property that differs from the file.
struct Contradiction {
    /// The place of the declaration.
    span: Span,
    /// The declared property, after "is declared": "with 128 experts".
    declared: String,
    /// The property of the file, after "its file": "has 8".
    actual: String,
    /// The help and its change.
    help: (&'static str, Option<Change>),
    /// The key of the fact in the lock.
    key: &'static str,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, lock) = (&derived.registry, &derived.lock);
    if lock.place.is_none() && !registry.models.is_empty() {
        // One cause, so one message for all models.
        findings.skip(
            &CONTRADICTED_FACT,
            &registry.stack.head,
            "there is no `registry.lock`: run `orchgen lock` where the model files are".to_owned(),
        );
    }
    for model in registry.models.iter() {
        match facts(lock, model) {
            Ok(locked) => {
                for found in contradictions(registry, model, &locked.facts) {
                    report((model, registry.family_of(model)), (locked, found), findings);
                }
            }
            Err(_) if is_unusable(lock) => {}
            Err(why) => findings.skip(&CONTRADICTED_FACT, &model.head, why),
        }
    }
}

fn report(
    (model, family): (&Model, Option<&Family>),
    (locked, found): (&LockEntry, Contradiction),
    findings: &mut Diagnostics,
) {
    let message = format!("{model} is declared {}, but its file {}", found.declared, found.actual);
    let mut finding = CONTRADICTED_FACT.at(found.span, "declared here", message).about(model);
    if let Some(family) = family.filter(|_| found.key == "architecture") {
        finding = finding.also(family.arch.span, "the family has this architecture");
    }
    let of_file = locked.place(found.key).map(|place| (place, format!("the file {}", found.actual)));
    finding = finding.also_each(of_file);
    finding = match found.help {
        (title, Some(change)) => finding.remedy(title, change),
        (title, None) => finding.help(title),
    };
    findings.report(finding.help("if the file is wrong, replace it and run `orchgen lock`"));
}

fn contradictions(registry: &Registry, model: &Model, facts: &Facts) -> Vec<Contradiction> {
    let mut found = Vec::new();
    if let (Some(arch), Some(actual)) = (registry.arch_of(model), facts.architecture.as_deref())
        && *actual != *arch.value
    {
        found.push(Contradiction {
            span: model.family.map_or(arch.span, |family| family.span),
            declared: format!("with the architecture {}", words::quoted(arch)),
            actual: format!("has {}", words::quoted(actual)),
            help: other_architecture(registry, actual, (model, arch)),
            key: "architecture",
        });
        // It is another model, so the other facts need no comparison.
        return found;
    }
    found.extend(quant(model, facts));
    found.extend(size(model, facts));
    found.extend(experts(model, facts));
    let context = facts.number("context_length");
    if let (Some(declared), Some(actual)) = (model.trained_context, context)
        && declared.value != actual
    {
        found.push(Contradiction {
            span: declared.span,
            declared: format!("with a trained context of {}", declared.value),
            actual: format!("has {actual}"),
            help: (FROM_LOCK, Some(Change::remove(declared.span))),
            key: "parameters.context_length",
        });
    }
    found
}

/// The help to name a family with the architecture of the file.
fn other_architecture(
    registry: &Registry,
    arch: &str,
    (model, declared): (&Model, &Text),
) -> (&'static str, Option<Change>) {
    let Some(named) = model.family else {
        return (WRITE, Some(Change::rewrite(declared.span, Line::of("arch", arch))));
    };
    let family = registry.families.iter().find(|family| &*family.arch.value == arch);
    let line = family.map(|family| Line::of("family", &*family.head.name.value));
    match line {
        Some(line) => (WRITE, Some(Change::rewrite(named.span, line))),
        None => ("declare a family with the architecture of the file, and name it in `family`", None),
    }
}

fn quant(model: &Model, facts: &Facts) -> Option<Contradiction> {
    let actual = facts.quant.as_deref()?;
    let quant = model.quant.as_ref()?;
    let declared = &*quant.value;
    let is_name = file_types().any(|(_, name)| name.eq_ignore_ascii_case(declared));
    (is_name && !declared.eq_ignore_ascii_case(actual)).then(|| Contradiction {
        span: quant.span,
        declared: format!("as {}", words::quoted(declared)),
        actual: format!("is {}", words::quoted(actual)),
        help: (WRITE, Some(Change::rewrite(quant.span, Line::of("quant", actual)))),
        key: "quant",
    })
}

/// Compares the size, unless a shard is missing: then the size of the file is unknown.
fn size(model: &Model, facts: &Facts) -> Option<Contradiction> {
    let Spanned { value: declared, span } = model.size?;
    let actual = Bytes(facts.size);
    (facts.shards_missing.is_empty() && !declared.is_near(actual)).then(|| Contradiction {
        span,
        declared: format!("with a size of {declared}"),
        actual: format!("has {actual}"),
        help: (FROM_LOCK, Some(Change::remove(span))),
        key: "size",
    })
}

fn experts(model: &Model, facts: &Facts) -> Vec<Contradiction> {
    let Some(experts) = &model.experts else { return Vec::new() };
    let fields = [
        ("total", experts.total, "expert_count", "parameters.expert_count", "experts"),
        ("default", experts.default, "expert_used_count", "parameters.expert_used_count", "experts in use"),
    ];
    let wrong = fields.into_iter().filter_map(|(field, declared, key, place, noun)| {
        let declared = declared?;
        // A list with a number for each layer does not contradict the declared number.
        let actual = match facts.parameters.get(key) {
            Some(_) => facts.number(key)?,
            None if key == "expert_count" => 0,
            None => return None,
        };
        (actual != u64::from(declared.value)).then(|| Contradiction {
            span: declared.span,
            declared: format!("with {} {noun}", declared.value),
            actual: if actual == 0 { "has none".to_owned() } else { format!("has {actual}") },
            help: if actual == 0 {
                ("remove `experts`", Some(Change::remove(experts.span)))
            } else {
                (WRITE, Some(Change::rewrite(declared.span, Line::of(field, actual))))
            },
            key: place,
        })
    });
    wrong.collect()
}
