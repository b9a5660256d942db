//! Adapter of `granit_parser`: converts its events to tokens with byte spans in the whole text. Only this file uses the
//! library.

use super::error_kind::SyntaxErrorKind;
use crate::source::{FileId, Span};
use granit_parser::{ErrorKind, Event, Parser, ScanError, StrInput, StructureStyle};
use std::borrow::Cow;

/// A YAML token with its span.
pub(super) struct Token<'a> {
    /// The kind of the token.
    pub(super) kind: TokenKind<'a>,
    /// The span. For a block collection only its start; for a block scalar only its content.
    pub(super) span: Span,
    /// The span of its anchor, including the `&`.
    pub(super) anchor: Option<Span>,
    /// The span of its tag.
    pub(super) tag: Option<Span>,
}

/// The kind of a token.
pub(super) enum TokenKind<'a> {
    /// The start of a document.
    DocumentStart {
        /// True if the document begins with `---`.
        has_marker: bool,
    },
    /// The end of a document: a `...` if the span is not empty.
    DocumentEnd,
    /// A scalar with its escapes resolved.
    Scalar {
        /// The text; `~` or empty if the value is missing.
        text: Cow<'a, str>,
        /// The style in the source.
        style: ScalarStyle,
    },
    /// `*name`.
    Alias,
    /// The start of a list.
    ListStart {
        /// True for a list in brackets.
        flow: bool,
    },
    /// The end of a list.
    ListEnd,
    /// The start of a mapping.
    MapStart {
        /// True for a mapping in braces.
        flow: bool,
    },
    /// The end of a mapping.
    MapEnd,
}

/// The style of a scalar in the source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ScalarStyle {
    /// A bare word.
    Plain,
    /// In quotes.
    Quoted,
    /// Lines after `|` or `>`.
    Block,
}

/// A syntax error from the parser library.
pub(super) struct ParseError {
    /// The kind of the error.
    pub(super) kind: SyntaxErrorKind,
    /// The byte offset where the parser detected the error. It is on a character boundary.
    pub(super) at: usize,
}

/// The tokens of a text, from a byte offset on.
pub(super) struct Tokens<'a> {
    file: FileId,
    text: &'a str,
    base: usize,
    parser: Parser<'a, StrInput<'a>>,
    peeked: Option<Result<(Event<'a>, granit_parser::Span), ScanError>>,
}

impl<'a> Tokens<'a> {
    /// The tokens from `base`, which must be the start of a line.
    pub(super) fn new(file: FileId, text: &'a str, base: usize) -> Self {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_unresolved_aliases: true,
            emit_anchor_events: true,
        };
        let rest = text.get(base..).unwrap_or_default();
        Self { file, text, base, parser: Parser::new_from_str_with_options(rest, options), peeked: None }
    }

    /// The next token, or the syntax error that ends the tokens.
    pub(super) fn next(&mut self) -> Option<Result<Token<'a>, ParseError>> {
        loop {
            let (event, range) = match self.peeked.take().or_else(|| self.parser.next_event())? {
                Ok(pair) => pair,
                Err(error) => return Some(Err(self.error(&error))),
            };
            let anchored = event.anchor_id().is_some_and(|id| id != 0);
            if let Some(kind) = token_kind(event) {
                let anchor = if anchored { self.anchor() } else { None };
                let tag = range.tag_start.map(|start| self.tag(&range, start));
                return Some(Ok(Token { kind, span: self.span(&range), anchor, tag }));
            }
        }
    }

    /// The span of an anchor. The library sends the event of an anchor directly after that of its node.
    fn anchor(&mut self) -> Option<Span> {
        match self.parser.next_event()? {
            Ok((Event::Anchor(..), range)) => Some(self.span(&range)),
            other => {
                self.peeked = Some(other);
                None
            }
        }
    }

    fn tag(&self, range: &granit_parser::Span, start: granit_parser::Marker) -> Span {
        let whole = range.tag_span().map(|tag| self.span(&tag));
        whole.unwrap_or_else(|| {
            let start = self.offset(start);
            Span::new(self.file, start, start)
        })
    }

    fn span(&self, range: &granit_parser::Span) -> Span {
        Span::new(self.file, self.offset(range.start), self.offset(range.end))
    }

    fn offset(&self, marker: granit_parser::Marker) -> usize {
        let offset = self.base + marker.byte_offset().unwrap_or(0);
        self.text.floor_char_boundary(offset.min(self.text.len()))
    }

    fn error(&self, error: &ScanError) -> ParseError {
        ParseError { kind: error_kind(error.kind()), at: self.offset(*error.marker()) }
    }
}

