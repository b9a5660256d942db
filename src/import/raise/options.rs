//! The options without own field.

use super::Raiser;
use super::value::literal;
use crate::diag::Literal;
use crate::engine::options::{Refusal, is_secret};

impl Raiser<'_> {
    /// Makes entries of `options` from the remaining options.
    pub(super) fn other_options(&mut self) {
        self.load_mode();
        // Locked weights are never repacked: the field writes this.
        if self.raised.placement.is_locked
            && self.given.all.iter().any(|given| given.name() == "repack" && !given.is_on)
        {
            self.take("repack");
        }
        for given in std::mem::take(&mut self.given.all) {
            let title = given.record.title().to_owned();
            let name = title.trim_start_matches('-').to_owned();
            if let Some(why) = Self::refusal(&given) {
                self.reason(&given, why);
                continue;
            }
            let values = match (given.record.arity(), given.is_on) {
                (0, true) => vec![Literal::Flag(true)],
                (0, false) if given.record.negative.is_empty() => continue,
                (0, false) => vec![Literal::Flag(false)],
                _ => self.values(&given),
            };
            if !given.is_known {
                self.reason(&given, format!("{} has no such option", self.builds.profile.name()));
                continue;
            }
            self.raised.options.push((name, values));
        }
    }

    /// The values of an option. A value that the engine reads as another one has its usual form.
    fn values(&mut self, given: &super::Given<'_>) -> Vec<Literal> {
        let is_added = given.values.len() > 1 && given.record.takes_comma_list();
        if is_added {
            return vec![Literal::Text(given.values.join(","))];
        }
        given.values.iter().map(|value| self.value(given, value)).collect()
    }

    fn value(&mut self, given: &super::Given<'_>, text: &str) -> Literal {
        let has = |word: &str| given.record.choices.iter().any(|choice| choice == word);
        if has("on") && has("off") {
            // The engine takes these words for `on` and `off` (`common/arg.cpp` of b11669).
            match text {
                "1" | "true" | "enabled" => return Literal::Text("on".to_owned()),
                "0" | "false" | "disabled" => return Literal::Text("off".to_owned()),
                _ => {}
            }
        }
        // The engine reads a whole number up to the first other character.
        let takes_fractions = given.row().is_some_and(|row| {
            use crate::engine::options::Numbers::{Fraction, FractionAboveZero, FractionFromZero};
            matches!(row.numbers, Some(Fraction | FractionAboveZero(_) | FractionFromZero))
        });
        let whole = text.split_once('.').filter(|(whole, rest)| {
            !takes_fractions
                && given.record.value.as_deref() == Some("N")
                && whole.parse::<i64>().is_ok()
                && rest.bytes().all(|byte| byte == b'0')
        });
        if let Some((whole, _)) = whole {
            self.reason(given, "the engine reads a whole number");
            return literal(whole);
        }
        literal(text)
    }

    /// The reason why a role cannot have an option.
    fn refusal(given: &super::Given<'_>) -> Option<String> {
        let row = given.row();
        if row.is_some_and(|row| row.is_secret) || is_secret(given.record.title()) {
            return Some("a registry has no secrets: set it where the program runs".to_owned());
        }
        if let Some(owner) = row.and_then(|row| row.owner) {
            return Some(match owner.part {
                Some(part) => format!("`{part}` of the field `{}` has no such value", owner.field),
                None => format!("the field `{}` has no such value", owner.field),
            });
        }
        let why = match row?.refusal? {
            Refusal::PrintsAndExits => "the program prints something and exits",
            Refusal::HidesHealth => {
                "the health check of orchgen's units needs plain HTTP at the usual path; use a reverse proxy"
            }
            Refusal::SelectsModel => {
                "it selects a model that llama-server downloads; declare the file as a model"
            }
            Refusal::SkipsWeights => "the server would skip the weights",
        };
        Some(why.to_owned())
    }

    /// The switches of earlier builds for reading and locking weights, as the value of `--load-mode`.
    fn load_mode(&mut self) {
        let mode = self.builds.find("--load-mode").is_some_and(|(.., is_known)| is_known);
        if !mode {
            return self.lock_only();
        }
        let given = self.take("load-mode");
        let [mapped, locked, direct] = ["mmap", "mlock", "direct-io"].map(|name| self.take(name));
        for old in [&mapped, &locked, &direct].into_iter().flatten() {
            self.reason(old, format!("`--load-mode` has replaced it in {}", self.builds.profile.name()));
        }
        let is_on = |old: &Option<super::Given<'_>>| old.as_ref().map(|old| old.is_on);
        let word = match (&given, is_on(&mapped), is_on(&locked), is_on(&direct)) {
            (Some(given), ..) => given.text(),
            (None, _, _, Some(true)) => "dio".to_owned(),
            (None, Some(false), Some(true), _) => "mlock".to_owned(),
            (None, _, Some(true), _) => "mmap+mlock".to_owned(),
            (None, Some(false), ..) => "none".to_owned(),
            (None, Some(true), ..) => "mmap".to_owned(),
            _ => return,
        };
        if word == "mmap+mlock" {
            self.raised.placement.is_locked = true;
        } else {
            self.raised.options.push(("load-mode".to_owned(), vec![Literal::Text(word)]));
        }
    }

    fn lock_only(&mut self) {
        if let Some(given) = self.take("mlock") {
            self.raised.placement.is_locked = given.is_on;
        }
    }
}
