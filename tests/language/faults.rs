//! Faults of every kind that can be told apart from a sound registry by adding to it: the examples of the pages.

use super::BASE;
use super::translate::{declared, translated};
use orchgen::catalogue::codes;
use orchgen::syntax::Language;

/// A fault: its code, and the files that bring it into a registry, by language.
pub(super) struct Fault {
    pub(super) code: &'static str,
    /// The models that it speaks of, in a file beside it.
    pub(super) models: File,
    pub(super) kdl: File,
    pub(super) yaml: File,
    /// Whether both languages can have it.
    pub(super) is_translated: bool,
}

/// The name of a file and its text.
pub(super) type File = (String, String);

/// Codes that are no example beside others, each with the reason.
pub(super) const APART: &[(&str, &str)] = &[
    (
        "not-utf8",
        "its file is no text; names of all files may stand in it, so that unknown ones are not said",
    ),
    (
        "file-too-large",
        "its file is not read; names of all files may stand in it, so that unknown ones are not said",
    ),
    ("nesting-too-deep", "its page has no example: 64 levels are no reading"),
    ("missing-item", "a registry has one stack, and without it nothing else is sure"),
    ("reserved-unit", "it is the name of the stack, of which there is one"),
    ("unreadable-profile", "it lies in a profile beside the registry"),
    ("unused-allow", "it is silent beside anything that could not be read, which may be what is allowed"),
    ("unused-item", "it is silent beside anything that could not be read, which may be what names the item"),
    ("missing-model", "it takes a command that reads model files"),
    ("unreadable-model", "it takes a command that reads model files"),
    ("stale-lock", "it takes a command that reads model files"),
    ("not-checked", "it takes a flag of the command line"),
    ("stale-baseline", "it lies in a file of known findings, which the command line names"),
    ("damaged-lock", "it lies in the lock, of which there is one"),
    ("unknown-lock-format", "it lies in the lock, of which there is one"),
    ("unfitting-cache-type", "it takes facts of the lock, of which there is one"),
    ("contradicted-fact", "it takes facts of the lock, of which there is one"),
    ("missing-shard", "it takes facts of the lock, of which there is one"),
    ("foreign-projector", "it takes facts of the lock, of which there is one"),
    ("refuted-draft", "it takes facts of the lock, of which there is one"),
    ("refuted-pair", "it takes facts of the lock, of which there is one"),
    ("disproved-ban", "it takes facts of the lock, of which there is one"),
    ("uneven-vocabularies", "it takes facts of the lock, of which there is one"),
    ("translated-draft", "it takes facts of the lock, of which there is one"),
];

/// Codes whose fault one of the languages cannot have, or has in other words.
const OF_ONE_LANGUAGE: &[&str] = &["empty-block"];

/// All faults, in the order of their codes, each with names and ports of its own.
pub(super) fn all() -> Vec<Fault> {
    let seedable = codes().into_iter().filter(|code| code.number < 400);
    let seedable = seedable.filter(|code| APART.iter().all(|(apart, _)| *apart != code.name));
    let faults = seedable.enumerate().map(|(n, code)| {
        let examples = code.examples("Example");
        let [example] = examples.as_slice() else { panic!("{} has {} examples", code.name, examples.len()) };
        let language = example.language.as_str();
        let text = owned(language, &example.text, n);
        let file = |language: &str, text: &str| (format!("f{n:03}.{language}"), text.to_owned());
        let other = if language == "kdl" { "yaml" } else { "kdl" };
        let here = file(language, &text);
        let there = translated(language, &text).filter(|_| !OF_ONE_LANGUAGE.contains(&code.name));
        let is_translated = there.is_some();
        let there = there.map_or_else(|| here.clone(), |text| file(other, &text));
        let (kdl, yaml) = if language == "kdl" { (here, there) } else { (there, here) };
        Fault { code: code.name, models: models(n), kdl, yaml, is_translated }
    });
    faults.collect()
}

impl Fault {
    pub(super) fn file(&self, language: Language) -> &File {
        if language == Language::Kdl { &self.kdl } else { &self.yaml }
    }
}

/// Models of the base that examples use.
const MODELS: &[&str] = &["plain", "tiny", "mixture", "small-mixture", "recurrent"];

/// Copies of the models, for a fault of that number, so that a rule about one is none about another's.
fn models(n: usize) -> File {
    let is_model =
        |line: &&str| line.starts_with("model ") || line.starts_with("    experts") || *line == "}";
    let start = BASE.find("model \"").unwrap();
    let lines: Vec<&str> = BASE[start..].lines().filter(is_model).collect();
    let named: Vec<String> = MODELS.iter().map(|name| format!("\"{name}\"")).collect();
    let text = format!(
        "{}\nquirk \"ready {n}\" {{ models {}; issue \"they stand ready\" }}\n",
        lines.join("\n"),
        named.join(" ")
    );
    (format!("m{n:03}.kdl"), renamed(&text, MODELS.iter().copied(), n))
}

fn owned(language: &str, text: &str, n: usize) -> String {
    let own = declared(language, text);
    renamed(text, MODELS.iter().copied().chain(own.iter().map(String::as_str)), n)
}

/// The text with these names and all ports from 9000 to 9999 made those of a fault of that number.
fn renamed<'a>(text: &str, names: impl Iterator<Item = &'a str>, n: usize) -> String {
    let names: Vec<&str> = names.collect();
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !of_name(c)).unwrap_or(rest.len()));
        // A name stands before a colon, after a blank or a bracket, or between quotes; a file and a path are none.
        let is_part = out.ends_with('/');
        match word {
            _ if names.contains(&word) && !is_part => out.extend(["s", &n.to_string(), "-", word]),
            _ if !word.is_empty() && word.split('-').all(is_port) => {
                let ports = word
                    .split('-')
                    .map(|port| (20_000 + 10 * n + port.parse::<usize>().unwrap() % 10).to_string());
                out += &ports.collect::<Vec<_>>().join("-");
            }
            _ => out += word,
        }
        let end = after.find(of_name).unwrap_or(after.len());
        out += &after[..end];
        rest = &after[end..];
    }
    out
}

fn is_port(word: &str) -> bool {
    word.len() == 4 && word.starts_with('9') && word.chars().all(|c| c.is_ascii_digit())
}
