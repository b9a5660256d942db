//! An order of restarts in which old and new processes fit together: memory at each place, and ports.
//!
//! The processes change in the order of declaration. If the next one does not fit yet, the first one that fits goes before it. If
//! none fits, the process that blocks most stops early, and starts at its turn.

use crate::render::deployment::{DeployedProcess, Place};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The change of a process.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Change<'p> {
    /// The role or gateway.
    pub(super) role: &'p str,
    /// The process before. `None` if it is new or not running.
    pub(super) old: Option<&'p DeployedProcess>,
    /// The process afterwards. `None` if it is removed.
    pub(super) new: Option<&'p DeployedProcess>,
}

/// One move of an order.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Move<'p> {
    /// The old process stops.
    Stop(Change<'p>),
    /// The new process replaces the old one, or starts.
    Switch(Change<'p>),
}

/// The memory at a place during a plan.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct PlacePeak {
    /// The name of the place.
    pub place: String,
    /// The bytes that roles may take. `None` if they are not declared.
    pub room: Option<u64>,
    /// The bytes before.
    pub before: u64,
    /// The largest sum after a step.
    pub peak: u64,
    /// The bytes at the end.
    pub after: u64,
    /// True if each step fits.
    pub fits: bool,
}

/// Why an order differs from that of declaration.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct Reorder {
    /// The unit that starts later.
    pub unit: String,
    /// The unit that restarts or stops before it.
    pub first: String,
    /// True if `first` stops early, and starts at its turn.
    pub stops: bool,
    /// The place without room, or the port in use.
    pub lacks: String,
}

/// The early move of a process, before its turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Early {
    /// It changes.
    Switch,
    /// It stops, and starts at its turn.
    Stop,
}

/// The reason why a process must wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lack<'p> {
    /// A port that another process has.
    Port(u16),
    /// Memory at a place.
    Memory(&'p str),
}

/// An order of moves.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Order<'p> {
    /// The processes that are removed. They stop first.
    pub(super) gone: Vec<Change<'p>>,
    pub(super) moves: Vec<Move<'p>>,
    pub(super) peaks: Vec<PlacePeak>,
    pub(super) reorders: Vec<Reorder>,
}

/// The sums of all running processes.
#[derive(Clone, Default)]
struct Running<'p> {
    private: BTreeMap<&'p str, u64>,
    /// The sizes of each mapped file by place, with the number of its readers.
    files: BTreeMap<(&'p str, &'p str), BTreeMap<u64, usize>>,
    ports: BTreeMap<u16, usize>,
}

impl<'p> Running<'p> {
    fn add(&mut self, process: &'p DeployedProcess) {
        for part in &process.memory {
            match &part.file {
                Some(file) => {
                    let sizes = self.files.entry((&part.place, file)).or_default();
                    *sizes.entry(part.bytes).or_default() += 1;
                }
                None => {
                    let sum = self.private.entry(&part.place).or_default();
                    *sum = sum.saturating_add(part.bytes);
                }
            }
        }
        for port in ports(process) {
            *self.ports.entry(port).or_default() += 1;
        }
    }

    fn remove(&mut self, process: &'p DeployedProcess) {
        for part in &process.memory {
            match &part.file {
                Some(file) => {
                    let Some(sizes) = self.files.get_mut(&(&*part.place, &**file)) else { continue };
                    if let Some(readers) = sizes.get_mut(&part.bytes) {
                        *readers -= 1;
                        if *readers == 0 {
                            sizes.remove(&part.bytes);
                        }
                    }
                }
                None => {
                    let sum = self.private.entry(&part.place).or_default();
                    *sum = sum.saturating_sub(part.bytes);
                }
            }
        }
        for port in ports(process) {
            self.ports.entry(port).and_modify(|users| *users = users.saturating_sub(1));
        }
    }

    /// The bytes at each place.
    fn sums(&self) -> BTreeMap<&'p str, u64> {
        let mut sums = self.private.clone();
        for ((place, _), sizes) in &self.files {
            let largest = sizes.keys().next_back().copied().unwrap_or(0);
            let sum = sums.entry(place).or_default();
            *sum = sum.saturating_add(largest);
        }
        sums
    }
}

fn ports(process: &DeployedProcess) -> impl Iterator<Item = u16> {
    [process.port].into_iter().chain(process.backend)
}

/// The search for an order.
struct Search<'p> {
    running: Running<'p>,
    limits: BTreeMap<&'p str, u64>,
    peaks: BTreeMap<&'p str, u64>,
    order: Order<'p>,
    /// The units that stopped early.
    stopped: BTreeSet<&'p str>,
}

