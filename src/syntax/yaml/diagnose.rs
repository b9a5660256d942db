//! Finds the cause of a syntax error. The parser library detects an error late: for example, it detects an unclosed
//! quote where the next one begins. The finding must point to the unclosed quote.

use super::error_kind::{Extent, SyntaxErrorKind};
use super::events::{ParseError, ScalarStyle};
use super::lines;
use crate::source::Span;
use std::ops::Range;

/// The parser state before a syntax error.
pub(super) struct ErrorContext {
    /// The byte offset where the current segment begins: the file start, or where parsing continued after an error.
    pub(super) start: usize,
    /// The last token of the segment.
    pub(super) last: Option<LastToken>,
    /// The byte offsets of the open brackets and braces, outermost first.
    pub(super) flows: Vec<usize>,
    /// True if the root of the file is in brackets or braces.
    pub(super) flow_root: bool,
    /// The column of the top-level keys.
    pub(super) margin: usize,
}

/// The last token, with its style if it is a scalar.
#[derive(Clone, Copy)]
pub(super) struct LastToken {
    /// The span of the token.
    pub(super) span: Span,
    /// The style; none for collections and aliases.
    pub(super) style: Option<ScalarStyle>,
}

/// The cause of a syntax error, ready to be reported.
pub(super) struct Diagnosis {
    /// The kind of the error.
    pub(super) kind: SyntaxErrorKind,
    /// The range to report.
    pub(super) range: Range<usize>,
    /// A byte on the last line of the error. Parsing continues after that line.
    pub(super) resume_after: usize,
    /// The column at which sections begin.
    pub(super) margin: usize,
}

/// Finds the cause of a syntax error.
pub(super) fn diagnose(text: &str, error: &ParseError, context: &ErrorContext) -> Diagnosis {
    let (kind, range, resume_after) =
        find_unclosed(text, error, context).unwrap_or_else(|| find_cause(text, error, context));
    let mut diagnosis = Diagnosis { kind, range, resume_after, margin: context.margin };
    if lines::is_conflict(text, diagnosis.range.start) {
        let start = lines::line_start(text, diagnosis.range.start);
        diagnosis.kind = SyntaxErrorKind::MergeConflict;
        diagnosis.range = lines::rest_of_line(text, start);
    } else if matches!(kind, SyntaxErrorKind::IndentedLess | SyntaxErrorKind::TextAfterRoot)
        && lines::margin(text, error.at).is_some()
    {
        // The line with the error is a valid section: continue there.
        diagnosis.margin = lines::margin(text, error.at).unwrap_or(0);
        diagnosis.resume_after = lines::line_start(text, error.at).saturating_sub(1);
    }
    diagnosis
}

type Cause = (SyntaxErrorKind, Range<usize>, usize);

/// Finds an unclosed quote or bracket before the error, whose content then includes the following sections.
fn find_unclosed(text: &str, error: &ParseError, context: &ErrorContext) -> Option<Cause> {
    let unclosed_quote = |at: usize| (SyntaxErrorKind::UnclosedQuote, lines::rest_of_line(text, at), at);
    if error.kind == SyntaxErrorKind::UnclosedQuote {
        return Some(unclosed_quote(error.at));
    }
    if let Some(quote) = quote_character(error.kind) {
        let from = context.last.map_or(context.start, |last| last.span.end as usize);
        let opening = find_opening_quote(text, from, error.at, quote);
        if let Some(at) = opening.filter(|at| lines::line_end(text, *at) < error.at) {
            return Some(unclosed_quote(at));
        }
    }
    if context.flow_root {
        return None;
    }
    let from = context.last.map_or(context.start, |last| last.span.end as usize);
    let flows: Vec<usize> =
        context.flows.iter().copied().chain(open_brackets(text, from, error.at)).collect();
    let outer = *flows.first()?;
    let reached = if matches!(error.kind, SyntaxErrorKind::UnclosedBracket | SyntaxErrorKind::UnclosedBrace) {
        text.len()
    } else {
        error.at
    };
    let section = lines::next_section(text, outer, context.margin).filter(|section| *section <= reached)?;
    if let Some(last) = context.last.filter(|last| last.style == Some(ScalarStyle::Quoted)) {
        let (start, end) = (last.span.start as usize, last.span.end as usize);
        if lines::next_section(text, start, context.margin).is_some_and(|section| section < end) {
            return Some(unclosed_quote(start));
        }
    }
    let at = flows.iter().rev().find(|at| **at < section).copied()?;
    let kind = match text.as_bytes().get(at)? {
        b'[' => SyntaxErrorKind::UnclosedBracket,
        b'{' => SyntaxErrorKind::UnclosedBrace,
        _ => return None,
    };
    Some((kind, at..at + 1, at))
}

