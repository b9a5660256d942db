//! `orchgen engine diff`.
//!
//! As one JSON object, whose shape only grows:
//!
//! | field | |
//! |---|---|
//! | `old`, `new` | the names of the profiles |
//! | `programs`, `only_old`, `only_new` | the programs that were compared, and those that only one of them lists |
//! | `changes` | `option`, `change` with its details, and `programs`: see [`crate::engine::What`] |
//! | `not_checked` | what no profile holds |
//! | `registry` | null without one: `broken_roles`, `commands` (`kind`, `name`, `instance`, `old` and `new`, each the words of a command line or null), `unchanged_commands`, and as `report` the object of `orchgen check` with what is found only under the new build |

use super::args::{Diff, Format};
use super::named;
use super::upgrade::{Cannot, Line, Upgrade, upgrade};
use super::wording;
use crate::cli::args::Output;
use crate::cli::{End, session};
use crate::diag::report::human::human;
use crate::diag::report::json::json;
use crate::diag::{Diagnostics, words};
use crate::engine::{Difference, Profile, difference};
use crate::source::{Loaded, SourceMap, load};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// What no profile holds, and so nobody has compared.
const NOT_CHECKED: &str =
    "defaults of options that no command line of orchgen gives: profiles do not hold defaults";

#[derive(Serialize)]
struct Document<'d> {
    format_version: u32,
    old: &'d str,
    new: &'d str,
    #[serde(flatten)]
    difference: &'d Difference,
    not_checked: [&'static str; 1],
    registry: Option<Effect<'d>>,
}

#[derive(Serialize)]
struct Effect<'d> {
    broken_roles: Vec<&'d str>,
    commands: &'d [Line],
    unchanged_commands: usize,
    /// The object of `orchgen check`, with what is found only under the new build.
    report: Value,
}

pub(super) fn run(command: &Diff, output: Output) -> End {
    let (old, new) = match (named::profile(&command.old), named::profile(&command.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(end), _) | (_, Err(end)) => return end,
    };
    let difference = difference(&old, &new);
    let Some(folder) = &command.registry else {
        return session::print(&shown(command, (&old, &new), &difference, None, &SourceMap::default()));
    };
    let loaded = match load(folder) {
        Ok(loaded) => loaded,
        Err(error) => return cannot(&error.to_string()),
    };
    // An engine names a built-in profile, or a file in the folder of the registry.
    let from = Path::new(&command.old).file_name().and_then(|name| name.to_str()).unwrap_or(&command.old);
    match upgrade(&loaded, from, &new) {
        Ok(effect) => {
            let text = shown(command, (&old, &new), &difference, Some(&effect), &loaded.map);
            let printed = session::print(&text);
            if command.format == Format::Human && !is_silent(&effect.findings) {
                draw(&effect.findings, &loaded, output);
            }
            let breaks = printed == End::Clean && effect.findings.has_errors();
            if breaks { End::Findings } else { printed }
        }
        Err(Cannot::Wrong(findings)) => wrong(&findings, &loaded, (&old, folder), output),
        Err(Cannot::NoEngine(named)) => {
            let named: Vec<String> = named.iter().map(|name| words::quoted(name)).collect();
            let have = if named.is_empty() {
                String::new()
            } else {
                format!("; there is {}", words::all_of(&named))
            };
            cannot(&format!(
                "no engine of {} has the profile {}{have}",
                words::quoted(&folder.to_string_lossy()),
                words::quoted(from)
            ))
        }
    }
}

fn wrong(findings: &Diagnostics, loaded: &Loaded, (old, folder): (&Profile, &Path), output: Output) -> End {
    draw(findings, loaded, output);
    cannot(&format!(
        "{} has errors under {} already: mend them first, so that what the change breaks can be told from them",
        words::quoted(&folder.to_string_lossy()),
        words::quoted(old.name())
    ))
}

/// Whether there is nothing to draw, not even what is not known.
fn is_silent(findings: &Diagnostics) -> bool {
    findings.is_empty() && findings.not_checked().is_empty()
}

fn draw(findings: &Diagnostics, loaded: &Loaded, output: Output) {
    session::report(&human(findings, &loaded.map, session::style(output, &std::io::stderr())));
}

fn cannot(why: &str) -> End {
    session::report(&format!("error: {why}\n"));
    End::CannotRun
}

fn shown(
    command: &Diff,
    (old, new): (&Profile, &Profile),
    difference: &Difference,
    effect: Option<&Upgrade>,
    map: &SourceMap,
) -> String {
    match command.format {
        Format::Human => {
            let mut text = wording::difference((old.name(), new.name()), difference);
            text.extend(["\nnot checked: ", NOT_CHECKED, "\n"]);
            if let Some(effect) = effect {
                text.push_str(&wording::effect(new.name(), effect));
            }
            text
        }
        Format::Json => {
            let registry = effect.map(|effect| Effect {
                broken_roles: effect.broken.iter().map(String::as_str).collect(),
                commands: &effect.changed,
                unchanged_commands: effect.unchanged,
                report: serde_json::from_str(&json(&effect.findings, map)).unwrap_or_default(),
            });
            let document = Document {
                format_version: 1,
                old: old.name(),
                new: new.name(),
                difference,
                not_checked: [NOT_CHECKED],
                registry,
            };
            // Only maps with keys that are not strings can fail, and there is none.
            serde_json::to_string(&document).unwrap_or_default() + "\n"
        }
    }
}
