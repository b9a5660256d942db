//! A YAML document as a tree of texts, without a schema: the form that `import` reads.
//!
//! Aliases and merge keys are resolved. Scalars stay texts, so each format decides on their types. Only the first document is read.

use super::tree_build;

/// A value with its lines.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The value.
    pub kind: TreeKind,
    /// The first line, counted from 1.
    pub line: u32,
    /// The last line. Lines of merged entries and of aliased values do not count.
    pub last_line: u32,
    /// The tag, such as `!reset`.
    pub tag: Option<Box<str>>,
    /// True if an anchor names the value, so another value may copy it.
    pub is_anchored: bool,
}

/// The kinds of values.
#[derive(Clone, Debug)]
pub enum TreeKind {
    /// A scalar.
    Scalar(TreeScalar),
    /// A list.
    List(Vec<Tree>),
    /// A mapping, in the order of the file. Merged entries are last.
    Map(Vec<TreeEntry>),
}

/// A scalar with its escapes resolved.
#[derive(Clone, Debug, Default)]
pub struct TreeScalar {
    /// The text. Empty if the value is missing.
    pub text: String,
    /// True if the scalar has no quotes and is no block: it may be a number, a boolean or null.
    pub is_plain: bool,
    /// The byte offsets in the text at which a line of the source begins, with the lines. Empty if the scalar has one line.
    pub lines: Vec<(usize, u32)>,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct TreeEntry {
    /// The key.
    pub key: String,
    /// The line of the key.
    pub line: u32,
    /// The value.
    pub value: Tree,
}

/// A part of a file that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeProblem {
    /// The line.
    pub line: u32,
    /// A sentence without a full stop.
    pub message: String,
}

/// The tree of a file.
#[derive(Clone, Debug, Default)]
pub struct TreeFile {
    /// The value of the first document. `None` if the file has no value, or if it is not valid YAML.
    pub root: Option<Tree>,
    /// The parts that cannot be read.
    pub problems: Vec<TreeProblem>,
}

impl Default for TreeKind {
    fn default() -> Self {
        Self::Scalar(TreeScalar::default())
    }
}

impl Tree {
    /// The entries of a mapping. Empty for other values.
    pub fn entries(&self) -> &[TreeEntry] {
        if let TreeKind::Map(entries) = &self.kind { entries } else { &[] }
    }

    /// The members of a list. Empty for other values.
    pub fn items(&self) -> &[Tree] {
        if let TreeKind::List(items) = &self.kind { items } else { &[] }
    }

    /// The scalar, if the value is one.
    pub fn scalar(&self) -> Option<&TreeScalar> {
        if let TreeKind::Scalar(scalar) = &self.kind { Some(scalar) } else { None }
    }

    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&TreeEntry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// True if the value is missing or null.
    pub fn is_null(&self) -> bool {
        let is_null = |text: &str| matches!(text, "" | "~" | "null" | "Null" | "NULL");
        self.scalar().is_some_and(|scalar| scalar.is_plain && is_null(&scalar.text))
    }

    /// The number of values. The recursion is safe: trees are never deeper than `tree_build::MAX_DEPTH`.
    pub(super) fn size(&self) -> usize {
        match &self.kind {
            TreeKind::Scalar(scalar) => 1 + scalar.text.len() / 64 + scalar.lines.len() / 4,
            TreeKind::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            TreeKind::Map(entries) => {
                let size = |entry: &TreeEntry| entry.value.size() + entry.key.len() / 64;
                1 + entries.iter().map(size).sum::<usize>()
            }
        }
    }

    /// The nesting depth.
    pub(super) fn depth(&self) -> usize {
        let inner = match &self.kind {
            TreeKind::Scalar(_) => return 0,
            TreeKind::List(items) => items.iter().map(Self::depth).max(),
            TreeKind::Map(entries) => entries.iter().map(|entry| entry.value.depth()).max(),
        };
        1 + inner.unwrap_or(0)
    }
}

/// Reads the first document of a text.
pub fn tree(text: &str) -> TreeFile {
    tree_build::read(text)
}
