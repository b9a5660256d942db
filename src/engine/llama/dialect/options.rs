//! Checks the `option` items of a role against the build.

use super::argv::ArgvBuilder;
use super::{FaultKind, Intent, LoweringFault, UncheckedIntent, paths, router, tensors, value};
use crate::engine::llama::HEALTH_PATH;
use crate::engine::llama::options::{Owner, PathForm, PathUse, Refusal, field_help, is_preset};
use crate::engine::{Access, OptionRecord, Profile, Repeat, Switch, Word};

/// An `option` of the registry that the build accepts.
pub(super) struct AcceptedOption<'p> {
    pub(super) index: usize,
    pub(super) option: &'p OptionRecord,
    pub(super) switch: Switch,
    words: Vec<String>,
}

impl AcceptedOption<'_> {
    /// The value, or the first of several. `None` for a switch.
    pub(super) fn value(&self) -> Option<&str> {
        self.words.get(1).map(String::as_str)
    }
}

/// A fault of an option: its kind, the reason, and the help.
pub(super) struct OptionFault {
    pub(super) kind: FaultKind,
    pub(super) why: String,
    pub(super) help: Option<String>,
}

impl OptionFault {
    pub(super) fn new(kind: FaultKind, why: String) -> Self {
        Self { kind, why, help: None }
    }

    pub(super) fn with(kind: FaultKind, why: String, help: impl Into<String>) -> Self {
        Self { kind, why, help: Some(help.into()) }
    }

    /// The same fault, attributed to the `option` with this index.
    pub(super) fn at_option(self, index: usize) -> LoweringFault {
        let Self { kind, why, help } = self;
        LoweringFault { intent: Intent::OptionName(index), kind, why, help, builds: Vec::new() }
    }
}

/// Returns the options that the build accepts. Adds an error for each that it would refuse or misread.
pub(super) fn read<'p>(
    argv: &mut ArgvBuilder<'p>,
    options: &[(&str, Option<&str>)],
) -> Vec<AcceptedOption<'p>> {
    let mut all: Vec<AcceptedOption<'p>> = Vec::with_capacity(options.len());
    for (at, (name, value)) in options.iter().enumerate() {
        match accept(argv, name, *value) {
            Err(fault) => argv.errors.push(fault.at_option(at)),
            Ok((option, switch, words)) => {
                let again = all.iter().any(|accepted| std::ptr::eq(accepted.option, option));
                if again && report_repeated(argv, at, option) {
                    continue;
                }
                if option.title() == "--chat-template-kwargs" {
                    let fault = words.get(1).and_then(|value| deprecated_key(argv, value));
                    argv.warnings.extend(fault.map(|fault| fault.at_option(at)));
                }
                if let Some(instead) = &option.deprecated {
                    let why = format!("`{}` is deprecated in {} ({instead})", option.title(), argv.build());
                    let help = if instead.starts_with("use ") { instead.clone() } else { "remove it".into() };
                    argv.warnings.push(OptionFault::with(FaultKind::Deprecated, why, help).at_option(at));
                }
                all.push(AcceptedOption { index: at, option, switch, words });
            }
        }
    }
    all
}

/// The fault of template arguments with a key that an option replaces.
fn deprecated_key(argv: &ArgvBuilder<'_>, value: &str) -> Option<OptionFault> {
    let DeprecatedKey { key, option, word, .. } = DeprecatedKey::of(value)?;
    argv.find_option(&["--reasoning"])?;
    let why = format!("the key `{key}` of `--chat-template-kwargs` is deprecated in {}", argv.build());
    let word = word.map_or_else(|| "`on` or `off`".to_owned(), |word| format!("`{word}`"));
    let help = format!("remove `{key}` from the value, and set the option `{option}` to {word}");
    Some(OptionFault::with(FaultKind::Deprecated, why, help))
}

