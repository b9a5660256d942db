//! Macros and variables in a file of llama-swap (`internal/config/macros.go` of August 2026).
//!
//! Variables are replaced first, in the text of the file. Macros are replaced from the last to the first, each once, so a macro uses only those
//! that are defined before it. A macro of a model replaces the global one of its name; new ones follow all global ones.

use crate::import::plain;
use crate::import::prefix::is_name;
use crate::import::source::{At, Loss, Surroundings};
use crate::import::words::{Lined, is_secret, secret_loss};
use crate::syntax::yaml::Tree;
use std::collections::BTreeMap;

/// The macro of the port, which llama-swap selects.
pub(super) const PORT: &str = "${PORT}";

/// The maximum number of bytes of a value.
const MAX_VALUE: usize = 1 << 20;
/// The maximum number of bytes that macros scan and write in one file.
const MAX_WORK: usize = 1 << 28;
/// The maximum number of variables that are not set in one value.
const MAX_UNSET: usize = 100;
/// Characters of private use around the name of a variable that is not set, or has a secret. They are no YAML syntax, unlike braces.
const UNSET_START: char = '\u{e0e0}';
const UNSET_END: char = '\u{e0e1}';

/// Replaces the variables `${env.NAME}` in a text. Those that are not set or have a secret stay recognizable (see [`Expander::expand`]).
pub(super) fn with_variables(text: &str, around: &dyn Surroundings) -> String {
    let mut found = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${env.") {
        found.push_str(before);
        let variable = after.split_once('}').filter(|(name, _)| is_name(name));
        let Some((name, after)) = variable else {
            found.push_str("${env.");
            rest = after;
            continue;
        };
        let value = if is_secret(name) { None } else { around.variable(name) };
        match value.filter(|value| !value.contains(['\n', '\r', '\0'])) {
            // llama-swap escapes the value for double quotes, in every place.
            Some(value) => found.push_str(&value.replace('\\', "\\\\").replace('"', "\\\"")),
            None => {
                found.push(UNSET_START);
                found.push_str(name);
                found.push(UNSET_END);
            }
        }
        rest = after;
    }
    found.push_str(rest);
    found
}

/// A macro.
#[derive(Clone)]
struct Macro {
    text: String,
    is_plain: bool,
}

/// Macros by name, with their positions.
#[derive(Default)]
pub(super) struct MacroTable {
    by_name: BTreeMap<String, (usize, Macro)>,
}

impl MacroTable {
    /// The macros of a `macros` mapping. Reports values that are no scalars.
    pub(super) fn new(tree: &Tree, file: usize, losses: &mut Vec<Loss>) -> Self {
        let mut by_name = BTreeMap::new();
        for (at, entry) in tree.entries().iter().enumerate() {
            let Some(scalar) = entry.value.scalar() else {
                let at = At { file, line: entry.line };
                let why = "a macro needs a text, so llama-swap does not start".to_owned();
                losses.push(Loss { what: format!("macros: {}", entry.key), at, why });
                continue;
            };
            let text = if scalar.is_plain { plain::shown(&scalar.text) } else { scalar.text.clone() };
            by_name.insert(entry.key.clone(), (at, Macro { text, is_plain: scalar.is_plain }));
        }
        Self { by_name }
    }
}

/// The macros that a model sees, in addition to the global ones.
#[derive(Default)]
pub(super) struct ModelScope {
    macros: MacroTable,
    id: Option<Macro>,
    /// True if the command selects its port by [`PORT`].
    pub(super) has_port: bool,
}

impl ModelScope {
    /// The scope of a model.
    pub(super) fn new(id: &str, macros: MacroTable) -> Self {
        Self { macros, id: Some(Macro { text: id.to_owned(), is_plain: false }), has_port: false }
    }
}

/// Expands the values of a file.
pub(super) struct Expander {
    pub(super) file: usize,
    globals: MacroTable,
    work: usize,
}

/// An expanded value.
pub(super) struct Value {
    /// The text.
    pub(super) text: Lined,
    /// True if the value may be a number, a boolean or null.
    pub(super) is_plain: bool,
}

impl Expander {
    pub(super) fn new(file: usize, globals: MacroTable) -> Self {
        Self { file, globals, work: 0 }
    }

    /// The value of a scalar, with its macros replaced. Reports macros and variables that do not exist. `what` is the name of the setting.
    pub(super) fn expand(
        &mut self,
        tree: &Tree,
        scope: &ModelScope,
        what: &str,
        losses: &mut Vec<Loss>,
    ) -> Value {
        let mut text = Lined::of(tree, self.file);
        let is_plain = tree.scalar().is_some_and(|scalar| scalar.is_plain);
        if is_plain {
            let shown = plain::shown(text.text());
            if shown != text.text() {
                text = Lined::new(shown, text.start());
            }
        }
        self.expand_value(Value { text, is_plain }, scope, what, losses)
    }

