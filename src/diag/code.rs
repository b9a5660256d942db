//! Codes: the kinds of findings, each with a number, a name, a severity and a page.

use std::fmt;

/// How much a finding matters: an error ends the run with 1 and nothing is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The stack would not do what the registry says.
    Error,
    /// The stack would do it, but somebody should look.
    Warning,
    /// Worth knowing; never changes the exit code.
    Note,
}

/// A kind of finding, with its number, name and page; declared once, never reused.
#[derive(Debug)]
pub struct Code {
    /// 1xx text, 2xx shape and names, 3xx meaning, 4xx output.
    pub number: u16,
    /// A kebab name of the bad thing; reads well after "allow".
    pub name: &'static str,
    /// What it counts as, unless the run says otherwise.
    pub severity: Severity,
    /// What it finds, why, an example and its cure, in Markdown; each line starts with a blank.
    pub page: &'static str,
}

impl Severity {
    /// The word as it stands in every format: `error`, `warning` or `note`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Code {
    /// The page without the blank that a doc comment puts before each line.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.page.len());
        for line in self.page.lines() {
            text.push_str(line.strip_prefix(' ').unwrap_or(line));
            text.push('\n');
        }
        text
    }

    /// Whether a word names it: by its name, its number, or both letters and number (`ORC302`), in any case.
    pub fn is_named(&self, word: &str) -> bool {
        let letters = word.get(..3).filter(|letters| letters.eq_ignore_ascii_case("ORC"));
        let digits = letters.map_or(word, |letters| word.get(letters.len()..).unwrap_or_default());
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        self.name.eq_ignore_ascii_case(word) || is_number && digits.parse() == Ok(self.number)
    }

    /// The first sentence of the page, which says what the code finds.
    pub fn summary(&self) -> String {
        let text = self.text();
        let body = text.lines().skip_while(|line| line.starts_with('#') || line.trim().is_empty());
        let paragraph: Vec<&str> = body.take_while(|line| !line.trim().is_empty()).collect();
        paragraph.join(" ")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ORC{:03}", self.number)
    }
}

/// Declares a [`Code`] whose page is its doc comment, so that rustdoc, `explain` and the tests read one text.
macro_rules! declare_code {
    ($(#[doc = $line:expr])+ $visibility:vis static $ident:ident = $number:literal, $name:literal, $severity:ident;) => {
        $(#[doc = $line])+
        $visibility static $ident: $crate::diag::Code = $crate::diag::Code {
            number: $number,
            name: $name,
            severity: $crate::diag::Severity::$severity,
            page: concat!($($line, "\n"),+),
        };
    };
}
