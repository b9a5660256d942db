//! `orchgen generations`: what was applied on this machine.

use super::args::GenerationsArgs;
use super::host::{installed, layout};
use super::system::utc;
use crate::cli::args::{DataFormat, OutputArgs};
use crate::cli::table::{Column, Section, Table, Text, Tone};
use crate::cli::{RunStatus, session};
use crate::deploy::{DeployError, Deployer};
use crate::diag::words::printable;
use serde::Serialize;

/// The generations of a stack. Later versions only add fields.
#[derive(Serialize)]
struct ListedGenerations {
    format_version: u32,
    generations: Vec<Listed>,
}

/// A generation for users.
#[derive(Serialize)]
struct Listed {
    number: u32,
    host: String,
    created: String,
    is_current: bool,
}

pub(in crate::cli) fn generations(
    command: &GenerationsArgs,
    output: OutputArgs,
) -> Result<RunStatus, RunStatus> {
    let root = command.root.as_deref();
    let find = || -> Result<Vec<Listed>, DeployError> {
        let layout = match &command.stack.stack {
            Some(stack) => layout(stack, command.stack.scope(), root)?,
            None => installed(None, command.stack.scope(), root)?,
        };
        let all = Deployer::new(layout, None, 0).state.generations()?;
        let listed = all.into_iter().map(|one| Listed {
            number: one.number,
            host: one.host,
            created: utc(one.created),
            is_current: one.is_current,
        });
        Ok(listed.collect())
    };
    let all = find().map_err(session::fail)?;
    if all.is_empty() {
        session::print_stderr("there is no generation: run `orchgen apply` first\n");
    }
    Ok(session::print_stdout(&match command.format {
        DataFormat::Json => session::json_line(&ListedGenerations { format_version: 1, generations: all }),
        DataFormat::Human => listed_table(&all).print(session::style(output, &std::io::stdout())),
    }))
}

fn listed_table(all: &[Listed]) -> Table {
    let row = |one: &Listed| {
        let current = Text::new(Tone::Good, if one.is_current { "current" } else { "" });
        vec![one.number.to_string().into(), one.created.as_str().into(), printable(&one.host).into(), current]
    };
    let columns = vec![
        Column::numbers("generation"),
        Column::words("created"),
        Column::words("host"),
        Column::words(""),
    ];
    let rows: Vec<_> = all.iter().map(row).collect();
    Table::new(if rows.is_empty() { Vec::new() } else { vec![Section { title: None, columns, rows }] })
}