fn token_kind(event: Event<'_>) -> Option<TokenKind<'_>> {
    Some(match event {
        Event::DocumentStart(has_marker, _) => TokenKind::DocumentStart { has_marker },
        Event::DocumentEnd => TokenKind::DocumentEnd,
        Event::Alias(_) | Event::UnresolvedAlias(_) => TokenKind::Alias,
        Event::Scalar(text, style, ..) => TokenKind::Scalar { text, style: scalar_style(style) },
        Event::SequenceStart(style, ..) => TokenKind::ListStart { flow: style == StructureStyle::Flow },
        Event::SequenceEnd => TokenKind::ListEnd,
        Event::MappingStart(style, ..) => TokenKind::MapStart { flow: style == StructureStyle::Flow },
        Event::MappingEnd => TokenKind::MapEnd,
        Event::StreamStart | Event::StreamEnd | Event::Anchor(..) | _ => return None,
    })
}

fn scalar_style(style: granit_parser::ScalarStyle) -> ScalarStyle {
    match style {
        granit_parser::ScalarStyle::Plain => ScalarStyle::Plain,
        granit_parser::ScalarStyle::SingleQuoted | granit_parser::ScalarStyle::DoubleQuoted => {
            ScalarStyle::Quoted
        }
        granit_parser::ScalarStyle::Literal | granit_parser::ScalarStyle::Folded => ScalarStyle::Block,
    }
}

/// Declares the kind of syntax error for each error of the parser library.
macro_rules! error_kinds {
    ($($kind:ident: $($library_kind:ident)+;)+) => {
        fn error_kind(kind: &ErrorKind) -> SyntaxErrorKind {
            match kind {
                $($(ErrorKind::$library_kind)|+ => SyntaxErrorKind::$kind,)+
                ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
                    SyntaxErrorKind::ControlCharacter
                }
                ErrorKind::UnexpectedCharacter { .. } => SyntaxErrorKind::ReservedCharacter,
                ErrorKind::UnclosedFlowCollection { open: '{' } => SyntaxErrorKind::UnclosedBrace,
                ErrorKind::UnclosedFlowCollection { .. } => SyntaxErrorKind::UnclosedBracket,
                ErrorKind::MismatchedFlowCollectionEnd { open: '{', .. } => SyntaxErrorKind::BraceClosedByBracket,
                ErrorKind::MismatchedFlowCollectionEnd { .. } => SyntaxErrorKind::BracketClosedByBrace,
                _ => SyntaxErrorKind::Other,
            }
        }
    };
}

error_kinds! {
    MissingValue: UnexpectedEofFlowSequence UnexpectedEofFlowMapping UnexpectedEofImplicitFlowMapping;
    BadDirective: DuplicateVersionDirective DuplicateTagDirective MissingDocumentEndBeforeDirective
        ExpectedTagDirectiveBang InvalidTagDirectiveTerminator InvalidDirectiveTerminator
        MissingDirectiveName InvalidDirectiveName;
    BadVersion: UnsupportedYamlMajorVersion MissingYamlVersionSeparator YamlVersionTooLong
        MissingYamlVersion;
    TextAfterRoot: ExpectedDocumentStart;
    TextAfterEndMarker: InvalidDocumentEnd;
    MisalignedKey: ExpectedBlockMappingKey;
    NoCommaOrBrace: ExpectedFlowMappingSeparator;
    NoCommaOrBracket: ExpectedFlowSequenceSeparator InvalidColonPlacement;
    MissingDash: ExpectedBlockSequenceEntry;
    BadTag: UndeclaredTagHandle ExpectedTagBang InvalidGlobalTagCharacter InvalidTagTerminator
        MissingTagUri UnclosedVerbatimTag InvalidTagEscape InvalidTagUtf8LeadingByte
        InvalidTagUtf8TrailingByte InvalidTagUtf8;
    MissingColon: SimpleKeyExpected InvalidSimpleKey;
    TooLittleIndent: InvalidIndentation InvalidQuotedScalarIndent InvalidFlowScalarIndent
        InvalidBlockScalarIndent;
    ByteOrderMark: BomInsideDocument;
    Tab: TabNotAllowed TabInBlockIndentation TabInIndentation TabAtBlockScalarStart TabInPlainScalar
        InvalidBlockEntryWhitespace InvalidMappingValueWhitespace;
    CommentInValue: CommentInterceptedScalar;
    NoSpaceBeforeComment: CommentNotSeparated;
    UnnamedAnchor: MissingAnchorOrAliasName;
    UnmatchedClose: MisplacedFlowCollectionEnd;
    TooDeep: RecursionLimitExceeded;
    DashInBrackets: BlockEntryInFlowCollection PlainScalarStartsWithDashFlowIndicator;
    DashAfterKey: BlockSequenceEntryNotAllowed;
    BadBlockHeader: ZeroBlockScalarIndent InvalidBlockScalarHeader;
    UnclosedQuote: DocumentIndicatorInQuotedScalar UnclosedQuotedScalar;
    TextAfterSingleQuote: InvalidTrailingSingleQuotedScalar;
    TextAfterDoubleQuote: InvalidTrailingDoubleQuotedScalar;
    BadEscape: UnknownQuotedScalarEscape InvalidQuotedScalarHexEscape InvalidLowSurrogateHexEscape
        InvalidLowSurrogate MissingLowSurrogate UnpairedLowSurrogate InvalidUnicodeEscape;
    SecondColon: MappingKeyNotAllowed MappingValueNotAllowed;
}
