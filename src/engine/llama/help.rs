//! Parses the text of `--help` into option records.
//!
//! The grammar (llama.cpp b11434, `common/arg.cpp`, `common_arg::to_string` and the usage printer; the same in every
//! build from the March 2026 tree to b11669):
//!
//! ```text
//! ----- common params -----
//!
//! -c,    --ctx-size N                     what it does, refilled at 70 columns
//!                                         (env: LLAMA_ARG_CTX_SIZE)
//! -kvo,  --kv-offload, -nkvo, --no-kv-offload
//!                                         a head of more than 37 columns is alone on its line
//! ```
//!
//! Nothing is dropped: a line that looks like an option but does not follow the grammar is returned as
//! [`Help::not_understood`].

use std::collections::BTreeSet;

use super::option::OptionRecord;

/// The column in which the description starts, from 0.
const TEXT_COLUMN: usize = 40;

/// The maximum width of a head that shares its line with the description, in columns.
const MAX_HEAD_WIDTH: usize = 37;

/// The options of one program, as described by its `--help`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Help {
    /// The options, in the order of the text. Their `tools` is [`Tools::All`](super::Tools::All): the text does not
    /// name the program.
    pub options: Vec<OptionRecord>,
    /// Lines that look like an option or a part of one but could not be parsed.
    pub not_understood: Vec<String>,
}

/// Parses a help text. For any text, each line that begins with a dash is in the result.
pub fn parse_help(text: &str) -> Help {
    let mut reader = HelpReader::default();
    for line in text.lines() {
        reader.line(line);
    }
    reader.flush();
    reader.help
}

#[derive(Default)]
struct HelpReader<'t> {
    help: Help,
    /// The option whose description is being read: its head, and its lines so far.
    open: Option<(OptionHead<'t>, Vec<&'t str>)>,
    seen_names: BTreeSet<&'t str>,
}

/// The part of an option before its description.
struct OptionHead<'t> {
    line: &'t str,
    names: Vec<&'t str>,
    value: Option<&'t str>,
}

impl<'t> HelpReader<'t> {
    fn line(&mut self, line: &'t str) {
        if is_section(line) {
            self.flush();
        } else if line.starts_with('-') {
            self.flush();
            let (head, text) = split_line(line);
            match names(head).filter(|(names, _)| names.iter().all(|name| !self.seen_names.contains(name))) {
                Some((names, value)) => {
                    self.seen_names.extend(&names);
                    self.open = Some((OptionHead { line, names, value }, text.into_iter().collect()));
                }
                None => self.help.not_understood.push(line.to_owned()),
            }
        } else if line.trim().is_empty() {
            // Ignore blank lines: they also occur inside an option, before the environment variable.
        } else if let (Some(text), Some((_, lines))) = (indented(line), &mut self.open) {
            lines.push(text);
        } else if !line.starts_with(' ') {
            self.flush();
        } else if self.open.is_some() || line.trim_start().starts_with('-') {
            self.help.not_understood.push(line.to_owned());
        }
    }

    fn flush(&mut self) {
        let Some((head, lines)) = self.open.take() else { return };
        match to_record(&head, &lines) {
            Some(record) => self.help.options.push(record),
            None => self.help.not_understood.push(head.line.to_owned()),
        }
    }
}

/// True for a line such as `----- common params -----`.
fn is_section(line: &str) -> bool {
    line.len() > 12 && line.starts_with("----- ") && line.trim_end().ends_with(" -----")
}

/// The text of a line that is indented to the column of the description.
fn indented(line: &str) -> Option<&str> {
    let (blanks, text) = line.split_at_checked(TEXT_COLUMN)?;
    blanks.bytes().all(|b| b == b' ').then_some(text)
}

/// Splits a line into head and description. The column decides, not double blanks: the first name is padded.
fn split_line(line: &str) -> (&str, Option<&str>) {
    let parts = line.split_at_checked(MAX_HEAD_WIDTH).zip(line.split_at_checked(TEXT_COLUMN));
    match parts {
        Some(((head, rest), (_, text))) if rest.starts_with("   ") => (head.trim_end(), Some(text)),
        _ => (line.trim_end(), None),
    }
}

/// The names of a head, and the placeholder of its value: the text after the first name without a comma.
fn names(head: &str) -> Option<(Vec<&str>, Option<&str>)> {
    let (mut names, mut rest) = (Vec::new(), head);
    loop {
        let end = rest.find([',', ' ']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        let body = name.trim_start_matches('-');
        let is_name = (1..=2).contains(&(name.len() - body.len()))
            && body.starts_with(|c: char| c.is_ascii_alphanumeric())
            && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !is_name || names.contains(&name) {
            return None;
        }
        names.push(name);
        match after.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => {
                let value = after.trim();
                let is_plain = !value.chars().any(char::is_control);
                return is_plain.then_some((names, (!value.is_empty()).then_some(value)));
            }
        }
    }
}

