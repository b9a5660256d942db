//! Reads pairs, bans, services and expects.

use super::names::{ItemRef, Names};
use super::read::{Fields, FromFields, FromValue};
use super::record::Record;
use super::serving::report_missing;
use super::typed_value::TypedValue;
use crate::diag::{Change, Diagnostics, Line, Literal, suggest, words};
use crate::hir::codes::{CONFLICTING_FIELDS, MISSING_FIELD, UNKNOWN_NAME};
use crate::hir::{Bytes, Expect, Expected, Head, Host, Pair, Pattern, Service};
use crate::source::{Span, Spanned};

/// A model name, a family name, or a glob, in this order. Reports an unknown name.
impl FromValue for Pattern {
    fn from_value(value: Spanned<TypedValue>, fields: &mut Fields) -> Option<Self> {
        let name = value.into_text()?;
        let (models, families) = (&fields.scope.models.names, &fields.scope.families.names);
        if let Some(model) = models.resolve(&name) {
            return model.map(Self::Model);
        }
        if let Some(family) = families.resolve(&name) {
            return family.map(Self::Family);
        }
        if name.contains(['*', '?']) {
            return Some(Self::Titles(name.value));
        }
        let near = suggest(&name, models.all().chain(families.all()));
        models.mark_maybe_used(near.map(|near| near.name));
        families.mark_maybe_used(near.map(|near| near.name));
        let owner = fields.owner();
        let message = format!(
            "a {} uses {}, but no model or family with this name is declared",
            owner.kind,
            words::quoted(&name)
        );
        let finding = UNKNOWN_NAME.at_unknown(name.span, (near, "no model or family has this name"), message);
        let help = "name a model or a family, or write a glob over model titles, such as `Qwen3-*`";
        owner.report(finding.help(help), fields.findings);
        None
    }
}

pub(super) fn pair(fields: &mut Fields) -> Option<Pair> {
    // Without its unknown draft, a pair would mean that no draft is known.
    let has_draft = fields.record.place("draft").is_some();
    Pair::from_fields(fields).filter(|pair| pair.draft.is_some() == has_draft)
}

pub(super) fn service(fields: &mut Fields) -> Option<Service> {
    imply_host(fields.record, &fields.scope.hosts.names, fields.head, fields.findings);
    Service::from_fields(fields)
}

/// Adds the only host of the registry to a role or service without `host`. Reports a missing host if several exist.
pub(super) fn imply_host(record: &mut Record, hosts: &Names<Host>, head: &Head, findings: &mut Diagnostics) {
    if record.has_or_reported("host") {
        return;
    }
    if let Some(only) = hosts.only() {
        record.add("host", Spanned::new(TypedValue::Text(only.into()), head.name.span));
    } else if !hosts.is_empty() {
        let line = Line::new("host").value(Literal::NameOf("host"));
        report_missing((line, record), "one of the declared hosts", head, findings);
    }
}

pub(super) fn expect(fields: &mut Fields) -> Option<Expect> {
    let (owner, record, findings) = (fields.owner(), &mut *fields.record, &mut *fields.findings);
    let residency = record.text("residency");
    let fits = record.take::<Bytes>("fits");
    let gpu = record.text("gpu");
    let role = record.text("role");
    let port = record.take::<u16>("port");
    if let (Some(gpu), Some(role)) = (&gpu, &role) {
        let message = format!("{} has a GPU and a role", owner.describe());
        let finding = CONFLICTING_FIELDS.at(gpu.span, "needs `residency` with `fits`", message);
        let finding = finding.also(role.span, "about a role");
        owner.report(finding.remedy("remove `{}`", Change::remove(gpu.span)), findings);
    }
    let expected = match (residency, fits, role, port) {
        (Some(residency), Some(fits), None, None) => {
            Expected::Fits(fields.scope.residencies.names.find(&residency, &owner)?, gpu, fits)
        }
        (None, None, Some(role), Some(port)) => {
            Expected::Port(fields.scope.roles.names.find(&role, &owner)?, port)
        }
        (residency, fits, role, port) => {
            let is_reported =
                ["residency", "fits", "role", "port"].iter().any(|field| record.is_reported(field));
            let first = residency.map(|name| name.span).or(fits.map(|fits| fits.span));
            let second = role.map(|name| name.span).or(port.map(|port| port.span));
            if !is_reported {
                report_incomplete_expect((first, second), &owner, findings);
            }
            return None;
        }
    };
    Some(Expect { head: fields.head.clone(), expected })
}

/// Reports an expect without exactly one assertion: `residency` with `fits`, or `role` with `port`.
fn report_incomplete_expect(
    (first, second): (Option<Span>, Option<Span>),
    owner: &ItemRef,
    findings: &mut Diagnostics,
) {
    let finding = match (first, second) {
        (Some(first), Some(second)) => {
            let message = format!("{} asserts something about both a residency and a role", owner.describe());
            CONFLICTING_FIELDS.at(second, "about a role", message).also(first, "about a residency")
        }
        _ => {
            let message =
                format!("{} has neither `residency` with `fits` nor `role` with `port`", owner.describe());
            MISSING_FIELD.at(owner.place, "incomplete assertion", message)
        }
    };
    owner.report(finding.help("write `residency` with `fits`, or `role` with `port`"), findings);
}