/// A key of template arguments that an option replaces in builds since March 2026 (`common/arg.cpp`).
pub struct DeprecatedKey {
    /// The key.
    pub key: &'static str,
    /// The option, without dashes.
    pub option: &'static str,
    /// The value of the option with the same meaning, if the value of the key is a boolean.
    pub word: Option<&'static str>,
    /// The other keys as JSON. `None` if there are none.
    pub others: Option<String>,
}

impl DeprecatedKey {
    /// The deprecated key in the value of `--chat-template-kwargs`.
    pub fn of(value: &str) -> Option<Self> {
        const KEY: &str = "enable_thinking";
        let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(value).ok()?;
        let thinks = object.remove(KEY)?;
        let word = thinks.as_bool().map(|thinks| if thinks { "on" } else { "off" });
        let others = (!object.is_empty()).then(|| serde_json::Value::Object(object).to_string());
        Some(Self { key: KEY, option: "reasoning", word, others })
    }
}

/// Returns the options of a server that another program also accepts, and lists the others as left out. A file that the
/// server writes is also left out: two programs would write it at the same time.
pub(super) fn read_possible<'p>(
    argv: &mut ArgvBuilder<'p>,
    options: &[(&str, Option<&str>)],
) -> Vec<AcceptedOption<'p>> {
    let mut all: Vec<AcceptedOption<'p>> = Vec::with_capacity(options.len());
    for (index, (name, value)) in options.iter().enumerate() {
        match accept(argv, name, *value) {
            Ok((option, switch, words)) if !writes_file(option) => {
                all.push(AcceptedOption { index, option, switch, words });
            }
            Ok(_) | Err(_) => argv.left_out.push(with_dashes(name).into()),
        }
    }
    all
}

fn writes_file(option: &OptionRecord) -> bool {
    option.row().is_some_and(|row| row.path.is_some_and(|path| path.access == Access::Write))
}

/// The name with dashes in front, as the engine spells it.
fn with_dashes(name: &str) -> String {
    if name.starts_with('-') { name.to_owned() } else { format!("--{name}") }
}

/// Writes the options after all others. Adds an error instead for an option that a field has already written.
pub(super) fn write(argv: &mut ArgvBuilder<'_>, options: Vec<AcceptedOption<'_>>) {
    for accepted in options {
        let field = argv.written.iter().find(|(option, _)| std::ptr::eq(*option, accepted.option));
        if let Some((option, field)) = field {
            let why = format!("the field `{field}` sets `{}`", option.title());
            let owner = Owner { field, part: None };
            let row = accepted.option.row();
            let help = row.map_or_else(|| owner.help(), |row| row.owned_help(owner));
            let fault = OptionFault::with(FaultKind::OwnedByField, why, help);
            argv.errors.push(fault.at_option(accepted.index));
        } else if let Some(fault) = not_in_preset(argv, accepted.option) {
            argv.errors.push(fault.at_option(accepted.index));
        } else {
            paths::collect(argv, &accepted);
            // A list of paths stays a text.
            let path = accepted.option.row().and_then(|row| row.path);
            let value = |text: String| match path {
                Some(PathUse { access, form: PathForm::One, .. }) => Word::path(&text, access),
                Some(_) | None => Word::from(text),
            };
            let mut words = accepted.words.into_iter();
            let Some(spelling) = words.next() else { continue };
            argv.push(accepted.option, Word::from(spelling), words.next().map(value));
            argv.args.extend(words.map(Word::from));
        }
    }
}

