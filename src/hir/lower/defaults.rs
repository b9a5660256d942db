//! The `defaults` of the stack: role fields for all roles that do not set them, and the store of models.
//!
//! Names are resolved once here, so that an unknown name is reported once and not for every role.

use super::names::{ItemRef, Names};
use super::program::COMMAND;
use super::record::Record;
use super::scope::Scope;
use crate::diag::{Change, Diagnostics, words};
use crate::hir::codes::{CONFLICTING_FIELDS, UNKNOWN_NAME};
use crate::hir::{CpuList, Text};
use std::cell::Cell;

/// The defaults, without unknown names.
pub(super) struct Defaults {
    /// Fields of a role, and `store`.
    pub(super) record: Record,
    /// The role that roles without a model share.
    pub(super) shares: Option<Text>,
    /// True if they have a `command` (already reported and dropped).
    has_command: bool,
    /// The next port that a help offers: no item has it.
    free_port: Cell<u64>,
}

impl Defaults {
    /// Reads the defaults, and reports and drops unknown names of stores, hosts, engines, tiers and residencies.
    pub(super) fn read(
        mut record: Record,
        (base, free_port): (&Scope, u64),
        findings: &mut Diagnostics,
    ) -> Self {
        let shares = record.text("shares");
        let has_command = record.place(COMMAND).is_some();
        let mut defaults = Self { record, shares, has_command, free_port: Cell::new(free_port) };
        let owner = ItemRef::new("stack", &base.stack.head.name);
        defaults.refuse_command(&owner, findings);
        defaults.check_name(("store", None), &base.stores.names, &owner);
        defaults.check_name(("host", None), &base.hosts.names, &owner);
        defaults.check_name(("engine", None), &base.engines.names, &owner);
        defaults.check_name(("tier", None), &base.tiers.names, &owner);
        defaults.check_name(("residency", None), &base.residencies.names, &owner);
        defaults.check_name(("gateway", None), &base.gateways.names, &owner);
        defaults.check_name(("measured", Some("engine")), &base.engines.names, &owner);
        defaults.check_cpus(base, &owner, findings);
        defaults
    }

    /// Reports and drops `command`: a merged one would turn a role with a `model` into a program.
    fn refuse_command(&mut self, owner: &ItemRef, findings: &mut Diagnostics) {
        let Some(place) = self.record.place(COMMAND) else { return };
        let message = format!("`defaults` of {} have a `command`", owner.describe());
        let finding = CONFLICTING_FIELDS.at(place, "the program of one role", message);
        let title = "remove `{}`, and write it in the role that the program serves";
        owner.report(finding.remedy(title, Change::remove(place)), findings);
        self.record.take_values(COMMAND);
    }

    /// Counts the dropped `command` as reported in a role that has nothing else to serve.
    pub(super) fn mark_command(&self, role: &mut Record) {
        let has = |field| role.has_or_reported(field) || self.record.has_or_reported(field);
        if self.has_command && !has("model") && !has("shares") && self.shares.is_none() {
            role.mark_reported(COMMAND);
        }
    }

    /// A port that no item has and no other help offers.
    pub(super) fn next_port(&self) -> u64 {
        self.free_port.replace(self.free_port.get() + 1)
    }

    /// Reports and drops unknown names of models.
    pub(super) fn check_model_names(&mut self, scope: &Scope) {
        let (models, owner) = (&scope.models.names, ItemRef::new("stack", &scope.stack.head.name));
        self.check_name(("model", None), models, &owner);
        self.check_name(("draft", Some("model")), models, &owner);
    }

    /// Checks the name in a field, or in a field of a block.
    fn check_name<T>(
        &mut self,
        (field, inner): (&'static str, Option<&str>),
        names: &Names<T>,
        owner: &ItemRef,
    ) {
        if let Some(name) = self.name(field, inner)
            && names.resolve(&name).is_none()
        {
            names.find(&name, owner);
            self.record.discard(field);
        }
    }

    fn check_cpus(&mut self, base: &Scope, owner: &ItemRef, findings: &mut Diagnostics) {
        let Some(cpus) = self.name("placement", Some("cpus")) else { return };
        let mut sets = base.hosts.arena.iter().flat_map(|host| &host.cpusets);
        if CpuList::parse(&cpus).is_some() || sets.any(|set| set.name == cpus) {
            return;
        }
        let message = format!(
            "`defaults.placement.cpus` of {} is {}, which is neither a list of CPUs nor a cpuset of any host",
            owner.describe(),
            words::quoted(&cpus)
        );
        let finding = UNKNOWN_NAME.at(cpus.span, "neither CPUs nor a cpuset", message);
        owner.report(
            finding
                .help("write CPUs such as `0-47`, or declare a `cpuset` with this name and `cpus` on a host"),
            findings,
        );
        self.record.discard("placement");
    }

    fn name(&self, field: &str, inner: Option<&str>) -> Option<Text> {
        match inner {
            Some(inner) => self.record.blocks(field).next()?.peek_text(inner),
            None => self.record.peek_text(field),
        }
    }
}