/// Finds an order. `unchanged` are the processes that go on, before and afterwards.
pub(super) fn order<'p>(
    places: &'p [Place],
    unchanged: &[(&'p DeployedProcess, &'p DeployedProcess)],
    changes: &[Change<'p>],
) -> Order<'p> {
    let (mut before, mut after) = (Running::default(), Running::default());
    for (old, new) in unchanged {
        before.add(old);
        after.add(new);
    }
    changes.iter().filter_map(|change| change.old).for_each(|process| before.add(process));
    changes.iter().filter_map(|change| change.new).for_each(|process| after.add(process));
    let (first, last) = (before.sums(), after.sums());
    // A sum that is larger at the beginning or at the end is no reason for another order.
    let limit = |place: &'p Place| {
        let ends = [&first, &last].into_iter().filter_map(|sums| sums.get(&*place.name));
        (
            &*place.name,
            ends.copied().chain(place.bytes).max().filter(|_| place.bytes.is_some()).unwrap_or(u64::MAX),
        )
    };
    let mut search = Search {
        running: before,
        limits: places.iter().map(limit).collect(),
        peaks: first.clone(),
        order: Order::default(),
        stopped: BTreeSet::new(),
    };
    search.run(changes);
    let at = |sums: &BTreeMap<&str, u64>, place: &Place| sums.get(&*place.name).copied().unwrap_or(0);
    let peaks = places.iter().map(|place| {
        let peak = at(&search.peaks, place).max(at(&last, place));
        let fits = place.bytes.is_none_or(|room| peak <= room);
        let (before, after) = (at(&first, place), at(&last, place));
        PlacePeak { place: place.name.clone(), room: place.bytes, before, peak, after, fits }
    });
    search.order.peaks = peaks.collect();
    search.order
}

impl<'p> Search<'p> {
    fn run(&mut self, changes: &[Change<'p>]) {
        for change in changes.iter().filter(|change| change.new.is_none()) {
            self.stop(*change);
            self.order.gone.push(*change);
        }
        let mut remaining: Vec<Change<'p>> =
            changes.iter().filter(|one| one.new.is_some()).copied().collect();
        while let Some(next) = remaining.first().copied() {
            let Some(lack) = self.lack(next) else {
                self.switch(remaining.remove(0));
                continue;
            };
            if let Some(at) = remaining.iter().position(|change| self.lack(*change).is_none()) {
                let first = remaining.remove(at);
                self.note((next, first), Early::Switch, lack);
                self.switch(first);
            } else if let Some(blocker) = self.blocker(&remaining, lack) {
                self.note((next, blocker), Early::Stop, lack);
                self.stop(blocker);
                self.order.moves.push(Move::Stop(blocker));
            } else {
                // Nothing else can stop: the end itself does not fit.
                self.switch(remaining.remove(0));
            }
        }
    }

    /// True if the old process of a change still runs.
    fn runs(&self, change: Change<'p>) -> bool {
        change.old.is_some_and(|old| !self.stopped.contains(&*old.unit))
    }

    fn stop(&mut self, change: Change<'p>) {
        if let Some(old) = change.old.filter(|_| self.runs(change)) {
            self.running.remove(old);
            self.stopped.insert(&old.unit);
        }
    }

    fn switch(&mut self, change: Change<'p>) {
        self.replace(change);
        for (place, sum) in self.running.sums() {
            let peak = self.peaks.entry(place).or_default();
            *peak = sum.max(*peak);
        }
        self.order.moves.push(Move::Switch(change));
    }

    /// The sums after a change.
    fn replace(&mut self, change: Change<'p>) {
        if let Some(old) = change.old.filter(|_| self.runs(change)) {
            self.running.remove(old);
        }
        if let Some(new) = change.new {
            self.running.add(new);
        }
    }

    /// The place or port that a change lacks now. `None` if it fits.
    fn lack(&mut self, change: Change<'p>) -> Option<Lack<'p>> {
        self.replace(change);
        let sums = self.running.sums();
        let mut own = change.new.into_iter().flat_map(ports);
        let port = own.find(|port| self.running.ports.get(port).is_some_and(|users| *users > 1));
        let over = self.limits.iter().find(|(place, limit)| sums.get(*place).is_some_and(|sum| sum > *limit));
        let lack = port.map(Lack::Port).or_else(|| over.map(|(place, _)| Lack::Memory(place)));
        if let Some(new) = change.new {
            self.running.remove(new);
        }
        if let Some(old) = change.old.filter(|_| self.runs(change)) {
            self.running.add(old);
        }
        lack
    }

    /// The remaining process that takes the most of what is lacking.
    fn blocker(&self, remaining: &[Change<'p>], lack: Lack<'p>) -> Option<Change<'p>> {
        let share = |change: &Change<'p>| {
            let old = change.old.filter(|_| self.runs(*change))?;
            let share = match lack {
                Lack::Port(port) => u64::from(ports(old).any(|own| own == port)),
                Lack::Memory(place) => {
                    let parts = old.memory.iter().filter(|part| part.place == place);
                    parts.fold(0, |sum: u64, part| sum.saturating_add(part.bytes))
                }
            };
            (share > 0).then_some((share, *change))
        };
        // The first one itself needs no early stop: it stops when it restarts.
        let shares = remaining.iter().skip(1).filter_map(share);
        shares.max_by_key(|(share, _)| *share).map(|(_, change)| change)
    }

    fn note(&mut self, (late, first): (Change<'p>, Change<'p>), early: Early, lack: Lack<'p>) {
        let unit = |change: Change<'p>| change.new.or(change.old).map(|process| process.unit.clone());
        let (Some(unit), Some(first)) = (unit(late), unit(first)) else { return };
        let stops = early == Early::Stop;
        let lacks = match lack {
            Lack::Port(port) => format!("port {port}"),
            Lack::Memory(place) => place.to_owned(),
        };
        self.order.reorders.push(Reorder { unit, first, stops, lacks });
    }
}
