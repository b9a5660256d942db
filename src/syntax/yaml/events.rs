//! The foreign parser as tokens with byte ranges of the whole text. The only file that knows it.

use super::slip::Slip;
use crate::source::{FileId, Span};
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StrInput, StructureStyle};
use std::borrow::Cow;

/// A piece of YAML and where it stands.
pub(super) struct Token<'a> {
    /// What it is.
    pub(super) what: What<'a>,
    /// Its bytes; of a block collection its start alone, of a block scalar its content alone.
    pub(super) span: Span,
    /// The anchor it was given, with its `&`.
    pub(super) anchor: Option<Span>,
    /// The tag it was given.
    pub(super) tag: Option<Span>,
}

/// The kinds of pieces.
pub(super) enum What<'a> {
    /// A document begins, with `---` or without.
    DocumentStart {
        /// Whether there is a `---`.
        marked: bool,
    },
    /// A document ends, with a `...` if the span is not empty.
    DocumentEnd,
    /// A scalar with its escapes resolved.
    Scalar {
        /// The text; of a value that is absent a `~` or nothing.
        text: Cow<'a, str>,
        /// How it was written.
        style: Style,
    },
    /// `*name`.
    Alias,
    /// A list begins.
    ListStart {
        /// Whether it is in brackets.
        flow: bool,
    },
    /// A list ends.
    ListEnd,
    /// A mapping begins.
    MapStart {
        /// Whether it is in braces.
        flow: bool,
    },
    /// A mapping ends.
    MapEnd,
}

/// How a scalar was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// A bare word.
    Plain,
    /// In quotes.
    Quoted,
    /// Lines after `|` or `>`.
    Block,
}

/// A syntax error: what is wrong and at which byte the parser saw it.
pub(super) struct Fault {
    /// What is wrong.
    pub(super) slip: Slip,
    /// The byte, on the boundary of a character.
    pub(super) at: usize,
}

/// The tokens of a text from some byte on.
pub(super) struct Events<'a> {
    file: FileId,
    text: &'a str,
    base: usize,
    parser: Parser<'a, StrInput<'a>>,
    held: Option<Result<(Event<'a>, granit_parser::Span), ScanError>>,
}

impl<'a> Events<'a> {
    /// The tokens from `base` on, which is the start of a line.
    pub(super) fn new(file: FileId, text: &'a str, base: usize) -> Self {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_unresolved_aliases: true,
            emit_anchor_events: true,
        };
        let rest = text.get(base..).unwrap_or_default();
        Self { file, text, base, parser: Parser::new_from_str_with_options(rest, options), held: None }
    }

    /// The next token, or the fault that ends them.
    pub(super) fn next(&mut self) -> Option<Result<Token<'a>, Fault>> {
        loop {
            let (event, place) = match self.held.take().or_else(|| self.parser.next_event())? {
                Ok(pair) => pair,
                Err(error) => return Some(Err(self.fault(&error))),
            };
            let anchored = event.anchor_id().is_some_and(|id| id != 0);
            if let Some(what) = what(event) {
                let anchor = if anchored { self.anchor() } else { None };
                let tag = place.tag_start.map(|start| self.tag(&place, start));
                return Some(Ok(Token { what, span: self.span(&place), anchor, tag }));
            }
        }
    }

    /// The anchor's own event comes right behind the node that it names.
    fn anchor(&mut self) -> Option<Span> {
        match self.parser.next_event()? {
            Ok((Event::Anchor(..), place)) => Some(self.span(&place)),
            other => {
                self.held = Some(other);
                None
            }
        }
    }

    fn tag(&self, place: &granit_parser::Span, start: granit_parser::Marker) -> Span {
        let whole = place.tag_span().map(|tag| self.span(&tag));
        whole.unwrap_or_else(|| {
            let start = self.offset(start);
            Span::new(self.file, start, start)
        })
    }

    fn span(&self, place: &granit_parser::Span) -> Span {
        Span::new(self.file, self.offset(place.start), self.offset(place.end))
    }

    fn offset(&self, marker: granit_parser::Marker) -> usize {
        let offset = self.base + marker.byte_offset().unwrap_or(0);
        self.text.floor_char_boundary(offset.min(self.text.len()))
    }

    fn fault(&self, error: &ScanError) -> Fault {
        Fault { slip: slip(error.kind()), at: self.offset(*error.marker()) }
    }
}

