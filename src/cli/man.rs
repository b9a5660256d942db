//! `orchgen man`: writes a man page for each command.
//!
//! A page has the texts of `--help`. The block `Exit codes:` below the options becomes the section EXIT STATUS, the block
//! `Examples:` becomes EXAMPLES, and other blocks become NOTES.

use super::RunStatus;
use super::args::{Args, OutputArgs};
use super::help::CODES;
use super::session;
use crate::diag::words;
use crate::emit;
use clap::builder::Resettable;
use clap::{Args as Arguments, Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io;
use std::path::PathBuf;

/// The section of the manual for commands.
const SECTION: &str = "1";

#[derive(Arguments, Debug)]
pub(in crate::cli) struct ManArgs {
    /// Folder for the pages. It is created if it is missing, and pages in it are replaced
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

pub(super) fn run(command: &ManArgs, output: OutputArgs) -> RunStatus {
    let mut root = Args::command().disable_help_subcommand(true);
    root.build();
    let mut commands = Vec::new();
    collect(&root, &mut commands);
    for command_of_page in &commands {
        let text = match page(command_of_page) {
            Ok(text) => text,
            Err(error) => return session::fail(error),
        };
        let file = command.out.join(format!("{}.{SECTION}", name(command_of_page)));
        if let Err(error) = emit::write_file(&file, text.as_bytes()) {
            return session::fail(error);
        }
    }
    if !output.quiet {
        let pages = words::count(commands.len(), "man page");
        let folder = words::quoted(&command.out.to_string_lossy());
        session::print_stderr(&format!("wrote {pages} into {folder}\n"));
    }
    RunStatus::Clean
}

/// The command and all commands below it.
fn collect<'c>(command: &'c Command, commands: &mut Vec<&'c Command>) {
    commands.push(command);
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        collect(below, commands);
    }
}

/// The name of a page, for example `orchgen-engine-probe`.
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// The page of a command.
fn page(command: &Command) -> io::Result<String> {
    let name = name(command);
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    // The header has the version, and the sections below replace the help.
    let bare = command.clone().after_help(Resettable::Reset).version(Resettable::Reset);
    let mut text = Vec::new();
    Man::new(bare).render(&mut text)?;
    let mut roff = Roff::new();
    sections(&mut roff, &help);
    if command.get_name() != name {
        roff.control("SH", ["SEE ALSO"]).text([bold("orchgen"), roman(format!("({SECTION})"))]);
    }
    roff.to_writer(&mut text)?;
    // clap_mangen omits an empty date, and separates possible values with two line breaks, of which mandoc ignores one.
    let text = String::from_utf8_lossy(&text).replace("\n.br\n\n.br\n", "\n.sp\n");
    let is_header = |line: &str| line.starts_with(".TH ");
    let lines = text.lines().map(|line| if is_header(line) { header(name) } else { line.to_owned() });
    Ok(lines.collect::<Vec<_>>().join("\n") + "\n")
}

/// The line with the name of a page, its date, and the version. The date is empty if the commit of the build is unknown.
fn header(name: &str) -> String {
    let (date, version) = (env!("ORCHGEN_DATE"), env!("CARGO_PKG_VERSION"));
    format!(".TH {} {SECTION} \"{date}\" \"orchgen {version}\" \"orchgen manual\"", name.to_uppercase())
}

/// Adds the sections EXIT STATUS, NOTES and EXAMPLES.
fn sections(roff: &mut Roff, help: &str) {
    let blocks: Vec<&str> = help.split("\n\n").filter(|block| !block.trim().is_empty()).collect();
    let with = |heading: &str| blocks.iter().find_map(|block| block.strip_prefix(heading));
    let exit_codes = with("Exit codes:").or_else(|| CODES.strip_prefix("Exit codes:"));
    roff.control("SH", ["EXIT STATUS"]);
    exit_status(roff, exit_codes.unwrap_or_default());
    let is_note = |block: &&&str| !block.starts_with("Exit codes:") && !block.starts_with("Examples:");
    let notes: Vec<&str> = blocks.iter().filter(is_note).copied().collect();
    for (number, note) in notes.iter().enumerate() {
        let (macro_name, heading) = if number == 0 { ("SH", "NOTES") } else { ("PP", "") };
        roff.control(macro_name, Some(heading).filter(|heading| !heading.is_empty()));
        roff.text([roman(note.split_whitespace().collect::<Vec<_>>().join(" "))]);
    }
    if let Some(examples) = with("Examples:") {
        roff.control("SH", ["EXAMPLES"]).control("nf", []);
        for line in examples.lines().filter(|line| !line.is_empty()) {
            roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        }
        roff.control("fi", []);
    }
}

/// Adds a tagged paragraph for each exit code. A line without a code continues the text of the code above.
fn exit_status(roff: &mut Roff, text: &str) {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let coded = line.split_once("  ").filter(|(code, _)| code.chars().all(|c| c.is_ascii_digit()));
        if let Some((code, meaning)) = coded {
            roff.control("TP", []).text([bold(code)]).text([roman(meaning.trim_start())]);
        } else {
            roff.text([roman(line)]);
        }
    }
}
