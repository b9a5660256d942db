//! `orchgen engine list`.

use super::args::{Format, List};
use crate::cli::{End, session};
use crate::engine::Profile;
use serde::Serialize;

#[derive(Serialize)]
struct Listed {
    format_version: u32,
    profiles: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    build: &'static str,
    programs: Vec<&'static str>,
    options: usize,
    source: &'static str,
}

pub(super) fn run(command: &List) -> End {
    let profiles: Vec<Row> =
        Profile::names().iter().filter_map(|name| Profile::built_in(name)).map(row).collect();
    session::print(&match command.format {
        // Only maps with keys that are not strings can fail, and there is none.
        Format::Json => {
            serde_json::to_string(&Listed { format_version: 1, profiles }).unwrap_or_default() + "\n"
        }
        Format::Human => table(&profiles),
    })
}

fn row(profile: &'static Profile) -> Row {
    Row {
        name: profile.name(),
        build: profile.build(),
        programs: profile.tools().collect(),
        options: profile.options().len(),
        source: profile.source(),
    }
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let head = format!("{:width$}  PROGRAMS  OPTIONS  SOURCE\n", "PROFILE");
    let line = |row: &Row| {
        let (programs, options) = (row.programs.len(), row.options);
        format!("{:width$}  {programs:>8}  {options:>7}  {}\n", row.name, row.source)
    };
    std::iter::once(head).chain(rows.iter().map(line)).collect()
}
