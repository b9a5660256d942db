//! `orchgen engine list`.

use super::args::{EngineFormat, ListArgs};
use crate::cli::{RunStatus, session};
use crate::engine::Profile;
use serde::Serialize;

#[derive(Serialize)]
struct ListJson {
    format_version: u32,
    profiles: Vec<ProfileRow>,
}

#[derive(Serialize)]
struct ProfileRow {
    name: &'static str,
    build: &'static str,
    programs: Vec<&'static str>,
    options: usize,
    source: &'static str,
}

pub(super) fn run(command: &ListArgs) -> RunStatus {
    let profiles: Vec<ProfileRow> = Profile::built_in_names()
        .iter()
        .filter_map(|name| Profile::built_in(name))
        .map(profile_row)
        .collect();
    session::print_stdout(&match command.format {
        EngineFormat::Json => session::json_line(&ListJson { format_version: 1, profiles }),
        EngineFormat::Human => table(&profiles),
    })
}

fn profile_row(profile: &'static Profile) -> ProfileRow {
    ProfileRow {
        name: profile.name(),
        build: profile.build(),
        programs: profile.tools().collect(),
        options: profile.options().len(),
        source: profile.source(),
    }
}

fn table(rows: &[ProfileRow]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let head = format!("{:width$}  PROGRAMS  OPTIONS  SOURCE\n", "PROFILE");
    let line = |row: &ProfileRow| {
        let (programs, options) = (row.programs.len(), row.options);
        format!("{:width$}  {programs:>8}  {options:>7}  {}\n", row.name, row.source)
    };
    std::iter::once(head).chain(rows.iter().map(line)).collect()
}
