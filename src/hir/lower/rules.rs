//! Pairs, bans, quirks, services and expectations.

use super::items::{Item, Items};
use super::names::{By, Names};
use super::places::Places;
use super::serving::host_of;
use crate::diag::{Diagnostics, near, words};
use crate::hir::codes::{CONFLICTING_FIELDS, MISSING_FIELD, UNKNOWN_NAME};
use crate::hir::{
    Arena, Ban, Bytes, Expect, Expected, Factor, Family, Id, Model, Pair, Pattern, Quirk, Role, Service, Text,
};
use crate::source::{Span, Spanned};

/// What stands beside models and roles.
pub(super) struct Rules {
    pub(super) pairs: Arena<Pair>,
    pub(super) bans: Arena<Ban>,
    pub(super) quirks: Arena<Quirk>,
    pub(super) services: Arena<Service>,
    pub(super) expects: Arena<Expect>,
}

type AllNames<'a> = (&'a Names<Family>, &'a Names<Model>, &'a Names<Role>);

pub(super) fn read(items: &mut Items, places: &Places, names: AllNames, findings: &mut Diagnostics) -> Rules {
    let (families, models, roles) = names;
    let targets = Targets { families, models };
    Rules {
        pairs: collect(items.take("pair"), |item| pair(item, &targets, findings)),
        bans: collect(items.take("ban"), |item| ban(item, &targets, findings)),
        quirks: collect(items.take("quirk"), |item| quirk(item, models, findings)),
        services: collect(items.take("service"), |item| service(item, places, findings)),
        expects: collect(items.take("expect"), |item| expect(item, places, roles, findings)),
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

struct Targets<'a> {
    families: &'a Names<Family>,
    models: &'a Names<Model>,
}

impl Targets<'_> {
    /// A model's name, a family's name, or a glob: in this order.
    fn find(&self, said: &Text, by: &By, findings: &mut Diagnostics) -> Option<Spanned<Pattern>> {
        if let Some(model) = self.models.look(said) {
            return model.map(|id| Spanned::new(Pattern::Model(id), said.span));
        }
        if let Some(family) = self.families.look(said) {
            return family.map(|id| Spanned::new(Pattern::Family(id), said.span));
        }
        if said.contains(['*', '?']) {
            return Some(Spanned::new(Pattern::Titles(said.value.clone()), said.span));
        }
        let near = near(said, self.models.like(said).into_iter().chain(self.families.like(said)));
        self.models.guess(near.map(|near| near.name));
        self.families.guess(near.map(|near| near.name));
        let label = near.map_or_else(
            || "no model or family has this name".to_owned(),
            |near| format!("did you mean `{}`?", near.name),
        );
        let message = format!("a {} names the unknown model or family {}", by.kind, words::quoted(said));
        let finding = UNKNOWN_NAME.at(said.span, label, message).meant(near, said.span);
        by.report(
            finding.help("name a model or a family, or write a glob over titles, as `Qwen3-*`"),
            findings,
        );
        None
    }
}

fn pair(item: &mut Item, targets: &Targets, findings: &mut Diagnostics) -> Option<Pair> {
    let head = item.head();
    let by = By::of("pair", &item.name);
    let record = &mut item.record;
    let target = record.text("target").and_then(|said| targets.find(&said, &by, findings));
    let has_draft = record.place("draft").is_some();
    let draft = record.text("draft").and_then(|said| targets.find(&said, &by, findings));
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

fn ban(item: &mut Item, targets: &Targets, findings: &mut Diagnostics) -> Option<Ban> {
    let head = item.head();
    let by = By::of("ban", &item.name);
    let record = &mut item.record;
    let target = record.text("target").and_then(|said| targets.find(&said, &by, findings));
    let draft = record.text("draft").and_then(|said| targets.find(&said, &by, findings));
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
    let by = By::of("quirk", &item.name);
    let record = &mut item.record;
    let named = record.texts("models");
    let models: Vec<Spanned<Id<Model>>> =
        named.iter().filter_map(|name| models.find(name, &by, findings)).collect();
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

fn service(item: &mut Item, places: &Places, findings: &mut Diagnostics) -> Option<Service> {
    let head = item.head();
    let by = By::of("service", &item.name);
    let record = &mut item.record;
    let host = host_of(record, &places.hosts.names, &by, findings);
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
    places: &Places,
    roles: &Names<Role>,
    findings: &mut Diagnostics,
) -> Option<Expect> {
    let head = item.head();
    let by = By::of("expect", &item.name);
    let record = &mut item.record;
    let residency = record.text("residency");
    let fits = record.take::<Bytes>("fits");
    let role = record.text("role");
    let port = record.take::<u16>("port");
    let expected = match (residency, fits, role, port) {
        (Some(residency), Some(fits), None, None) => {
            Expected::Fits(places.residencies.names.find(&residency, &by, findings)?, fits)
        }
        (None, None, Some(role), Some(port)) => Expected::Port(roles.find(&role, &by, findings)?, port),
        (residency, fits, role, port) => {
            let is_spoken = ["residency", "fits", "role", "port"].iter().any(|field| record.is_spoken(field));
            let first = residency.map(|name| name.span).or(fits.map(|fits| fits.span));
            let second = role.map(|name| name.span).or(port.map(|port| port.span));
            if !is_spoken {
                say_no_pair((first, second), &by, findings);
            }
            return None;
        }
    };
    Some(Expect { head, expected })
}

/// An expectation needs both fields of one pair and none of the other.
fn say_no_pair((first, second): (Option<Span>, Option<Span>), by: &By, findings: &mut Diagnostics) {
    let finding = match (first, second) {
        (Some(first), Some(second)) => {
            let message = format!("{} speaks of a residency and of a role", by.words());
            CONFLICTING_FIELDS.at(second, "of a role", message).also(first, "of a residency")
        }
        _ => {
            let message =
                format!("{} has neither `residency` with `fits` nor `role` with `port`", by.words());
            MISSING_FIELD.at(by.place, "expects what?", message)
        }
    };
    by.report(finding.help("write `residency` with `fits`, or `role` with `port`"), findings);
}
