//! Parses a script into commands: lists, pipelines, simple commands, redirections and here-documents.

use super::tree::{
    AssignedValue, Assignment, Body, Command, Connector, DECLARATIONS, Item, Redirect, Simple,
};
use super::words::{Cursor, Lines, RawWord, Unreadable, is_meta};
use crate::import::source::{At, Loss};

/// The maximum number of places that cannot be read, after which the rest is not read.
const MAX_UNREADABLE: usize = 16;

/// The maximum size of a script in bytes.
const MAX_BYTES: usize = 1 << 20;

/// A parser at a place of a script.
pub(super) struct Parser {
    pub(super) cursor: Cursor,
    pub(super) depth: usize,
    /// Here-documents whose text begins at the next line: the delimiter, true if tabs in front of it are removed, and the place.
    here: Vec<(String, bool, At)>,
    losses: Vec<Loss>,
}

/// Parses a script. Places that cannot be read are losses.
pub(super) fn parse(text: &str, at: At, lines: Lines) -> (Vec<Item>, Vec<Loss>) {
    if text.len() > MAX_BYTES {
        let why = "it has more than 1 MiB".to_owned();
        return (Vec::new(), vec![Loss { what: "script".to_owned(), at, why }]);
    }
    let cursor = Cursor::new(text, at, lines);
    let mut parser = Parser { cursor, depth: 0, here: Vec::new(), losses: Vec::new() };
    let (mut items, mut unreadable, mut connector) = (Vec::new(), 0, Connector::Always);
    loop {
        parser.skip_lines();
        if parser.is_end() {
            break;
        }
        let (index, start) = (parser.cursor.index(), parser.cursor.at());
        match parser.item(connector) {
            Ok((item, next)) => {
                items.push(item);
                connector = next;
            }
            Err(error) if unreadable < MAX_UNREADABLE => {
                unreadable += 1;
                parser.skip_unreadable(index, start, error.why);
                connector = Connector::Always;
            }
            Err(_) => {
                let why = "too many lines in front of it cannot be read".to_owned();
                parser.losses.push(Loss { what: "rest of the script".to_owned(), at: start, why });
                break;
            }
        }
    }
    (items, parser.losses)
}

