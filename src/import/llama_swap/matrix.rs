//! The matrix of models that may be in memory together (`internal/matrix/dsl.go`): `&` binds tighter than `|`, and `+name` inserts another set.

use super::groups::MAX_MEMBERS;
use super::keys::{self, Meaning};
use super::settings::too_many;
use super::{Sets, SwapFile};
use crate::import::source::Server;
use crate::syntax::yaml::TreeEntry;
use std::collections::{BTreeMap, BTreeSet};

/// The maximum nesting depth of parentheses and inserted sets.
const MAX_DEPTH: usize = 32;
/// The maximum number of combinations of one expression.
const MAX_SETS: usize = 2000;
/// The maximum number of tokens that are read, with those of inserted sets.
const MAX_TOKENS: usize = 100_000;

/// A set of servers, as indices in the file.
type Members = BTreeSet<usize>;

pub(super) fn read(swap: &mut SwapFile<'_>, entry: &TreeEntry, servers: &[Server]) -> Sets {
    let at = swap.at(entry.line);
    let vars = vars(swap, entry);
    let mut texts = BTreeMap::new();
    let mut lines = Vec::new();
    for set in entry.value.get("sets").map_or(&[][..], |sets| sets.value.entries()) {
        let text = swap.text(&set.value, "sets");
        texts.insert(set.key.clone(), text);
        lines.push((set.key.clone(), set.line));
    }
    lose_other(swap, entry);
    let mut evaluator = Evaluator {
        texts: &texts,
        vars: &vars,
        swap_ids: &swap.ids,
        first: swap.first,
        known: BTreeMap::new(),
        tokens: 0,
    };
    let mut found: Vec<Members> = Vec::new();
    let mut problems = Vec::new();
    for (name, line) in &lines {
        match evaluator.set(name, 0) {
            Ok(sets) => found.extend(sets),
            Err(problem) => problems.push((name, *line, problem)),
        }
    }
    let too_large = problems.iter().any(|(_, _, problem)| *problem == Problem::TooMany);
    for (name, line, problem) in problems {
        if let Problem::Wrong(why) = problem {
            swap.lose(format!("sets: {name}"), line, why);
        }
    }
    let in_sets: Members = found.iter().flatten().copied().collect();
    found.extend((0..servers.len()).filter(|at| !in_sets.contains(at)).map(|at| Members::from([at])));
    let sets = if too_large { None } else { maximal(found) };
    if sets.is_none() {
        too_many("matrix", at, swap);
    }
    let absolute = |set: Members| set.into_iter().map(|at| at + swap.first).collect();
    Sets { sets: sets.map(|sets| sets.into_iter().map(absolute).collect()), at: Some(at) }
}

/// The short names of models.
fn vars(swap: &mut SwapFile<'_>, entry: &TreeEntry) -> BTreeMap<String, usize> {
    let mut vars = BTreeMap::new();
    for var in entry.value.get("vars").map_or(&[][..], |vars| vars.value.entries()) {
        let model = swap.text(&var.value, "vars");
        match swap.ids.get(&model) {
            Some(at) => {
                vars.insert(var.key.clone(), at - swap.first);
            }
            None => {
                swap.lose(
                    format!("vars: {} is {model}", var.key),
                    var.line,
                    "there is no model with this id",
                );
            }
        }
    }
    vars
}

fn lose_other(swap: &mut SwapFile<'_>, entry: &TreeEntry) {
    for field in entry.value.entries() {
        let text = || {
            field
                .value
                .entries()
                .iter()
                .map(|cost| format!("{} {}", cost.key, super::model::summary(&cost.value)))
        };
        let name = field.key.as_str();
        match keys::find("matrix", name).map(|key| key.meaning) {
            Some(Meaning::Lost(..)) if field.value.entries().is_empty() => {}
            Some(Meaning::Lost(why, _)) => {
                let costs: Vec<String> = text().take(10).collect();
                swap.lose(format!("{name}: {}", costs.join(", ")), field.line, why);
            }
            Some(_) => {}
            None => swap.lose(format!("matrix: {name}"), field.line, "llama-swap has no such setting"),
        }
    }
}

/// The sets that are in no other set. `None` if there are too many.
fn maximal(mut sets: Vec<Members>) -> Option<Vec<Members>> {
    sets.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    sets.dedup();
    let mut found: Vec<Members> = Vec::new();
    let mut by_member: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut members = 0;
    for set in sets {
        // A superset has the first member too.
        let rivals = set.first().and_then(|first| by_member.get(first)).map_or(&[][..], Vec::as_slice);
        if rivals.iter().filter_map(|at| found.get(*at)).any(|other| set.is_subset(other)) {
            continue;
        }
        members += set.len();
        if members > MAX_MEMBERS {
            return None;
        }
        for member in &set {
            by_member.entry(*member).or_default().push(found.len());
        }
        found.push(set);
    }
    found.sort();
    Some(found)
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Problem {
    /// The expression is wrong: the reason.
    Wrong(String),
    /// There are too many combinations.
    TooMany,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    And,
    Or,
    Open,
    Close,
    Name(String),
    Set(String),
}

struct Evaluator<'s> {
    texts: &'s BTreeMap<String, String>,
    vars: &'s BTreeMap<String, usize>,
    swap_ids: &'s BTreeMap<String, usize>,
    first: usize,
    /// The results of sets. `None` while a set is read.
    known: BTreeMap<String, Option<Vec<Members>>>,
    tokens: usize,
}

