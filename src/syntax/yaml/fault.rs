//! What is to blame for a syntax error: the parser sees an unclosed quote where the next one begins, and we say where
//! the first did.

use super::events::{Fault, Style};
use super::lines;
use super::slip::Slip;
use crate::source::Span;
use std::ops::Range;

/// What was read before a fault.
pub(super) struct Around {
    /// The byte at which this stretch of the text begins.
    pub(super) start: usize,
    /// The last token of the stretch.
    pub(super) last: Option<Last>,
    /// The brackets that are open, outermost first.
    pub(super) flows: Vec<usize>,
    /// Whether the whole file stands in brackets.
    pub(super) flow_root: bool,
    /// The column of the top keys.
    pub(super) margin: usize,
}

/// A token with its style if it is a scalar.
#[derive(Clone, Copy)]
pub(super) struct Last {
    /// Where it stands.
    pub(super) span: Span,
    /// How it was written; none for blocks and aliases.
    pub(super) style: Option<Style>,
}

/// A fault with its cause, ready to be said.
pub(super) struct Verdict {
    /// What is wrong.
    pub(super) slip: Slip,
    /// Where.
    pub(super) place: Range<usize>,
    /// The byte on whose line what is wrong ends: reading goes on after that line.
    pub(super) resume_after: usize,
    /// The column at which sections begin.
    pub(super) margin: usize,
}

/// Finds the cause of a fault.
pub(super) fn judge(text: &str, fault: &Fault, around: &Around) -> Verdict {
    let (slip, place, resume_after) =
        unclosed(text, fault, around).unwrap_or_else(|| cause(text, fault, around));
    let mut verdict = Verdict { slip, place, resume_after, margin: around.margin };
    if lines::is_conflict(text, verdict.place.start) {
        let start = lines::line_start(text, verdict.place.start);
        verdict.slip = Slip::Conflict;
        verdict.place = lines::rest_of_line(text, start);
    } else if matches!(slip, Slip::TooFarOut | Slip::Outside) && lines::margin(text, fault.at).is_some() {
        // The line with the fault is itself a good section.
        verdict.margin = lines::margin(text, fault.at).unwrap_or(0);
        verdict.resume_after = lines::line_start(text, fault.at).saturating_sub(1);
    }
    verdict
}

type Cause = (Slip, Range<usize>, usize);

/// A quote or bracket that was opened before the fault and swallowed what follows it.
fn unclosed(text: &str, fault: &Fault, around: &Around) -> Option<Cause> {
    let open_quote = |at: usize| (Slip::OpenQuote, lines::rest_of_line(text, at), at);
    if fault.slip == Slip::OpenQuote {
        return Some(open_quote(fault.at));
    }
    if let Some(quote) = quote(fault.slip) {
        let from = around.last.map_or(around.start, |last| last.span.end as usize);
        let opening = opening_quote(text, from, fault.at, quote);
        if let Some(at) = opening.filter(|at| lines::line_end(text, *at) < fault.at) {
            return Some(open_quote(at));
        }
    }
    if around.flow_root {
        return None;
    }
    let from = around.last.map_or(around.start, |last| last.span.end as usize);
    let flows: Vec<usize> = around.flows.iter().copied().chain(held(text, from, fault.at)).collect();
    let outer = *flows.first()?;
    let reached =
        if matches!(fault.slip, Slip::OpenBracket | Slip::OpenBrace) { text.len() } else { fault.at };
    let section = lines::next_section(text, outer, around.margin).filter(|section| *section <= reached)?;
    if let Some(last) = around.last.filter(|last| last.style == Some(Style::Quoted)) {
        let (start, end) = (last.span.start as usize, last.span.end as usize);
        if lines::next_section(text, start, around.margin).is_some_and(|section| section < end) {
            return Some(open_quote(start));
        }
    }
    let at = flows.iter().rev().find(|at| **at < section).copied()?;
    let slip = match text.as_bytes().get(at)? {
        b'[' => Slip::OpenBracket,
        b'{' => Slip::OpenBrace,
        _ => return None,
    };
    Some((slip, at..at + 1, at))
}

