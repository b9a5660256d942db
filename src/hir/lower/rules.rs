//! Reads pairs, bans, quirks, services and expects.

use super::base::BaseItems;
use super::items::{Item, Items};
use super::names::{ItemRef, Names};
use super::serving::host_of;
use crate::diag::{Diagnostics, suggest, words};
use crate::hir::codes::{CONFLICTING_FIELDS, MISSING_FIELD, UNKNOWN_NAME};
use crate::hir::{
    Arena, Ban, Bytes, Expect, Expected, Factor, Family, Id, Model, Pair, Pattern, Quirk, Role, Service, Text,
};
use crate::source::{Span, Spanned};

/// The items of the kinds that this module reads.
pub(super) struct Rules {
    pub(super) pairs: Arena<Pair>,
    pub(super) bans: Arena<Ban>,
    pub(super) quirks: Arena<Quirk>,
    pub(super) services: Arena<Service>,
    pub(super) expects: Arena<Expect>,
}

type AllNames<'a> = (&'a Names<Family>, &'a Names<Model>, &'a Names<Role>);

pub(super) fn read(
    items: &mut Items,
    base: &BaseItems,
    names: AllNames,
    findings: &mut Diagnostics,
) -> Rules {
    let (families, models, roles) = names;
    let names = RuleNames { families, models };
    Rules {
        pairs: collect(items.take("pair"), |item| pair(item, &names, findings)),
        bans: collect(items.take("ban"), |item| ban(item, &names, findings)),
        quirks: collect(items.take("quirk"), |item| quirk(item, models, findings)),
        services: collect(items.take("service"), |item| service(item, base, findings)),
        expects: collect(items.take("expect"), |item| expect(item, base, roles, findings)),
    }
}

fn collect<T>(items: Vec<Item>, mut read: impl FnMut(&mut Item) -> Option<T>) -> Arena<T> {
    let mut arena = Arena::default();
    for mut item in items {
        if let Some(value) = read(&mut item).filter(|_| !item.record.is_incomplete()) {
            arena.add(value);
        }
    }
    arena
}

struct RuleNames<'a> {
    families: &'a Names<Family>,
    models: &'a Names<Model>,
}

impl RuleNames<'_> {
    /// Resolves a model name, a family name, or a glob, in this order. Reports an unknown name.
    fn find(&self, name: &Text, owner: &ItemRef, findings: &mut Diagnostics) -> Option<Spanned<Pattern>> {
        if let Some(model) = self.models.resolve(name) {
            return model.map(|id| Spanned::new(Pattern::Model(id), name.span));
        }
        if let Some(family) = self.families.resolve(name) {
            return family.map(|id| Spanned::new(Pattern::Family(id), name.span));
        }
        if name.contains(['*', '?']) {
            return Some(Spanned::new(Pattern::Titles(name.value.clone()), name.span));
        }
        let near = suggest(name, self.models.similar(name).into_iter().chain(self.families.similar(name)));
        self.models.mark_maybe_used(near.map(|near| near.name));
        self.families.mark_maybe_used(near.map(|near| near.name));
        let label = near.map_or_else(
            || "no model or family has this name".to_owned(),
            |near| format!("did you mean `{}`?", near.name),
        );
        let message = format!(
            "a {} uses {}, but no model or family with this name is declared",
            owner.kind,
            words::quoted(name)
        );
        let finding = UNKNOWN_NAME.at(name.span, label, message).suggest(near, name.span);
        owner.report(
            finding.help("name a model or a family, or write a glob over model titles, such as `Qwen3-*`"),
            findings,
        );
        None
    }
}

fn pair(item: &mut Item, names: &RuleNames, findings: &mut Diagnostics) -> Option<Pair> {
    let head = item.head();
    let owner = ItemRef::new("pair", &item.name);
    let record = &mut item.record;
    let target = record.text("target").and_then(|name| names.find(&name, &owner, findings));
    let has_draft = record.place("draft").is_some();
    let draft = record.text("draft").and_then(|name| names.find(&name, &owner, findings));
    Some(Pair {
        head,
        target: target?,
        draft: if has_draft { Some(draft?) } else { None },
        except: record.text("except"),
        label: record.text("label"),
        max: record.take("max"),
        speedup: record.take::<Factor>("speedup").map(|factor| factor.value),
        lookup: record.take::<bool>("lookup").is_some_and(|flag| flag.value),
        instead: record.text("instead"),
        note: record.text("note"),
        date: record.take("date"),
    })
}

fn ban(item: &mut Item, names: &RuleNames, findings: &mut Diagnostics) -> Option<Ban> {
    let head = item.head();
    let owner = ItemRef::new("ban", &item.name);
    let record = &mut item.record;
    let target = record.text("target").and_then(|name| names.find(&name, &owner, findings));
    let draft = record.text("draft").and_then(|name| names.find(&name, &owner, findings));
    Some(Ban {
        head,
        target: target?,
        draft: draft?,
        except: record.text("except"),
        label: record.text("label"),
        failure: record.text("failure")?,
        note: record.text("note"),
        date: record.take("date"),
    })
}

fn quirk(item: &mut Item, models: &Names<Model>, findings: &mut Diagnostics) -> Option<Quirk> {
    let head = item.head();
    let owner = ItemRef::new("quirk", &item.name);
    let record = &mut item.record;
    let named = record.texts("models");
    let models: Vec<Spanned<Id<Model>>> =
        named.iter().filter_map(|name| models.find(name, &owner, findings)).collect();
    Some(Quirk {
        head,
        models,
        issue: record.text("issue")?,
        symptom: record.text("symptom"),
        workaround: record.text("workaround"),
        found: record.take("found"),
        fixed: record.text("fixed"),
    })
}

fn service(item: &mut Item, base: &BaseItems, findings: &mut Diagnostics) -> Option<Service> {
    let head = item.head();
    let owner = ItemRef::new("service", &item.name);
    let record = &mut item.record;
    let host = host_of(record, &base.hosts.names, &owner, findings);
    Some(Service {
        head,
        host: host?,
        port: record.take("port"),
        listen: record.take_all("listen"),
        memory: record.take("memory"),
        cpus: record.take("cpus"),
    })
}

fn expect(
    item: &mut Item,
    base: &BaseItems,
    roles: &Names<Role>,
    findings: &mut Diagnostics,
) -> Option<Expect> {
    let head = item.head();
    let owner = ItemRef::new("expect", &item.name);
    let record = &mut item.record;
    let residency = record.text("residency");
    let fits = record.take::<Bytes>("fits");
    let role = record.text("role");
    let port = record.take::<u16>("port");
    let expected = match (residency, fits, role, port) {
        (Some(residency), Some(fits), None, None) => {
            Expected::Fits(base.residencies.names.find(&residency, &owner, findings)?, fits)
        }
        (None, None, Some(role), Some(port)) => Expected::Port(roles.find(&role, &owner, findings)?, port),
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
    Some(Expect { head, expected })
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
