//! The table of options: all that orchgen knows about an option of a server in addition to the profile of a build.
//!
//! Lowering, the checks of values, memory sums and `orchgen engine show` read this table. It can be read backwards: an
//! option in any spelling gives its row, and the row names the field of a role that sets the option.
//!
//! Unless a row names another source, its facts come from `common/arg.cpp` and `common/common.h` of llama.cpp b11434.

use super::dialect::OverrideValue;
use super::memory::MemoryOptions;
use super::option::OptionRecord;
use crate::engine::Access;
use std::sync::LazyLock;

mod row;
mod rows;

pub use rows::{MAX_INT, PRESET, ROWS};

/// The spellings of the limit of the prompt cache; the first that the program has is written.
pub const CACHE_RAM: &[&str] = &["--cache-ram", "-cram"];
/// The spellings of the number of checkpoints, in the same way.
pub const CTX_CHECKPOINTS: &[&str] = &["-ctxcp", "--ctx-checkpoints"];

/// The facts of an option.
#[derive(Clone, Copy, Debug)]
pub struct OptionRow {
    /// Its names in all builds, without dashes. Options with the same facts may share a row.
    pub names: &'static [&'static str],
    /// The field of a role that sets it.
    pub owner: Option<Owner>,
    /// The field of a role that becomes this option as it is.
    pub setter: Option<Setter>,
    /// The reason why a role cannot set it, although no field does.
    pub refusal: Option<Refusal>,
    /// The numbers that it accepts. `None` if any 32-bit whole number is accepted, or if it takes no number.
    pub numbers: Option<Numbers>,
    /// True if its value is a JSON object although its placeholder does not show that.
    pub is_object: bool,
    /// The use of the files or folders that its value names.
    pub path: Option<PathUse>,
    /// The parts of the machine that it opens to clients, or the machines that it connects to.
    pub exposure: Option<Exposure>,
    /// True if its value is a secret.
    pub is_secret: bool,
    /// True if it sets the affinity or priority of threads.
    pub places_threads: bool,
    /// The situation in which it has no effect.
    pub idle: Option<Idle>,
    /// Its effect on memory.
    pub memory: MemoryEffect,
    /// The default of the engine, if orchgen relies on it or writes it out.
    pub default: Option<Default>,
}

/// The field of a role that sets an option, or a part of the field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Owner {
    /// The field.
    pub field: &'static str,
    /// The part, such as `lock` of `placement`.
    pub part: Option<&'static str>,
}

/// The field of a role that becomes an option as it is. The lowering of the registry stores such a field without knowing
/// it, and the lowering to a command line writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setter {
    /// The field, or the part of it.
    pub owner: Owner,
    /// The spellings of the option; the first that the program has is written.
    pub spellings: &'static [&'static str],
    /// The unit of a number.
    pub unit: Unit,
}

/// The unit of a number on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// The unit of the field.
    Same,
    /// MiB, rounded up. The field has bytes.
    Mebibytes,
}

impl Setter {
    /// True if a declared field, or the declared part of it, sets the option.
    pub(super) fn is_set_by(self, declared: Owner) -> bool {
        declared.field == self.owner.field && declared.part.is_none_or(|part| Some(part) == self.owner.part)
    }

    /// The value of the field as the command line has it.
    pub(super) fn text(self, value: OverrideValue<'_>) -> String {
        match (self.unit, value) {
            (Unit::Mebibytes, OverrideValue::Int(bytes)) => {
                u64::try_from(bytes).unwrap_or_default().div_ceil(1 << 20).to_string()
            }
            (_, OverrideValue::Int(number)) => number.to_string(),
            (_, OverrideValue::Float(number)) => number.to_string(),
            (_, OverrideValue::Bool(flag)) => flag.to_string(),
            (_, OverrideValue::Str(text)) => text.to_owned(),
        }
    }
}

/// The reason why a role cannot set an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The program prints something and exits, so that the server never serves.
    PrintsAndExits,
    /// It hides `/health` from health checks: another path, or TLS (llama.cpp b11434,
    /// `tools/server/server-http.cpp`; with only one of the two TLS files the server silently uses plain HTTP).
    HidesHealth,
    /// It selects a predefined model.
    SelectsModel,
    /// The server skips the weights.
    SkipsWeights,
}

/// The numbers that an option accepts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Numbers {
    /// Any number, also with a fraction: the options that parse their text themselves.
    Fraction,
    /// A number of at least 0, also with a fraction.
    FractionFromZero,
    /// A number above 0, also with a fraction. Builds before the given one accept any.
    FractionAboveZero(u32),
    /// A whole number between two bounds (inclusive), and the first build for which they are known.
    Whole(i64, i64, u32),
    /// The same, or -1, which means never.
    WholeOrNever(i64, i64, u32),
}

