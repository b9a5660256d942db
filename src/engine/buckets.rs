//! Where a name stands in a list, found by a hash: a large stack asks for millions of options.

/// How many buckets there are; a build has a thousand spellings.
const COUNT: u16 = 2048;

/// The places of names in a list, by the hash of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets {
    /// Where each bucket begins in `places`, and where the last one ends.
    starts: Vec<u16>,
    /// The places, those of one bucket together and in order.
    places: Vec<u16>,
}

impl Buckets {
    /// The buckets of a list; what stands behind the first 65 535 names is not found.
    pub(super) fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut hashed: Vec<(u16, u16)> =
            names.zip(0..u16::MAX).map(|(name, at)| (bucket(name), at)).collect();
        hashed.sort_unstable();
        let start = |n| u16::try_from(hashed.partition_point(|(bucket, _)| *bucket < n)).unwrap_or(u16::MAX);
        let starts = (0..=COUNT).map(start).collect();
        Self { starts, places: hashed.into_iter().map(|(_, at)| at).collect() }
    }

    /// The places where a name may stand, in order.
    pub(super) fn of(&self, name: &str) -> &[u16] {
        let bucket = usize::from(bucket(name));
        let Some([start, end]) = self.starts.get(bucket..bucket + 2) else { return &[] };
        self.places.get(usize::from(*start)..usize::from(*end)).unwrap_or_default()
    }
}

/// FNV-1a, folded.
fn bucket(name: &str) -> u16 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = hash.to_le_bytes();
    u16::from_le_bytes([a ^ c, b ^ d]) % COUNT
}
