//! The commands of a script.

use super::words::RawWord;
use crate::import::source::At;
use std::rc::Rc;

/// A pipeline with the operator in front of it.
#[derive(Debug)]
pub(super) struct Item {
    /// The operator that connects it to the pipeline in front of it.
    pub(super) connector: Connector,
    /// The commands that pipes connect.
    pub(super) commands: Vec<Command>,
    /// True if `&` follows.
    pub(super) is_background: bool,
}

/// An operator between pipelines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Connector {
    /// `;`, `&` or the end of a line.
    Always,
    /// `&&`.
    And,
    /// `||`.
    Or,
}

/// A command.
#[derive(Debug)]
pub(super) struct Command {
    /// Its kind.
    pub(super) body: Body,
    /// The redirections.
    pub(super) redirects: Vec<Redirect>,
    /// Its start as written, on one line.
    pub(super) head: String,
    /// The first line.
    pub(super) at: At,
    /// The last line.
    pub(super) last_line: u32,
}

/// The kind of a command.
#[derive(Debug)]
pub(super) enum Body {
    /// Words.
    Simple(Simple),
    /// `{ …; }`.
    Group(Vec<Item>),
    /// `( … )`.
    Subshell(Vec<Item>),
    /// `for NAME in WORDS`; without words, those of the caller.
    For { name: String, words: Option<Vec<RawWord>>, items: Vec<Item> },
    /// `if`, `case`, `while` and others: the commands of the condition, and those that may run.
    Branches { conditions: Vec<Item>, branches: Vec<Vec<Item>> },
    /// The definition of a function.
    Function(String, Rc<Command>),
    /// `[[ … ]]` and `(( … ))`, with the text.
    Test(String),
}

/// A command of words.
#[derive(Debug, Default)]
pub(super) struct Simple {
    /// The assignments in front of the words, or those of `export` and similar commands.
    pub(super) assignments: Vec<Assignment>,
    /// The words.
    pub(super) words: Vec<RawWord>,
}

/// An assignment.
#[derive(Debug)]
pub(super) struct Assignment {
    /// The name.
    pub(super) name: String,
    /// True for `X+=`.
    pub(super) is_append: bool,
    /// True for `X[1]=`.
    pub(super) has_index: bool,
    /// The value.
    pub(super) value: AssignedValue,
}

/// The value of an assignment.
#[derive(Debug)]
pub(super) enum AssignedValue {
    /// A text.
    Word(RawWord),
    /// The elements of an array.
    List(Vec<RawWord>),
}

/// A redirection.
#[derive(Debug)]
pub(super) struct Redirect {
    /// The operator with its number, such as `2>`.
    pub(super) operator: String,
    /// The file, the number, or the delimiter of a here-document.
    pub(super) target: RawWord,
}

/// The commands that declare variables.
pub(super) const DECLARATIONS: &[&str] = &["export", "declare", "typeset", "local", "readonly"];
