//! Reads the stack, engines, hosts, stores, tiers and residencies.

use super::items::{Item, Items};
use super::names::{ItemRef, NamedItems};
use super::record::Record;
use crate::diag::Diagnostics;
use crate::hir::residency::START_WORDS;
use crate::hir::stack::{HARDENING_WORDS, TARGET_WORDS};
use crate::hir::{
    Bytes, CpuList, CpuSet, Engine, Gpu, Hardening, Head, Host, NumaNode, Residency, Seconds, Share, Stack,
    Store, Tier,
};
use crate::source::{Span, Spanned};

/// The items that roles and models refer to.
pub(super) struct BaseItems {
    pub(super) stack: Stack,
    pub(super) has_stack: bool,
    pub(super) defaults: Record,
    pub(super) engines: NamedItems<Engine>,
    pub(super) hosts: NamedItems<Host>,
    pub(super) stores: NamedItems<Store>,
    pub(super) tiers: NamedItems<Tier>,
    pub(super) residencies: NamedItems<Residency>,
}

pub(super) fn read(items: &mut Items, findings: &mut Diagnostics) -> BaseItems {
    let has_stack = items.has_seen("stack");
    let start = items.start;
    let engines = read_kind("engine", items, engine);
    let (stack, defaults) = match items.take("stack").pop() {
        Some(item) => stack(item, &engines, findings),
        // A stack that could not be parsed may have `defaults`.
        None if items.words_outside_items().contains("stack") => (placeholder_stack(start), Record::unread()),
        None => (placeholder_stack(start), Record::default()),
    };
    BaseItems {
        stack,
        has_stack,
        defaults,
        engines,
        hosts: read_kind("host", items, host),
        stores: read_kind("store", items, store),
        tiers: read_kind("tier", items, tier),
        residencies: read_kind("residency", items, residency),
    }
}

/// Reads all items of a kind that refers to no other kind.
pub(super) fn read_kind<T>(
    word: &'static str,
    items: &mut Items,
    read: impl Fn(&mut Item) -> Option<T>,
) -> NamedItems<T> {
    let mut named = NamedItems::new(word, items.words_outside_items());
    for mut item in items.take(word) {
        let value = if item.record.is_incomplete() { None } else { read(&mut item) };
        named.add(&item.name, value);
    }
    named
}

fn stack(mut item: Item, engines: &NamedItems<Engine>, findings: &mut Diagnostics) -> (Stack, Record) {
    let head = item.head();
    let record = &mut item.record;
    let owner = ItemRef::new("stack", &item.name);
    let engine = record.text("engine").and_then(|name| engines.names.find(&name, &owner, findings));
    let stack = Stack {
        head,
        verified: record.take("verified"),
        engine,
        title: record.text("title"),
        targets: record.words("targets", TARGET_WORDS),
        hardening: record.word("hardening", HARDENING_WORDS).map(|word| word.value).unwrap_or_default(),
    };
    let defaults = match record.take::<Record>("defaults") {
        Some(block) => block.value,
        None if record.is_reported("defaults") => Record::unread(),
        None => Record::default(),
    };
    (stack, defaults)
}

/// A placeholder for a stack that could not be read, so that everything else is still checked. It is never planned.
fn placeholder_stack(at: Span) -> Stack {
    Stack {
        head: Head { kind: "stack", name: Spanned::new("".into(), at), span: at, allow: Vec::new() },
        verified: None,
        engine: None,
        title: None,
        targets: Vec::new(),
        hardening: Hardening::Default,
    }
}

fn engine(item: &mut Item) -> Option<Engine> {
    let head = item.head();
    let record = &mut item.record;
    let env = record.take("env").map(|map| map.value).unwrap_or_default();
    Some(Engine { head, profile: record.text("profile")?, bin: record.text("bin")?, env })
}

fn host(item: &mut Item) -> Option<Host> {
    let head = item.head();
    let record = &mut item.record;
    Some(Host {
        memory: record.take::<Bytes>("memory")?,
        reserve: record.take::<Share>("reserve").map_or(Share::Percent(5), |share| share.value),
        cpus: record.take::<CpuList>("cpus"),
        smt: record.take::<u32>("smt").map_or(1, |smt| smt.value),
        numa: record.take_all::<Record>("numa").into_iter().filter_map(|node| numa(node.value)).collect(),
        cpusets: record
            .take_all::<Record>("cpuset")
            .into_iter()
            .filter_map(|set| cpuset(set.value))
            .collect(),
        gpus: record.take_all::<Record>("gpu").into_iter().filter_map(|block| gpu(block.value)).collect(),
        address: record.text("address"),
        systemd: record.take::<u32>("systemd").unwrap_or_else(|| Spanned::new(252, head.name.span)),
        user: record.text("user"),
        group: record.text("group"),
        head,
    })
}

fn numa(mut block: Record) -> Option<NumaNode> {
    Some(NumaNode { node: block.take("node")?, cpus: block.take("cpus"), memory: block.take("memory") })
}

fn cpuset(mut block: Record) -> Option<CpuSet> {
    let exclusive = block.take::<bool>("exclusive").is_some_and(|flag| flag.value);
    Some(CpuSet { name: block.text("name")?, cpus: block.take("cpus")?, exclusive })
}

fn gpu(mut block: Record) -> Option<Gpu> {
    Some(Gpu { name: block.text("name")?, memory: block.take("memory")? })
}

fn store(item: &mut Item) -> Option<Store> {
    let head = item.head();
    let record = &mut item.record;
    Some(Store { head, path: record.text("path")?, title: record.text("title"), speed: record.take("speed") })
}

fn tier(item: &mut Item) -> Option<Tier> {
    Some(Tier { head: item.head(), title: item.record.text("title")? })
}

fn residency(item: &mut Item) -> Option<Residency> {
    let head = item.head();
    let record = &mut item.record;
    Some(Residency {
        head,
        title: record.text("title")?,
        budget: record.take("budget"),
        start: record.word("start", START_WORDS)?,
        idle: record.take::<Seconds>("idle"),
        at_once: record.take("at-once"),
    })
}
