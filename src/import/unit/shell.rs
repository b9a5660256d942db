//! A command in a string for a shell: `sh -c 'exec PROGRAM …'`.
//!
//! Only strings whose words are certain are read: no substitution, no pattern, no redirection, no loop. The commands `cd FOLDER &&` and
//! `export NAME=VALUE;` may be in front of the program.

use super::variables::{Value, Variables};
use crate::import::prefix::{assignment, is_name, shell_string};
use crate::import::source::{Server, Word};

/// The maximum length of a string.
const MAX_LENGTH: usize = 1 << 20;

/// Replaces a shell by the program that it runs, if the string is simple. Otherwise the words stay.
pub(crate) fn unwrap(words: Vec<Word>, variables: &Variables, server: &mut Server) -> Vec<Word> {
    let Some(text) = shell_string(&words).and_then(|index| words.get(index)) else { return words };
    if text.is_dynamic || text.text.len() > MAX_LENGTH {
        return words;
    }
    let Some(mut commands) = parse(text, variables) else { return words };
    let Some(program) = commands.pop() else { return words };
    let is_setup = |command: &Vec<Word>| match command.first().map(|word| word.text.as_str()) {
        Some("cd") => command.len() == 2,
        Some("export") => command.iter().skip(1).all(|word| assignment(word).is_some()),
        Some("set" | "umask" | "ulimit") => true,
        _ => false,
    };
    if !commands.iter().all(is_setup) {
        return words;
    }
    for command in commands {
        let mut command = command.into_iter();
        match command.next() {
            Some(first) if first.text == "cd" => server.folder = command.next().or(server.folder.take()),
            Some(first) if first.text == "export" => {
                for (name, value) in command.filter_map(|word| assignment(&word)) {
                    server.set_variable(name, value);
                }
            }
            Some(first) if first.text != "set" => {
                let rest = command.map(|word| word.text).collect::<Vec<_>>().join(" ");
                server.lose(format!("{} {rest}", first.text), first.at, "orchgen's units run no shell");
            }
            _ => {}
        }
    }
    program
}

/// The commands of a string, separated by `&&`, `;` or line breaks. `None` if the string is not simple.
fn parse(source: &Word, variables: &Variables) -> Option<Vec<Vec<Word>>> {
    let mut parser =
        Parser { source, variables, commands: Vec::new(), words: Vec::new(), word: None, is_dynamic: false };
    let mut rest = source.text.as_str();
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..)?;
        rest = match c {
            '\'' => {
                let (text, after) = after.split_once('\'')?;
                parser.text().push_str(text);
                after
            }
            '"' => parser.quoted(after)?,
            '\\' => {
                let next = after.chars().next()?;
                if next != '\n' {
                    parser.text().push(next);
                }
                after.get(next.len_utf8()..)?
            }
            '$' => {
                let (value, after) = parser.variable(after)?;
                parser.append(Some(&value).filter(|value| is_word(&value.text))?)?;
                after
            }
            ' ' | '\t' => {
                parser.end_word();
                after
            }
            '\n' | ';' => parser.end_command(after)?,
            '&' => parser.end_command(after.strip_prefix('&')?)?,
            '|' | '<' | '>' | '(' | ')' | '`' | '*' | '?' | '[' | '{' | '}' | '!' => return None,
            '#' | '~' if parser.word.is_none() => return None,
            c => {
                parser.text().push(c);
                after
            }
        };
    }
    parser.end_command("")?;
    Some(parser.commands)
}

struct Parser<'p> {
    source: &'p Word,
    variables: &'p Variables,
    commands: Vec<Vec<Word>>,
    words: Vec<Word>,
    word: Option<String>,
    is_dynamic: bool,
}

impl Parser<'_> {
    fn text(&mut self) -> &mut String {
        self.word.get_or_insert_default()
    }

    fn end_word(&mut self) {
        let is_dynamic = std::mem::take(&mut self.is_dynamic);
        let at = self.source.at;
        self.words.extend(self.word.take().map(|text| Word { text, at, is_dynamic }));
    }

    fn end_command<'r>(&mut self, after: &'r str) -> Option<&'r str> {
        self.end_word();
        let command = std::mem::take(&mut self.words);
        let keywords = ["if", "for", "while", "until", "case", "function", "source", ".", "eval", "trap"];
        if command.first().is_some_and(|word| keywords.contains(&word.text.as_str())) {
            return None;
        }
        self.commands.extend((!command.is_empty()).then_some(command));
        Some(after)
    }

    fn quoted<'r>(&mut self, text: &'r str) -> Option<&'r str> {
        self.text();
        let mut rest = text;
        loop {
            let at = rest.find(['"', '\\', '$', '`'])?;
            let (before, after) = rest.split_at_checked(at)?;
            self.text().push_str(before);
            let mark = after.chars().next()?;
            let after = after.get(1..)?;
            rest = match mark {
                '"' => return Some(after),
                '$' => {
                    let (value, after) = self.variable(after)?;
                    self.append(&value)?;
                    after
                }
                '\\' => {
                    let next = after.chars().next()?;
                    if !"\"\\$`\n".contains(next) {
                        self.text().push('\\');
                    }
                    if next != '\n' {
                        self.text().push(next);
                    }
                    after.get(next.len_utf8()..)?
                }
                _ => return None,
            };
        }
    }

    /// The value of a variable of the service, and the text after its name.
    fn variable<'r>(&self, after: &'r str) -> Option<(Word, &'r str)> {
        let (name, rest) = match after.strip_prefix('{') {
            Some(inner) => inner.split_once('}')?,
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                after.split_at_checked(end)?
            }
        };
        match self.variables.get(name) {
            Value::Known(value) if is_name(name) => Some((value.clone(), rest)),
            Value::Known(_) | Value::Unset | Value::Unread | Value::Unknown => None,
        }
    }

    fn append(&mut self, value: &Word) -> Option<()> {
        if self.word.as_ref().map_or(0, String::len) + value.text.len() > MAX_LENGTH {
            return None;
        }
        self.text().push_str(&value.text);
        self.is_dynamic |= value.is_dynamic;
        Some(())
    }
}

/// True if an unquoted value is one word.
fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "*?[".contains(c))
}
