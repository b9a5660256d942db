//! The syntax tree of both languages: named nodes with scalars and children, not yet interpreted.
//!
//! The same registry gives the same nodes in both languages, with one exception: at the top level, KDL writes
//! `role "a" { .. }` and YAML writes `roles: {a: {..}}`. The parsers do not know the kinds of items, so the tree keeps
//! both forms, and `hir/lower` reads both.

use crate::source::{FileId, Span};
use std::borrow::Cow;

/// A parsed file, not yet interpreted: nodes and values with their spans. The type is the same for YAML and KDL.
#[derive(Clone, PartialEq, Debug)]
pub struct Document<'a> {
    /// The source file.
    pub file: FileId,
    /// The language of the file.
    pub language: Language,
    /// The top-level nodes, in source order. Parts with syntax errors are missing; the parser reported them.
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

/// A key with its values: scalars (`args`) and named children (`fields`).
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
/// A YAML list with a member that is not a scalar gives one node per member; these nodes share one `key_span`. Two YAML
/// keys of the same name are two nodes with different key spans.
#[derive(Clone, PartialEq, Debug)]
pub struct Node<'a> {
    /// The name of the node.
    pub key: Cow<'a, str>,
    /// The span of the name, including quotes.
    pub key_span: Span,
    /// The scalar values, in order.
    pub args: Vec<Scalar<'a>>,
    /// KDL: properties, then children. YAML: the entries of the mapping. In source order, including repeated keys.
    pub fields: Vec<Node<'a>>,
    /// The span of the block, even if it is empty: KDL `{ .. }`, a YAML mapping (its braces or lines), or the brackets
    /// of an empty YAML list.
    pub block: Option<Span>,
    /// From the start of the name to the end of the last part of the node.
    pub span: Span,
}

/// A value with its span, including quotes.
#[derive(Clone, PartialEq, Debug)]
pub struct Scalar<'a> {
    /// The value.
    pub value: Value<'a>,
    /// Its span.
    pub span: Span,
}

/// A value, typed by its spelling only: quoted text is always a string; a bare word may be a string.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// KDL `#null`; YAML `null`, `~` or nothing.
    Null,
    /// KDL `#true`; YAML 1.2 `true`, `True` or `TRUE`.
    Bool(bool),
    /// An integer of up to 127 bits, in any base that the language has. Larger numbers are a [`Value::Float`].
    Integer(i128),
    /// A number with a decimal point or an exponent, or `#inf`, `#nan`, `.inf`, `.nan`.
    Float(f64),
    /// A string, with escapes resolved.
    String(Cow<'a, str>),
}

impl Value<'_> {
    /// The type of the value, for messages, such as "a string".
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

/// True if the nodes are the same, apart from their places.
pub(super) fn same_nodes(one: &[Node], other: &[Node]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_node(one, other))
}

/// Compares two nodes without their places.
pub(super) fn same_node(one: &Node, other: &Node) -> bool {
    one.key == other.key
        && one.block.is_some() == other.block.is_some()
        && one.args.len() == other.args.len()
        && one.args.iter().zip(&other.args).all(|(one, other)| same_value(&one.value, &other.value))
        && same_nodes(&one.fields, &other.fields)
}

/// Compares bit by bit: `#nan` is the same as `#nan`.
fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}