/// The brackets and braces that are open at the end of a range. They have no tokens yet: the parser library reports a
/// bracket and its content late, because it may be the start of a key.
fn open_brackets(text: &str, from: usize, until: usize) -> Vec<usize> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut comment = false;
    let mut before = b' ';
    for (n, byte) in text.get(from..until).unwrap_or_default().bytes().enumerate() {
        let begins = matches!(before, b' ' | b'\t' | b'\n' | b'[' | b'{' | b',');
        match byte {
            b'\n' => comment = false,
            _ if comment => {}
            _ if quote.is_some() => quote = quote.filter(|quote| *quote != byte),
            b'#' if begins => comment = true,
            b'"' | b'\'' if begins => quote = Some(byte),
            b'[' | b'{' if begins => open.push(from + n),
            b']' | b'}' => {
                open.pop();
            }
            _ => {}
        }
        before = byte;
    }
    open
}

/// The opening quote of the quoted text that ends directly before `until`.
fn find_opening_quote(text: &str, from: usize, until: usize, quote: char) -> Option<usize> {
    let between = text.get(from..until)?;
    let mut opening = None;
    let mut before = ' ';
    let mut escaped = false;
    for (n, c) in between.char_indices() {
        match opening {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' && quote == '"' => escaped = true,
            Some(_) if c == quote => {
                let rest = between.get(n + 1..).unwrap_or_default();
                if rest.trim().is_empty() {
                    return opening;
                }
                let doubled = quote == '\'' && (rest.starts_with(quote) || before == quote);
                if !doubled {
                    opening = None;
                }
            }
            None if c == quote && !before.is_alphanumeric() => opening = Some(from + n),
            _ => {}
        }
        before = c;
    }
    None
}

/// The cause of an error without an unclosed quote or bracket.
fn find_cause(text: &str, error: &ParseError, context: &ErrorContext) -> Cause {
    let at = error.at;
    if matches!(
        error.kind,
        SyntaxErrorKind::SecondColon | SyntaxErrorKind::NoCommaOrBracket | SyntaxErrorKind::NoCommaOrBrace
    ) {
        if let Some(range) = variable(text, at) {
            return (SyntaxErrorKind::Variable, range, at);
        }
        let plain = context
            .last
            .filter(|last| last.style == Some(ScalarStyle::Plain) && last.span.end as usize <= at);
        return unexpected_colon(text, error, plain);
    }
    let kind = refine_kind(text, error, context);
    (kind, range_to_report(text, kind, at), at)
}

/// The range of `${NAME}` if its brace is at the position.
fn variable(text: &str, at: usize) -> Option<Range<usize>> {
    let before = text.get(..at)?.strip_suffix('$')?;
    let end = text.get(at..)?.strip_prefix('{')?.find(['}', '\n'])?;
    let close = at + 1 + end;
    text.get(close..)?.starts_with('}').then(|| before.len()..close + 1)
}

/// A more precise kind of error, from the text at the position and before it on its line.
fn refine_kind(text: &str, error: &ParseError, context: &ErrorContext) -> SyntaxErrorKind {
    let ParseError { kind, at } = *error;
    let rest = text.get(at..).unwrap_or_default();
    let before = lines::before(text, at);
    let first = lines::margin(text, at);
    let is_misplaced = kind == SyntaxErrorKind::MisalignedKey || kind == SyntaxErrorKind::MissingDash;
    if kind == SyntaxErrorKind::MisalignedKey
        && (before.trim() == "-" || (first.is_some() && rest.starts_with("- ")))
    {
        SyntaxErrorKind::ItemAmongKeys
    } else if is_misplaced && first.is_none() {
        SyntaxErrorKind::TextAfterValue
    } else if kind == SyntaxErrorKind::MissingColon && is_dash_without_space(rest) {
        SyntaxErrorKind::NoSpaceAfterDash
    } else if kind == SyntaxErrorKind::TextAfterRoot && first.is_some_and(|column| column < context.margin) {
        SyntaxErrorKind::IndentedLess
    } else if kind == SyntaxErrorKind::UnnamedAnchor && rest.starts_with('*') {
        SyntaxErrorKind::UnnamedAlias
    } else {
        kind
    }
}

