//! The options of a role that have no field, held against the build.

use std::borrow::Cow;

use super::argv::Argv;
use super::{Fault, Inexpressible, Intent, NotChecked, owned, value};
use crate::engine::{OptionRecord, Profile, Repeat, Side};

/// An option of the registry that the build takes.
pub(super) struct Said<'p> {
    pub(super) at: usize,
    pub(super) option: &'p OptionRecord,
    pub(super) side: Side,
    words: Vec<String>,
}

impl Said<'_> {
    /// Its value; none for a switch, the first of several.
    pub(super) fn value(&self) -> Option<&str> {
        self.words.get(1).map(String::as_str)
    }
}

/// What is wrong with an option: the kind of fault, why, and what to do.
pub(super) struct Refusal {
    pub(super) fault: Fault,
    pub(super) why: String,
    pub(super) help: Option<String>,
}

impl Refusal {
    pub(super) fn new(fault: Fault, why: String) -> Self {
        Self { fault, why, help: None }
    }

    pub(super) fn with(fault: Fault, why: String, help: impl Into<String>) -> Self {
        Self { fault, why, help: Some(help.into()) }
    }

    /// The same said of an option of the registry.
    pub(super) fn of(self, at: usize) -> Inexpressible {
        let Self { fault, why, help } = self;
        Inexpressible { intent: Intent::OptionName(at), fault, why, help, builds: Vec::new() }
    }
}

/// Reads the options, and reports those that the build would refuse or misread.
pub(super) fn read<'p>(argv: &mut Argv<'p>, options: &[(&str, Option<&str>)]) -> Vec<Said<'p>> {
    let mut all: Vec<Said<'p>> = Vec::with_capacity(options.len());
    for (at, (name, value)) in options.iter().enumerate() {
        match one(argv, name, *value) {
            Err(refusal) => argv.cannot.push(refusal.of(at)),
            Ok((option, side, words)) => {
                let again = all.iter().any(|said| std::ptr::eq(said.option, option));
                if again && repeated(argv, at, option) {
                    continue;
                }
                if let Some(instead) = &option.deprecated {
                    let why = format!("`{}` is deprecated in {} ({instead})", option.title(), argv.build());
                    let help = if instead.starts_with("use ") { instead.clone() } else { "remove it".into() };
                    argv.warned.push(Refusal::with(Fault::Deprecated, why, help).of(at));
                }
                all.push(Said { at, option, side, words });
            }
        }
    }
    all
}

/// Writes the options after everything else, those left out that a field has written meanwhile.
pub(super) fn write(argv: &mut Argv<'_>, options: Vec<Said<'_>>) {
    for said in options {
        let field = argv.written.iter().find(|(option, _)| std::ptr::eq(*option, said.option));
        if let Some((option, field)) = field {
            let why = format!("`{}` is written from the field `{field}`", option.title());
            let refusal = Refusal::with(Fault::Owned, why, format!("use the field `{field}`"));
            argv.cannot.push(refusal.of(said.at));
        } else {
            argv.args.extend(said.words.into_iter().map(Cow::Owned));
        }
    }
}

/// The records that the options name.
pub(super) fn records<'p>(options: &[Said<'p>]) -> Vec<&'p OptionRecord> {
    options.iter().map(|said| said.option).collect()
}

/// Reports an option that is given twice; true where it is refused.
fn repeated(argv: &mut Argv<'_>, at: usize, option: &OptionRecord) -> bool {
    let title = option.title();
    match option.repeat {
        Some(Repeat::List) => false,
        None if option.arity() > 0 => {
            let why = format!("{} does not say whether `{title}` may be given twice", argv.build());
            argv.not_checked.push(NotChecked { intent: Intent::OptionName(at), why });
            false
        }
        Some(Repeat::Last) | None => {
            let why = format!("`{title}` is given twice, and the engine takes the last");
            argv.cannot.push(Refusal::with(Fault::Repeated, why, "keep one of them").of(at));
            true
        }
    }
}

