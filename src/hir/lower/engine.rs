//! Reads engines.

use super::field_findings::missing;
use super::read::{Fields, FromFields};
use crate::diag::Line;
use crate::hir::Engine;

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
    // An engine without programs is reported.
    (engine.bin.is_some() || engine.image.is_some()).then_some(engine)
}
