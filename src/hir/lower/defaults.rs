//! The defaults of the stack: fields of a role, and the store, for all that do not say otherwise.
//!
//! Their names are looked up once, so that a wrong one is said once and not at every role.

use super::datum::Datum;
use super::names::{By, Names};
use super::places::Places;
use super::record::Record;
use crate::diag::{Diagnostics, words};
use crate::hir::codes::UNKNOWN_NAME;
use crate::hir::{CpuList, Model, Text};
use crate::source::Spanned;

/// The defaults, without names that lead nowhere.
pub(super) struct Defaults {
    /// Fields of a role, and `store`.
    pub(super) record: Record,
    /// The role that is shared by roles without a model.
    pub(super) shares: Option<Text>,
}

impl Defaults {
    /// Takes the defaults over; names of places that nothing has are said.
    pub(super) fn read(mut record: Record, places: &Places, findings: &mut Diagnostics) -> Self {
        let shares = record.text("shares");
        let mut defaults = Self { record, shares };
        let by = By::of("stack", &places.stack.head.name);
        defaults.settle(("store", None), &places.stores.names, &by, findings);
        defaults.settle(("host", None), &places.hosts.names, &by, findings);
        defaults.settle(("engine", None), &places.engines.names, &by, findings);
        defaults.settle(("tier", None), &places.tiers.names, &by, findings);
        defaults.settle(("residency", None), &places.residencies.names, &by, findings);
        defaults.settle(("measured", Some("engine")), &places.engines.names, &by, findings);
        defaults.settle_cpus(places, &by, findings);
        defaults
    }

    /// Says names of models that nothing has.
    pub(super) fn settle_models(
        &mut self,
        models: &Names<Model>,
        places: &Places,
        findings: &mut Diagnostics,
    ) {
        let by = By::of("stack", &places.stack.head.name);
        self.settle(("model", None), models, &by, findings);
        self.settle(("draft", Some("model")), models, &by, findings);
    }

    /// Looks one name up, that of a field or of a field of a block.
    fn settle<T>(
        &mut self,
        (field, inner): (&'static str, Option<&str>),
        names: &Names<T>,
        by: &By,
        findings: &mut Diagnostics,
    ) {
        if let Some(name) = self.name(field, inner)
            && names.look(&name).is_none()
        {
            names.find(&name, by, findings);
            self.record.forget(field);
        }
    }

    fn settle_cpus(&mut self, places: &Places, by: &By, findings: &mut Diagnostics) {
        let Some(said) = self.name("placement", Some("cpus")) else { return };
        let mut sets = places.hosts.arena.iter().flat_map(|host| &host.cpusets);
        if CpuList::read(&said).is_some() || sets.any(|set| set.name == said) {
            return;
        }
        let message = format!(
            "{} places roles on {}, which is neither a list of CPUs nor a cpuset of any host",
            by.words(),
            words::quoted(&said)
        );
        let finding = UNKNOWN_NAME.at(said.span, "neither CPUs nor a cpuset", message);
        by.report(finding.help("write CPUs as `0-47`, or declare the set on a host"), findings);
        self.record.forget("placement");
    }

    fn name(&self, field: &str, inner: Option<&str>) -> Option<Text> {
        let datum = match (self.record.peek(field)?, inner) {
            (Spanned { value: Datum::Block(block), .. }, Some(inner)) => block.peek(inner)?,
            (datum, _) => datum,
        };
        let Datum::Text(text) = &datum.value else { return None };
        Some(Spanned::new(text.clone(), datum.span))
    }
}
