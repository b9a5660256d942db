//! What the template of the reference may know of what must not be done.

use super::command;
use super::wording;
use crate::plan::Plan;
use crate::plan::reference::{Example, Forbidding, Undraftable, Vision};
use serde::Serialize;

/// What must not be done.
#[derive(Serialize)]
pub(super) struct ConstraintsView<'p> {
    families: Vec<ForbiddingView<'p>>,
    models: Vec<UndraftableView<'p>>,
    vision: Option<VisionView>,
}

#[derive(Serialize)]
struct ForbiddingView<'p> {
    label: &'p str,
    is_recurrent: bool,
    never: String,
    harm: Option<&'p str>,
    reasons: Vec<String>,
    has_experts: bool,
    wrong: Option<String>,
    right: Vec<String>,
}

#[derive(Serialize)]
struct UndraftableView<'p> {
    label: &'p str,
    failure: &'p str,
    has_experts: bool,
}

#[derive(Serialize)]
struct VisionView {
    is_undraftable: bool,
    example: Vec<String>,
}

impl<'p> ConstraintsView<'p> {
    /// None where nothing is forbidden.
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        let facts = &plan.reference.constraints;
        let view = Self {
            families: facts.families.iter().map(|family| forbidding(plan, family)).collect(),
            models: facts.models.iter().map(undraftable).collect(),
            vision: facts.vision.as_ref().map(|facts| vision(plan, facts)),
        };
        (!view.families.is_empty() || !view.models.is_empty() || view.vision.is_some()).then_some(view)
    }
}

fn forbidding<'p>(plan: &'p Plan, family: &'p Forbidding) -> ForbiddingView<'p> {
    let example: Option<&Example> = family.example.as_ref();
    ForbiddingView {
        label: &family.label,
        is_recurrent: family.is_recurrent,
        never: wording::never(&family.what),
        harm: family.reasons.iter().find_map(|reason| reason.failure.as_deref()),
        reasons: family.reasons.iter().map(wording::reason).collect(),
        has_experts: family.has_experts,
        wrong: example.and_then(|example| example.wrong.as_deref()).map(command::words),
        right: example.map(|example| right(plan, example.right)).unwrap_or_default(),
    }
}

fn undraftable(model: &Undraftable) -> UndraftableView<'_> {
    UndraftableView {
        label: &model.label,
        failure: wording::clause(&model.failure),
        has_experts: model.has_experts,
    }
}

fn vision(plan: &Plan, vision: &Vision) -> VisionView {
    VisionView {
        is_undraftable: vision.is_undraftable,
        example: vision.example.map(|n| right(plan, n)).unwrap_or_default(),
    }
}

fn right(plan: &Plan, number: usize) -> Vec<String> {
    plan.prompts.get(number).map(command::bare).unwrap_or_default()
}
