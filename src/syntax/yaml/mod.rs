//! Reads YAML text: events from the parser, nodes from events, and past a fault on to the next section.
//!
//! | file | what it knows |
//! |---|---|
//! | `events` | the foreign parser, and nothing of the language |
//! | `build`, `frame`, `place` | what mappings, lists and scalars are as nodes |
//! | `anchors` | aliases and merge keys, and how much they may unfold |
//! | `scalar` | what a bare word means, and where a value exactly stands |
//! | `spell` | how a word is written |
//! | `lines` | where a section begins |
//! | `fault`, `slip` | what a syntax error is called, and what is to blame for it |

mod anchors;
mod build;
mod events;
mod fault;
mod frame;
mod lines;
mod place;
mod scalar;
mod slip;
pub(super) mod spell;

use super::codes::{NESTING_TOO_DEEP, SEVERAL_DOCUMENTS, TYPE_ANNOTATION, YAML_SYNTAX};
use super::{Document, Language};
use crate::diag::{Code, Diagnostics};
use crate::source::{FileId, Span};
use build::Builder;
use events::{Events, Fault, Token, What};
use fault::Verdict;
use slip::Slip;

/// After so many syntax errors a file is not read any further.
const MAX_FAULTS: usize = 100;

/// Reads a text; what is not well formed is said and left out.
///
/// After a syntax error reading goes on at the next key at the margin. Of the section with the error those items are kept
/// that were complete before it.
pub fn parse<'a>(file: FileId, text: &'a str, findings: &mut Diagnostics) -> Document<'a> {
    let mut reader = Reader {
        file,
        text,
        builder: Builder::new(file, text, findings),
        first: None,
        ended: None,
        resumed: false,
        faults: 0,
        conflict: false,
    };
    let mut from = Some(0);
    while let Some(start) = from {
        from = reader.stretch(start);
    }
    Document { file, language: Language::Yaml, nodes: reader.builder.finish() }
}

struct Reader<'a, 'd> {
    file: FileId,
    text: &'a str,
    builder: Builder<'a, 'd>,
    /// Where the document begins: its marker, or its first token.
    first: Option<Span>,
    /// The `...` that the document ended with.
    ended: Option<Span>,
    /// Whether a stretch after a fault has just begun, whose document is the one that the fault is in.
    resumed: bool,
    faults: usize,
    /// Whether the marks of a merge conflict were spoken of.
    conflict: bool,
}

impl<'a> Reader<'a, '_> {
    /// Reads from a place up to the end or to a fault; says where to go on after one.
    fn stretch(&mut self, start: usize) -> Option<usize> {
        self.resumed = start > 0;
        let mut events = Events::new(self.file, self.text, start);
        while let Some(event) = events.next() {
            let more = match event {
                Ok(token) => self.token(token),
                Err(fault) => return self.fault(&fault, start),
            };
            if !more {
                return None;
            }
        }
        None
    }

    /// Takes a token; false where reading ends.
    fn token(&mut self, token: Token<'a>) -> bool {
        match token.what {
            What::DocumentStart { marked } => {
                let goes_on = std::mem::take(&mut self.resumed) && !marked && self.ended.is_none();
                match self.first {
                    Some(first) if !goes_on => {
                        self.another_document(first, token.span);
                        return false;
                    }
                    Some(_) => {}
                    None => self.first = Some(token.span),
                }
            }
            What::DocumentEnd => {
                self.ended = Some(token.span).filter(|span| span.end > span.start);
                self.builder.end_document();
            }
            What::Scalar { .. } | What::Alias | What::ListStart { .. } | What::MapStart { .. } => {
                self.first =
                    self.first.map(|first| if first.start == first.end { token.span } else { first });
                self.builder.take(token);
            }
            What::ListEnd | What::MapEnd => self.builder.take(token),
        }
        true
    }

    fn another_document(&mut self, first: Span, second: Span) {
        let marker = self.ended.filter(|_| second.start == second.end).unwrap_or(second);
        let finding = SEVERAL_DOCUMENTS
            .at(marker, "a second document begins here", "the file has more than one YAML document")
            .also(first, "the first document begins here")
            .help("put everything into one document, or the second into a file of its own");
        self.builder.findings.report(finding);
    }

    fn fault(&mut self, fault: &Fault, start: usize) -> Option<usize> {
        let around = self.builder.around(start);
        let verdict = fault::judge(self.text, fault, &around);
        let margin = verdict.margin;
        let resume = lines::next_section(self.text, verdict.resume_after, margin)
            .filter(|next| *next > start && !around.flow_root);
        self.builder.abandon(resume.unwrap_or(self.text.len()));
        let goes_on = self.report(&verdict);
        resume.filter(|_| goes_on)
    }

    /// Says a fault unless it belongs to one that was said; false where there were too many.
    fn report(&mut self, verdict: &Verdict) -> bool {
        self.faults += 1;
        let silent = (verdict.slip == Slip::Conflict && std::mem::replace(&mut self.conflict, true))
            || (verdict.slip == Slip::TooDeep && std::mem::replace(&mut self.builder.deep_said, true));
        if silent && self.faults < MAX_FAULTS {
            return true;
        }
        let Verdict { slip, place, .. } = verdict;
        let found = self.text.get(place.clone()).unwrap_or_default();
        let span = Span::new(self.file, place.start, place.end);
        let mut finding = code(*slip).at(span, slip.label(), slip.headline(found)).maybe_help(slip.help());
        if self.faults == MAX_FAULTS {
            finding =
                finding.note(format!("after {MAX_FAULTS} syntax errors the rest of the file was not read"));
        }
        self.builder.findings.report(finding);
        self.faults < MAX_FAULTS
    }
}

fn code(slip: Slip) -> &'static Code {
    if slip == Slip::TooDeep {
        &NESTING_TOO_DEEP
    } else if slip == Slip::BadTag {
        &TYPE_ANNOTATION
    } else {
        &YAML_SYNTAX
    }
}
