//! The values of variables and parameters.

use super::arithmetic;
use super::run::{Caller, Run, UNIT};
use super::variables::{Text, Value, Variable};
use super::words::{Expansion, Part};
use crate::import::source::At;

/// The value of a parameter.
pub(super) enum Found {
    /// It has no value in the script.
    Unset,
    /// It has a value that is not known.
    Unknown,
    /// A text.
    Text(Text),
    /// An array, or all parameters.
    List(Vec<Text>),
}

impl Found {
    /// The effort for a copy.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Unset | Self::Unknown => 0,
            Self::Text(text) => text.len(),
            Self::List(list) => list.iter().map(|text| text.len() + UNIT).sum(),
        }
    }
}

impl Run<'_, '_> {
    /// The value of a parameter, without its operation.
    pub(super) fn find(&mut self, expansion: &Expansion, part: &Part, at: At) -> Found {
        let name = expansion.name.as_str();
        if ["@", "*"].contains(&name) {
            return self.all_arguments(part, at);
        }
        if let Ok(number) = name.parse::<usize>() {
            return self.argument(number, at);
        }
        if name == "#" {
            let Caller::Known(words) = &self.caller else { return Found::Unknown };
            return Found::Text(Text::known(words.len().to_string(), at));
        }
        let is_script = name == "BASH_SOURCE";
        let Some(variable) = self.variables.get(name) else {
            return match self.reader.around.variable(name).filter(|_| name == "HOME") {
                Some(home) => Found::Text(Text::known(home, at)),
                None if is_script || "?$!-".contains(name) => Found::Unknown,
                None => Found::Unset,
            };
        };
        let index = expansion.index.as_deref().map(|index| self.index(index));
        self.used.extend(variable.defaults.iter().take(64));
        indexed(variable, index.as_deref())
    }

    /// The index of an element: an arithmetic expression becomes its number if its variables are known.
    fn index(&self, index: &str) -> String {
        let number = |name: &str| self.known_text(name)?.trim().parse().ok();
        let expression = index.trim_matches('"');
        let inner = expression.strip_prefix("$((").and_then(|rest| rest.strip_suffix("))"));
        let found = arithmetic::evaluate(inner.unwrap_or(expression), &number);
        found.map_or_else(|| index.to_owned(), |number| number.to_string())
    }

    fn argument(&mut self, number: usize, at: At) -> Found {
        match (&self.caller, number.checked_sub(1)) {
            (Caller::Known(words), Some(n)) => {
                Found::Text(words.get(n).cloned().unwrap_or_else(|| Text::known("", at)))
            }
            (Caller::Unknown { .. }, Some(_)) => Found::Unset,
            (_, None) => Found::Unknown,
        }
    }

    fn all_arguments(&mut self, part: &Part, at: At) -> Found {
        match &self.caller {
            Caller::Known(words) => Found::List(words.clone()),
            Caller::Unknown { set } => {
                let set = set.clone();
                self.note(
                    format!("{}: arguments of the caller", part.written),
                    at,
                    "the caller is not known, so none are imported".to_owned(),
                );
                Found::List(set)
            }
        }
    }
}

fn indexed(variable: &Variable, index: Option<&str>) -> Found {
    match (&variable.value, index) {
        (Value::Text(text), None | Some("0" | "@" | "*")) => Found::Text(text.clone()),
        (Value::Unknown | Value::Text(_), _) => Found::Unknown,
        (Value::List(list), Some("@" | "*")) => Found::List(list.clone()),
        (Value::List(list), index) => {
            let number = index.map_or(Ok(0), str::parse::<usize>).ok();
            number.and_then(|n| list.get(n)).map_or(Found::Unknown, |text| Found::Text(text.clone()))
        }
    }
}
