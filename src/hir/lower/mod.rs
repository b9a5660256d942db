//! Lowers documents to a [`Registry`]: reads fields by the table of each kind, then resolves names to ids.
//!
//! Each file is gathered separately, so that its document can be freed immediately. Names are resolved after all files
//! are gathered, so that the order of kinds and files does not matter.

mod count;
mod damage;
mod defaults;
mod env;
mod field_findings;
mod fields;
mod foreign;
mod gather;
mod gather_findings;
mod guess;
mod habits;
mod items;
mod model;
mod names;
mod quantity;
mod quantity_form;
mod read;
mod record;
mod roles;
mod rules;
mod scalar;
mod scope;
mod serving;
mod typed_value;
mod unread_names;

pub use damage::SyntaxDamage;
pub use foreign::wrong_language;
pub use items::Items;
pub(super) use quantity_form::QuantityForm;
pub(super) use read::{Fields, FromFields, FromValue};
pub(super) use typed_value::{FromTypedValue, TypedValue};

use super::{Ban, KnownFiles, Quirk, Registry, Unused};
use crate::diag::Diagnostics;
use crate::source::Span;
use defaults::Defaults;
use read::read_list;
use scope::Scope;
use std::sync::Arc;

impl Items {
    /// Resolves all gathered items to a registry. Reports and leaves out items that cannot be read and names that are
    /// unknown. Takes the size and trained context that a model omits from `known_files`.
    pub fn resolve(mut self, known_files: &KnownFiles, findings: &mut Diagnostics) -> Registry {
        let (start, words_outside_items) = (self.start, Arc::clone(self.words_outside_items()));
        let has_stack = self.has_seen("stack");
        let (mut scope, defaults) = Scope::read(&mut self, findings);
        let mut defaults = Defaults::read(defaults, &scope, findings);
        scope.models = model::read(&mut self, known_files, (&scope, &defaults), findings);
        defaults.check_model_names(&scope, findings);
        let (roles, any_served) = roles::read(&mut self, (&scope, &defaults), findings);
        scope.roles = roles;
        let any_needs_host = any_served || !self.is_empty("service");
        if !has_stack && !words_outside_items.contains("stack") {
            report_missing("stack", "`engine`, such as `llama.cpp`", start, findings);
        }
        if any_needs_host && scope.hosts.names.is_none_declared() {
            report_missing("host", "`memory`, such as `64 GB`", start, findings);
        }
        let pairs = read_list("pair", &mut self, &scope, findings, rules::pair);
        let bans = read_list("ban", &mut self, &scope, findings, Ban::from_fields);
        let quirks = read_list("quirk", &mut self, &scope, findings, Quirk::from_fields);
        let services = read_list("service", &mut self, &scope, findings, rules::service);
        let expects = read_list("expect", &mut self, &scope, findings, rules::expect);
        if !has_stack {
            scope.engines.names.mark_maybe_used(None);
        }
        let unread_names = std::mem::take(&mut self.unread_names);
        let unused = Unused {
            engines: scope.engines.names.unused(&unread_names),
            families: scope.families.names.unused(&unread_names),
            models: scope.models.names.unused(&unread_names),
        };
        Registry {
            stack: scope.stack,
            engines: scope.engines.arena,
            hosts: scope.hosts.arena,
            stores: scope.stores.arena,
            tiers: scope.tiers.arena,
            residencies: scope.residencies.arena,
            families: scope.families.arena,
            models: scope.models.arena,
            roles: scope.roles.arena,
            pairs,
            bans,
            quirks,
            services,
            expects,
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