/// The range to report for an error at a position.
fn range_to_report(text: &str, kind: SyntaxErrorKind, at: usize) -> Range<usize> {
    let before = lines::before(text, at);
    let last = |c: char| before.rfind(c).map(|n| at - before.len() + n);
    match kind.extent() {
        Extent::Word => lines::word(text, at),
        Extent::Character => lines::character(text, at),
        Extent::Line => lines::rest_of_line(text, at),
        Extent::Dash => lines::character(text, last('-').unwrap_or(at)),
        Extent::Tab => {
            let next = || text.get(at..)?.find('\t').map(|n| at + n);
            lines::character(text, last('\t').or_else(next).unwrap_or(at))
        }
        Extent::Escape => find_bad_escape(text, at),
    }
}

/// The cause of an unexpected colon. The mistake may be in the plain scalar before it.
fn unexpected_colon(text: &str, error: &ParseError, plain: Option<LastToken>) -> Cause {
    let at = error.at;
    let at_colon = (error.kind, lines::word(text, at), at);
    let Some(last) =
        plain.filter(|last| text.get(last.span.end as usize..at).is_some_and(|gap| gap.trim().is_empty()))
    else {
        return at_colon;
    };
    let start = last.span.start as usize;
    let line = lines::line_start(text, at);
    if start >= line {
        return at_colon;
    }
    let blanks = text.get(line..at).map_or(0, |key| key.len() - key.trim_start().len());
    let key = lines::word(text, line + blanks);
    if error.kind != SyntaxErrorKind::SecondColon {
        return (SyntaxErrorKind::MissingComma, key, at);
    }
    if start - lines::line_start(text, start) != blanks {
        return (SyntaxErrorKind::IndentedDeeper, key, at);
    }
    let range = lines::rest_of_line(text, start);
    let has_colon = text.get(range.clone()).is_some_and(|text| text.contains(':'));
    (if has_colon { SyntaxErrorKind::NoSpaceAfterColon } else { SyntaxErrorKind::MissingColon }, range, start)
}

/// The quote character of an error after a closing quote.
fn quote_character(kind: SyntaxErrorKind) -> Option<char> {
    let quotes =
        [(SyntaxErrorKind::TextAfterSingleQuote, '\''), (SyntaxErrorKind::TextAfterDoubleQuote, '"')];
    quotes.iter().find(|(after, _)| *after == kind).map(|(_, quote)| *quote)
}

fn is_dash_without_space(rest: &str) -> bool {
    rest.strip_prefix('-').is_some_and(|word| !word.starts_with(|c: char| c.is_whitespace() || c == '-'))
}

/// The first escape in a quoted text that is not valid.
fn find_bad_escape(text: &str, opening: usize) -> Range<usize> {
    let mut at = opening + 1;
    let rest = |at: usize| text.get(at..).unwrap_or_default();
    while let Some(len) = rest(at).find(['"', '\\']).filter(|len| rest(at + len).starts_with('\\')) {
        at += len;
        let Some(letter) = rest(at + 1).chars().next() else { break };
        let after = at + 1 + letter.len_utf8();
        let digit_count = match letter {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ if "0abt\tnvfre \"/\\N_LP\n\r".contains(letter) => 0,
            _ => return at..after,
        };
        let hexadecimal = rest(after).bytes().take(digit_count).take_while(u8::is_ascii_hexdigit).count();
        let number =
            text.get(after..after + hexadecimal).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let is_character = hexadecimal == digit_count && number.and_then(char::from_u32).is_some();
        if digit_count > 0 && !is_character {
            return at..after + hexadecimal;
        }
        at = after + digit_count;
    }
    lines::word(text, opening)
}
