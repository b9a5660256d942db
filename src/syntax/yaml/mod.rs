//! Parses YAML: tokens from the parser library, nodes from tokens. After a syntax error, parsing continues at the next
//! section.
//!
//! | file | content |
//! |---|---|
//! | `events` | adapter of the parser library `granit_parser` |
//! | `build`, `value`, `insert` | converts mappings, lists and scalars to nodes |
//! | `anchors` | aliases and merge keys, and the limit of copied nodes |
//! | `scalar` | types of bare words, and exact spans of values |
//! | `lines` | finds lines, words and the start of sections |
//! | `diagnose`, `error_kind`, `exact_help` | finds the cause of a syntax error; kinds of errors and their texts |
//! | `tree`, `tree_build`, `tree_lines` | a tree without a schema, for `import` |
//! | `pieces` | all parts of a text with their places, for the formatter |

mod anchors;
mod build;
mod diagnose;
mod error_kind;
mod events;
mod exact_help;
mod insert;
mod lines;
mod pieces;
mod scalar;
mod tree;
mod tree_build;
mod tree_lines;
mod value;

pub(super) use pieces::{Piece, PieceKind, pieces, same_content};
pub(super) use scalar::resolve;
pub use tree::{Tree, TreeEntry, TreeFile, TreeKind, TreeProblem, TreeScalar, tree};

use super::codes::{NESTING_TOO_DEEP, SEVERAL_DOCUMENTS, TYPE_ANNOTATION, YAML_SYNTAX};
use super::{Document, Language};
use crate::diag::{Code, Diagnostics};
use crate::source::{FileId, Span};
use build::NodeBuilder;
use diagnose::Diagnosis;
use error_kind::SyntaxErrorKind;
use events::{ParseError, Token, TokenKind, Tokens};

/// The maximum number of syntax errors per file. Parsing stops at this number.
const MAX_ERRORS: usize = 100;

/// Parses a text. Reports syntax errors and omits the parts that have them.
///
/// A section is a top-level key with its value. After a syntax error, parsing continues at the next section. The items
/// of the current section that end before the error are kept.
pub fn parse<'a>(file: FileId, text: &'a str, findings: &mut Diagnostics) -> Document<'a> {
    let mut parser = YamlParser {
        file,
        text,
        builder: NodeBuilder::new(file, text, findings),
        first: None,
        end_marker: None,
        resumed: false,
        errors: 0,
        conflict_reported: false,
    };
    let mut from = Some(0);
    while let Some(start) = from {
        from = parser.parse_segment(start);
    }
    Document { file, language: Language::Yaml, nodes: parser.builder.finish() }
}

struct YamlParser<'a, 'd> {
    file: FileId,
    text: &'a str,
    builder: NodeBuilder<'a, 'd>,
    /// The start of the document: its `---` marker or its first token.
    first: Option<Span>,
    /// The `...` marker at the end of the document.
    end_marker: Option<Span>,
    /// True at the start of a segment after a syntax error. The next document start then belongs to the same document.
    resumed: bool,
    errors: usize,
    /// True if a merge conflict was reported.
    conflict_reported: bool,
}

impl<'a> YamlParser<'a, '_> {
    /// Parses from `start` to the end or to a syntax error. Returns the position where parsing continues after an
    /// error.
    fn parse_segment(&mut self, start: usize) -> Option<usize> {
        self.resumed = start > 0;
        let mut tokens = Tokens::new(self.file, self.text, start);
        while let Some(token) = tokens.next() {
            let may_continue = match token {
                Ok(token) => self.process(token),
                Err(error) => return self.recover(&error, start),
            };
            if !may_continue {
                return None;
            }
        }
        None
    }

    /// Processes a token. False if parsing must stop.
    fn process(&mut self, token: Token<'a>) -> bool {
        match token.kind {
            TokenKind::DocumentStart { has_marker } => {
                let continues = std::mem::take(&mut self.resumed) && !has_marker && self.end_marker.is_none();
                match self.first {
                    Some(first) if !continues => {
                        self.report_second_document(first, token.span);
                        return false;
                    }
                    Some(_) => {}
                    None => self.first = Some(token.span),
                }
            }
            TokenKind::DocumentEnd => {
                self.end_marker = Some(token.span).filter(|span| span.end > span.start);
                self.builder.end_document();
            }
            TokenKind::Scalar { .. }
            | TokenKind::Alias
            | TokenKind::ListStart { .. }
            | TokenKind::MapStart { .. } => {
                self.first =
                    self.first.map(|first| if first.start == first.end { token.span } else { first });
                self.builder.process(token);
            }
            TokenKind::ListEnd | TokenKind::MapEnd => self.builder.process(token),
        }
        true
    }

    fn report_second_document(&mut self, first: Span, second: Span) {
        let marker = self.end_marker.filter(|_| second.start == second.end).unwrap_or(second);
        let finding = SEVERAL_DOCUMENTS
            .at(marker, "a second document begins here", "the file has more than one YAML document")
            .also(first, "the first document begins here")
            .help("merge the documents, or move the second one into a separate file");
        self.builder.findings.report(finding);
    }

    fn recover(&mut self, error: &ParseError, start: usize) -> Option<usize> {
        let context = self.builder.error_context(start);
        let diagnosis = diagnose::diagnose(self.text, error, &context);
        let margin = diagnosis.margin;
        let resume = lines::next_section(self.text, diagnosis.resume_after, margin)
            .filter(|next| *next > start && !context.flow_root);
        self.builder.recover(resume.unwrap_or(self.text.len()));
        let continues = self.report(&diagnosis);
        resume.filter(|_| continues)
    }

    /// Reports a syntax error, unless the same error was reported already. False at [`MAX_ERRORS`].
    fn report(&mut self, diagnosis: &Diagnosis) -> bool {
        self.errors += 1;
        let is_duplicate = (diagnosis.kind == SyntaxErrorKind::MergeConflict
            && std::mem::replace(&mut self.conflict_reported, true))
            || (diagnosis.kind == SyntaxErrorKind::TooDeep
                && std::mem::replace(&mut self.builder.depth_reported, true));
        if is_duplicate && self.errors < MAX_ERRORS {
            return true;
        }
        let Diagnosis { kind, range, .. } = diagnosis;
        let found = self.text.get(range.clone()).unwrap_or_default();
        let span = Span::new(self.file, range.start, range.end);
        let help = exact_help::exact_help(self.text, *kind, range).or_else(|| kind.help().map(str::to_owned));
        let mut finding = code(*kind).at(span, kind.label(), kind.headline(found)).maybe_help(help);
        if self.errors == MAX_ERRORS {
            finding =
                finding.note(format!("after {MAX_ERRORS} syntax errors the rest of the file was not read"));
        }
        self.builder.findings.report(finding);
        self.errors < MAX_ERRORS
    }
}

fn code(kind: SyntaxErrorKind) -> &'static Code {
    if kind == SyntaxErrorKind::TooDeep {
        &NESTING_TOO_DEEP
    } else if kind == SyntaxErrorKind::BadTag {
        &TYPE_ANNOTATION
    } else {
        &YAML_SYNTAX
    }
}