fn to_record(head: &OptionHead<'_>, lines: &[&str]) -> Option<OptionRecord> {
    let env = lines.iter().rev().find_map(|line| env_variable(line));
    let prose: Vec<&str> = lines.iter().copied().filter(|line| env_variable(line).is_none()).collect();
    let text = prose.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ");
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let (on, off) = head.names.split_at_checked(first_negative(head))?;
    let removed =
        text.strip_prefix("the argument has been removed.").map(|rest| replacement_text(rest.trim()));
    let is_split = (on.contains(&"--host") || on.contains(&"--alias")) && text.contains("comma-separated");
    Some(OptionRecord {
        names: owned(on),
        negative: owned(off),
        value: head.value.map(str::to_owned),
        values: head.value.and_then(arguments),
        choices: head.value.map(|value| choices(value, &prose, &text)).unwrap_or_default(),
        accepts: head.value.map(|value| accepts(value, &text)).unwrap_or_default(),
        separator: is_split.then(|| ",".to_owned()),
        env: env.map(str::to_owned),
        deprecated: if removed.is_none() { deprecated(&text) } else { None },
        removed,
        ..OptionRecord::default()
    })
}

/// The index of the first name that switches the option off. Nothing separates these names from the others, so it is
/// the first `-no-` or `--no-` name, or a short `-n…` before such a long name (`-nkvo, --no-kv-offload`). If the first
/// name is such a name, the option has no negative names.
fn first_negative(head: &OptionHead<'_>) -> usize {
    let is_negative = |name: &&str| name.starts_with("--no-") || name.starts_with("-no-");
    let all = head.names.len();
    if head.value.is_some() || head.names.first().is_none_or(is_negative) {
        return all;
    }
    let last_long = head.names.iter().rposition(|name| name.starts_with("--no-")).unwrap_or(0);
    let short = |at: usize, name: &str| at < last_long && name.starts_with("-n");
    head.names
        .iter()
        .enumerate()
        .position(|(at, name)| at > 0 && (is_negative(name) || short(at, name)))
        .unwrap_or(all)
}

/// The environment variable in a line `(env: NAME)`.
fn env_variable(line: &str) -> Option<&str> {
    let name = line.trim().strip_prefix("(env: ")?.strip_suffix(')')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some(name)
}

fn replacement_text(text: &str) -> String {
    if text.is_empty() { "no replacement named".to_owned() } else { text.to_owned() }
}

/// The replacement in `DEPRECATED in favor of `--x`: …`, or a fixed text after the word alone.
fn deprecated(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("DEPRECATED")?;
    let named = rest.strip_prefix(" in favor of `").and_then(|rest| rest.split_once('`'));
    Some(named.map_or_else(|| replacement_text(""), |(name, _)| format!("use {name}")))
}

/// The number of arguments if there are several: `START END` is two. A placeholder with blanks is one argument unless
/// all its words are in capitals.
fn arguments(value: &str) -> Option<u8> {
    let words: Vec<&str> = value.split(' ').collect();
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let all = words.len() > 1 && words.iter().all(is_word);
    if all { u8::try_from(words.len()).ok() } else { None }
}

/// The closed set of values: in the placeholder, in a line of allowed values, or as bullets.
fn choices(value: &str, lines: &[&str], text: &str) -> Vec<String> {
    let in_placeholder = placeholder(value);
    if !in_placeholder.is_empty() {
        return in_placeholder;
    }
    if let Some((_, list)) = text.split_once("allowed values: ") {
        let list = list.split_once('(').map_or(list, |(list, _)| list);
        let words: Vec<String> = list.split(',').map(|word| word.trim().to_owned()).collect();
        return if words.iter().all(|word| is_choice(word)) { words } else { Vec::new() };
    }
    let mut words: Vec<String> = lines.iter().filter_map(|line| bullet(line)).map(str::to_owned).collect();
    let default = text.rsplit_once("(default: ").and_then(|(_, rest)| rest.split_once(')'));
    if let Some((default, _)) = default.filter(|(word, _)| !words.is_empty() && is_choice(word))
        && !words.iter().any(|word| word == default)
    {
        words.push(default.to_owned());
    }
    words
}

/// The choices in a placeholder `{a,b}`, `[a|b]`, `<a|b>` or `a,b`.
fn placeholder(value: &str) -> Vec<String> {
    let inside = |open, close| value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let (list, sign) = match (inside('{', '}'), inside('[', ']').or_else(|| inside('<', '>'))) {
        (Some(list), _) => (list, ','),
        (None, Some(list)) => (list, '|'),
        (None, None) => (value, ','),
    };
    let words: Vec<String> = list.split(sign).map(str::to_owned).collect();
    if words.len() > 1 && words.iter().all(|word| is_choice(word)) { words } else { Vec::new() }
}

/// The choice in a line `- word: what it does` or `- word (default): …`.
fn bullet(line: &str) -> Option<&str> {
    let (word, _) = line.strip_prefix("- ")?.split_once(':')?;
    let word = word.strip_suffix(" (default)").unwrap_or(word);
    is_choice(word).then_some(word)
}

fn is_choice(word: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_+-".contains(&b);
    word.starts_with(|c: char| c.is_ascii_alphanumeric()) && word.bytes().all(fits)
}

/// The further values in `either an exact number, 'auto', or 'all'`.
fn accepts(value: &str, text: &str) -> Vec<String> {
    let Some((_, rest)) = text.split_once("either an exact number, ") else { return Vec::new() };
    let list = rest.split_once('(').map_or(rest, |(list, _)| list);
    let words = list.split('\'').skip(1).step_by(2).filter(|word| is_choice(word));
    std::iter::once(value).chain(words).map(str::to_owned).collect()
}