fn one<'p>(
    argv: &Argv<'p>,
    name: &str,
    value: Option<&str>,
) -> Result<(&'p OptionRecord, Side, Vec<String>), Refusal> {
    let Some((option, spelling, side)) = argv.profile.find(argv.tool, name) else {
        return Err(unknown(argv, name));
    };
    if let Some(instead) = &option.removed {
        let why = format!("`{spelling}` is removed from {} ({instead})", argv.build());
        return Err(Refusal::with(Fault::Removed, why, replacement(name, Some(instead))));
    }
    if let Some((why, help)) = owned::refusal(option, spelling) {
        return Err(Refusal::with(Fault::Owned, why, help));
    }
    let mut words = vec![spelling.to_owned()];
    let arity = if side == Side::Off { 0 } else { option.arity() };
    let bad = |why: String, help: &str| Err(Refusal::with(Fault::Value, why, help));
    match (arity, value) {
        (0, None) => {}
        (0, Some(_)) => return bad(format!("`{spelling}` takes no value"), "remove the value"),
        (_, None) => {
            let placeholder = option.value.as_deref().unwrap_or_default();
            return bad(format!("`{spelling}` takes a value ({placeholder})"), "add `value`");
        }
        (_, Some(value)) if value.contains('\0') => {
            return bad(format!("the value of `{spelling}` holds a zero byte"), "remove it");
        }
        (1, Some(value)) => {
            if let Err(expected) = value::fits(argv.profile.build_number(), option, value) {
                let why = format!("`{spelling}` takes {expected}, not `{}`", value.escape_debug());
                return bad(why, &format!("write {expected}"));
            }
            words.push(value.to_owned());
        }
        (n, Some(value)) => {
            let parts: Vec<&str> = value.split_whitespace().collect();
            if parts.len() != n || !value::fit_together(&parts) {
                let why = format!("`{spelling}` takes {n} values, whole numbers separated by a blank");
                return bad(format!("{why}, not `{}`", value.escape_debug()), "write both in one text");
            }
            words.extend(parts.into_iter().map(str::to_owned));
        }
    }
    Ok((option, side, words))
}

/// An option that this program of this build does not have: one of another program, one that older builds had, or none.
fn unknown(argv: &Argv<'_>, name: &str) -> Refusal {
    let shown = name.escape_debug();
    let (tool, build) = (argv.tool, argv.build());
    let dashed = if name.starts_with('-') { name.to_owned() } else { format!("--{name}") };
    match argv.profile.takers(&dashed).split_first() {
        Some((first, [])) => {
            let why = format!("`{shown}` is an option of {first} and not of {tool} in {build}");
            return Refusal::new(Fault::Unknown, why);
        }
        Some((first, rest)) => {
            let more = rest.len();
            let why =
                format!("`{shown}` is an option of {first} and {more} more and not of {tool} in {build}");
            return Refusal::new(Fault::Unknown, why);
        }
        None => {}
    }
    match last_with(argv, name) {
        Some((older, option)) => {
            let why = format!("{tool} of {build} has no option `{shown}`, which {} had", older.name());
            let said = option.deprecated.as_deref().or(option.removed.as_deref());
            Refusal::with(Fault::Removed, why, replacement(name, said))
        }
        None => Refusal::new(Fault::Unknown, format!("{tool} of {build} has no option `{shown}`")),
    }
}

/// The youngest built-in build before this one that has an option; of a build whose place in their order is not known, none
/// is younger.
fn last_with(argv: &Argv<'_>, name: &str) -> Option<(&'static Profile, &'static OptionRecord)> {
    let names = Profile::names();
    let place = names.iter().position(|known| *known == argv.build()).unwrap_or(names.len());
    let mut older = names.iter().take(place).rev().filter_map(|known| Profile::built_in(known));
    older.find_map(|profile| Some((profile, profile.option(argv.tool, name)?)))
}

/// What to do instead of an option that is gone: the field that says it, else what the engine says.
fn replacement(name: &str, said: Option<&str>) -> String {
    match (owned::owned(name), said) {
        (Some(field), _) => format!("use the field `{field}`"),
        (None, Some(said)) if said.starts_with("use ") => said.to_owned(),
        (None, _) => "remove it".to_owned(),
    }
}
