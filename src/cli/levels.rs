//! What codes count as, by the command line.

use super::End;
use super::explain::say_unknown;
use super::session;
use crate::catalogue::find;
use crate::diag::{Code, Level, Levels, Severity, words};
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

/// What the user says of codes, in the order of the command line, which the derived way of reading it would lose.
#[derive(Clone, Default, Debug)]
pub(super) struct Said(Vec<(Level, String)>);

/// The options, what each says of a code, and what people are told of it.
const OPTIONS: [(&str, Level, &str); 3] = [
    (
        "error",
        Level::Error,
        "Count findings of a code as errors, which let the run fail and keep it from writing",
    ),
    ("warn", Level::Warning, "Count findings of a code as warnings"),
    ("ignore", Level::Ignored, "Leave findings of a code out"),
];

/// Every code that can be spoken of.
const ALL: &str = "all";

impl clap::Args for Said {
    fn augment_args(command: Command) -> Command {
        OPTIONS.iter().fold(command, |command, (name, _, help)| {
            let arg = Arg::new(*name).long(*name).value_name("CODE").action(ArgAction::Append).help(format!(
                "{help}; by number, by name, or `{ALL}`. Of two that speak of one code the later counts, and an error stays one"
            ));
            command.arg(arg.help_heading("Severity"))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Said {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut said: Vec<(usize, Level, String)> = Vec::new();
        for (name, level, _) in OPTIONS {
            let words = matches.get_many::<String>(name).into_iter().flatten();
            let places = matches.indices_of(name).into_iter().flatten();
            said.extend(places.zip(words).map(|(at, word)| (at, level, word.clone())));
        }
        said.sort_by_key(|(at, _, _)| *at);
        Ok(Self(said.into_iter().map(|(_, level, word)| (level, word)).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Said {
    /// What codes count as; says a word that is no code, and an error that would be no error.
    pub(super) fn levels(&self) -> Result<Levels, End> {
        let mut levels = Levels::default();
        for (level, word) in &self.0 {
            if word.eq_ignore_ascii_case(ALL) {
                levels.set_all(*level);
                continue;
            }
            let code = find(word).ok_or_else(|| say_unknown(word))?;
            if code.severity == Severity::Error && *level != Level::Error {
                return Err(say_fixed(code));
            }
            levels.set(code, *level);
        }
        Ok(levels)
    }
}

fn say_fixed(code: &Code) -> End {
    let name = words::quoted(code.name);
    session::report(&format!(
        "error: {name} stays an error: what it finds would not start, or not do what the registry says\n\
         only warnings and notes can be lowered; --baseline lets what is known pass `orchgen check`\n"
    ));
    End::CannotRun
}