/// The use of the files or folders that the value of an option names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PathUse {
    /// The use.
    pub access: Access,
    /// True if it names folders.
    pub is_folder: bool,
    /// The form of the value.
    pub form: PathForm,
}

/// The form of a value with paths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathForm {
    /// One path.
    One,
    /// Paths, separated by commas.
    List,
    /// Paths, each with a colon and a number, separated by commas.
    ScaledList,
}

impl PathUse {
    /// True if all paths in a value are absolute, and a unit can contain them.
    pub fn is_usable(self, value: &str) -> bool {
        self.paths(value).all(is_usable_path)
    }

    /// The paths in a value.
    pub fn paths(self, value: &str) -> impl Iterator<Item = &str> {
        let separator = (self.form != PathForm::One).then_some(',');
        let items = value.split(move |c| Some(c) == separator);
        items.map(move |item| match item.rsplit_once(':') {
            Some((path, _)) if self.form == PathForm::ScaledList => path,
            _ => item,
        })
    }
}

/// True for an absolute path that a unit can contain.
pub(super) fn is_usable_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains(char::is_control) && !path.split('/').any(|part| part == "..")
}

/// The parts of the machine that an option opens to clients, or the machines that it connects to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exposure {
    /// Connections to the machines in its value: addresses with ports, separated by commas.
    Connects,
    /// A tunnel through which other machines reach the server.
    Tunnel,
    /// Commands, files and servers that clients can use through tools.
    RunsTools,
    /// Requests of pages of other sites with the credentials of a browser (CORS).
    Browsers,
    /// Keys that clients must send.
    Keys,
    /// Files that clients can read.
    ServesFiles,
}

/// The situation in which an option has no effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Idle {
    /// Always in a server, which parses but ignores it (llama.cpp b11434, `common/speculative.cpp`: of the CPU settings,
    /// only the number of threads can differ between draft and target).
    Always,
    /// Without this option, which has no dashes here. `--threads-batch`: llama.cpp b11434, `common/common.cpp`.
    Without(&'static str),
    /// Unless the engine fits the context.
    WithoutFit,
    /// Without this type of speculation.
    WithoutType(&'static str),
    /// Without the field `prompt-cache` (seen with llama-server b11669).
    WithoutPromptCache,
    /// With a dense model.
    WithDenseModel,
    /// With a projector.
    WithProjector,
}

/// The effect of an option on memory.
#[derive(Clone, Copy, Debug)]
pub enum MemoryEffect {
    /// None.
    None,
    /// It changes the sums.
    Known(fn(&mut MemoryOptions, Given<'_>)),
    /// Not known: the effect as a clause.
    Unknown(&'static str),
}

/// An option that is given: on the command line or by the environment.
#[derive(Clone, Copy, Debug)]
pub struct Given<'g> {
    /// Its row.
    pub row: &'static OptionRow,
    /// Its title in the build.
    pub title: &'g str,
    /// True unless its spelling switches it off.
    pub is_on: bool,
    /// Its value. Empty for a switch.
    pub value: &'g str,
    /// True if the value is the engine's default, and no field, option or variable sets it.
    pub is_default: bool,
}

/// A default of the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Default {
    /// The value as the command line would have it; empty for a switch that is on.
    pub value: &'static str,
    /// The source.
    pub source: &'static str,
    /// True if a build without the option does not have the feature at all.
    pub is_new: bool,
}

impl Owner {
    /// A whole field.
    pub const fn of(field: &'static str) -> Self {
        Self { field, part: None }
    }

    /// The help that names the field, and its part if the option sets only a part: ``use `lock` of the field
    /// `placement` ``.
    pub fn help(self) -> String {
        let part = self.part.map(|part| format!("`{part}` of ")).unwrap_or_default();
        format!("use {part}the field `{}`", self.field)
    }
}

impl OptionRow {
    /// The help for an option that a field sets. Some values of these options have no field.
    pub(super) fn owned_help(&self, owner: Owner) -> String {
        let title = self.names.first().copied().unwrap_or_default();
        match title {
            "kv-unified" => "use `shared` of the field `slots`".to_owned(),
            "spec-type" => {
                "write `kind` of the field `draft` or `lookup`; a role has one kind of each".to_owned()
            }
            "spec-draft-n-max" => {
                "use `max` of the field `draft`; the field `lookup` has no maximum length".to_owned()
            }
            _ => owner.help(),
        }
    }
}

/// No two rows have the same names.
impl PartialEq for OptionRow {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl Eq for OptionRow {}

impl OptionRow {
    /// True if it affects memory, or may do so.
    pub fn affects_memory(&self) -> bool {
        !matches!(self.memory, MemoryEffect::None)
    }
}

/// Names without dashes, sorted, each with its row. They are grouped by length, which is quick to compare.
static INDEX: LazyLock<Vec<Vec<(&'static str, &'static OptionRow)>>> = LazyLock::new(|| {
    let mut index: Vec<Vec<_>> = Vec::new();
    for (name, row) in ROWS.iter().flat_map(|row| row.names.iter().map(move |name| (*name, row))) {
        index.resize_with(index.len().max(name.len() + 1), Vec::new);
        index.get_mut(name.len()).into_iter().for_each(|group| group.push((name, row)));
    }
    for group in &mut index {
        group.sort_unstable_by_key(|(name, _)| *name);
    }
    index
});

/// The row of an option. The name may have dashes in front, and `_` for `-`.
pub fn row_of(name: &str) -> Option<&'static OptionRow> {
    let bare = name.trim_start_matches('-');
    let find = |name: &str| {
        let group = INDEX.get(name.len())?;
        let at = group.binary_search_by_key(&name, |(known, _)| *known).ok()?;
        group.get(at).map(|(_, row)| *row)
    };
    if bare.contains('_') { find(&bare.replace('_', "-")) } else { find(bare) }
}

impl OptionRecord {
    /// The row of the option in the table.
    pub fn row(&self) -> Option<&'static OptionRow> {
        self.row
    }

    /// Looks up the row of the option in the table.
    pub(super) fn find_row(&self) -> Option<&'static OptionRow> {
        // Short names differ between families: `-dr` is `--docker-repo` or `--dry-run`.
        let row = row_of(self.title()).or_else(|| self.spellings().find_map(|(name, _)| row_of(name)));
        row.or_else(|| (self.value.is_none() && is_preset(self.title())).then_some(&PRESET))
    }
}

