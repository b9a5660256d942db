//! Words of the engine that users write as fields of a role.

/// Where a role has a setting of the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EngineWord {
    /// A field of the role, or a part of it.
    Field(&'static str, Option<&'static str>),
    /// An option with this name.
    Option(String),
    /// An option with this name, which the word switches off.
    OptionOff(String),
    /// An option with this name and value.
    OptionValue(&'static str, &'static str),
    /// A secret, which belongs into a file.
    Secret,
}

/// The knowledge of engines that the reading of a registry needs.
#[derive(Clone, Copy, Debug)]
pub struct EngineWords {
    /// Looks up a word of the engine. `None` if it is not one.
    pub meaning: fn(&str) -> Option<EngineWord>,
    /// The main name of an option: the same for all its names. `None` if no build has it.
    pub title: fn(&str) -> Option<&'static str>,
    /// The number of values of an option. 0 for a switch, and if no build has it.
    pub arity: fn(&str) -> usize,
}
