//! The lines of a preset file, as the grammar in `common/preset.cpp` has them: no quotes, no escapes, no indentation.

use crate::import::source::{At, Loss};
use std::collections::BTreeMap;

/// The maximum number of sections and of keys. Larger files are read to this point.
const MAX_SECTIONS: usize = 2048;
const MAX_ENTRIES: usize = 65_536;

/// The section of keys in front of the first header.
const DEFAULT: &str = "default";

/// Sections of units, which have the same syntax.
const OF_UNITS: &[&str] =
    &["Unit", "Service", "Container", "Install", "Socket", "Pod", "Volume", "Network", "Kube", "Timer"];

const REFUSED: &str = "llama-server refuses the whole file because of this line";

/// A preset file.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The sections that count, in the order of the file.
    pub(super) sections: Vec<Section>,
    /// Lines and sections without effect.
    pub(super) faults: Vec<Loss>,
}

/// A section.
#[derive(Debug)]
pub(super) struct Section {
    /// The name.
    pub(super) name: String,
    /// The line of the header, or of the first key.
    pub(super) line: u32,
    /// The line of the last key.
    pub(super) last_line: u32,
    /// The keys.
    pub(super) entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// The value up to a comment.
    pub(super) value: String,
    /// The line.
    pub(super) line: u32,
    /// The text behind `;` or `#`, if it seems to belong to the value.
    pub(super) cut: Option<String>,
}

enum Line {
    Header(String),
    Entry(String, String, Option<String>),
    Blank,
    Fault,
}

/// See [`super::is_presets`].
pub(super) fn is_presets(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines =
        text.split(['\n', '\r']).take(10_000).map(parse_line).filter(|line| !matches!(line, Line::Blank));
    match lines.find(|line| !matches!(line, Line::Entry(..))) {
        Some(Line::Header(name)) if !OF_UNITS.contains(&name.as_str()) => {
            !matches!(lines.next(), Some(Line::Fault))
        }
        _ => false,
    }
}

/// Reads a file.
pub(super) fn parse(text: &str, file: usize) -> Document {
    let mut document = Document::default();
    let mut lose = |what: String, line, why: &str| {
        document.faults.push(Loss { what, at: At { file, line }, why: why.to_owned() });
    };
    let text = match text.strip_prefix('\u{feff}') {
        Some(text) => {
            lose("byte order mark".to_owned(), 1, REFUSED);
            text
        }
        None => text,
    };
    let mut sections: Vec<Section> = Vec::new();
    let (mut entries, mut faults) = (0, 0);
    for (number, line) in (1..)
        .zip(text.split('\n'))
        .flat_map(|(number, line)| line.split('\r').map(move |line| (number, line)))
    {
        let parsed = parse_line(line);
        let is_new =
            matches!(&parsed, Line::Header(_)) || (sections.is_empty() && matches!(&parsed, Line::Entry(..)));
        if is_new {
            if sections.len() == MAX_SECTIONS {
                lose(shorten(line), number, "orchgen reads at most 2048 sections; split the file");
                break;
            }
            let name = if let Line::Header(name) = &parsed { name.clone() } else { DEFAULT.to_owned() };
            sections.push(Section { name, line: number, last_line: number, entries: Vec::new() });
        }
        match (parsed, sections.last_mut()) {
            (Line::Entry(key, value, cut), Some(section)) => {
                entries += 1;
                section.last_line = number;
                section.entries.push(Entry { key, value, line: number, cut });
            }
            (Line::Fault, _) => {
                faults += 1;
                lose(shorten(line), number, REFUSED);
            }
            _ => {}
        }
        if entries + faults == MAX_ENTRIES {
            lose(
                shorten(line),
                number,
                "orchgen reads at most 65536 keys; the file has more after this line",
            );
            break;
        }
    }
    document.sections = without_repeated(sections, file, &mut document.faults);
    document
}

/// Removes sections that a later one of the same name discards, and a default section that has only a version.
fn without_repeated(sections: Vec<Section>, file: usize, faults: &mut Vec<Loss>) -> Vec<Section> {
    let last: BTreeMap<String, u32> =
        sections.iter().map(|section| (section.name.clone(), section.line)).collect();
    let mut kept = Vec::new();
    for section in sections {
        let is_header =
            section.name != DEFAULT || section.entries.first().is_none_or(|entry| entry.line != section.line);
        let has_keys = section.entries.iter().any(|entry| entry.key != "version");
        match last.get(&section.name) {
            Some(line) if *line != section.line && (is_header || has_keys) => {
                let what = format!("[{}]: repeated section", section.name);
                let why = format!("llama-server discards it: line {line} has a section of the same name");
                faults.push(Loss { what, at: At { file, line: section.line }, why });
            }
            Some(line) if *line != section.line => {}
            _ if is_header || has_keys => kept.push(section),
            _ => {}
        }
    }
    kept
}

fn parse_line(line: &str) -> Line {
    let blank = |c: char| c == ' ' || c == '\t';
    let is_end = |rest: &str| {
        rest.trim_start_matches(blank).is_empty() || rest.trim_start_matches(blank).starts_with([';', '#'])
    };
    if is_end(line) {
        return Line::Blank;
    }
    if let Some(rest) = line.strip_prefix('[') {
        return match rest.trim_start_matches(blank).split_once(']') {
            Some((name, rest)) if !name.is_empty() && is_end(rest) => Line::Header(name.to_owned()),
            _ => Line::Fault,
        };
    }
    let Some((key, value)) = line.split_once('=') else { return Line::Fault };
    let key = key.trim_end_matches(blank);
    let is_start = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !is_start || !key.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) {
        return Line::Fault;
    }
    let value = value.trim_matches(blank);
    let (kept, comment) = match value.find([';', '#']) {
        Some(at) => value.split_at(at),
        None => (value, ""),
    };
    let is_cut = !comment.is_empty() && !kept.is_empty() && (!kept.ends_with(blank) || is_open(kept));
    let cut = is_cut.then(|| comment.to_owned());
    Line::Entry(key.to_owned(), kept.trim_end_matches(blank).to_owned(), cut)
}

/// True if a text has an open quote or bracket, so that the text behind it is no comment.
fn is_open(text: &str) -> bool {
    let count = |mark| text.matches(mark).count();
    count('"') % 2 == 1 || count('{') > count('}') || count('[') > count(']') || count('(') > count(')')
}

fn shorten(line: &str) -> String {
    let line = line.trim();
    match line.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}
