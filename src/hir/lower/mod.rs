//! Lowers documents to a [`Registry`]: reads fields by the table of each kind, then resolves names to ids.
//!
//! Each file is gathered separately, so that its document can be freed immediately. Names are resolved after all files
//! are gathered, so that the order of kinds and files does not matter.

mod base;
mod corrected_form;
mod damage;
mod defaults;
mod env;
mod expected_form;
mod field_findings;
mod fields;
mod gather;
mod items;
mod models;
mod names;
mod record;
mod roles;
mod rules;
mod scalar;
mod serving;
mod typed_value;
mod unread_names;

pub use damage::SyntaxDamage;
pub(super) use expected_form::expected_form;
pub use items::Items;

use super::{KnownFiles, Registry, Unused};
use crate::diag::Diagnostics;
use crate::source::Span;
use defaults::Defaults;
use std::sync::Arc;

impl Items {
    /// Resolves all gathered items to a registry. Reports and leaves out items that cannot be read and names that are
    /// unknown. Takes the size and trained context that a model omits from `known_files`.
    pub fn resolve(mut self, known_files: &KnownFiles, findings: &mut Diagnostics) -> Registry {
        let (start, words_outside_items) = (self.start, Arc::clone(self.words_outside_items()));
        let mut base = base::read(&mut self, findings);
        let mut defaults = Defaults::read(std::mem::take(&mut base.defaults), &base, findings);
        let (families, models) = models::read(&mut self, known_files, (&base, &defaults), findings);
        defaults.check_model_names(&models.names, &base, findings);
        let scope = serving::RoleScope { base: &base, models: &models.names, defaults: &defaults };
        let roles = roles::read(&mut self, &scope, findings);
        let any_needs_host = roles.any_served || !self.is_empty("service");
        if !base.has_stack && !words_outside_items.contains("stack") {
            report_missing("stack", "`engine`, such as `llama.cpp`", start, findings);
        }
        if any_needs_host && base.hosts.names.is_none_declared() {
            report_missing("host", "`memory`, such as `64 GB`", start, findings);
        }
        let rules = rules::read(&mut self, &base, (&families.names, &models.names, &roles.names), findings);
        if !base.has_stack {
            base.engines.names.mark_maybe_used(None);
        }
        let unread_names = std::mem::take(&mut self.unread_names);
        let unused = Unused {
            engines: base.engines.names.unused(&unread_names),
            families: families.names.unused(&unread_names),
            models: models.names.unused(&unread_names),
        };
        Registry {
            stack: base.stack,
            engines: base.engines.arena,
            hosts: base.hosts.arena,
            stores: base.stores.arena,
            tiers: base.tiers.arena,
            residencies: base.residencies.arena,
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

/// Reports a missing stack, or a missing host for roles and services, once for the whole registry.
fn report_missing(kind: &str, field: &str, start: Span, findings: &mut Diagnostics) {
    let finding = super::codes::MISSING_ITEM
        .at(start, format!("no `{kind}` in this file or any other"), format!("no {kind} is declared"))
        .help(format!("declare one with a name and {field}"));
    findings.report(finding);
}