/// True for an option that selects a predefined model in some build. The name may have dashes in front.
pub(super) fn is_preset(name: &str) -> bool {
    let name = name.trim_start_matches('-');
    ["embd-", "fim-qwen-", "gpt-oss-", "tts-", "vision-gemma-"].iter().any(|start| name.starts_with(start))
        && (name.ends_with("-default") || name.ends_with("-spec"))
}

/// The files that an option reads, if it is known by this name in all builds.
pub fn read_files<'v>(name: &str, value: &'v str) -> impl Iterator<Item = &'v str> {
    let used = row_of(name).and_then(|row| row.path).filter(|used| used.access == Access::Read);
    used.filter(|used| !used.is_folder).into_iter().flat_map(|used| used.paths(value))
}

/// The types of speculation in the value of an option. None for other options.
pub fn spec_types<'v>(name: &str, value: &'v str) -> impl Iterator<Item = &'v str> {
    let is_type = row_of(name).is_some_and(|row| row.names.contains(&"spec-type"));
    value.split(',').map(str::trim).filter(move |_| is_type)
}

/// True if `name` is the option `title`, with or without dashes.
pub fn is_option(name: &str, title: &str) -> bool {
    name.trim_start_matches('-').replace('_', "-") == title
}

/// The field of a role that sets an option.
pub fn owning_field(name: &str) -> Option<&'static str> {
    Some(row_of(name)?.owner?.field)
}

/// The help that names the field of a role that sets an option.
pub fn field_help(name: &str) -> Option<String> {
    Some(row_of(name)?.owner?.help())
}

/// True if an option places a model on GPUs. The field `placement` does the same.
pub fn places_on_gpus(name: &str) -> bool {
    const PARTS: &[&str] = &["gpu", "layers", "split", "split-mode", "cpu-experts", "kv"];
    let owner = row_of(name).and_then(|row| row.owner).filter(|owner| owner.field == "placement");
    owner.and_then(|owner| owner.part).is_some_and(|part| PARTS.contains(&part))
}

/// True if an option sets API keys, directly or in a file.
pub fn sets_keys(name: &str) -> bool {
    row_of(name).is_some_and(|row| row.exposure == Some(Exposure::Keys))
}

/// True if the value of an option is a secret.
pub fn is_secret(name: &str) -> bool {
    row_of(name).is_some_and(|row| row.is_secret)
}