    /// Like [`Expander::expand`], for a value that is read already.
    pub(super) fn expand_value(
        &mut self,
        mut value: Value,
        scope: &ModelScope,
        what: &str,
        losses: &mut Vec<Loss>,
    ) -> Value {
        let mut bound = usize::MAX;
        while let Some((position, name, replacement)) = self.next_macro(value.text.text(), bound, scope) {
            bound = position;
            self.work = self.work.saturating_add(value.text.text().len());
            let slug = format!("${{{name}}}");
            value = if value.text.text() == slug {
                Value {
                    text: Lined::new(replacement.text, value.text.start()),
                    is_plain: replacement.is_plain,
                }
            } else {
                Value { text: value.text.replace(&slug, &replacement.text), is_plain: false }
            };
            if value.text.text().len() > MAX_VALUE || self.work > MAX_WORK {
                let why = "its macros make it too long, so it is not imported".to_owned();
                losses.push(Loss { what: what.to_owned(), at: value.text.start(), why });
                return Value { text: Lined::new("", value.text.start()), is_plain: false };
            }
        }
        restore_unset(&mut value.text, what, losses);
        report_unknown(&mut value.text, scope, what, losses);
        value
    }

    /// The last macro in a text that is in front of `bound`, with its position and name.
    fn next_macro(&self, text: &str, bound: usize, scope: &ModelScope) -> Option<(usize, String, Macro)> {
        let found = names(text).filter_map(|(_, name)| {
            let (position, found) = self.lookup(name, scope)?;
            (position < bound).then_some((position, name, found))
        });
        let (position, name, found) = found.max_by_key(|(position, ..)| *position)?;
        Some((position, name.to_owned(), found.clone()))
    }

    fn lookup<'m>(&'m self, name: &str, scope: &'m ModelScope) -> Option<(usize, &'m Macro)> {
        if let Some(id) = scope.id.as_ref().filter(|_| name == "MODEL_ID") {
            return Some((0, id));
        }
        let globals = &self.globals.by_name;
        match (globals.get(name), scope.macros.by_name.get(name)) {
            (Some((position, _)), Some((_, own))) => Some((position + 1, own)),
            (None, Some((position, own))) => Some((globals.len() + 1 + position, own)),
            (Some((position, global)), None) => Some((position + 1, global)),
            (None, None) => None,
        }
    }
}

/// The byte offsets and names of the macros in a text.
fn names(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices("${").filter_map(|(at, _)| {
        let rest = text.get(at + 2..)?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')?;
        let name = rest.get(..end).filter(|name| !name.is_empty())?;
        rest.get(end..)?.starts_with('}').then_some((at, name))
    })
}

/// A text with its variables as they are in the source.
pub(super) fn as_written(text: &str) -> String {
    text.replace(UNSET_START, "${env.").replace(UNSET_END, "}")
}

/// Writes the variables that have no value as they are in the source. Reports them, except secrets in commands and variables: their words are
/// reported later.
fn restore_unset(text: &mut Lined, what: &str, losses: &mut Vec<Loss>) {
    for _ in 0..MAX_UNSET {
        let Some(start) = text.text().find(UNSET_START) else { return };
        let rest = text.text().get(start..).unwrap_or_default();
        let Some(end) = rest.find(UNSET_END) else { return };
        let marked = rest.get(..end + UNSET_END.len_utf8()).unwrap_or_default().to_owned();
        let name = marked.trim_matches([UNSET_START, UNSET_END]);
        let written = format!("${{env.{name}}}");
        let shown = format!("{what}: {written}");
        let is_secret = is_secret(name);
        let is_reported_later = is_secret && matches!(what, "cmd" | "env");
        if is_secret && !is_reported_later {
            losses.push(secret_loss(&shown, text.at(start)));
        } else if !is_secret {
            let why = format!(
                "the variable `{name}` is not set, so llama-swap does not start; set it for the import"
            );
            losses.push(Loss { what: shown, at: text.at(start), why });
        }
        *text = text.replace(&marked, &written);
        if !is_reported_later {
            text.set_dynamic();
        }
    }
}

/// Reports the macros that do not exist. llama-swap refuses a file with one.
fn report_unknown(text: &mut Lined, scope: &ModelScope, what: &str, losses: &mut Vec<Loss>) {
    let is_known = |name: &str| (name == "PORT" && scope.has_port) || (name == "PID" && what == "cmdStop");
    let unknown: Vec<(usize, String)> = names(text.text())
        .filter(|(_, name)| !is_known(name))
        .take(20)
        .map(|(at, name)| (at, name.to_owned()))
        .collect();
    for (at, name) in unknown {
        let why = "there is no such macro, so llama-swap does not start".to_owned();
        losses.push(Loss { what: format!("{what}: ${{{name}}}"), at: text.at(at), why });
        text.set_dynamic();
    }
}
