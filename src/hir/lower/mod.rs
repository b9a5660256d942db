//! Lowers documents to a [`Registry`]: reads fields by the table of each kind, then resolves names to ids.
//!
//! Each file is gathered separately, so that its document can be freed immediately. Names are resolved after all files
//! are gathered, so that the order of kinds and files does not matter.

mod api_name;
mod block_values;
mod count;
mod damage;
mod defaults;
mod engine;
mod engine_word;
mod entries;
mod env;
mod field_findings;
mod fields;
mod foreign;
mod foreign_word;
mod gateway;
mod gateway_peers;
mod gateway_sets;
mod gateway_word;
mod gather;
mod gather_findings;
mod gpu;
mod guess;
mod habits;
mod items;
mod merge;
mod model;
mod names;
mod not_served;
mod pair;
mod program;
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
mod unknown_field;
mod unread_names;
mod window;
mod word_list;

pub use damage::SyntaxDamage;
pub use engine_word::{EngineWord, EngineWords};
pub use foreign::wrong_language;
pub use items::Items;
pub(super) use quantity_form::QuantityForm;
pub(super) use read::{Fields, FromFields, FromValue};
pub(super) use typed_value::{FromTypedValue, TypedValue};

use super::{Ban, Id, KnownFiles, Quirk, Registry, Residency, Role, Unused};
use crate::diag::{Change, Diagnostics, Line};
use crate::source::Span;
use defaults::Defaults;
use merge::Merge;
use read::read_list;
use scope::Scope;
use std::collections::BTreeSet;
use std::sync::Arc;
use unread_names::UnreadNames;

impl Items {
    /// Resolves all gathered items to a registry. Reports and leaves out items that cannot be read and names that are
    /// unknown. Takes the size and trained context that a model omits from `known_files`.
    pub fn resolve(
        mut self,
        known_files: &KnownFiles,
        engine: EngineWords,
        findings: &mut Diagnostics,
    ) -> Registry {
        let has_stack = self.has_seen("stack");
        let free_port = self.free_port();
        let (mut scope, defaults) = Scope::read(&mut self, findings);
        let mut defaults = Defaults::read(defaults, (&scope, free_port), findings);
        scope.models = model::read(&mut self, known_files, (&scope, &defaults), findings);
        defaults.check_model_names(&scope);
        let merge = Merge::new(&defaults, engine);
        let roles = roles::read(&mut self, (&scope, &defaults, &merge), findings);
        scope.roles = roles.named;
        gateway_sets::resolve(&mut scope, findings);
        if !has_stack && !self.is_damaged {
            self.report_missing_stack(&scope, findings);
        }
        let pairs = read_list("pair", &mut self, &scope, findings, rules::pair);
        let bans = read_list("ban", &mut self, &scope, findings, Ban::from_fields);
        let quirks = read_list("quirk", &mut self, &scope, findings, Quirk::from_fields);
        let services = read_list("service", &mut self, &scope, findings, rules::service);
        gateway_peers::resolve(&mut scope, &services, findings);
        let expects = read_list("expect", &mut self, &scope, findings, rules::expect);
        if !has_stack {
            scope.engines.names.mark_maybe_used(None);
        }
        scope.report_unknown_names(findings);
        findings.name_items(|kind| scope.any_name(kind));
        let unread_names = std::mem::take(&mut self.unread_names);
        // After an error, a role may seem to set or to lack something.
        let defaults = if findings.reported().is_some() { Vec::new() } else { merge.unused() };
        let unused = Unused { defaults, ..unused(&scope, &unread_names, &roles.residencies_of_unread) };
        Registry {
            stack: scope.stack,
            engines: scope.engines.arena,
            hosts: scope.hosts.arena,
            stores: scope.stores.arena,
            tiers: scope.tiers.arena,
            residencies: scope.residencies.arena,
            gateways: scope.gateways.arena,
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

    /// Reports a missing stack.
    fn report_missing_stack(&self, scope: &Scope, findings: &mut Diagnostics) {
        let line = Line::of("stack", "home").principal("name");
        match scope.engines.names.any() {
            Some(engine) => report_missing(line.with(Line::of("engine", engine)), self.start, findings),
            None => report_missing_stack(line, self.start, findings),
        }
    }
}

/// The items that nothing uses. `unread` has the residencies of the roles that could not be read.
fn unused(scope: &Scope, unread_names: &UnreadNames, unread: &[Option<Arc<str>>]) -> Unused {
    let residencies = &scope.residencies;
    let roles = scope.roles.arena.iter().filter_map(Role::process);
    let used: BTreeSet<Id<Residency>> = roles.map(|process| process.residency.value).collect();
    let of_unread: BTreeSet<&str> = unread.iter().flatten().map(AsRef::as_ref).collect();
    let may_be_any = unread.iter().any(Option::is_none);
    let is_implied = residencies.names.implied().is_some();
    let empty = residencies.arena.entries().filter(|(id, residency)| {
        let name = &*residency.head.name.value;
        let maybe_used =
            may_be_any || of_unread.contains(name) || residencies.names.is_unread(name, unread_names);
        !is_implied && !maybe_used && !used.contains(id)
    });
    Unused {
        residencies: empty.map(|(id, _)| id).collect(),
        engines: scope.engines.names.unused(unread_names),
        families: scope.families.names.unused(unread_names),
        gateways: scope.gateways.names.unused(unread_names),
        models: scope.models.names.unused(unread_names),
        defaults: Vec::new(),
    }
}

/// Reports a missing stack in a registry that has no engine either.
fn report_missing_stack(stack: Line, start: Span, findings: &mut Diagnostics) {
    let name = "llama.cpp";
    let file = start.file;
    let line = stack.with(Line::of("engine", name));
    let engine = names::example("engine", name);
    let engine = engine.map(|(plural, line)| Change::Example { file, plural, line });
    let stack = Change::Example { file, plural: "stack", line };
    let finding =
        super::codes::MISSING_ITEM.at(start, "no `stack` in this file or any other", "no stack is declared");
    let title = "add `{}`, with your own names and folder; `orchgen init NEW_FOLDER` writes a whole example";
    findings.report(finding.remedy(title, Change::All([stack].into_iter().chain(engine).collect())));
}

/// Reports a missing stack in a registry with an engine.
fn report_missing(line: Line, start: Span, findings: &mut Diagnostics) {
    let kind = &line.name;
    let finding = super::codes::MISSING_ITEM.at(
        start,
        format!("no `{kind}` in this file or any other"),
        format!("no {kind} is declared"),
    );
    let title = format!("add `{{}}`, with the name and the settings of your {kind}");
    findings.report(finding.remedy(title, Change::Add { file: start.file, plural: "stack", line }));
}
