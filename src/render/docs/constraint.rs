//! The template data of the critical constraints in the model reference.

use super::command;
use super::wording;
use crate::plan::Plan;
use crate::plan::reference::{Example, ForbiddingFamily, UndraftableModel, VisionConstraint};
use serde::Serialize;

/// The critical constraints.
#[derive(Serialize)]
pub(super) struct ConstraintsView<'p> {
    families: Vec<ForbiddenView<'p>>,
    models: Vec<UndraftableView<'p>>,
    vision: Option<VisionView>,
}

#[derive(Serialize)]
struct ForbiddenView<'p> {
    label: &'p str,
    is_recurrent: bool,
    forbidden: String,
    failure: Option<&'p str>,
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
    /// None if there are no constraints.
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        let facts = &plan.reference.constraints;
        let view = Self {
            families: facts.families.iter().map(|family| forbidden_view(plan, family)).collect(),
            models: facts.models.iter().map(undraftable).collect(),
            vision: facts.vision.as_ref().map(|facts| vision(plan, facts)),
        };
        (!view.families.is_empty() || !view.models.is_empty() || view.vision.is_some()).then_some(view)
    }
}

fn forbidden_view<'p>(plan: &'p Plan, family: &'p ForbiddingFamily) -> ForbiddenView<'p> {
    let example: Option<&Example> = family.example.as_ref();
    ForbiddenView {
        label: &family.label,
        is_recurrent: family.is_recurrent,
        forbidden: wording::forbidden(&family.what),
        failure: family.reasons.iter().find_map(|reason| reason.failure.as_deref()),
        reasons: family.reasons.iter().map(wording::reason).collect(),
        has_experts: family.has_experts,
        wrong: example.and_then(|example| example.wrong.as_deref()).map(command::quoted_words),
        right: example.map(|example| right_command(plan, example.right)).unwrap_or_default(),
    }
}

fn undraftable(model: &UndraftableModel) -> UndraftableView<'_> {
    UndraftableView {
        label: &model.label,
        failure: wording::clause(&model.failure),
        has_experts: model.has_experts,
    }
}

fn vision(plan: &Plan, vision: &VisionConstraint) -> VisionView {
    VisionView {
        is_undraftable: vision.is_undraftable,
        example: vision.example.map(|n| right_command(plan, n)).unwrap_or_default(),
    }
}

fn right_command(plan: &Plan, number: usize) -> Vec<String> {
    plan.prompts.get(number).map(command::bare_command).unwrap_or_default()
}
