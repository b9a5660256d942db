//! Reads engines.

use super::field_findings::missing;
use super::read::{Fields, FromFields};
use crate::diag::{Change, Line};
use crate::hir::Engine;
use crate::hir::codes::CONFLICTING_FIELDS;

/// The folder that a help offers.
const EXAMPLE: &str = "/opt/llama.cpp/bin";

/// Reads an engine. `None` if a required part could not be read.
pub(super) fn read(fields: &mut Fields) -> Option<Engine> {
    let owner = fields.owner();
    let has_programs = ["bin", "image"].iter().any(|field| fields.record.has_or_reported(field));
    if !has_programs {
        let what = "the folder of the programs, such as `llama-server`: an absolute path; or add `image`";
        let line = (Ok(Line::of("bin", EXAMPLE)), None);
        let place = (&*owner.describe(), fields.head.name.span);
        owner.report(missing(line, place, what, fields.head.span), fields.findings);
    }
    let engine = Engine::from_fields(fields)?;
    if let (Some(bin), Some(image)) = (&engine.bin, &engine.image) {
        let message = format!("{} has both `bin` and `image`", owner.describe());
        let finding = CONFLICTING_FIELDS.at(image.span, "the programs in a container", message);
        let finding = finding.also(bin.span, "the programs on the host");
        let finding = finding.remedy("remove `{}` for containers", Change::remove(bin.span));
        let finding = finding.remedy("or remove `{}` for units and scripts", Change::remove(image.span));
        owner.report(finding, fields.findings);
    }
    // An engine without programs is reported.
    (engine.bin.is_some() || engine.image.is_some()).then_some(engine)
}
