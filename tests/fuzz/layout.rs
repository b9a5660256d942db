//! Properties of the formatter for any text: the formatted text has the same meaning and the same comments, and formatting it
//! again changes nothing. The formatter compares the meaning itself, and refuses to change it.

use orchgen::diag::Diagnostics;
use orchgen::source::{FileId, SourceMap};
use orchgen::syntax::{Formatted, format};

/// Formats a text. Also returns the number of findings.
fn formatted(name: &str, text: &str) -> (Formatted, usize) {
    let mut map = SourceMap::default();
    map.add(name, text);
    let mut findings = Diagnostics::default();
    let formatted = format(FileId(0), map.get(FileId(0)).unwrap(), &mut findings);
    (formatted, findings.findings().len())
}

/// Checks the properties for a text. Returns the formatted text. `None` if the text has syntax errors.
#[track_caller]
pub(crate) fn check_layout(name: &str, text: &str) -> Option<String> {
    match formatted(name, text) {
        (Formatted::Text(new), 0) => {
            let again = formatted(name, &new).0;
            assert_eq!(
                again,
                Formatted::Text(new.clone()),
                "not stable: {name}\n{text}\n--- formatted\n{new}"
            );
            assert!(new.is_empty() || new.ends_with('\n'), "{name}\n{text}\n--- formatted\n{new}");
            Some(new)
        }
        (Formatted::Invalid, 1..) => None,
        (other, count) => panic!("{name}: {other:?} with {count} findings\n{text}"),
    }
}
