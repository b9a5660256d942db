//! Faults to add to a correct registry, one per code: the bad example of its `explain` page.

use super::BASE;
use super::translate::{declared_names, translate};
use orchgen::catalogue::codes;
use orchgen::syntax::Language;

/// A fault: its code, and the files that add it to a registry.
pub(super) struct Fault {
    pub(super) code: &'static str,
    /// A separate KDL file with the models that the fault uses.
    pub(super) models: File,
    pub(super) kdl: File,
    pub(super) yaml: File,
    /// True if both languages can express the fault. Otherwise `kdl` and `yaml` are the same file.
    pub(super) is_translated: bool,
}

/// The name of a file and its text.
pub(super) type File = (String, String);

/// Codes whose example cannot be combined with others, each with the reason.
pub(super) const NOT_SEEDED: &[(&str, &str)] = &[
    ("not-utf8", "the file cannot be read and may declare any name, so unknown names are not reported"),
    ("file-too-large", "the file is not read and may declare any name, so unknown names are not reported"),
    ("nesting-too-deep", "the page has no example, because it would have more than 64 levels"),
    ("missing-item", "a registry has one stack, and other checks need it"),
    ("reserved-unit", "it is about the name of the stack, and there is only one stack"),
    ("needs-root", "it depends on a field of the stack, and there is only one stack"),
    ("unreadable-profile", "it is about a profile outside of the registry"),
    (
        "unused-allow",
        "it is not reported if an item cannot be read, because that item may have the allowed finding",
    ),
    ("unused-item", "it is not reported if an item cannot be read, because that item may use the unused one"),
    ("missing-model", "it needs a command that reads model files"),
    ("unreadable-model", "it needs a command that reads model files"),
    ("stale-lock", "it needs a command that reads model files"),
    ("not-checked", "it needs a command-line flag"),
    ("stale-baseline", "it is about a baseline file, which is named on the command line"),
    ("damaged-lock", "it is about the lock, and there is only one lock"),
    ("unknown-lock-format", "it is about the lock, and there is only one lock"),
    ("unfitting-cache-type", "it needs facts from the lock, and there is only one lock"),
    ("contradicted-fact", "it needs facts from the lock, and there is only one lock"),
    ("missing-mtp-layers", "it needs facts from the lock, and there is only one lock"),
    ("missing-shard", "it needs facts from the lock, and there is only one lock"),
    ("foreign-adapter", "it needs facts from the lock, and there is only one lock"),
    ("foreign-projector", "it needs facts from the lock, and there is only one lock"),
    ("refuted-draft", "it needs facts from the lock, and there is only one lock"),
    ("refuted-pair", "it needs facts from the lock, and there is only one lock"),
    ("disproved-ban", "it needs facts from the lock, and there is only one lock"),
    ("uneven-vocabularies", "it needs facts from the lock, and there is only one lock"),
    ("translated-draft", "it needs facts from the lock, and there is only one lock"),
];

/// Codes whose fault only one language can express, or whose messages differ between the languages.
const NOT_TRANSLATED: &[&str] = &["empty-block"];

/// All faults, in the order of their codes. Each fault has unique names and ports.
pub(super) fn all() -> Vec<Fault> {
    let seedable = codes().into_iter().filter(|code| code.number < 400);
    let seedable = seedable.filter(|code| NOT_SEEDED.iter().all(|(name, _)| *name != code.name));
    let faults = seedable.enumerate().map(|(n, code)| {
        let examples = code.examples("Example");
        let [example] = examples.as_slice() else { panic!("{} has {} examples", code.name, examples.len()) };
        let language = example.language.as_str();
        let text = with_unique_names(language, &example.text, n);
        let file = |language: &str, text: &str| (format!("f{n:03}.{language}"), text.to_owned());
        let other = if language == "kdl" { "yaml" } else { "kdl" };
        let original = file(language, &text);
        let translation = translate(language, &text).filter(|_| !NOT_TRANSLATED.contains(&code.name));
        let is_translated = translation.is_some();
        let translation = translation.map_or_else(|| original.clone(), |text| file(other, &text));
        let (kdl, yaml) = if language == "kdl" { (original, translation) } else { (translation, original) };
        Fault { code: code.name, models: models(n), kdl, yaml, is_translated }
    });
    faults.collect()
}

impl Fault {
    pub(super) fn file(&self, language: Language) -> &File {
        if language == Language::Kdl { &self.kdl } else { &self.yaml }
    }
}

/// Models of the base that the examples use.
const MODELS: &[&str] = &["plain", "tiny", "mixture", "small-mixture", "recurrent"];

/// Copies of the models for fault `n`, so that a rule of one fault does not match the models of another.
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
    (format!("m{n:03}.kdl"), rename(&text, MODELS.iter().copied(), n))
}

fn with_unique_names(language: &str, text: &str, n: usize) -> String {
    let own = declared_names(language, text);
    rename(text, MODELS.iter().copied().chain(own.iter().map(String::as_str)), n)
}

/// Replaces these names, and all ports from 9000 to 9999, by names and ports of fault `n`.
fn rename<'a>(text: &str, names: impl Iterator<Item = &'a str>, n: usize) -> String {
    let names: Vec<&str> = names.collect();
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !is_name_char(c)).unwrap_or(rest.len()));
        // A word after a slash is part of a path and not a name.
        let is_in_path = out.ends_with('/');
        match word {
            _ if names.contains(&word) && !is_in_path => out.extend(["s", &n.to_string(), "-", word]),
            _ if !word.is_empty() && word.split('-').all(is_port) => {
                let ports = word
                    .split('-')
                    .map(|port| (20_000 + 10 * n + port.parse::<usize>().unwrap() % 10).to_string());
                out += &ports.collect::<Vec<_>>().join("-");
            }
            _ => out += word,
        }
        let end = after.find(is_name_char).unwrap_or(after.len());
        out += &after[..end];
        rest = &after[end..];
    }
    out
}

fn is_port(word: &str) -> bool {
    word.len() == 4 && word.starts_with('9') && word.chars().all(|c| c.is_ascii_digit())
}
