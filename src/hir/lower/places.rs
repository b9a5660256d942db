//! The stack and what it stands on: engines, hosts, stores, tiers, residencies.

use super::items::{Item, Items};
use super::names::{By, Named};
use super::record::Record;
use crate::diag::Diagnostics;
use crate::hir::residency::START_WORDS;
use crate::hir::stack::{HARDENING_WORDS, TARGET_WORDS};
use crate::hir::{
    Bytes, CpuList, CpuSet, Engine, Gpu, Hardening, Head, Host, NumaNode, Residency, Seconds, Share, Stack,
    Store, Tier,
};
use crate::source::{Span, Spanned};

/// What roles and models refer to.
pub(super) struct Places {
    pub(super) stack: Stack,
    pub(super) has_stack: bool,
    pub(super) defaults: Record,
    pub(super) engines: Named<Engine>,
    pub(super) hosts: Named<Host>,
    pub(super) stores: Named<Store>,
    pub(super) tiers: Named<Tier>,
    pub(super) residencies: Named<Residency>,
}

pub(super) fn read(items: &mut Items, findings: &mut Diagnostics) -> Places {
    let has_stack = items.has_seen("stack");
    let start = items.start;
    let engines = kind("engine", items, engine);
    let (stack, defaults) = match items.take("stack").pop() {
        Some(item) => stack(item, &engines, findings),
        None => (unread(start), Record::default()),
    };
    Places {
        stack,
        has_stack,
        defaults,
        engines,
        hosts: kind("host", items, host),
        stores: kind("store", items, store),
        tiers: kind("tier", items, tier),
        residencies: kind("residency", items, residency),
    }
}

/// Reads all items of a kind that refers to nothing.
pub(super) fn kind<T>(
    word: &'static str,
    items: &mut Items,
    read: impl Fn(&mut Item) -> Option<T>,
) -> Named<T> {
    let mut named = Named::new(word);
    for mut item in items.take(word) {
        let value = if item.record.is_incomplete() { None } else { read(&mut item) };
        named.add(&item.name, value);
    }
    named
}

fn stack(mut item: Item, engines: &Named<Engine>, findings: &mut Diagnostics) -> (Stack, Record) {
    let head = item.head();
    let record = &mut item.record;
    let by = By::of("stack", &item.name);
    let engine = record.text("engine").and_then(|name| engines.names.find(&name, &by, findings));
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
        None if record.is_spoken("defaults") => Record::unread(),
        None => Record::default(),
    };
    (stack, defaults)
}

/// What stands for a stack that could not be read, so that everything else is still checked; no plan is made of it.
fn unread(at: Span) -> Stack {
    Stack {
        head: Head { name: Spanned::new("".into(), at), span: at, allow: Vec::new() },
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
        gpus: record.take_all::<Record>("gpu").into_iter().filter_map(|gpu| card(gpu.value)).collect(),
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

fn card(mut block: Record) -> Option<Gpu> {
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
