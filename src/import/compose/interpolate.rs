//! Variables in the values of a compose file and of an environment file (`template/template.go` of compose-go, July 2026).

use crate::import::source::{At, Loss};
use crate::import::words::Lined;

/// The maximum number of bytes that variables insert into one value.
const MAX_INSERTED: usize = 1 << 20;
/// The maximum nesting depth of defaults.
const MAX_DEPTH: usize = 16;

/// The values of variables by name.
pub(super) type Lookup<'v> = &'v dyn Fn(&str) -> Option<String>;

/// Replaces the variables of a text. Reports variables that have no value.
pub(super) fn interpolate(source: &Lined, lookup: Lookup<'_>, losses: &mut Vec<Loss>) -> Lined {
    if !source.text().contains('$') {
        return source.clone();
    }
    let mut run =
        Interpolation { source, lookup, losses, found: Lined::new("", source.start()), inserted: 0 };
    run.expand(0, source.text().len(), 0);
    run.found
}

struct Interpolation<'i> {
    source: &'i Lined,
    lookup: Lookup<'i>,
    losses: &'i mut Vec<Loss>,
    found: Lined,
    inserted: usize,
}

/// The parts of `${NAME:-default}`.
struct Braced<'t> {
    name: &'t str,
    operator: &'t str,
    /// The byte at which the default begins.
    from: usize,
}

impl Interpolation<'_> {
    fn expand(&mut self, mut from: usize, to: usize, depth: usize) {
        let source = self.source;
        while from < to {
            let rest = source.text().get(from..to).unwrap_or_default();
            let Some(dollar) = rest.find('$') else {
                self.found.push_part(source, from..to);
                return;
            };
            self.found.push_part(source, from..from + dollar);
            from += dollar;
            let rest = rest.get(dollar..).unwrap_or_default();
            from += self.variable(rest, from, depth);
        }
    }

    /// Expands the variable at the start of `rest`, which is at the byte `at`. Returns its length.
    fn variable(&mut self, rest: &str, at: usize, depth: usize) -> usize {
        let after = rest.get(1..).unwrap_or_default();
        if after.starts_with('$') {
            self.found.push("$", self.source.at(at));
            return 2;
        }
        if let Some(inner) = after.strip_prefix('{') {
            let Some(end) = closing(inner) else { return self.invalid(rest, at, rest.len()) };
            let length = end + 3;
            let inner = inner.get(..end).unwrap_or_default();
            match braced(inner, at + 2) {
                Some(parts) => self.braced(&parts, rest.get(..length).unwrap_or_default(), at, depth),
                None => return self.invalid(rest, at, length),
            }
            return length;
        }
        let name = name_of(after);
        if name.is_empty() {
            return self.invalid(rest, at, 1);
        }
        self.plain(name, at);
        name.len() + 1
    }

    fn braced(&mut self, parts: &Braced<'_>, written: &str, at: usize, depth: usize) {
        let value = (self.lookup)(parts.name);
        let is_given =
            value.as_ref().is_some_and(|value| !value.is_empty() || !parts.operator.starts_with(':'));
        let end = at + written.len() - 1;
        match (parts.operator.trim_start_matches(':'), is_given) {
            ("", _) => self.plain(parts.name, at),
            ("+", false) => {}
            ("-", false) | ("+", true) if depth < MAX_DEPTH => self.expand(parts.from, end, depth + 1),
            ("-" | "?", true) => self.insert(&value.unwrap_or_default(), at),
            ("?", false) => {
                self.lose(
                    written,
                    at,
                    format!(
                        "`{}` is not set, so compose refuses the file; set it for the import",
                        parts.name
                    ),
                );
                self.keep(written, at);
            }
            _ => {
                self.lose(written, at, format!("defaults are nested more than {MAX_DEPTH} levels deep"));
                self.keep(written, at);
            }
        }
    }

    /// A variable without a default.
    fn plain(&mut self, name: &str, at: usize) {
        match (self.lookup)(name) {
            Some(value) => self.insert(&value, at),
            None => {
                let why = "it is not set, so compose writes an empty text; set it for the import".to_owned();
                self.lose(&format!("${{{name}}}"), at, why);
            }
        }
    }

    /// Text with a dollar that compose refuses.
    fn invalid(&mut self, rest: &str, at: usize, length: usize) -> usize {
        let written = rest.get(..length).unwrap_or(rest);
        self.lose(written, at, "compose refuses this variable; write `$$` for a dollar".to_owned());
        self.keep(written, at);
        length
    }

    fn insert(&mut self, value: &str, at: usize) {
        self.inserted += value.len();
        if self.inserted > MAX_INSERTED {
            self.lose("variables", at, "they make the value too long".to_owned());
            self.found.set_dynamic();
            return;
        }
        self.found.push(value, self.source.at(at));
    }

    fn keep(&mut self, written: &str, at: usize) {
        self.found.push(written, self.source.at(at));
        self.found.set_dynamic();
    }

    fn lose(&mut self, what: &str, at: usize, why: String) {
        const MOST: usize = 100;
        let what: String = what.chars().take(MOST).collect();
        let at: At = self.source.at(at);
        let loss = Loss { what, at, why };
        if self.losses.len() < MOST && !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }
}

/// The name of a variable at the start of a text.
fn name_of(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let name = text.get(..end).unwrap_or_default();
    if name.starts_with(|c: char| c.is_ascii_digit()) { "" } else { name }
}

/// The name and the operator in braces.
fn braced(inner: &str, at: usize) -> Option<Braced<'_>> {
    let name = name_of(inner);
    let rest = inner.get(name.len()..)?;
    let operators = [":-", ":?", ":+", "-", "?", "+"];
    let operator = operators.into_iter().find(|operator| rest.starts_with(operator)).unwrap_or_default();
    let is_known = !name.is_empty() && (!operator.is_empty() || rest.is_empty());
    is_known.then_some(Braced { name, operator, from: at + name.len() + operator.len() })
}

/// The index of the brace that closes `${`.
fn closing(inner: &str) -> Option<usize> {
    let mut depth = 1usize;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}
