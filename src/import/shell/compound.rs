//! Parses compound commands: groups, functions, loops and conditions.

use super::parse::{Parser, shorten};
use super::tree::{Body, Item};
use super::words::{RawWord, Unreadable, is_meta};
use std::rc::Rc;

/// The maximum depth of compound commands.
const MAX_DEPTH: usize = 32;

/// A compound command, with its start as written.
type Compound = (Body, String);

impl Parser {
    /// A compound command, if one follows.
    pub(super) fn compound(&mut self, from: usize) -> Result<Option<Compound>, Unreadable> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Unreadable { why: "commands are nested too deeply" });
        }
        let found = self.compound_at(from)?;
        self.depth -= 1;
        Ok(found)
    }

    fn compound_at(&mut self, from: usize) -> Result<Option<Compound>, Unreadable> {
        let word = ["if", "case", "for", "while", "until", "select", "function", "{", "[["];
        let Some(word) = word.into_iter().find(|word| self.is_word(word)) else {
            return self.by_operator(from);
        };
        self.cursor.eat(word);
        let compound = match word {
            "if" => self.condition(from)?,
            "case" => self.choice(from)?,
            "for" => self.counted(from)?,
            "function" => self.function(from)?,
            "[[" => self.test(from)?,
            "{" => (Body::Group(self.items(&["}"])?.0), "{".to_owned()),
            _ => self.repeated(from)?,
        };
        Ok(Some(compound))
    }

    /// `( … )`, `(( … ))`, or `name() …`.
    fn by_operator(&mut self, from: usize) -> Result<Option<Compound>, Unreadable> {
        if self.cursor.is_next("((") {
            self.cursor.bump();
            self.cursor.skip_parentheses()?;
            let written = self.cursor.since(from);
            return Ok(Some((Body::Test(written.clone()), shorten(&written))));
        }
        if self.cursor.eat("(") {
            return Ok(Some((Body::Subshell(self.items(&[")"])?.0), "(".to_owned())));
        }
        let mut ahead = 0;
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
        while self.cursor.peek(ahead).is_some_and(is_part) && ahead < 256 {
            ahead += 1;
        }
        let name = ahead;
        while self.cursor.peek(ahead).is_some_and(|c| c == ' ' || c == '\t') && ahead < 512 {
            ahead += 1;
        }
        if name == 0 || self.cursor.peek(ahead) != Some('(') {
            return Ok(None);
        }
        self.function(from).map(Some)
    }

    /// A function from its name on.
    fn function(&mut self, from: usize) -> Result<Compound, Unreadable> {
        self.cursor.skip_blanks();
        let name = self.cursor.word()?.written();
        self.cursor.skip_blanks();
        if self.cursor.eat("(") {
            self.cursor.skip_blanks();
            if !self.cursor.eat(")") {
                return Err(Unreadable { why: "a word and a parenthesis are no command" });
            }
        }
        let head = shorten(&self.cursor.since(from));
        self.skip_lines();
        let body = self.command()?;
        Ok((Body::Function(name, Rc::new(body)), head))
    }

    fn condition(&mut self, from: usize) -> Result<Compound, Unreadable> {
        let (mut conditions, _) = self.items(&["then"])?;
        let head = self.head(from, "then");
        let mut branches = Vec::new();
        loop {
            let (items, end) = self.items(&["elif", "else", "fi"])?;
            branches.push(items);
            match end {
                "fi" => break,
                "elif" => conditions.extend(self.items(&["then"])?.0),
                _ => {}
            }
        }
        Ok((Body::Branches { conditions, branches }, head))
    }

    fn choice(&mut self, from: usize) -> Result<Compound, Unreadable> {
        self.cursor.skip_blanks();
        self.cursor.word()?;
        let head = self.head(from, "");
        self.skip_lines();
        if !self.is_word("in") {
            return Err(Unreadable { why: "`case` has no `in`" });
        }
        self.cursor.eat("in");
        let mut branches = Vec::new();
        loop {
            self.skip_lines();
            if self.is_word("esac") {
                self.cursor.eat("esac");
                break;
            }
            self.cursor.eat("(");
            self.pattern()?;
            let (items, end) = self.items(&["esac", ";;&", ";;", ";&"])?;
            branches.push(items);
            if end == "esac" {
                break;
            }
        }
        Ok((Body::Branches { conditions: Vec::new(), branches }, head))
    }

    /// The patterns of a branch of `case`, to the parenthesis.
    fn pattern(&mut self) -> Result<(), Unreadable> {
        loop {
            self.cursor.skip_blanks();
            match self.cursor.peek(0) {
                Some(')') => {
                    self.cursor.skip(1);
                    return Ok(());
                }
                Some('|') => self.cursor.skip(1),
                Some(c) if !is_meta(c) => drop(self.cursor.word()?),
                _ => return Err(Unreadable { why: "a pattern of `case` has no end" }),
            }
        }
    }

    fn counted(&mut self, from: usize) -> Result<Compound, Unreadable> {
        self.cursor.skip_blanks();
        if self.cursor.eat("((") {
            self.cursor.skip_parentheses()?;
            self.cursor.eat(")");
            let head = self.head(from, "");
            let items = self.loop_items()?;
            return Ok((Body::Branches { conditions: Vec::new(), branches: vec![items] }, head));
        }
        let name = self.cursor.word()?.written();
        self.skip_lines();
        let words = if self.is_word("in") {
            self.cursor.eat("in");
            Some(self.words_of_line()?)
        } else {
            None
        };
        let head = self.head(from, "");
        let items = self.loop_items()?;
        Ok((Body::For { name, words, items }, head))
    }

    fn words_of_line(&mut self) -> Result<Vec<RawWord>, Unreadable> {
        let mut words = Vec::new();
        loop {
            self.skip_space();
            match self.cursor.peek(0) {
                Some(c) if !is_meta(c) => words.push(self.cursor.word()?),
                _ => return Ok(words),
            }
        }
    }

    /// The commands between `do` and `done`, or between braces.
    fn loop_items(&mut self) -> Result<Vec<Item>, Unreadable> {
        self.skip_lines();
        let end = if self.is_word("do") {
            self.cursor.eat("do");
            "done"
        } else if self.is_word("{") {
            self.cursor.eat("{");
            "}"
        } else {
            return Err(Unreadable { why: "a loop has no `do`" });
        };
        Ok(self.items(&[end])?.0)
    }

    /// `while`, `until` and `select`.
    fn repeated(&mut self, from: usize) -> Result<Compound, Unreadable> {
        let (conditions, _) = self.items(&["do"])?;
        let head = self.head(from, "do");
        let items = self.items(&["done"])?.0;
        Ok((Body::Branches { conditions, branches: vec![items] }, head))
    }

    fn test(&mut self, from: usize) -> Result<Compound, Unreadable> {
        loop {
            self.cursor.skip_blanks();
            if self.is_word("]]") {
                self.cursor.eat("]]");
                let written = self.cursor.since(from);
                return Ok((Body::Test(written.clone()), shorten(&written)));
            }
            match self.cursor.peek(0) {
                None => return Err(Unreadable { why: "`[[` has no end" }),
                Some(c) if is_meta(c) => self.cursor.skip(1),
                Some(_) => drop(self.cursor.word()?),
            }
        }
    }

    /// The text from the start of a command to here, without its last word.
    fn head(&self, from: usize, end: &str) -> String {
        let text = self.cursor.since(from);
        let text = text.trim_end();
        shorten(text.strip_suffix(end).unwrap_or(text).trim_end_matches([';', ' ', '\n', '\t', '\r']))
    }
}
