//! Formats registry files: whitespace only. Values, their spelling, comments, order and line breaks stay.
//!
//! | file | content |
//! |---|---|
//! | `kdl`, `yaml` | the layout of one language |
//! | `block_scalar` | the lines of a YAML block scalar |
//! | `lines` | the written lines: blank lines, and comments at the end of lines |
//!
//! Both formatters work on tokens of the parsers, in one pass and without recursion. The result is parsed again and compared
//! with the input, so that no mistake of a formatter can change a registry.

mod block_scalar;
mod kdl;
mod lines;
mod yaml;

use super::{Language, codes, language, parse};
use crate::diag::{Code, Diagnostics};
use crate::source::{FileId, SourceFile};
use std::borrow::Cow;

/// The result of formatting a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Formatted {
    /// The formatted text.
    Text(String),
    /// The file has syntax errors, which were reported.
    Invalid,
    /// The formatted text would have another meaning. This is a mistake in orchgen.
    Unsafe,
}

/// The findings that leave a part of the file unread. Other findings do not matter for the layout.
static UNREAD: &[&Code] = &[
    &codes::YAML_SYNTAX,
    &codes::KDL_SYNTAX,
    &codes::KDL_VERSION_1,
    &codes::SEVERAL_DOCUMENTS,
    &codes::NESTING_TOO_DEEP,
];

/// Formats a file in its language. Reports syntax errors.
pub fn format(file: FileId, source: &SourceFile, findings: &mut Diagnostics) -> Formatted {
    let mut found = Diagnostics::default();
    drop(parse(file, source, &mut found));
    let unread: Vec<_> = found
        .findings()
        .iter()
        .filter(|finding| UNREAD.iter().any(|code| code.number == finding.code.number))
        .collect();
    if !unread.is_empty() {
        for finding in unread {
            findings.report(finding.clone());
        }
        return Formatted::Invalid;
    }
    let old = normalized(source.text());
    let new = match language(source) {
        Language::Kdl => Some(kdl::format(&old)).filter(|new| kdl::is_same(&old, new)),
        Language::Yaml => match yaml::format(&old) {
            Some(new) => Some(new).filter(|new| yaml::is_same(&old, new)),
            None => {
                // A tag with a syntax error is reported as a type annotation.
                findings.absorb(found);
                return Formatted::Invalid;
            }
        },
    };
    new.map_or(Formatted::Unsafe, Formatted::Text)
}

/// The text without a byte order mark, with a line feed at each line break. Both languages treat `\r` as a line break.
fn normalized(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The column of a position in its line, in characters, from 0.
fn column(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.get(before.rfind('\n').map_or(0, |newline| newline + 1)..).unwrap_or_default().chars().count()
}
