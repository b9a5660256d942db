//! The built-in builds that have a feature.

use crate::diag::words;
use crate::engine::{Family, Profile};
use serde::Serialize;

/// The names of the built-in profiles with and without a feature, oldest build first in each family.
#[derive(Serialize, Debug)]
pub(in crate::cli) struct Builds {
    with: Vec<&'static str>,
    without: Vec<&'static str>,
}

impl Builds {
    /// Asks each built-in profile.
    pub(in crate::cli) fn that(have: impl Fn(&'static Profile) -> bool) -> Self {
        let all = Family::ALL.into_iter().flat_map(Profile::built_in_of);
        let (with, without): (Vec<_>, Vec<_>) = all.partition(|profile| have(profile));
        let names = |profiles: Vec<&'static Profile>| profiles.into_iter().map(Profile::name).collect();
        Self { with: names(with), without: names(without) }
    }

    /// The builds in words: ``from `llama.cpp-b10434`; not `ik_llama.cpp-8337e4cd3` ``.
    pub(in crate::cli) fn text(&self) -> String {
        if self.without.is_empty() {
            return "all built-in profiles".to_owned();
        }
        let parts: Vec<(Family, Vec<&str>)> =
            Family::ALL.into_iter().map(|family| (family, self.of(family))).collect();
        let with: Vec<String> = parts.iter().filter_map(|(family, names)| range(*family, names)).collect();
        let missing = parts.iter().filter(|(_, names)| names.is_empty());
        let missing: Vec<String> = missing.map(|(family, _)| all_of(*family)).collect();
        let is_in_main = parts.first().is_some_and(|(_, names)| !names.is_empty());
        match (with.join(", and "), missing.join(", ")) {
            (with, _) if with.is_empty() => "no built-in profile".to_owned(),
            (with, missing) if missing.is_empty() => with,
            (with, missing) if is_in_main => format!("{with}; not {missing}"),
            (with, _) => format!("only {with}"),
        }
    }

    /// The builds of a family with the feature.
    fn of(&self, family: Family) -> Vec<&'static str> {
        let names = Profile::built_in_of(family).map(Profile::name);
        names.filter(|name| self.with.contains(name)).collect()
    }
}

/// All builds of a family. A family with one build is its name.
fn all_of(family: Family) -> String {
    let names: Vec<&str> = Profile::built_in_of(family).map(Profile::name).collect();
    match names.as_slice() {
        [only] => words::quoted(only),
        _ => format!("all of {}", family.name()),
    }
}

/// Builds of a family. They are a range if no build between them lacks the feature. `None` if there are none.
fn range(family: Family, names: &[&str]) -> Option<String> {
    let all: Vec<&str> = Profile::built_in_of(family).map(Profile::name).collect();
    let (first, last) = (*names.first()?, *names.last()?);
    let at = all.iter().position(|name| *name == first)?;
    let is_range = all.get(at..at + names.len()) == Some(names);
    let (is_first, is_last) = (all.first() == Some(&first), all.last() == Some(&last));
    Some(match (is_range, is_first, is_last) {
        (true, true, true) => all_of(family),
        (true, false, true) => format!("from {}", words::quoted(first)),
        (true, true, false) => format!("up to {}", words::quoted(last)),
        (true, false, false) if names.len() > 2 => {
            format!("{} to {}", words::quoted(first), words::quoted(last))
        }
        _ => names.iter().map(|name| words::quoted(name)).collect::<Vec<_>>().join(", "),
    })
}
