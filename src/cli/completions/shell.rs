//! The languages of the shells: the words of a request, and the candidates of the answer.

use crate::diag::words::is_control_like;
use std::ffi::OsString;

/// A shell whose script asks for candidates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Script {
    Bash,
    Zsh,
    Fish,
}

/// A value of an argument, and its description. An empty description is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Candidate {
    pub(super) value: String,
    pub(super) help: String,
}

/// The words of a command line up to the cursor.
#[derive(Debug)]
pub(super) struct Typed {
    script: Script,
    /// The words, with the name of the program. The last one is completed.
    words: Vec<OsString>,
    /// The start of the last word that bash keeps, because it ends with a separator.
    kept: String,
    /// The quotation mark with which the last word begins, so that candidates need no other one.
    quote: Option<u8>,
}

impl Script {
    pub(super) fn of(name: &str) -> Option<Self> {
        [(Self::Bash, "bash"), (Self::Zsh, "zsh"), (Self::Fish, "fish")]
            .into_iter()
            .find_map(|(script, known)| (known == name).then_some(script))
    }

    /// The script that the shell loads.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Bash => {
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/completions/orchgen.bash"))
            }
            Self::Zsh => {
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/completions/_orchgen"))
            }
            Self::Fish => {
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/completions/orchgen.fish"))
            }
        }
    }
}

impl Typed {
    /// Interprets the words of a request. bash sends the last word twice: with its quotes, and the part before the cursor.
    pub(super) fn new(script: Script, mut words: Vec<OsString>) -> Self {
        let mut last = words.pop().unwrap_or_default();
        let raw = if script == Script::Bash { words.pop().unwrap_or_default() } else { last.clone() };
        let quote = raw.as_encoded_bytes().first().copied().filter(|first| b"'\"".contains(first));
        if script != Script::Zsh {
            last = unquoted(last);
        }
        let mut kept = String::new();
        if script == Script::Bash {
            if raw == "=" {
                words.push(raw);
            }
            (words, kept) = joined(words);
            let mut whole = OsString::from(&kept);
            whole.push(last);
            last = whole;
        }
        words.push(last);
        Self { script, words, kept, quote }
    }

    pub(super) fn words(&self) -> &[OsString] {
        &self.words
    }

    /// The answer, a line for each candidate. Options are listed only if there is nothing else, or if the word begins with
    /// `-`. A value with a control character cannot be a line, and is left out.
    pub(super) fn lines(&self, mut candidates: Vec<Candidate>) -> String {
        let is_option = |one: &Candidate| one.value.starts_with('-');
        let is_empty = self.words.last().is_none_or(|last| last.is_empty());
        if is_empty && !candidates.iter().all(is_option) {
            candidates.retain(|one| !is_option(one));
        }
        candidates.retain(|one| !one.value.chars().any(is_control_like));
        candidates.iter().map(|one| self.line(one) + "\n").collect()
    }

    fn line(&self, Candidate { value, help }: &Candidate) -> String {
        // Shells have one line for both. The first sentence is the purpose.
        let help = help.lines().next().unwrap_or_default();
        let help = help.split_once(". ").map_or(help, |(first, _)| first).trim_end_matches('.');
        let help: String = help.chars().filter(|c| !is_control_like(*c)).collect();
        match self.script {
            Script::Bash => {
                let value = value.strip_prefix(&self.kept).unwrap_or(value);
                let end = if value.ends_with(['/', '=']) { "" } else { " " };
                match self.quote {
                    Some(b'"') => escaped_in_quotes(value),
                    // readline itself escapes a `'`.
                    Some(_) => value.to_owned(),
                    None => escaped(value) + end,
                }
            }
            Script::Zsh => {
                let value = value.replace('\\', "\\\\").replace(':', "\\:");
                if help.is_empty() { value } else { format!("{value}:{help}") }
            }
            Script::Fish if help.is_empty() => value.clone(),
            Script::Fish => format!("{value}\t{help}"),
        }
    }
}

/// Joins the words that bash separates at `=`. `--name = value` are the words `--name value`, `name = value` is one word.
/// Returns the start of the last word, if it is of this kind.
fn joined(words: Vec<OsString>) -> (Vec<OsString>, String) {
    let mut all: Vec<OsString> = Vec::new();
    let mut is_open = false;
    for word in words {
        let is_option = |last: &OsString| last.as_encoded_bytes().starts_with(b"--");
        match all.last_mut() {
            Some(last) if word == "=" && is_option(last) => {}
            Some(last) if word == "=" => {
                last.push(word);
                is_open = true;
            }
            Some(last) if is_open => {
                last.push(word);
                is_open = false;
            }
            Some(_) | None => all.push(word),
        }
    }
    let kept = if is_open { all.pop().and_then(|kept| kept.into_string().ok()) } else { None };
    (all, kept.unwrap_or_default())
}

/// A word without its opening quotation mark, or without the backslashes of a word that has none. Only a text can have them.
fn unquoted(word: OsString) -> OsString {
    let Some(text) = word.to_str() else { return word };
    if let Some(quoted) = text.strip_prefix(['\'', '"']) {
        return quoted.into();
    }
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain.into()
}

/// A value inside of `"`, where bash still expands variables and commands.
fn escaped_in_quotes(value: &str) -> String {
    let escape = |c: char| if "$`\"\\".contains(c) { format!("\\{c}") } else { String::from(c) };
    value.chars().map(escape).collect()
}

/// A value as a word of bash.
fn escaped(value: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-=,:@%+".contains(c);
    let escape = |c: char| if is_plain(c) { String::from(c) } else { format!("\\{c}") };
    value.chars().map(escape).collect()
}