/// The brackets that are open at the end of a range. The parser holds a bracket back, and all in it, while it may be
/// the start of a key.
fn held(text: &str, from: usize, until: usize) -> Vec<usize> {
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

/// The opening of the quoted text that ends right before a byte.
fn opening_quote(text: &str, from: usize, until: usize, quote: char) -> Option<usize> {
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

/// What is to blame where nothing was left open.
fn cause(text: &str, fault: &Fault, around: &Around) -> Cause {
    let at = fault.at;
    if matches!(fault.slip, Slip::SecondColon | Slip::InBrackets | Slip::InBraces) {
        let plain =
            around.last.filter(|last| last.style == Some(Style::Plain) && last.span.end as usize <= at);
        return colon(text, fault, plain);
    }
    let slip = refined(text, fault, around);
    (slip, place(text, slip, at), at)
}

/// The slip by what stands at the place and before it on its line.
fn refined(text: &str, fault: &Fault, around: &Around) -> Slip {
    let Fault { slip, at } = *fault;
    let rest = text.get(at..).unwrap_or_default();
    let before = lines::before(text, at);
    let first = lines::margin(text, at);
    let amiss = slip == Slip::NoKey || slip == Slip::NoDash;
    if slip == Slip::NoKey && (before.trim() == "-" || (first.is_some() && rest.starts_with("- "))) {
        Slip::ItemAmongKeys
    } else if amiss && first.is_none() {
        Slip::AfterValue
    } else if slip == Slip::NoColon && is_tight_dash(rest) {
        Slip::TightDash
    } else if slip == Slip::Outside && first.is_some_and(|column| column < around.margin) {
        Slip::TooFarOut
    } else if slip == Slip::NoAnchor && rest.starts_with('*') {
        Slip::NoAlias
    } else {
        slip
    }
}

/// What is shown to be wrong: a line, a character or a word.
fn place(text: &str, slip: Slip, at: usize) -> Range<usize> {
    let line = [
        Slip::AfterSingleQuote,
        Slip::AfterDoubleQuote,
        Slip::AfterValue,
        Slip::BlockHeader,
        Slip::CommentInside,
        Slip::Directive,
        Slip::NoColon,
        Slip::Version,
    ];
    let character = [
        Slip::BraceForBracket,
        Slip::BracketForBrace,
        Slip::Control,
        Slip::DashOnLine,
        Slip::DashInFlow,
        Slip::NoValue,
        Slip::OpenBrace,
        Slip::OpenBracket,
        Slip::Reserved,
        Slip::StrayClose,
        Slip::TooDeep,
    ];
    if line.contains(&slip) {
        lines::rest_of_line(text, at)
    } else if character.contains(&slip) {
        lines::character(text, at)
    } else if slip == Slip::ItemAmongKeys {
        let dash = lines::before(text, at).rfind('-').map_or(at, |n| at - lines::before(text, at).len() + n);
        lines::character(text, dash)
    } else if slip == Slip::Tab {
        tab(text, at)
    } else if slip == Slip::Escape {
        escape(text, at)
    } else {
        lines::word(text, at)
    }
}

/// A colon that the text before it does not explain: that text may be the one that is wrong.
fn colon(text: &str, fault: &Fault, plain: Option<Last>) -> Cause {
    let at = fault.at;
    let here = (fault.slip, lines::word(text, at), at);
    let Some(last) =
        plain.filter(|last| text.get(last.span.end as usize..at).is_some_and(|gap| gap.trim().is_empty()))
    else {
        return here;
    };
    let start = last.span.start as usize;
    let line = lines::line_start(text, at);
    if start >= line {
        return here;
    }
    let blanks = text.get(line..at).map_or(0, |key| key.len() - key.trim_start().len());
    let key = lines::word(text, line + blanks);
    if fault.slip != Slip::SecondColon {
        return (Slip::NoComma, key, at);
    }
    if start - lines::line_start(text, start) != blanks {
        return (Slip::TooFarIn, key, at);
    }
    let place = lines::rest_of_line(text, start);
    let tight = text.get(place.clone()).is_some_and(|said| said.contains(':'));
    (if tight { Slip::TightColon } else { Slip::NoColon }, place, start)
}

/// The quote that text stands behind.
fn quote(slip: Slip) -> Option<char> {
    let quotes = [(Slip::AfterSingleQuote, '\''), (Slip::AfterDoubleQuote, '"')];
    quotes.iter().find(|(after, _)| *after == slip).map(|(_, quote)| *quote)
}

fn is_tight_dash(rest: &str) -> bool {
    rest.strip_prefix('-').is_some_and(|word| !word.starts_with(|c: char| c.is_whitespace() || c == '-'))
}

/// The tab that is meant: the last one before the byte on its line, or the next one after it.
fn tab(text: &str, at: usize) -> Range<usize> {
    let before = lines::before(text, at);
    let found = before.rfind('\t').map(|n| at - before.len() + n);
    let found = found.or_else(|| text.get(at..)?.find('\t').map(|n| at + n));
    lines::character(text, found.unwrap_or(at))
}

/// The first backslash in a quoted text that begins no escape.
fn escape(text: &str, opening: usize) -> Range<usize> {
    let rest = text.get(opening..).unwrap_or_default();
    let mut chars = rest.char_indices().skip(1);
    while let Some((n, c)) = chars.next() {
        if c == '"' {
            break;
        }
        if c != '\\' {
            continue;
        }
        let Some((_, letter)) = chars.next() else { break };
        let wanted = match letter {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ if "0abt\tnvfre \"/\\N_LP\n\r".contains(letter) => continue,
            _ => 0,
        };
        let digits = rest
            .get(n + 2..)
            .unwrap_or_default()
            .bytes()
            .take(wanted)
            .take_while(u8::is_ascii_hexdigit)
            .count();
        let number = rest.get(n + 2..n + 2 + digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if digits < wanted || wanted == 0 || number.and_then(char::from_u32).is_none() {
            let length = if wanted == 0 { 1 + letter.len_utf8() } else { 2 + digits };
            return opening + n..opening + n + length;
        }
    }
    lines::word(text, opening)
}
