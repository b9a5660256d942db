//! Roles: read one by one, then those that share are led to the role they share.

use super::items::{Item, Items};
use super::names::{By, Named, Names};
use super::record::Record;
use super::serving::{self, Known, say_missing};
use crate::diag::{Diagnostics, Lexicon, near, words};
use crate::hir::codes::{CONFLICTING_FIELDS, NOT_SERVED, UNKNOWN_NAME};
use crate::hir::{Head, Id, Measured, Rate, Role, Text, Tier, Work};
use crate::source::{Span, Spanned};
use rayon::prelude::*;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All roles, and whether one was meant to be served.
pub(super) struct Roles {
    pub(super) arena: crate::hir::Arena<Role>,
    pub(super) names: Names<Role>,
    pub(super) any_served: bool,
}

/// A role whose work may be another's that is not read yet.
struct Drawn {
    head: Head,
    tier: Spanned<Id<Tier>>,
    group: Option<Text>,
    measured: Option<Spanned<Measured>>,
    purpose: Option<Text>,
    note: Option<Text>,
    work: Result<Work, Text>,
}

/// As many roles are read side by side before what was said of them goes to the one sink: findings take much more than text.
const BATCH: usize = 4096;

/// The fields that mean something for a role without a process of its own.
const WITHOUT_PROCESS: &[&str] =
    &["tier", "model", "shares", "group", "purpose", "note", "measured", "allow"];

pub(super) fn read(items: &mut Items, known: &Known, findings: &mut Diagnostics) -> Roles {
    let by_default = known.defaults.record.place("residency").is_some();
    let taken = items.take("role");
    let any_served = taken.iter().any(|item| by_default || item.record.place("residency").is_some());
    let mut drawn: Vec<(Text, Option<Drawn>)> = Vec::with_capacity(taken.len());
    let mut taken = taken.into_iter();
    while taken.len() > 0 {
        let batch: Vec<Item> = taken.by_ref().take(BATCH).collect();
        let read = batch.into_par_iter().map(|mut item| {
            let mut said = Diagnostics::default();
            let role = role(&mut item, known, &mut said).filter(|_| !item.record.is_incomplete());
            ((item.name, role), said)
        });
        for (role, said) in read.collect::<Vec<_>>() {
            drawn.push(role);
            findings.absorb(said);
        }
    }
    drop_those_that_share_nothing(&mut drawn, items.lost(), findings);
    let named = lead(drawn, items.lost());
    Roles { arena: named.arena, names: named.names, any_served }
}

fn role(item: &mut Item, known: &Known, findings: &mut Diagnostics) -> Option<Drawn> {
    let head = item.head();
    let by = By::of("role", &item.name);
    let record = &mut item.record;
    let defaults = &known.defaults.record;
    let shares = match record.text("shares") {
        None if !record.speaks_of("model") => known.defaults.shares.clone(),
        own => own,
    };
    if shares.is_some() || !(record.speaks_of("residency") || defaults.speaks_of("residency")) {
        say_without_effect(record, shares.as_ref(), &by, findings);
    }
    let has_ports = record.speaks_of("port") || record.speaks_of("ports");
    record.fill_from(defaults, |field| match field {
        "port" | "ports" => !has_ports,
        "model" => shares.is_none(),
        field => shares.is_none() || WITHOUT_PROCESS.contains(&field),
    });
    if !record.speaks_of("tier") {
        say_missing("tier", "the tier it is listed under", &by, findings);
    }
    let tier = record.text("tier").and_then(|name| known.places.tiers.names.find(&name, &by, findings));
    let measured = record.take::<Record>("measured").and_then(|block| measured(block, known, &by, findings));
    let (group, purpose, note) = (record.text("group"), record.text("purpose"), record.text("note"));
    let work = match shares {
        Some(name) => Some(Err(name)),
        None => work(record, known, &by, findings).map(Ok),
    };
    Some(Drawn { head, tier: tier?, group, measured, purpose, note, work: work? })
}

fn work(record: &mut Record, known: &Known, by: &By, findings: &mut Diagnostics) -> Option<Work> {
    if !record.speaks_of("model") && !record.is_spoken("shares") {
        let what = "the model it serves, or `shares` with the role whose process does its work";
        say_missing("model", what, by, findings);
        known.models.guess(None);
    }
    let Some(residency) = record.text("residency") else {
        let model = record.text("model").and_then(|name| known.models.find(&name, by, findings));
        return model.filter(|_| !record.is_spoken("residency")).map(Work::Listed);
    };
    let residency = known.places.residencies.names.find(&residency, by, findings);
    match residency {
        Some(residency) => serving::read(record, residency, known, by, findings)
            .map(|serving| Work::Served(Box::new(serving))),
        None => {
            // Its model may be unknown as well, which is a fault of its own.
            record.text("model").and_then(|name| known.models.find(&name, by, findings));
            None
        }
    }
}

