//! Documents: the model reference and the quirks of models.

mod command;
mod constraint;
mod quirks;
mod view;
mod wording;

use super::template::{Template, Templates};
use super::{ArtifactCollector, OutputTarget};
use crate::plan::{Plan, TargetName};

static REFERENCE: Template = crate::template!("docs/MODEL_REFERENCE.md.j2");
static TIER: Template = crate::template!("docs/tier.md.j2");
static QUIRKS: Template = crate::template!("docs/QUIRKS.md.j2");

pub(super) static TARGET: OutputTarget =
    OutputTarget { name: TargetName::Docs, templates: &[&REFERENCE, &TIER, &QUIRKS], artifacts };

fn artifacts<'p>(plan: &'p Plan, templates: &'p Templates, collector: &mut ArtifactCollector<'_, 'p>) {
    collector.file("docs/MODEL_REFERENCE.md".to_owned(), || {
        let tiers = plan.reference.tiers.iter().map(|tier| {
            let text = templates.render(&TIER, &view::tier(tier))?;
            Ok(text.trim_end_matches('\n').to_owned())
        });
        templates.render(&REFERENCE, &view::ReferenceView::of(plan, tiers.collect::<Result<_, _>>()?))
    });
    if !plan.reference.quirks.is_empty() {
        collector
            .file("docs/QUIRKS.md".to_owned(), || templates.render(&QUIRKS, &quirks::QuirksView::of(plan)));
    }
}
