//! The template data of the quirks document.

use crate::plan::Plan;
use crate::plan::reference::Quirk;
use serde::Serialize;

/// All quirks.
#[derive(Serialize)]
pub(super) struct QuirksView<'p> {
    quirks: Vec<QuirkView<'p>>,
}

#[derive(Serialize)]
struct QuirkView<'p> {
    name: &'p str,
    models: String,
    issue: &'p str,
    symptom: Option<&'p str>,
    workaround: Option<&'p str>,
    found: Option<String>,
    fixed: Option<&'p str>,
}

impl<'p> QuirksView<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        Self { quirks: plan.reference.quirks.iter().map(quirk).collect() }
    }
}

fn quirk(quirk: &Quirk) -> QuirkView<'_> {
    QuirkView {
        name: &quirk.name,
        models: quirk.models.join(", "),
        issue: &quirk.issue,
        symptom: quirk.symptom.as_deref(),
        workaround: quirk.workaround.as_deref(),
        found: quirk.found.map(|date| date.to_string()),
        fixed: quirk.fixed.as_deref(),
    }
}
