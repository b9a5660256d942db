//! Finding codes. Each has a number, a name, a severity and a page.

use super::Absence;
use serde::Serialize;
use std::fmt;

/// How serious a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The generated stack would not do what the registry declares. The run exits with 1 and writes nothing.
    Error,
    /// The stack would work, but the user should review this.
    Warning,
    /// Information only; never changes the exit code.
    Note,
}

/// A kind of finding. Numbers and names are never reused.
#[derive(Debug)]
pub struct Code {
    /// 1xx: syntax, 2xx: shape and names, 3xx: meaning, 4xx: output, 5xx: meaning of GPUs and hosts, 6xx: gateways and
    /// containers, 7xx: import.
    pub number: u16,
    /// The kebab-case name of the problem; it reads well after "allow".
    pub name: &'static str,
    /// The default severity.
    pub severity: Severity,
    /// The page for `explain`, in Markdown: what it finds, why, an example and its fix. Each line starts with a space.
    pub page: &'static str,
    /// The absence that all findings with this code report, if they do.
    pub absence: Option<Absence>,
}

impl Severity {
    /// The word for this severity in all formats: `error`, `warning` or `note`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Code {
    /// The page without the space that a doc comment puts before each line.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.page.len());
        for line in self.page.lines() {
            text.push_str(line.strip_prefix(' ').unwrap_or(line));
            text.push('\n');
        }
        text
    }

    /// True if `word` is the name, the number or the code (`ORC302`), in upper or lower case.
    pub fn is_named(&self, word: &str) -> bool {
        let letters = word.get(..3).filter(|letters| letters.eq_ignore_ascii_case("ORC"));
        let digits = letters.map_or(word, |letters| word.get(letters.len()..).unwrap_or_default());
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        self.name.eq_ignore_ascii_case(word) || is_number && digits.parse() == Ok(self.number)
    }

    /// The first paragraph of the page, which describes what the code finds.
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

/// Declares a [`Code`] whose page is its doc comment, so that rustdoc, `explain` and the tests share one text.
macro_rules! declare_code {
    (
        $(#[doc = $line:expr])+
        $visibility:vis static $ident:ident = $number:literal, $name:literal, $severity:ident $(, absent $absent:ident)?;
    ) => {
        $(#[doc = $line])+
        $visibility static $ident: $crate::diag::Code = $crate::diag::Code {
            number: $number,
            name: $name,
            severity: $crate::diag::Severity::$severity,
            page: concat!($($line, "\n"),+),
            absence: declare_code!(@absence $($absent)?),
        };
    };
    (@absence) => { None };
    (@absence $absent:ident) => { Some($crate::diag::Absence::$absent) };
}
