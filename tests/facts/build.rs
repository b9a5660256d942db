//! A builder of GGUF headers, also of invalid ones.

/// A header under construction. The file has zeros for the tensors after it.
#[derive(Clone)]
pub(crate) struct Gguf {
    pub(crate) version: u32,
    big: bool,
    pairs: Vec<Vec<u8>>,
    infos: Vec<Vec<u8>>,
    body: u64,
    /// Other numbers of tensors and of metadata keys than the actual ones, to write an invalid header.
    pub(crate) counts: Option<(u64, u64)>,
}

impl Gguf {
    pub(crate) fn new(architecture: &str) -> Self {
        let empty = Self { version: 3, big: false, pairs: vec![], infos: vec![], body: 0, counts: None };
        empty.text("general.architecture", architecture)
    }

    /// A big-endian header.
    pub(crate) fn big(architecture: &str) -> Self {
        let empty = Self { version: 3, big: true, pairs: vec![], infos: vec![], body: 0, counts: None };
        empty.text("general.architecture", architecture)
    }

    fn n32(&self, n: u32) -> Vec<u8> {
        if self.big { n.to_be_bytes().to_vec() } else { n.to_le_bytes().to_vec() }
    }

    fn n64(&self, n: u64) -> Vec<u8> {
        if self.big { n.to_be_bytes().to_vec() } else { n.to_le_bytes().to_vec() }
    }

    fn string(&self, text: &[u8]) -> Vec<u8> {
        [self.n64(text.len() as u64), text.to_vec()].concat()
    }

    /// Adds a metadata key with a type and raw bytes.
    pub(crate) fn raw(mut self, key: &str, kind: u32, value: &[u8]) -> Self {
        self.pairs.push([self.string(key.as_bytes()), self.n32(kind), value.to_vec()].concat());
        self
    }

    pub(crate) fn text(self, key: &str, text: &str) -> Self {
        let value = self.string(text.as_bytes());
        self.raw(key, 8, &value)
    }

    pub(crate) fn u32(self, key: &str, n: u32) -> Self {
        let value = self.n32(n);
        self.raw(key, 4, &value)
    }

    pub(crate) fn u16(self, key: &str, n: u16) -> Self {
        let value = if self.big { n.to_be_bytes() } else { n.to_le_bytes() };
        self.raw(key, 2, &value)
    }

    /// Adds a boolean: 0 or 1.
    pub(crate) fn flag(self, key: &str, flag: u8) -> Self {
        self.raw(key, 7, &[flag])
    }

    pub(crate) fn texts(self, key: &str, texts: &[&str]) -> Self {
        let members: Vec<u8> = texts.iter().flat_map(|text| self.string(text.as_bytes())).collect();
        let value = [self.n32(8), self.n64(texts.len() as u64), members].concat();
        self.raw(key, 9, &value)
    }

    pub(crate) fn u32s(self, key: &str, numbers: &[u32]) -> Self {
        let members: Vec<u8> = numbers.iter().flat_map(|n| self.n32(*n)).collect();
        let value = [self.n32(4), self.n64(numbers.len() as u64), members].concat();
        self.raw(key, 9, &value)
    }

    /// Adds an f32 tensor at the correct offset.
    pub(crate) fn tensor(self, name: &str, shape: &[u64]) -> Self {
        let at = self.body;
        let bytes = shape.iter().product::<u64>() * 4;
        let mut next = self.info(name, shape, 0, at);
        next.body = at + bytes.next_multiple_of(32);
        next
    }

    /// Adds a tensor of any type at any offset, without data.
    pub(crate) fn info(mut self, name: &str, shape: &[u64], kind: u32, offset: u64) -> Self {
        let shape_bytes: Vec<u8> = shape.iter().flat_map(|n| self.n64(*n)).collect();
        let dimensions = self.n32(u32::try_from(shape.len()).unwrap());
        let info = [self.string(name.as_bytes()), dimensions, shape_bytes, self.n32(kind), self.n64(offset)]
            .concat();
        self.infos.push(info);
        self
    }

    /// The bytes of the file: header, padding, and zeros for the tensors.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (tensors, pairs) = self.counts.unwrap_or((self.infos.len() as u64, self.pairs.len() as u64));
        let start = [b"GGUF".to_vec(), self.n32(self.version), self.n64(tensors), self.n64(pairs)].concat();
        let mut all = [start, self.pairs.concat(), self.infos.concat()].concat();
        all.resize(all.len().next_multiple_of(32), 0);
        all.resize(all.len() + usize::try_from(self.body).unwrap(), 0);
        all
    }
}
