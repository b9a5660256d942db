//! `orchgen engine diff`.
//!
//! With `--output-format json`, the result is one JSON object. Later versions only add fields:
//!
//! | field | |
//! |---|---|
//! | `old`, `new` | the names of the profiles |
//! | `programs`, `only_old`, `only_new` | the compared programs, and programs that only one profile lists |
//! | `changes` | `option`, `change` with details, and `programs`; see [`crate::engine::ChangeKind`] |
//! | `not_checked` | what profiles do not record |
//! | `registry` | null without one: `broken_roles`, `commands` (`kind`, `name`, `instance`, `old` and `new`, each the words of a command line or null), `unchanged_commands`, and `report` (the JSON report of `orchgen check`, with the findings that appear only with the new build) |

use super::args::{DiffArgs, EngineFormat};
use super::diff_text;
use super::load_profile::load_profile;
use super::upgrade::{CommandChange, UpgradeError, UpgradeImpact, upgrade_impact};
use crate::cli::args::OutputArgs;
use crate::cli::table::{Text, Tone, hanging};
use crate::cli::{RunStatus, session};
use crate::diag::report::Style;
use crate::diag::report::human::human;
use crate::diag::report::json::json as report_json;
use crate::diag::{Diagnostics, words};
use crate::engine::{Profile, ProfileDiff, diff_profiles};
use crate::source::{Loaded, SourceMap};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// Changes that cannot be compared, because profiles do not record the data.
const NOT_CHECKED: &str = "defaults of options that orchgen does not write: profiles do not record defaults";

#[derive(Serialize)]
struct DiffJson<'d> {
    format_version: u32,
    old: &'d str,
    new: &'d str,
    #[serde(flatten)]
    difference: &'d ProfileDiff,
    not_checked: [&'static str; 1],
    registry: Option<ImpactJson<'d>>,
}

#[derive(Serialize)]
struct ImpactJson<'d> {
    broken_roles: Vec<&'d str>,
    commands: &'d [CommandChange],
    unchanged_commands: usize,
    /// The JSON report of `orchgen check`, with the findings that appear only with the new build.
    report: Value,
}

pub(super) fn run(command: &DiffArgs, output: OutputArgs) -> RunStatus {
    let (old, new) = match (load_profile(&command.old), load_profile(&command.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(end), _) | (_, Err(end)) => return end,
    };
    let difference = diff_profiles(&old, &new);
    let builds = Builds { old: old.name(), new: new.name(), difference };
    let style = session::style(output, &std::io::stdout());
    let is_json = command.format == EngineFormat::Json;
    let Some(folder) = &command.registry else {
        return session::print_stdout(&if is_json {
            builds.json(None, &SourceMap::default())
        } else {
            builds.title(None, style) + &builds.options(style)
        });
    };
    let loaded = match session::load_registry(folder) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    // An engine names a built-in profile, or a file in the registry folder: compare file names.
    let from = Path::new(&command.old).file_name().and_then(|name| name.to_str()).unwrap_or(&command.old);
    match upgrade_impact(&loaded, from, &new) {
        Ok(impact) => {
            let printed = if is_json {
                session::print_stdout(&builds.json(Some(&impact), &loaded.map))
            } else {
                print_impact(&builds, &impact, &loaded, (output, style))
            };
            let breaks = printed == RunStatus::Clean && impact.findings.has_errors();
            if breaks { RunStatus::Findings } else { printed }
        }
        Err(UpgradeError::InvalidRegistry(findings)) => {
            report_invalid_registry(&findings, &loaded, (&old, folder), output)
        }
        Err(UpgradeError::NoEngine(profiles)) => {
            let used: Vec<String> = profiles.iter().map(|name| words::quoted(name)).collect();
            let used =
                if used.is_empty() { String::new() } else { format!("; it uses {}", words::all_of(&used)) };
            session::fail(format!(
                "no engine of {} uses the profile {}{used}",
                words::quoted(&folder.to_string_lossy()),
                words::quoted(from)
            ))
        }
    }
}

fn report_invalid_registry(
    findings: &Diagnostics,
    loaded: &Loaded,
    (old, folder): (&Profile, &Path),
    output: OutputArgs,
) -> RunStatus {
    print_findings(findings, loaded, output);
    session::fail(format!(
        "{} already has errors with {}: fix them first, or they would hide the errors of the new build",
        words::quoted(&folder.to_string_lossy()),
        words::quoted(old.name())
    ))
}

fn print_findings(findings: &Diagnostics, loaded: &Loaded, output: OutputArgs) {
    session::print_stderr(&human(findings, &loaded.map, session::style(output, &std::io::stderr())));
}

/// Prints first what changes for the roles of the registry and why, then all changes of options.
fn print_impact(
    builds: &Builds<'_>,
    impact: &UpgradeImpact,
    loaded: &Loaded,
    (output, style): (OutputArgs, Style),
) -> RunStatus {
    let roles = builds.title(Some(impact), style) + &diff_text::registry_impact(builds.new, impact, style);
    let first = session::print_stdout(&roles);
    if !impact.findings.is_empty() || !impact.findings.not_checked().is_empty() {
        print_findings(&impact.findings, loaded, output);
    }
    if first == RunStatus::Clean { session::print_stdout(&builds.options(style)) } else { first }
}

/// The two builds, with their difference.
struct Builds<'d> {
    old: &'d str,
    new: &'d str,
    difference: ProfileDiff,
}

impl Builds<'_> {
    /// The totals in one line.
    fn title(&self, impact: Option<&UpgradeImpact>, style: Style) -> String {
        let builds = format!("{} -> {}", words::printable(self.old), words::printable(self.new));
        let title = Text::new(Tone::Strong, builds).and(Tone::Plain, ": ");
        hanging(&"".into(), &title.join(diff_text::totals(&self.difference, impact)), style)
    }

    fn options(&self, style: Style) -> String {
        let changes = diff_text::profile_diff((self.old, self.new), &self.difference, style);
        let word = Text::new(Tone::Open, "not checked").and(Tone::Plain, ": ");
        changes + "\n" + &hanging(&word, &NOT_CHECKED.into(), style)
    }

    fn json(&self, impact: Option<&UpgradeImpact>, map: &SourceMap) -> String {
        let registry = impact.map(|impact| ImpactJson {
            broken_roles: impact.broken.iter().map(String::as_str).collect(),
            commands: &impact.changed,
            unchanged_commands: impact.unchanged,
            report: serde_json::from_str(&report_json(&impact.findings, map)).unwrap_or_default(),
        });
        let Self { old, new, difference } = self;
        let not_checked = [NOT_CHECKED];
        session::json_line(&DiffJson { format_version: 1, old, new, difference, not_checked, registry })
    }
}
