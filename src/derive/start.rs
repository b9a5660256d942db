//! The time limits of starts.

use super::files::{LoadTime, ModelFile};
use super::role::ServedRole;
use crate::engine::memory::Owner;
use crate::hir::{Bytes, Host, Id, Registry, Seconds, Start, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

const NO_SPEED: &str = "the store declares no `speed` to estimate the load time";
const NO_SIZE: &str = "the size of a model file is unknown: run `orchgen lock` where the files are";
const RANDOM: &str = "roles on several NUMA nodes read files of the store in random order, and `speed` is for reading in sequence";

/// Seconds of a start in addition to reading the files.
const OVERHEAD: u64 = 60;

/// The files that the roles of a host read from a store at boot.
#[derive(Default)]
struct BootReads {
    files: BTreeMap<Arc<str>, Option<Bytes>>,
    /// True if a role reads a file in random order.
    is_random: bool,
}

type AllBootReads = BTreeMap<(Id<Host>, Id<Store>), BootReads>;

/// Sets the limit of the load time of each role.
pub(super) fn measure(registry: &Registry, roles: &mut [ServedRole]) {
    let mut boot = AllBootReads::new();
    for role in &*roles {
        let starts_at_boot =
            registry.residencies.get(role.serving.residency.value).start.value == Start::Boot;
        for (owner, file) in role.files.iter().filter(|_| starts_at_boot) {
            let Some(store) = file.store else { continue };
            let reads = boot.entry((role.serving.host.value, store)).or_default();
            reads.files.insert(file.path.clone(), size(owner, file));
            reads.is_random |= role.reads_at_random();
        }
    }
    let limits: Vec<LoadTime> = roles.iter().map(|role| limit(registry, &boot, role)).collect();
    roles.iter_mut().zip(limits).for_each(|(role, limit)| role.load_time = limit);
}

/// The time until the files of a role are read, if all roles that start at boot read files of the same stores at
/// the same time.
fn limit(registry: &Registry, boot: &AllBootReads, role: &ServedRole) -> LoadTime {
    let mut stores: BTreeMap<Id<Store>, Vec<(Owner, &ModelFile)>> = BTreeMap::new();
    for (owner, file) in role.files.iter() {
        stores.entry(file.store.ok_or(NO_SPEED)?).or_default().push((owner, file));
    }
    let mut seconds = OVERHEAD;
    for (store, files) in stores {
        let speed = registry.stores.get(store).speed_on(role.serving.host.value).ok_or(NO_SPEED)?;
        let reads = boot.get(&(role.serving.host.value, store));
        if role.reads_at_random() || reads.is_some_and(|reads| reads.is_random) {
            return Err(RANDOM);
        }
        let is_shared = |file: &ModelFile| reads.is_some_and(|reads| reads.files.contains_key(&file.path));
        let own =
            files.into_iter().filter(|(_, file)| !is_shared(file)).map(|(owner, file)| size(owner, file));
        let shared = reads.into_iter().flat_map(|reads| reads.files.values().copied());
        let all: Option<Vec<Bytes>> = own.chain(shared).collect();
        let sum = all.ok_or(NO_SIZE)?.into_iter().fold(Bytes(0), Bytes::plus);
        seconds += sum.0.div_ceil(speed.0.max(1));
    }
    Ok(Seconds(seconds))
}

impl ServedRole {
    /// The seconds to read its files from their stores. `None` if a size or a speed is unknown.
    pub fn read_seconds(&self, registry: &Registry) -> Option<u64> {
        self.read_time(registry, 1)
    }

    /// The milliseconds to read its files from their stores. `None` if a size or a speed is unknown.
    pub fn read_millis(&self, registry: &Registry) -> Option<u64> {
        self.read_time(registry, 1000)
    }

    /// The path of each file, with the milliseconds to read it in sequence. `None` if the size or the speed is unknown, or if
    /// the role reads in random order.
    pub fn sequential_reads<'r>(
        &'r self,
        registry: &'r Registry,
    ) -> impl Iterator<Item = (&'r str, Option<u64>)> {
        let is_random = self.reads_at_random();
        let host = self.serving.host.value;
        let time = move |owner, file| read_time((registry, host), owner, file, 1000).filter(|_| !is_random);
        self.files.iter().map(move |(owner, file)| (&*file.path, time(owner, file)))
    }

    /// The time to read its files, in parts of a second.
    fn read_time(&self, registry: &Registry, parts: u64) -> Option<u64> {
        self.files.iter().try_fold(0_u64, |sum, (owner, file)| {
            Some(sum.saturating_add(read_time((registry, self.serving.host.value), owner, file, parts)?))
        })
    }
}

/// The time to read a file on a host, in parts of a second.
fn read_time(
    (registry, host): (&Registry, Id<Host>),
    owner: Owner,
    file: &ModelFile,
    parts: u64,
) -> Option<u64> {
    let speed = registry.stores.get(file.store?).speed_on(host)?;
    let bytes = size(owner, file)?.0.saturating_mul(parts);
    Some(bytes.div_ceil(speed.0.max(1)))
}

/// The size of a file. A projector of unknown size counts nothing.
fn size(owner: Owner, file: &ModelFile) -> Option<Bytes> {
    file.bytes.or((owner == Owner::Projector).then_some(Bytes(0)))
}
