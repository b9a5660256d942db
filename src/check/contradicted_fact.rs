//! A declared fact that the model file contradicts.

use super::FactCheck;
use super::ground::Ground;
use super::locked::{facts, is_silent};
use crate::diag::{Diagnostics, NotChecked, Subject, words};
use crate::facts::{Facts, Lock, Locked, file_types};
use crate::hir::{Bytes, Family, Model};
use crate::source::Span;

declare_code! {
    /// ## What it finds
    /// A model whose `quant`, `size`, `experts`, `trained-context` or architecture is not what its file says of itself, as the
    /// lock has it. Sizes may differ by 2 percent; a `quant` that is no name of llama.cpp, as `UD-Q4_K_XL`, is not compared.
    ///
    /// ## Why
    /// Documents, memory budgets and override keys are made from what is declared. A wrong architecture makes every override
    /// one that the engine ignores in silence.
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
    static CONTRADICTED_FACT = 391, "contradicted-fact", Error;
}

pub(super) static CHECK: FactCheck = FactCheck { code: &CONTRADICTED_FACT, run };

/// A fact that is declared otherwise than the file has it.
struct Contradiction {
    /// Where it is declared.
    span: Span,
    /// What is declared, and what the file says: "is declared with 128 experts", "8".
    declared: String,
    says: String,
    /// What to write.
    help: String,
    /// Where the lock has it.
    key: &'static str,
}

fn run(ground: &Ground, lock: &Lock, findings: &mut Diagnostics) {
    let registry = &ground.registry;
    if lock.place.is_none() && !registry.models.is_empty() {
        // One cause, whatever the number of models.
        findings.record_not_checked(NotChecked {
            check: CONTRADICTED_FACT.name,
            subject: Subject::new("stack", &*registry.stack.head.name.value),
            why: "there is no `registry.lock`: run `orchgen lock` where the model files are".to_owned(),
        });
    }
    for model in registry.models.iter() {
        match facts(lock, model) {
            Ok(locked) => {
                let family = registry.families.get(model.family.value);
                for found in contradictions(model, family, &locked.facts) {
                    report(model, family, (locked, found), findings);
                }
            }
            Err(_) if is_silent(lock) => {}
            Err(why) => findings.record_not_checked(NotChecked {
                check: CONTRADICTED_FACT.name,
                subject: Subject::new("model", &*model.head.name.value),
                why: why.to_owned(),
            }),
        }
    }
}

fn report(
    model: &Model,
    family: &Family,
    (locked, found): (&Locked, Contradiction),
    findings: &mut Diagnostics,
) {
    let name = words::quoted(&model.head.name);
    let message = format!("model {name} is declared {}, and its file {}", found.declared, found.says);
    let mut finding =
        CONTRADICTED_FACT.at(found.span, "declared here", message).about("model", &*model.head.name.value);
    if found.key == "architecture" {
        finding = finding.also(family.arch.span, "as which it has this architecture");
    }
    if let Some(place) = locked.place(found.key) {
        finding = finding.also(place, format!("the file {}", found.says));
    }
    finding = finding.help(found.help);
    findings
        .report(finding.help("if the file is the wrong one, put the right one there and run `orchgen lock`"));
}

fn contradictions(model: &Model, family: &Family, facts: &Facts) -> Vec<Contradiction> {
    let mut found = Vec::new();
    if let Some(says) = facts.architecture.as_deref().filter(|says| *says != &*family.arch.value) {
        found.push(Contradiction {
            span: model.family.span,
            declared: format!("with the architecture {}", words::quoted(&family.arch)),
            says: format!("has {}", words::quoted(says)),
            help: format!("name a family whose `arch` is {}", words::quoted(says)),
            key: "architecture",
        });
        // All else is that of another model.
        return found;
    }
    found.extend(quant(model, facts));
    found.extend(size(model, facts));
    found.extend(experts(model, facts));
    let context = facts.number("context_length");
    if let (Some(declared), Some(says)) = (model.trained_context, context)
        && declared.value != says
    {
        found.push(Contradiction {
            span: declared.span,
            declared: format!("with a trained context of {}", declared.value),
            says: format!("has {says}"),
            help: format!("write `trained-context` {says}, or leave it to the lock"),
            key: "parameters.context_length",
        });
    }
    found
}

fn quant(model: &Model, facts: &Facts) -> Option<Contradiction> {
    let says = facts.quant.as_deref()?;
    let declared = &*model.quant.value;
    let is_name = file_types().any(|(_, name)| name.eq_ignore_ascii_case(declared));
    (is_name && !declared.eq_ignore_ascii_case(says)).then(|| Contradiction {
        span: model.quant.span,
        declared: format!("as {}", words::quoted(declared)),
        says: format!("is {}", words::quoted(says)),
        help: format!("write `quant` {says:?}"),
        key: "quant",
    })
}

/// Without all shards the sum of their sizes says nothing.
fn size(model: &Model, facts: &Facts) -> Option<Contradiction> {
    let (declared, says) = (model.size.value, Bytes(facts.size));
    let is_near = u128::from(declared.0.abs_diff(says.0)) * 50 <= u128::from(says.0);
    (facts.shards_missing.is_empty() && !is_near).then(|| Contradiction {
        span: model.size.span,
        declared: format!("to have {declared}"),
        says: format!("has {says}"),
        help: format!("write `size` \"{says}\", or leave it to the lock"),
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
        // A number for each layer is no contradiction to one for all.
        let says = match facts.parameters.get(key) {
            Some(_) => facts.number(key)?,
            None if key == "expert_count" => 0,
            None => return None,
        };
        (says != u64::from(declared.value)).then(|| Contradiction {
            span: declared.span,
            declared: format!("with {} {noun}", declared.value),
            says: if says == 0 { "has none".to_owned() } else { format!("has {says}") },
            help: if says == 0 { "remove `experts`".to_owned() } else { format!("write `{field}` {says}") },
            key: place,
        })
    });
    wrong.collect()
}
