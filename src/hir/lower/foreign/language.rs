//! Recognizes the language of a file by its first lines.

use super::tables;
use super::tool::import_help;
use crate::diag::Diagnostic;
use crate::diag::words::quoted;
use crate::hir::ItemKind;
use crate::source::{FileId, SourceFile, Span};
use crate::syntax::codes::{KDL_SYNTAX, YAML_SYNTAX};
use crate::syntax::{Language, language};
use std::path::Path;

/// The finding for a file whose text is in another language than its name promises. Nothing else of the file is read.
pub fn wrong_language(file: FileId, source: &SourceFile) -> Option<Diagnostic> {
    let (text, expected) = (source.text().trim_start_matches('\u{feff}'), language(source));
    let mut lines = text.lines().map(str::trim).filter(|line| !is_comment(line, expected));
    let (first, second) = (lines.next()?, lines.next().unwrap_or_default());
    let found = recognize(first, second, text, expected)?;
    let at = source.text().find(first)?;
    let (code, name) = match expected {
        Language::Yaml => (&YAML_SYNTAX, "YAML"),
        Language::Kdl => (&KDL_SYNTAX, "KDL"),
    };
    let message = format!("this file is {}, not {name}", found.name());
    let span = Span::new(file, at, at + first.len());
    let finding = code.at(span, format!("{} begins here", found.short_name()), message);
    Some(found.help(source.name(), text, expected).into_iter().fold(finding, Diagnostic::help))
}

/// A language or a kind of file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    Json,
    Toml,
    Ini,
    Unit,
    Xml,
    Script,
    Yaml,
    Kdl,
}

fn is_comment(line: &str, language: Language) -> bool {
    line.is_empty()
        || match language {
            Language::Yaml => line.starts_with(['#', ';']) && !line.starts_with("#!"),
            Language::Kdl => line.starts_with("//") || line.starts_with('#') && !line.starts_with("#!"),
        }
}

fn recognize(first: &str, second: &str, text: &str, expected: Language) -> Option<Found> {
    let is_kdl = expected == Language::Kdl;
    let lower = first.to_ascii_lowercase();
    if first.starts_with("#!") {
        return Some(Found::Script);
    }
    if lower.starts_with("<?xml") || lower.starts_with("<!doctype") || lower.starts_with("<html") {
        return Some(Found::Xml);
    }
    if let Some(section) = section_name(first)
        && (second.is_empty() || is_assignment(second) || section_name(second).is_some())
    {
        return Some(match section {
            "Unit" | "Service" | "Install" | "Socket" | "Timer" | "Mount" | "Container" => Found::Unit,
            _ if tables::is_toml(text) => Found::Toml,
            _ => Found::Ini,
        });
    }
    if is_kdl && (first.starts_with('{') || first.starts_with('[')) {
        return Some(Found::Json);
    }
    let word_end = first.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(first.len());
    let (word, rest) = first.split_at_checked(word_end)?;
    let is_kind = ItemKind::of_word(word).is_some() || ItemKind::of_plural(word).is_some();
    match expected {
        // KDL writes the name of an item or its fields after its kind.
        Language::Yaml if ItemKind::of_word(word).is_some() && !rest.trim_start().starts_with([':', '=']) => {
            let rest = rest.trim_start();
            (rest.starts_with(['"', '{']) || rest.contains('=')).then_some(Found::Kdl)
        }
        Language::Yaml if is_assignment(first) && is_assignment(second) && tables::is_toml(text) => {
            Some(Found::Toml)
        }
        Language::Kdl if first == "---" || is_kind && rest.starts_with(':') => Some(Found::Yaml),
        Language::Yaml | Language::Kdl => None,
    }
}

/// The name of a section in brackets that fills a line: `[stack]`.
fn section_name(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?.strip_suffix(']')?;
    let inner = inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(inner).trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-\":/ ".contains(c);
    (!inner.is_empty() && inner.chars().all(is_name)).then_some(inner)
}

/// True for a line such as `name = "home"`.
fn is_assignment(line: &str) -> bool {
    line.split_once('=').is_some_and(|(key, value)| {
        let is_key = |c: char| c.is_ascii_alphanumeric() || "._-\" ".contains(c);
        !key.trim().is_empty() && key.chars().all(is_key) && !value.starts_with('=')
    })
}

impl Found {
    fn name(self) -> &'static str {
        match self {
            Self::Unit => "a unit of systemd",
            Self::Script => "a script",
            Self::Ini => "an INI file",
            Self::Json | Self::Toml | Self::Xml | Self::Yaml | Self::Kdl => self.short_name(),
        }
    }

    fn short_name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Toml => "TOML",
            Self::Ini => "INI",
            Self::Unit => "a section of the unit",
            Self::Xml => "XML",
            Self::Script => "the script",
            Self::Yaml => "YAML",
            Self::Kdl => "KDL",
        }
    }

    fn help(self, path: &str, text: &str, expected: Language) -> Vec<String> {
        let renamed = |extension: &str| {
            let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
            let name = name.unwrap_or_default();
            let new = Path::new(&name).with_extension(extension).to_string_lossy().into_owned();
            (quoted(&name), quoted(&new))
        };
        let rename = |extension: &str| {
            let (old, new) = renamed(extension);
            format!("rename {old} to {new}")
        };
        match self {
            Self::Json => vec![format!("{}: YAML includes JSON", rename("yaml"))],
            Self::Yaml => vec![rename("yaml")],
            Self::Kdl => vec![rename("kdl")],
            Self::Toml | Self::Ini => match tables::as_registry(text, expected) {
                Some(code) => vec![format!("write\n{code}")],
                None => vec![other_file(expected)],
            },
            Self::Unit | Self::Script => vec![import_help(path)],
            Self::Xml => vec![other_file(expected)],
        }
    }
}

fn other_file(expected: Language) -> String {
    let example = match expected {
        Language::Yaml => "`roles: {chat: {model: NAME}}`",
        Language::Kdl => "`role \"chat\" model=\"NAME\"`",
    };
    format!("move it out of this folder, or write its content in the form {example}")
}
