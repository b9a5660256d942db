//! The template data of the model reference: facts as text, and only sections that are not empty.

use super::command::CommandsView;
use super::constraint::ConstraintsView;
use super::wording::{self, NOTHING};
use crate::plan::reference::{Ban, ExpertKey, Footprint, Pair, Provider, RoleRow, Store, Tier};
use crate::plan::{Date, Plan};
use crate::render::quote::{line, markdown_code};
use serde::Serialize;

/// The model reference.
#[derive(Serialize)]
pub(super) struct ReferenceView<'p> {
    stack: &'p str,
    verified: Option<String>,
    /// Already rendered, because one tier of a large stack has thousands of roles.
    tiers: Vec<String>,
    memory: Option<MemoryView<'p>>,
    compatibility: Option<CompatibilityView<'p>>,
    experts: Vec<ExpertView>,
    constraints: Option<ConstraintsView<'p>>,
    stores: Vec<String>,
    commands: Option<CommandsView>,
    has_quirks: bool,
}

#[derive(Serialize)]
pub(super) struct TierView<'p> {
    name: &'p str,
    title: &'p str,
    is_measured: bool,
    rows: Vec<RowView<'p>>,
    notes: Vec<NoteView<'p>>,
}

#[derive(Serialize)]
struct RowView<'p> {
    name: String,
    model: &'p str,
    shared: Option<&'p str>,
    quant: &'p str,
    port: String,
    speed: &'p str,
    acceleration: String,
    purpose: &'p str,
}

/// A note on a role or a rule.
#[derive(Serialize)]
struct NoteView<'p> {
    of: &'p str,
    text: String,
}

#[derive(Serialize)]
struct MemoryView<'p> {
    rows: Vec<FootprintView<'p>>,
    total: String,
}

#[derive(Serialize)]
struct FootprintView<'p> {
    residency: String,
    title: &'p str,
    groups: String,
    size: String,
}

#[derive(Serialize)]
struct CompatibilityView<'p> {
    pairs: Vec<PairView<'p>>,
    pair_notes: Vec<NoteView<'p>>,
    bans: Vec<BanView<'p>>,
    ban_notes: Vec<NoteView<'p>>,
}

#[derive(Serialize)]
struct PairView<'p> {
    target: &'p str,
    draft: Option<&'p str>,
    length: String,
    speedup: String,
}

#[derive(Serialize)]
struct BanView<'p> {
    target: &'p str,
    drafts: &'p str,
    failure: &'p str,
}

#[derive(Serialize)]
struct ExpertView {
    label: String,
    key: String,
    numbers: String,
}

impl<'p> ReferenceView<'p> {
    pub(super) fn of(plan: &'p Plan, tiers: Vec<String>) -> Self {
        let facts = &plan.reference;
        Self {
            stack: plan.title.as_deref().unwrap_or(&plan.stack),
            verified: plan.verified.map(|date| date.to_string()),
            tiers,
            memory: memory(plan),
            compatibility: compatibility(plan),
            experts: facts.experts.iter().map(expert).collect(),
            constraints: ConstraintsView::of(plan),
            stores: stores(plan),
            commands: CommandsView::of(plan),
            has_quirks: !facts.quirks.is_empty(),
        }
    }
}

/// A tier with its roles.
pub(super) fn tier(tier: &Tier) -> TierView<'_> {
    TierView {
        name: &tier.name,
        title: &tier.title,
        is_measured: tier.is_measured,
        rows: tier.rows.iter().map(row).collect(),
        notes: tier.rows.iter().filter_map(note).collect(),
    }
}

fn note(row: &RoleRow) -> Option<NoteView<'_>> {
    Some(NoteView { of: &row.name, text: row.note.as_deref()?.to_owned() })
}

fn row(row: &RoleRow) -> RowView<'_> {
    let (model, quant, shared): (&str, &str, _) = match &row.provider {
        Provider::Model(title, quant) => (title, quant, None),
        Provider::Shared(role) => (NOTHING, NOTHING, Some(&**role)),
    };
    let instances = row.ports.filter(|ports| shared.is_none() && ports.len() > 1);
    RowView {
        name: instances
            .map_or_else(|| row.name.to_string(), |ports| format!("{} ({}x)", row.name, ports.len())),
        model,
        shared,
        quant,
        port: row.ports.map_or_else(|| NOTHING.to_owned(), |ports| ports.to_string()),
        speed: row.speed.as_deref().unwrap_or(NOTHING),
        acceleration: wording::acceleration(row.acceleration),
        purpose: row.purpose.as_deref().unwrap_or(NOTHING),
    }
}

fn memory(plan: &Plan) -> Option<MemoryView<'_>> {
    let facts = &plan.reference;
    (!facts.memory.is_empty()).then(|| MemoryView {
        rows: facts.memory.iter().map(footprint).collect(),
        total: wording::size(facts.total),
    })
}

fn footprint(row: &Footprint) -> FootprintView<'_> {
    FootprintView {
        residency: row.residency.to_uppercase(),
        title: &row.title,
        groups: row.groups.join(", "),
        size: wording::size(row.bytes),
    }
}

fn compatibility(plan: &Plan) -> Option<CompatibilityView<'_>> {
    let (pairs, bans) = (&plan.reference.pairs, &plan.reference.bans);
    (!pairs.is_empty() || !bans.is_empty()).then(|| CompatibilityView {
        pairs: pairs.iter().map(pair).collect(),
        pair_notes: pairs
            .iter()
            .filter_map(|pair| rule_note(&pair.target, pair.note.as_deref(), pair.date))
            .collect(),
        bans: bans.iter().map(ban).collect(),
        ban_notes: bans
            .iter()
            .filter_map(|ban| rule_note(&ban.target, ban.note.as_deref(), ban.date))
            .collect(),
    })
}

fn rule_note<'p>(target: &'p str, note: Option<&str>, date: Option<Date>) -> Option<NoteView<'p>> {
    Some(NoteView { of: target, text: wording::note(note, date)? })
}

fn pair(pair: &Pair) -> PairView<'_> {
    PairView {
        target: &pair.target,
        draft: pair.draft.as_deref(),
        length: wording::length(pair),
        speedup: wording::speedup(pair),
    }
}

fn ban(ban: &Ban) -> BanView<'_> {
    BanView {
        target: &ban.target,
        drafts: wording::drafts(&ban.drafts),
        failure: ban.failure.as_deref().unwrap_or(NOTHING),
    }
}

fn expert(row: &ExpertKey) -> ExpertView {
    ExpertView { label: wording::owner(row), key: markdown_code(&row.key), numbers: wording::experts(row) }
}

/// The folders of the stores, followed by an aligned column of titles.
fn stores(plan: &Plan) -> Vec<String> {
    let stores = &plan.reference.stores;
    let width = stores.iter().map(|store| store.path.chars().count() + 1).max().unwrap_or_default();
    let text = |store: &Store| match &store.title {
        Some(title) => format!("{:width$}  # {title}", format!("{}/", store.path)),
        None => format!("{}/", store.path),
    };
    stores.iter().map(|store| line(&text(store)).into_owned()).collect()
}