/// Tokens that are being read, last first.
type Tokens = Vec<Token>;

impl Evaluator<'_> {
    /// The combinations of a named set.
    fn set(&mut self, name: &str, depth: usize) -> Result<Vec<Members>, Problem> {
        match self.known.get(name) {
            Some(Some(sets)) => return Ok(sets.clone()),
            Some(None) => {
                return Err(Problem::Wrong(format!(
                    "the set `{name}` contains itself, so llama-swap does not start"
                )));
            }
            None => {}
        }
        let Some(text) = self.texts.get(name) else {
            return Err(Problem::Wrong(format!("there is no set `{name}`, so llama-swap does not start")));
        };
        self.known.insert(name.to_owned(), None);
        let result = self.expression(text, depth);
        match &result {
            Ok(sets) => self.known.insert(name.to_owned(), Some(sets.clone())),
            Err(_) => self.known.remove(name),
        };
        result
    }

    fn expression(&mut self, text: &str, depth: usize) -> Result<Vec<Members>, Problem> {
        let mut tokens = tokens(text)?;
        self.tokens += tokens.len();
        if self.tokens > MAX_TOKENS {
            return Err(Problem::TooMany);
        }
        tokens.reverse();
        let sets = self.either(&mut tokens, depth)?;
        if tokens.is_empty() { Ok(sets) } else { Err(wrong()) }
    }

    /// Alternatives.
    fn either(&mut self, tokens: &mut Tokens, depth: usize) -> Result<Vec<Members>, Problem> {
        let mut found = self.all(tokens, depth)?;
        while tokens.last() == Some(&Token::Or) {
            tokens.pop();
            found.extend(self.all(tokens, depth)?);
            if found.len() > MAX_SETS {
                return Err(Problem::TooMany);
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Models that may be together.
    fn all(&mut self, tokens: &mut Tokens, depth: usize) -> Result<Vec<Members>, Problem> {
        let mut found = self.atom(tokens, depth)?;
        while tokens.last() == Some(&Token::And) {
            tokens.pop();
            let right = self.atom(tokens, depth)?;
            let longest = |sets: &[Members]| sets.iter().map(Members::len).max().unwrap_or(0);
            let count = found.len().saturating_mul(right.len());
            if count > MAX_SETS || count.saturating_mul(longest(&found) + longest(&right)) > MAX_MEMBERS {
                return Err(Problem::TooMany);
            }
            let mut joined: Vec<Members> =
                found.iter().flat_map(|one| right.iter().map(move |other| one | other)).collect();
            joined.sort();
            joined.dedup();
            found = joined;
        }
        Ok(found)
    }

    fn atom(&mut self, tokens: &mut Tokens, depth: usize) -> Result<Vec<Members>, Problem> {
        if depth > MAX_DEPTH {
            return Err(Problem::Wrong(format!("it is nested more than {MAX_DEPTH} levels deep")));
        }
        match tokens.pop() {
            Some(Token::Open) => {
                let found = self.either(tokens, depth + 1)?;
                if tokens.pop() == Some(Token::Close) { Ok(found) } else { Err(wrong()) }
            }
            Some(Token::Set(name)) => self.set(&name, depth + 1),
            Some(Token::Name(name)) => {
                let by_id = || self.swap_ids.get(&name).map(|at| at - self.first);
                let at = self.vars.get(&name).copied().or_else(by_id);
                let unknown =
                    || Problem::Wrong(format!("there is no model `{name}`, so llama-swap does not start"));
                Ok(vec![Members::from([at.ok_or_else(unknown)?])])
            }
            Some(Token::And | Token::Or | Token::Close) | None => Err(wrong()),
        }
    }
}

fn wrong() -> Problem {
    Problem::Wrong("the expression is incomplete, so llama-swap does not start".to_owned())
}

fn tokens(text: &str) -> Result<Tokens, Problem> {
    let is_name = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let name_of = |text: &str| -> usize { text.find(|c: char| !is_name(c)).unwrap_or(text.len()) };
        let (token, next) = match c {
            '&' => (Token::And, after),
            '|' => (Token::Or, after),
            '(' => (Token::Open, after),
            ')' => (Token::Close, after),
            '+' => {
                let (name, next) = after.split_at(name_of(after));
                (Token::Set(name.to_owned()), next)
            }
            c if is_name(c) => {
                let (name, next) = rest.split_at(name_of(rest));
                (Token::Name(name.to_owned()), next)
            }
            c => {
                return Err(Problem::Wrong(format!(
                    "`{c}` has no meaning in an expression, so llama-swap does not start"
                )));
            }
        };
        found.push(token);
        rest = next.trim_start();
    }
    Ok(found)
}
