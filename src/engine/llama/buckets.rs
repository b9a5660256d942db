//! A hash index of the names in a list. It exists for speed: a large stack looks up millions of options.

/// The number of buckets. A build has about a thousand spellings.
const COUNT: u16 = 2048;

/// The positions of names in a list, by the hash of the name.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets {
    /// The start of each bucket in `positions`, and the end of the last bucket.
    starts: Vec<u16>,
    /// The positions, grouped by bucket, in order within a bucket.
    positions: Vec<u16>,
}

impl Buckets {
    /// Indexes a list. Names after the first 65 535 are not indexed.
    pub(super) fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut hashed: Vec<(u16, u16)> =
            names.zip(0..u16::MAX).map(|(name, at)| (bucket(name), at)).collect();
        hashed.sort_unstable();
        let start = |n| u16::try_from(hashed.partition_point(|(bucket, _)| *bucket < n)).unwrap_or(u16::MAX);
        let starts = (0..=COUNT).map(start).collect();
        Self { starts, positions: hashed.into_iter().map(|(_, at)| at).collect() }
    }

    /// The positions where a name may be, in order. Other names can have the same hash.
    pub(super) fn candidates(&self, name: &str) -> &[u16] {
        let bucket = usize::from(bucket(name));
        let Some([start, end]) = self.starts.get(bucket..bucket + 2) else { return &[] };
        self.positions.get(usize::from(*start)..usize::from(*end)).unwrap_or_default()
    }
}

/// The bucket of a name: its FNV-1a hash, folded to 16 bits.
fn bucket(name: &str) -> u16 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = hash.to_le_bytes();
    u16::from_le_bytes([a ^ c, b ^ d]) % COUNT
}
