//! Documents to a [`Registry`]: reads fields by the tables of the kinds, then resolves names to ids.
//!
//! Files are gathered one by one, so that a document lives no longer than its reading; names are resolved when all are
//! there, so that order between kinds and files never matters.

mod datum;
mod defaults;
mod env;
mod fields;
mod gather;
mod heard;
mod items;
mod models;
mod names;
mod places;
mod record;
mod roles;
mod rules;
mod scalar;
mod serving;
mod torn;

pub use items::Items;
pub(super) use scalar::form;
pub use torn::Torn;

use super::{Known, Registry, Unused};
use crate::diag::Diagnostics;
use crate::source::Span;
use defaults::Defaults;
use std::sync::Arc;

impl Items {
    /// Resolves everything that was gathered; what cannot be read or found is said and left out. What models leave out is taken
    /// from what is known of their files.
    pub fn resolve(mut self, known_files: &Known, findings: &mut Diagnostics) -> Registry {
        let (start, lost) = (self.start, Arc::clone(self.lost()));
        let mut places = places::read(&mut self, findings);
        let mut defaults = Defaults::read(std::mem::take(&mut places.defaults), &places, findings);
        let (families, models) = models::read(&mut self, known_files, (&places, &defaults), findings);
        defaults.settle_models(&models.names, &places, findings);
        let known = serving::Known { places: &places, models: &models.names, defaults: &defaults };
        let roles = roles::read(&mut self, &known, findings);
        let any_needs_host = roles.any_served || !self.is_empty("service");
        if !places.has_stack && !lost.contains("stack") {
            say_missing("stack", "stack \"home\" engine=\"llama.cpp\"", start, findings);
        }
        if any_needs_host && places.hosts.names.is_none_declared() {
            say_missing("host", "host \"box\" memory=\"64 GB\"", start, findings);
        }
        let rules = rules::read(&mut self, &places, (&families.names, &models.names, &roles.names), findings);
        if !places.has_stack {
            places.engines.names.guess(None);
        }
        let heard = std::mem::take(&mut self.heard);
        let unused = Unused {
            engines: places.engines.names.unnamed(&heard),
            families: families.names.unnamed(&heard),
            models: models.names.unnamed(&heard),
        };
        Registry {
            stack: places.stack,
            engines: places.engines.arena,
            hosts: places.hosts.arena,
            stores: places.stores.arena,
            tiers: places.tiers.arena,
            residencies: places.residencies.arena,
            families: families.arena,
            models: models.arena,
            roles: roles.arena,
            pairs: rules.pairs,
            bans: rules.bans,
            quirks: rules.quirks,
            services: rules.services,
            expects: rules.expects,
            unused,
        }
    }
}

/// A registry without a stack, or without a host for what runs, is said once and not at each role.
fn say_missing(kind: &str, example: &str, start: Span, findings: &mut Diagnostics) {
    let finding = super::codes::MISSING_ITEM
        .at(start, format!("no `{kind}` in this file or any other"), format!("no {kind} is declared"))
        .help(format!("declare one, as in `{example}`"));
    findings.report(finding);
}
