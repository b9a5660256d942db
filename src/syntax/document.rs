//! What both languages parse to: named nodes with scalars and children, and no meaning.
//!
//! The same registry gives the same nodes in either language, but for one thing: KDL writes `role "a" { .. }` at the top
//! and YAML `roles: {a: {..}}`. Which words are kinds is meaning, so each keeps its own form here and
//! `hir/lower` reads both.

use crate::source::{FileId, Span};
use std::borrow::Cow;

/// A parsed file without meaning: nodes, values and where each was written; the same for YAML and KDL.
#[derive(Clone, PartialEq, Debug)]
pub struct Document<'a> {
    /// The file it was read from.
    pub file: FileId,
    /// The language it was written in.
    pub language: Language,
    /// The nodes at the top, in order of the text. What could not be read is left out, and was said.
    pub nodes: Vec<Node<'a>>,
}

/// The language of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// YAML 1.2.
    Yaml,
    /// KDL 2.0.
    Kdl,
}

/// A key with what it was given: scalars, and children by name.
///
/// | KDL | YAML | args | fields |
/// |---|---|---|---|
/// | `port 8080`, or the property `port=8080` | `port: 8080` | `[8080]` | |
/// | `forbid "a" "b" why="x"` | | `["a", "b"]` | `why` |
/// | | `what: [a, b]` | `["a", "b"]` | |
/// | `draft "d" max=24` | | `["d"]` | `max` |
/// | | `draft: {model: d, max: 24}` | | `model`, `max` |
/// | `lookup` | | | |
/// | `numa 0 cpus="0"` twice | `numa: [{node: 0, cpus: "0"}, {..}]` | two nodes `numa` | |
///
/// A YAML list whose members are not all scalars gives a node a member, and these share one `key_span`; two YAML keys of the same
/// name are two nodes with two places.
#[derive(Clone, PartialEq, Debug)]
pub struct Node<'a> {
    /// The name of the node.
    pub key: Cow<'a, str>,
    /// Where the name stands, quotes included.
    pub key_span: Span,
    /// The scalars it was given, in order.
    pub args: Vec<Scalar<'a>>,
    /// KDL: properties, then children; YAML: the entries of its mapping. In order of the text, repeated keys included.
    pub fields: Vec<Node<'a>>,
    /// The braces, brackets or lines of a block that was written, even an empty one: KDL `{ .. }`, a YAML mapping,
    /// the brackets of a YAML list that is empty.
    pub block: Option<Span>,
    /// The node from the start of its name to the end of its last part.
    pub span: Span,
}

/// A value and where it stands, quotes included.
#[derive(Clone, PartialEq, Debug)]
pub struct Scalar<'a> {
    /// The value.
    pub value: Value<'a>,
    /// Where it stands.
    pub span: Span,
}

/// What was written, by its spelling alone: quoted text is always a string, a bare word may be one.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// KDL `#null`; YAML `null`, `~` or nothing.
    Null,
    /// KDL `#true`; YAML 1.2 `true`, `True` or `TRUE`.
    Bool(bool),
    /// A whole number in any base that the language has, up to 127 bits; larger ones are a [`Value::Float`].
    Integer(i128),
    /// A number with a point or an exponent, or `#inf`, `#nan`, `.inf`, `.nan`.
    Float(f64),
    /// Text, with escapes resolved.
    String(Cow<'a, str>),
}

impl Value<'_> {
    /// What the value is, for messages: "a number", "a string".
    pub fn noun(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number with a fraction",
            Value::String(_) => "a string",
        }
    }
}
