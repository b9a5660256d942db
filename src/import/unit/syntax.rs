//! The lines of a unit (systemd.syntax(7)): sections, keys, comments, and values that continue on the next line.

use crate::import::source::{At, Loss};

/// The maximum number of settings of one file. Larger files are read to this point.
const MAX_SETTINGS: usize = 20_000;

/// The maximum length of a file. Larger files are read to this point.
const MAX_LENGTH: usize = 4 << 20;

const BLANK: &[char] = &[' ', '\t', '\r', '\u{b}', '\u{c}'];

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The section, without brackets.
    pub(crate) section: String,
    /// The key.
    pub(crate) key: String,
    /// The value. A backslash at the end of a line is a space.
    pub(crate) value: String,
    /// The place of the key.
    pub(crate) at: At,
    /// The offsets at which lines begin, with their numbers.
    lines: Vec<(usize, u32)>,
}

impl Setting {
    /// The place of a part of the value, by its offset.
    pub(crate) fn place(&self, offset: usize) -> At {
        let after = self.lines.partition_point(|(start, _)| *start <= offset);
        let line = after.checked_sub(1).and_then(|index| self.lines.get(index));
        At { line: line.map_or(self.at.line, |(_, line)| *line), ..self.at }
    }

    /// The setting as it is written, on one line and shortened. Secrets are left out.
    pub(crate) fn written(&self) -> String {
        if self.key.starts_with("SetCredential") {
            let name = self.value.split_once(':').map_or("", |(name, _)| name);
            return format!("{}={name}:…", self.key);
        }
        let mut text = format!("{}=", self.key);
        let mut is_secret = false;
        for (number, word) in self.value.split_whitespace().enumerate() {
            if text.len() > 160 {
                text.push_str(" …");
                break;
            }
            text.push_str(if number > 0 { " " } else { "" });
            match word.split_once('=') {
                _ if is_secret => text.push('…'),
                Some((name, _)) if names_secret(name) => {
                    text.push_str(name);
                    text.push_str("=…");
                }
                _ => text.push_str(word),
            }
            is_secret = ["--api-key", "--hf-token", "-hft"].contains(&word);
        }
        shorten(&text)
    }
}

/// True if the name of a variable or option shows that its value is a secret.
fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["KEY", "TOKEN", "SECRET", "PASSWORD"].iter().any(|end| name.ends_with(end))
}

/// The settings of a file, and the lines that systemd ignores.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The settings in their order.
    pub(crate) settings: Vec<Setting>,
    /// Ignored lines.
    pub(crate) faults: Vec<Loss>,
}

/// Reads a file.
pub(crate) fn parse(text: &str, file: usize) -> Parsed {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser { file, section: String::new(), parsed: Parsed::default() };
    let text = match text.get(..text.floor_char_boundary(MAX_LENGTH)) {
        Some(start) if start.len() < text.len() => {
            parser.lose("text after 4 MiB".to_owned(), 1, "orchgen reads at most 4 MiB of a unit");
            start
        }
        _ => text,
    };
    let mut joined = Joined::default();
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim_start_matches(BLANK).starts_with(['#', ';']) {
            continue;
        }
        joined.lines.push((joined.text.len(), number));
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            joined.text.push_str(line.strip_suffix('\\').unwrap_or(line));
            joined.text.push(' ');
            continue;
        }
        joined.text.push_str(line);
        parser.read(&std::mem::take(&mut joined));
        if parser.parsed.settings.len() + parser.parsed.faults.len() >= MAX_SETTINGS {
            parser.lose(
                "further settings".to_owned(),
                number,
                "orchgen reads at most 20000 settings of a file",
            );
            return parser.parsed;
        }
    }
    parser.read(&joined);
    parser.parsed
}

/// A line with those that continue it.
#[derive(Default)]
struct Joined {
    text: String,
    lines: Vec<(usize, u32)>,
}

struct Parser {
    file: usize,
    section: String,
    parsed: Parsed,
}

impl Parser {
    fn read(&mut self, joined: &Joined) {
        let text = joined.text.trim_matches(BLANK);
        let first = joined.lines.first().map_or(1, |(_, line)| *line);
        if text.is_empty() {
            return;
        }
        if let Some(name) = text.strip_prefix('[') {
            match name.strip_suffix(']') {
                Some(name) => name.clone_into(&mut self.section),
                None => self.lose(shorten(text), first, "systemd ignores it: no `]` follows"),
            }
            return;
        }
        let Some((key, value)) = text.split_once('=') else {
            self.lose(shorten(text), first, "systemd ignores lines without `=`");
            return;
        };
        if self.section.is_empty() {
            self.lose(shorten(text), first, "systemd ignores settings before the first section");
            return;
        }
        let value = value.trim_matches(BLANK);
        let start = offset(&joined.text, value);
        let lines = joined.lines.iter().map(|(at, line)| (at.saturating_sub(start), *line)).collect();
        self.parsed.settings.push(Setting {
            section: self.section.clone(),
            key: key.trim_matches(BLANK).to_owned(),
            value: value.to_owned(),
            at: At { file: self.file, line: first },
            lines,
        });
    }

    fn lose(&mut self, what: String, line: u32, why: &str) {
        let at = At { file: self.file, line };
        self.parsed.faults.push(Loss { what, at, why: why.to_owned() });
    }
}

/// The offset of a part of a text.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr().addr()).saturating_sub(text.as_ptr().addr())
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
