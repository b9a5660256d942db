//! The options `--error`, `--warn` and `--ignore`, which set the severity of codes.

use super::RunStatus;
use super::explain::report_unknown_code;
use super::session;
use crate::catalogue::find;
use crate::diag::{Code, Level, Levels, Severity, words};
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

/// The severities that the user sets, in the order of the command line. clap's derive would lose the order of different
/// options, so the traits are implemented manually.
#[derive(Clone, Default, Debug)]
pub(super) struct SeverityArgs(Vec<(Level, String)>);

/// The options: name, level, and the first and last sentence of the help.
const OPTIONS: [(&str, Level, &str, &str); 3] = [
    ("error", Level::Error, "Treat a code as an error", ""),
    ("warn", Level::Warning, "Treat a code as a warning", ". An error cannot become a warning"),
    ("ignore", Level::Ignored, "Do not report a code", ". An error cannot be ignored"),
];

/// The word that selects all codes.
const ALL: &str = "all";

impl clap::Args for SeverityArgs {
    fn augment_args(command: Command) -> Command {
        OPTIONS.iter().fold(command, |command, (name, _, help, limit)| {
            let arg = Arg::new(*name).long(*name).value_name("CODE").action(ArgAction::Append).help(format!(
                "{help}. CODE is a number, a name or `{ALL}`. If a code is given twice, the last wins{limit}"
            ));
            command.arg(arg.help_heading("Severity"))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SeverityArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut found: Vec<(usize, Level, String)> = Vec::new();
        for (name, level, _, _) in OPTIONS {
            let words = matches.get_many::<String>(name).into_iter().flatten();
            let positions = matches.indices_of(name).into_iter().flatten();
            found.extend(positions.zip(words).map(|(at, word)| (at, level, word.clone())));
        }
        found.sort_by_key(|(at, _, _)| *at);
        Ok(Self(found.into_iter().map(|(_, level, word)| (level, word)).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl SeverityArgs {
    /// Returns the level of each code. Reports an unknown code, or an error that would become a warning or be ignored.
    pub(super) fn levels(&self) -> Result<Levels, RunStatus> {
        let mut levels = Levels::default();
        for (level, word) in &self.0 {
            if word.eq_ignore_ascii_case(ALL) {
                levels.set_all(*level);
                continue;
            }
            let code = find(word).ok_or_else(|| report_unknown_code(word))?;
            if code.severity == Severity::Error && *level != Level::Error {
                return Err(report_fixed_severity(code));
            }
            levels.set(code, *level);
        }
        Ok(levels)
    }
}

fn report_fixed_severity(code: &Code) -> RunStatus {
    let name = words::quoted(code.name);
    session::fail(format!(
        "{name} must stay an error: with it, a server would not start or not match the registry\n\
         only the severity of warnings and notes can be changed; to accept existing errors in `orchgen check`, use `--baseline FILE`"
    ))
}