/// The reason why a section of a preset file cannot have an option: it has each key once, with one value (`common/preset.cpp`).
fn not_in_preset(argv: &ArgvBuilder<'_>, option: &OptionRecord) -> Option<OptionFault> {
    let title = option.title();
    let key = title.trim_start_matches('-');
    if argv.preset.as_ref()?.iter().any(|entry| &*entry.key == key) {
        let why = format!("`{title}` is given twice; behind the router the engine uses the last value");
        let help = if option.takes_comma_list() || option.row().is_some_and(|row| row.path.is_some()) {
            "write all values in one option, separated by commas"
        } else {
            "keep one of them"
        };
        return Some(OptionFault::with(FaultKind::Repeated, why, help));
    }
    if router::DROPPED.contains(&title) {
        let why = format!("the router does not pass `{title}` to the server of a model");
        return Some(OptionFault::with(FaultKind::OwnedByField, why, "remove it"));
    }
    let why = || format!("`{title}` has several values, and behind the router an option has at most one");
    (option.arity() > 1).then(|| OptionFault::with(FaultKind::NotExpressible, why(), "remove it"))
}

/// The records of the options.
pub(super) fn records<'p>(options: &[AcceptedOption<'p>]) -> Vec<&'p OptionRecord> {
    options.iter().map(|accepted| accepted.option).collect()
}

/// Handles an option that is given twice. Returns true if it is refused.
fn report_repeated(argv: &mut ArgvBuilder<'_>, at: usize, option: &OptionRecord) -> bool {
    let title = option.title();
    match option.repeat {
        Some(Repeat::List) => false,
        None if option.arity() > 0 => {
            let why = format!("it is unknown if {} accepts `{title}` twice", argv.build());
            argv.not_checked.push(UncheckedIntent { intent: Intent::OptionName(at), why });
            false
        }
        Some(Repeat::Last) | None => {
            let why = format!("`{title}` is given twice; the engine uses the last value");
            argv.errors.push(OptionFault::with(FaultKind::Repeated, why, "keep one of them").at_option(at));
            true
        }
    }
}

/// The record of an option and its words in the argv, or the fault.
fn accept<'p>(
    argv: &ArgvBuilder<'p>,
    name: &str,
    value: Option<&str>,
) -> Result<(&'p OptionRecord, Switch, Vec<String>), OptionFault> {
    let Some((option, spelling, switch)) = argv.profile.find(argv.tool, name) else {
        let fault = || OptionFault::with(FaultKind::OwnedByField, selects_model(name), "remove it");
        let is_preset = is_preset(name) && value.is_none();
        return Err(if is_preset { fault() } else { unknown_option(argv, name) });
    };
    if let Some(instead) = &option.removed {
        let why = format!("{} has removed `{spelling}` ({instead})", argv.build());
        return Err(OptionFault::with(FaultKind::Removed, why, replacement(name, Some(instead))));
    }
    if let Some((why, help)) = reason_not_allowed(option, spelling) {
        return Err(OptionFault::with(FaultKind::OwnedByField, why, help));
    }
    let mut words = vec![spelling.to_owned()];
    let arity = if switch == Switch::Off { 0 } else { option.arity() };
    let bad = |why: String, help: &str| Err(OptionFault::with(FaultKind::BadValue, why, help));
    match (arity, value) {
        (0, None) => {}
        (0, Some(_)) => return bad(format!("`{spelling}` takes no value"), "remove the value"),
        (_, None) => {
            let placeholder = option.value.as_deref().unwrap_or_default();
            // The error about an empty value describes a right one.
            let expected = value::check(argv.profile.build_number(), option, "").err();
            let expected = expected.unwrap_or_else(|| format!("a value ({placeholder})"));
            let why = format!("`{spelling}` needs a value ({placeholder})");
            return bad(why, &format!("add the value after the name: {expected}"));
        }
        (_, Some(value)) if value.contains('\0') => {
            return bad(format!("the value of `{spelling}` contains a zero byte"), "remove the zero byte");
        }
        (1, Some(value)) => {
            if let Err(expected) = value::check(argv.profile.build_number(), option, value) {
                let found = value.escape_debug();
                let why = format!("the value of `{spelling}` must be {expected}; `{found}` is not");
                let help = value::as_whole(option, value).map_or(expected, |whole| format!("`{whole}`"));
                return bad(why, &format!("write {help}"));
            }
            paths::check(option, spelling, value)?;
            tensors::check(argv, option, spelling, value)?;
            words.push(value.to_owned());
        }
        (n, Some(value)) => {
            let parts: Vec<&str> = value.split_whitespace().collect();
            if parts.len() != n || !value::are_whole_numbers(&parts) {
                let why = format!("`{spelling}` needs {n} whole numbers separated by a blank");
                return bad(
                    format!("{why}, not `{}`", value.escape_debug()),
                    "write both numbers in one string",
                );
            }
            words.extend(parts.into_iter().map(str::to_owned));
        }
    }
    Ok((option, switch, words))
}