fn measured(
    block: Spanned<Record>,
    known: &Known,
    by: &By,
    findings: &mut Diagnostics,
) -> Option<Spanned<Measured>> {
    let Spanned { value: mut block, span } = block;
    let engine = block.text("engine").and_then(|name| known.places.engines.names.find(&name, by, findings));
    let speed = block.take::<Rate>("speed")?.value;
    Some(Spanned::new(Measured { speed, date: block.take("date"), engine }, span))
}

/// Settings of a process on a role that has none: they would have no effect.
fn say_without_effect(record: &Record, shares: Option<&Text>, by: &By, findings: &mut Diagnostics) {
    if let (Some(shares), Some(model)) = (shares, record.place("model")) {
        let message = format!("{} has both `model` and `shares`", by.words());
        let finding = CONFLICTING_FIELDS
            .at(model, "a model of its own", message)
            .also(shares.span, "another role's process");
        // What goes with the model goes or stays with it.
        return by.report(finding.help("keep one of them"), findings);
    }
    let mut idle: Vec<(&str, Span)> =
        record.places().filter(|(name, _)| !WITHOUT_PROCESS.contains(name)).collect();
    idle.sort_by_key(|(_, span)| *span);
    let Some((first, span)) = idle.first() else { return };
    let names: Vec<String> = idle.iter().map(|(name, _)| format!("`{name}`")).collect();
    let why = if shares.is_some() {
        "shares the process of another"
    } else {
        "has no `residency`, so it is listed and not served"
    };
    let message = format!("{} {why}, and {} would have no effect", by.words(), words::all_of(&names));
    let help = if shares.is_some() {
        "remove what the other role decides"
    } else {
        "add `residency`, or remove what only a process needs"
    };
    let finding = NOT_SERVED.at(*span, format!("`{first}` has no effect"), message);
    by.report(finding.help(help), findings);
}

/// Roles that share one that is not there are said and dropped; those that share a dropped one are dropped in silence.
fn drop_those_that_share_nothing(
    drawn: &mut [(Text, Option<Drawn>)],
    lost: &BTreeSet<Box<str>>,
    findings: &mut Diagnostics,
) {
    let declared: BTreeMap<Box<str>, usize> =
        drawn.iter().zip(0..).map(|((name, _), n)| (name.value.clone(), n)).collect();
    let lexicon = OnceCell::new();
    let mut led: Vec<Option<usize>> = Vec::with_capacity(drawn.len());
    let mut said: BTreeSet<Span> = BTreeSet::new();
    for (_, role) in &mut *drawn {
        let Some(Drawn { head, work: Err(shares), .. }) = role else {
            led.push(None);
            continue;
        };
        let target = declared.get(&shares.value).copied();
        if target.is_none() {
            // A name of the defaults stands at one place for many roles.
            let is_new = !lost.contains(&shares.value) && said.insert(shares.span);
            let like = lexicon.get_or_init(|| Lexicon::new(declared.keys().map(AsRef::as_ref))).like(shares);
            let near = near(shares, like.into_iter().filter(|name| *name != &*head.name.value));
            let label = near.map_or_else(
                || "no role has this name".to_owned(),
                |near| format!("did you mean `{}`?", near.name),
            );
            let message = format!(
                "role {} shares the unknown role {}",
                words::quoted(&head.name),
                words::quoted(shares)
            );
            let finding = UNKNOWN_NAME.at(shares.span, label, message).about("role", &*head.name.value);
            if is_new {
                findings.report(finding.help("name a role that is served").meant(near, shares.span));
            }
            *role = None;
        }
        led.push(target);
    }
    drop_followers(drawn, &led);
}

/// Drops the roles that share one that is gone, and those that share them.
fn drop_followers(drawn: &mut [(Text, Option<Drawn>)], led: &[Option<usize>]) {
    let mut followers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (n, target) in led.iter().enumerate() {
        if let Some(target) = target {
            followers.entry(*target).or_default().push(n);
        }
    }
    let mut gone: Vec<usize> =
        drawn.iter().zip(0..).filter(|((_, role), _)| role.is_none()).map(|(_, n)| n).collect();
    while let Some(target) = gone.pop() {
        for follower in followers.remove(&target).unwrap_or_default() {
            if let Some((_, role @ Some(_))) = drawn.get_mut(follower) {
                *role = None;
                gone.push(follower);
            }
        }
    }
}

/// Gives every role its id, and each that shares the id of the role it shares.
fn lead(drawn: Vec<(Text, Option<Drawn>)>, lost: &Arc<BTreeSet<Box<str>>>) -> Named<Role> {
    let mut named = Named::new("role", lost);
    let there = drawn.iter().filter(|(_, role)| role.is_some());
    let ids: BTreeMap<Box<str>, Id<Role>> =
        there.clone().map(|(name, _)| name.value.clone()).zip(named.arena.next_ids(there.count())).collect();
    for (name, role) in drawn {
        let role = role.and_then(|drawn| {
            let work = match drawn.work {
                Ok(work) => work,
                Err(shares) => Work::Shares(Spanned::new(*ids.get(&shares.value)?, shares.span)),
            };
            let Drawn { head, tier, group, measured, purpose, note, .. } = drawn;
            Some(Role { head, tier, group, measured, purpose, note, work })
        });
        named.add(&name, role);
    }
    named
}
