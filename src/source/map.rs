//! The files of a run: their names, texts and lines.

use super::{FileId, Span};
use std::sync::OnceLock;

/// Every file of this run, by id; the only owner of text.
#[derive(Clone, Default, Debug)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

/// One file: the name it is shown by, its text, and where its lines start.
#[derive(Clone, Debug)]
pub struct SourceFile {
    name: String,
    text: String,
    line_starts: OnceLock<Vec<u32>>,
}

/// A place as people and editors count it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The byte in the file, from 0.
    pub byte: u32,
}

impl SourceMap {
    /// Takes a file in and gives it the next id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile { name: name.into(), text: text.into(), line_starts: OnceLock::new() });
        id
    }

    /// The file of that id; none for an id of another map.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files with their ids, in the order of loading.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0..).map(FileId).zip(&self.files)
    }

    /// The same files, with every byte of these places replaced by `*`, so that all other places stay where they are.
    #[must_use]
    pub fn without(&self, places: &[Span]) -> Self {
        let mut concealed = Self::default();
        for (id, file) in self.files() {
            let mut text = file.text.clone();
            for range in places.iter().filter(|place| place.file == id).map(|place| place.range()) {
                let stars = text.get(range.clone()).map(|secret| {
                    let star = |byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { '*' };
                    secret.bytes().map(star).collect::<String>()
                });
                if let Some(stars) = stars {
                    text.replace_range(range, &stars);
                }
            }
            concealed.add(file.name.clone(), text);
        }
        concealed
    }

    /// The text of a place; empty where the place is not in this map.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file).and_then(|file| file.text.get(span.range())).unwrap_or_default()
    }
}

impl SourceFile {
    /// The name that people see: the path as they gave it, with `/` between folders.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the lock, and no part of the registry itself.
    pub fn is_lock(&self) -> bool {
        self.name.rsplit('/').next() == Some(super::LOCK)
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Byte offsets of the first byte of each line; computed on first use, since most runs have no findings.
    pub fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let ends = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX))).collect()
        })
    }

    /// Line, column and byte of an offset; an offset beyond the end is read as the end.
    pub fn position(&self, byte: u32) -> Position {
        let byte = byte.min(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let starts = self.line_starts();
        let line = starts.partition_point(|start| *start <= byte).max(1);
        let start = starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start as usize..byte as usize).unwrap_or_default();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position { line: count(line), column: count(before.chars().count() + 1), byte }
    }
}