/// The reason why a role cannot set this option, and the help. `None` if it can.
pub fn reason_not_allowed(option: &OptionRecord, spelling: &str) -> Option<(String, String)> {
    let row = option.row()?;
    if let Some(owner) = row.owner {
        return Some((format!("the field `{}` sets `{spelling}`", owner.field), row.owned_help(owner)));
    }
    let why = match row.refusal? {
        Refusal::PrintsAndExits => format!("with `{spelling}` the program prints something and exits"),
        Refusal::HidesHealth => {
            format!("`{spelling}` breaks health checks, which request `{HEALTH_PATH}` over plain HTTP")
        }
        Refusal::SkipsWeights => format!("with `{spelling}` the server does not load the weights"),
        Refusal::SelectsModel => selects_model(spelling),
    };
    Some((why, "remove it".to_owned()))
}

/// The fault of an option that selects a predefined model, in this build or in another one.
fn selects_model(name: &str) -> String {
    format!("`{}` selects a predefined model; the field `model` selects the model here", name.escape_debug())
}

/// The fault of an option that this program does not have: another program or an older build has it, or none.
fn unknown_option(argv: &ArgvBuilder<'_>, name: &str) -> OptionFault {
    let shown = name.escape_debug();
    let (tool, build) = (argv.tool, argv.build());
    let dashed = with_dashes(name);
    match argv.profile.tools_with(&dashed).split_first() {
        Some((first, [])) => {
            let why = format!("{tool} of {build} has no option `{shown}`; it belongs to {first}");
            return OptionFault::new(FaultKind::UnknownOption, why);
        }
        Some((first, rest)) => {
            let more = rest.len();
            let why =
                format!("{tool} of {build} has no option `{shown}`; it belongs to {first} and {more} more");
            return OptionFault::new(FaultKind::UnknownOption, why);
        }
        None => {}
    }
    match latest_build_with(argv, name) {
        Some((older, option)) => {
            let why = format!("{tool} of {build} has no option `{shown}`; {} had it", older.name());
            let instead = option.deprecated.as_deref().or(option.removed.as_deref());
            OptionFault::with(FaultKind::Removed, why, replacement(name, instead))
        }
        None => {
            let why = format!("{tool} of {build} has no option `{shown}`");
            // A negative form that no build has: a field decides.
            let help = name.trim_start_matches('-').strip_prefix("no-").and_then(field_help);
            OptionFault { kind: FaultKind::UnknownOption, why, help }
        }
    }
}

/// The latest built-in build of the family with this option that is older than the current build. If the current build
/// is not built in, all built-in builds count as older.
fn latest_build_with(
    argv: &ArgvBuilder<'_>,
    name: &str,
) -> Option<(&'static Profile, &'static OptionRecord)> {
    let older = Profile::built_in_of(argv.profile.family()).take_while(|build| build.name() != argv.build());
    older.filter_map(|profile| Some((profile, profile.option(argv.tool, name)?))).last()
}

/// The help for a removed option: the field that sets it, else the replacement that the engine names.
fn replacement(name: &str, instead: Option<&str>) -> String {
    match (field_help(name), instead) {
        (Some(help), _) => help,
        (None, Some(instead)) if instead.starts_with("use ") => instead.to_owned(),
        (None, _) => "remove it".to_owned(),
    }
}