/// The first line of a text, shortened.
pub(super) fn shorten(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{} …", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

impl Parser {
    fn is_end(&self) -> bool {
        self.cursor.peek(0).is_none()
    }

    /// Continues at the line after the start of a command that cannot be read.
    fn skip_unreadable(&mut self, index: usize, start: At, why: &str) {
        self.cursor.reset(index, start);
        (self.depth, self.here) = (0, Vec::new());
        while self.cursor.peek(0).is_some_and(|c| c != '\n') {
            self.cursor.bump();
        }
        let line = self.cursor.since(index);
        self.cursor.bump();
        self.losses.push(Loss {
            what: shorten(&line),
            at: start,
            why: format!("{why}, so this line is not read"),
        });
    }

    /// Reads blanks, comments and ends of lines.
    pub(super) fn skip_lines(&mut self) {
        loop {
            self.skip_space();
            if self.cursor.peek(0) == Some('\n') {
                self.end_line();
            } else if self.cursor.peek(0) == Some(';') && self.cursor.peek(1) != Some(';') {
                self.cursor.bump();
            } else {
                return;
            }
        }
    }

    /// Reads blanks and a comment.
    pub(super) fn skip_space(&mut self) {
        self.cursor.skip_blanks();
        if self.cursor.peek(0) == Some('#') {
            while self.cursor.peek(0).is_some_and(|c| c != '\n') {
                self.cursor.bump();
            }
        }
    }

    /// Reads the end of a line, and the here-documents that begin after it.
    fn end_line(&mut self) {
        self.cursor.bump();
        for (delimiter, is_indented, at) in std::mem::take(&mut self.here) {
            let from = self.cursor.index();
            while !self.is_end() {
                let start = self.cursor.index();
                while self.cursor.peek(0).is_some_and(|c| c != '\n') {
                    self.cursor.bump();
                }
                let line = self.cursor.since(start);
                self.cursor.bump();
                let line = line.trim_end_matches('\r');
                if delimiter == if is_indented { line.trim_start_matches('\t') } else { line } {
                    break;
                }
            }
            if super::launch::mentions_server(&self.cursor.since(from)) {
                let what = format!("here-document <<{delimiter}");
                let why = "text for another program is not read; write the command into a script".to_owned();
                self.losses.push(Loss { what, at, why });
            }
        }
    }

    /// The items to one of the words at the start of a command, which is then read. Returns this word.
    pub(super) fn items(&mut self, ends: &[&'static str]) -> Result<(Vec<Item>, &'static str), Unreadable> {
        let (mut items, mut connector) = (Vec::new(), Connector::Always);
        loop {
            self.skip_lines();
            if let Some(end) = ends.iter().find(|end| self.is_word(end)) {
                self.cursor.eat(end);
                return Ok((items, end));
            }
            if self.is_end() {
                return Err(Unreadable { why: "a compound command has no end" });
            }
            let (item, next) = self.item(connector)?;
            items.push(item);
            connector = next;
        }
    }

    /// True if a reserved word or an operator follows.
    pub(super) fn is_word(&self, word: &str) -> bool {
        let is_operator = word.starts_with([';', ')']);
        let after = self.cursor.peek(word.chars().count());
        self.cursor.is_next(word) && (is_operator || after.is_none_or(is_meta))
    }

    /// A pipeline with the operator after it. Returns the connector of the next one.
    fn item(&mut self, connector: Connector) -> Result<(Item, Connector), Unreadable> {
        let mut commands = Vec::new();
        loop {
            commands.push(self.command()?);
            self.skip_space();
            let is_pipe = self.cursor.peek(0) == Some('|') && self.cursor.peek(1) != Some('|');
            if !is_pipe {
                break;
            }
            self.cursor.bump();
            self.cursor.eat("&");
            self.skip_lines();
        }
        let mut is_background = false;
        let next = if self.cursor.eat("&&") {
            Connector::And
        } else if self.cursor.eat("||") {
            Connector::Or
        } else {
            is_background = self.cursor.eat("&");
            if !is_background && !self.cursor.is_next(";;") && !self.cursor.is_next(";&") {
                self.cursor.eat(";");
            }
            Connector::Always
        };
        Ok((Item { connector, commands, is_background }, next))
    }

    /// A command.
    pub(super) fn command(&mut self) -> Result<Command, Unreadable> {
        self.skip_space();
        while self.is_word("!") || self.is_word("coproc") {
            self.cursor.word()?;
            self.skip_space();
        }
        let (index, at) = (self.cursor.index(), self.cursor.at());
        let Some((body, head)) = self.compound(index)? else { return self.simple_command(index, at) };
        let last_line = self.cursor.at().line;
        let mut redirects = Vec::new();
        self.skip_space();
        while let Some(redirect) = self.redirect()? {
            redirects.push(redirect);
            self.skip_space();
        }
        Ok(Command { body, redirects, head, at, last_line })
    }

    fn simple_command(&mut self, index: usize, at: At) -> Result<Command, Unreadable> {
        let mut redirects = Vec::new();
        let simple = self.simple(&mut redirects)?;
        if self.cursor.index() == index {
            return Err(Unreadable { why: "no command begins here" });
        }
        let head = shorten(&self.cursor.since(index));
        let last_line = self.cursor.at().line;
        Ok(Command { body: Body::Simple(simple), redirects, head, at, last_line })
    }

    fn simple(&mut self, redirects: &mut Vec<Redirect>) -> Result<Simple, Unreadable> {
        let mut simple = Simple::default();
        let mut takes_assignments = true;
        loop {
            self.cursor.skip_blanks();
            let (index, at) = (self.cursor.index(), self.cursor.at());
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            let is_end = self.cursor.peek(0).is_none_or(|c| c == '#' || is_meta(c));
            if is_end && !self.cursor.is_process() {
                self.skip_space();
                return Ok(simple);
            }
            if takes_assignments && let Some(assignment) = self.assignment()? {
                simple.assignments.push(assignment);
                continue;
            }
            self.cursor.reset_to(index, at);
            let word = self.cursor.word()?;
            if simple.words.is_empty() {
                takes_assignments = word.literal().is_some_and(|name| DECLARATIONS.contains(&name.as_str()));
            }
            simple.words.push(word);
        }
    }

    /// `X=…`, `X+=…`, `X[…]=…` or `X=(…)`. Without one, the place may have moved.
    fn assignment(&mut self) -> Result<Option<Assignment>, Unreadable> {
        let from = self.cursor.index();
        while self.cursor.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.cursor.bump();
        }
        let name = self.cursor.since(from);
        let has_index = self.cursor.eat("[");
        while has_index && self.cursor.peek(0).is_some_and(|c| c != ']' && !is_meta(c)) {
            self.cursor.bump();
        }
        if (has_index && !self.cursor.eat("]")) || !crate::import::prefix::is_name(&name) {
            return Ok(None);
        }
        let is_append = self.cursor.eat("+=");
        if !is_append && !self.cursor.eat("=") {
            return Ok(None);
        }
        let value = if self.cursor.eat("(") {
            AssignedValue::List(self.list()?)
        } else {
            AssignedValue::Word(self.cursor.word()?)
        };
        Ok(Some(Assignment { name, is_append, has_index, value }))
    }

    /// The elements of an array to the closing parenthesis.
    fn list(&mut self) -> Result<Vec<RawWord>, Unreadable> {
        let mut words = Vec::new();
        loop {
            self.skip_space();
            match self.cursor.peek(0) {
                Some(')') => {
                    self.cursor.bump();
                    return Ok(words);
                }
                Some('\n') => self.end_line(),
                Some(c) if is_meta(c) => return Err(Unreadable { why: "an array has an operator" }),
                Some(_) => words.push(self.cursor.word()?),
                None => return Err(Unreadable { why: "an array has no end" }),
            }
        }
    }

    fn redirect(&mut self) -> Result<Option<Redirect>, Unreadable> {
        const OPERATORS: &[&str] = &["&>>", "&>", "<<<", "<<-", "<<", "<>", "<&", "<", ">>", ">&", ">|", ">"];
        let mut digits = 0;
        while self.cursor.peek(digits).is_some_and(|c| c.is_ascii_digit()) && digits < 3 {
            digits += 1;
        }
        let starts = |operator: &&&str| {
            operator.chars().enumerate().all(|(n, c)| self.cursor.peek(digits + n) == Some(c))
        };
        let Some(operator) = OPERATORS.iter().find(starts) else { return Ok(None) };
        let is_process = operator.len() == 1 && self.cursor.peek(digits + 1) == Some('(');
        if is_process || (digits > 0 && operator.starts_with('&')) {
            return Ok(None);
        }
        let from = self.cursor.index();
        self.cursor.skip(digits + operator.len());
        let operator_text = self.cursor.since(from);
        self.cursor.skip_blanks();
        let target = self.cursor.word()?;
        if operator.starts_with("<<") && *operator != "<<<" {
            self.here.push((target.written(), *operator == "<<-", target.at));
        }
        Ok(Some(Redirect { operator: operator_text, target }))
    }
}
