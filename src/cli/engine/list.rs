//! `orchgen engine list`.

use super::args::{EngineFormat, ListArgs};
use crate::cli::args::OutputArgs;
use crate::cli::table::{Column, Section, Table, Text, Tone};
use crate::cli::{RunStatus, session};
use crate::diag::report::Style;
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

pub(super) fn run(command: &ListArgs, output: OutputArgs) -> RunStatus {
    let profiles: Vec<ProfileRow> = Profile::built_in_names()
        .iter()
        .filter_map(|name| Profile::built_in(name))
        .map(profile_row)
        .collect();
    session::print_stdout(&match command.format {
        EngineFormat::Json => session::json_line(&ListJson { format_version: 1, profiles }),
        EngineFormat::Human => table(&profiles, session::style(output, &std::io::stdout())),
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

fn table(rows: &[ProfileRow], style: Style) -> String {
    let row = |row: &ProfileRow| {
        let counts = [row.programs.len(), row.options].map(|number| Text::from(number.to_string()));
        let [programs, options] = counts;
        vec![row.name.into(), programs, options, Text::new(Tone::Detail, row.source)]
    };
    let columns = vec![
        Column::words("profile"),
        Column::numbers("programs"),
        Column::numbers("options"),
        Column::words("source"),
    ];
    Table::new(vec![Section { title: None, columns, rows: rows.iter().map(row).collect() }]).print(style)
}
