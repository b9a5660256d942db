//! The source files of a run: their names, texts and lines.

use super::{FileId, Span};

/// All source files of a run, by id. The only owner of their text.
#[derive(Clone, Default, Debug)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

/// A source file: its displayed name, its text, and the starts of its lines.
#[derive(Clone, Debug)]
pub struct SourceFile {
    name: String,
    text: String,
    line_starts: Vec<u32>,
}

/// A place as editors count it.
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
    /// Adds a file and returns its id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let (name, text) = (name.into(), text.into());
        let starts = text.match_indices('\n').map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX));
        let line_starts = std::iter::once(0).chain(starts).collect();
        self.files.push(SourceFile { name, text, line_starts });
        id
    }

    /// The file with this id. `None` for an id of another map.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files with their ids, in the order of loading.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0..).map(FileId).zip(&self.files)
    }

    /// A copy with every byte of these places replaced by `*`, except line ends. All other places keep their offsets.
    #[must_use]
    pub fn redacted(&self, places: &[Span]) -> Self {
        let mut redacted = Self::default();
        for (id, file) in self.files() {
            let mut text = file.text.clone();
            for range in places.iter().filter(|place| place.file == id).map(|place| place.range()) {
                let star = |byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { '*' };
                if let Some(secret) = text.get(range.clone()) {
                    let stars: String = secret.bytes().map(star).collect();
                    text.replace_range(range, &stars);
                }
            }
            redacted.add(file.name.clone(), text);
        }
        redacted
    }

    /// The text of a place. Empty if the place is not in this map.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file).and_then(|file| file.text.get(span.range())).unwrap_or_default()
    }
}

impl SourceFile {
    /// The displayed name: the path as the user gave it, with `/` between folders.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True if the file is the lock.
    pub fn is_lock(&self) -> bool {
        self.name.rsplit('/').next() == Some(super::LOCK)
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The byte offset of the start of each line.
    pub fn line_starts(&self) -> &[u32] {
        &self.line_starts
    }

    /// The line, column and byte of an offset. An offset beyond the end counts as the end.
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