fn what(event: Event<'_>) -> Option<What<'_>> {
    Some(match event {
        Event::DocumentStart(marked, _) => What::DocumentStart { marked },
        Event::DocumentEnd => What::DocumentEnd,
        Event::Alias(_) | Event::UnresolvedAlias(_) => What::Alias,
        Event::Scalar(text, style, ..) => What::Scalar { text, style: written(style) },
        Event::SequenceStart(style, ..) => What::ListStart { flow: style == StructureStyle::Flow },
        Event::SequenceEnd => What::ListEnd,
        Event::MappingStart(style, ..) => What::MapStart { flow: style == StructureStyle::Flow },
        Event::MappingEnd => What::MapEnd,
        Event::StreamStart | Event::StreamEnd | Event::Anchor(..) | _ => return None,
    })
}

fn written(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}

/// What each of the parser's errors means to the person who wrote the text.
const SLIPS: &[(ErrorKind, Slip)] = &[
    (ErrorKind::UnexpectedEofFlowSequence, Slip::NoValue),
    (ErrorKind::UnexpectedEofFlowMapping, Slip::NoValue),
    (ErrorKind::UnexpectedEofImplicitFlowMapping, Slip::NoValue),
    (ErrorKind::DuplicateVersionDirective, Slip::Directive),
    (ErrorKind::UnsupportedYamlMajorVersion, Slip::Version),
    (ErrorKind::DuplicateTagDirective, Slip::Directive),
    (ErrorKind::ExpectedDocumentStart, Slip::Outside),
    (ErrorKind::InvalidDocumentEnd, Slip::AfterMarker),
    (ErrorKind::MissingDocumentEndBeforeDirective, Slip::Directive),
    (ErrorKind::ExpectedBlockMappingKey, Slip::NoKey),
    (ErrorKind::ExpectedFlowMappingSeparator, Slip::InBraces),
    (ErrorKind::ExpectedFlowSequenceSeparator, Slip::InBrackets),
    (ErrorKind::InvalidColonPlacement, Slip::InBrackets),
    (ErrorKind::ExpectedBlockSequenceEntry, Slip::NoDash),
    (ErrorKind::UndeclaredTagHandle, Slip::BadTag),
    (ErrorKind::ExpectedTagBang, Slip::BadTag),
    (ErrorKind::InvalidGlobalTagCharacter, Slip::BadTag),
    (ErrorKind::InvalidTagTerminator, Slip::BadTag),
    (ErrorKind::MissingTagUri, Slip::BadTag),
    (ErrorKind::UnclosedVerbatimTag, Slip::BadTag),
    (ErrorKind::InvalidTagEscape, Slip::BadTag),
    (ErrorKind::InvalidTagUtf8LeadingByte, Slip::BadTag),
    (ErrorKind::InvalidTagUtf8TrailingByte, Slip::BadTag),
    (ErrorKind::InvalidTagUtf8, Slip::BadTag),
    (ErrorKind::ExpectedTagDirectiveBang, Slip::Directive),
    (ErrorKind::InvalidTagDirectiveTerminator, Slip::Directive),
    (ErrorKind::InvalidDirectiveTerminator, Slip::Directive),
    (ErrorKind::MissingYamlVersionSeparator, Slip::Version),
    (ErrorKind::YamlVersionTooLong, Slip::Version),
    (ErrorKind::MissingYamlVersion, Slip::Version),
    (ErrorKind::MissingDirectiveName, Slip::Directive),
    (ErrorKind::InvalidDirectiveName, Slip::Directive),
    (ErrorKind::SimpleKeyExpected, Slip::NoColon),
    (ErrorKind::InvalidSimpleKey, Slip::NoColon),
    (ErrorKind::InvalidIndentation, Slip::Indentation),
    (ErrorKind::InvalidQuotedScalarIndent, Slip::Indentation),
    (ErrorKind::InvalidFlowScalarIndent, Slip::Indentation),
    (ErrorKind::BomInsideDocument, Slip::Bom),
    (ErrorKind::TabNotAllowed, Slip::Tab),
    (ErrorKind::TabInBlockIndentation, Slip::Tab),
    (ErrorKind::TabInIndentation, Slip::Tab),
    (ErrorKind::TabAtBlockScalarStart, Slip::Tab),
    (ErrorKind::TabInPlainScalar, Slip::Tab),
    (ErrorKind::InvalidBlockEntryWhitespace, Slip::Tab),
    (ErrorKind::InvalidMappingValueWhitespace, Slip::Tab),
    (ErrorKind::CommentInterceptedScalar, Slip::CommentInside),
    (ErrorKind::CommentNotSeparated, Slip::TightComment),
    (ErrorKind::MissingAnchorOrAliasName, Slip::NoAnchor),
    (ErrorKind::MisplacedFlowCollectionEnd, Slip::StrayClose),
    (ErrorKind::RecursionLimitExceeded, Slip::TooDeep),
    (ErrorKind::BlockEntryInFlowCollection, Slip::DashInFlow),
    (ErrorKind::PlainScalarStartsWithDashFlowIndicator, Slip::DashInFlow),
    (ErrorKind::BlockSequenceEntryNotAllowed, Slip::DashOnLine),
    (ErrorKind::ZeroBlockScalarIndent, Slip::BlockHeader),
    (ErrorKind::InvalidBlockScalarHeader, Slip::BlockHeader),
    (ErrorKind::InvalidBlockScalarIndent, Slip::Indentation),
    (ErrorKind::DocumentIndicatorInQuotedScalar, Slip::OpenQuote),
    (ErrorKind::UnclosedQuotedScalar, Slip::OpenQuote),
    (ErrorKind::InvalidTrailingSingleQuotedScalar, Slip::AfterSingleQuote),
    (ErrorKind::InvalidTrailingDoubleQuotedScalar, Slip::AfterDoubleQuote),
    (ErrorKind::UnknownQuotedScalarEscape, Slip::Escape),
    (ErrorKind::InvalidQuotedScalarHexEscape, Slip::Escape),
    (ErrorKind::InvalidLowSurrogateHexEscape, Slip::Escape),
    (ErrorKind::InvalidLowSurrogate, Slip::Escape),
    (ErrorKind::MissingLowSurrogate, Slip::Escape),
    (ErrorKind::UnpairedLowSurrogate, Slip::Escape),
    (ErrorKind::InvalidUnicodeEscape, Slip::Escape),
    (ErrorKind::MappingKeyNotAllowed, Slip::SecondColon),
    (ErrorKind::MappingValueNotAllowed, Slip::SecondColon),
];

fn slip(kind: &ErrorKind) -> Slip {
    if let ErrorKind::UnexpectedCharacter { character } = kind {
        return if character.is_control() { Slip::Control } else { Slip::Reserved };
    }
    if let ErrorKind::UnclosedFlowCollection { open } = kind {
        return if *open == '{' { Slip::OpenBrace } else { Slip::OpenBracket };
    }
    if let ErrorKind::MismatchedFlowCollectionEnd { open, .. } = kind {
        return if *open == '{' { Slip::BracketForBrace } else { Slip::BraceForBracket };
    }
    SLIPS.iter().find(|(known, _)| known == kind).map_or(Slip::Unnamed, |(_, slip)| *slip)
}
