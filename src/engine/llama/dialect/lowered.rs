//! The command line that lowering writes.

use super::{LoweringFault, OptionPath, PresetEntry, UncheckedIntent, WrittenOption};
use crate::engine::Word;
use std::sync::Arc;

/// A command line, with the problems found while lowering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lowered {
    /// The program, without its directory.
    pub tool: &'static str,
    /// The arguments after the program. Complete if `errors` is empty and `not_checked` has no
    /// [`Intent::Tool`](super::Intent::Tool).
    pub args: Arc<[Word]>,
    /// The same as options of a section in a preset file. Empty for a process that has a command line.
    pub preset: Box<[PresetEntry]>,
    /// The options among them that affect memory, in the same order.
    pub settings: Box<[WrittenOption]>,
    /// The files and folders that options name.
    pub paths: Box<[OptionPath]>,
    /// The machines that options connect to: names or addresses, without ports.
    pub peers: Box<[Arc<str>]>,
    /// Intents that the build cannot express.
    pub errors: Box<[LoweringFault]>,
    /// Options that the build accepts but that should not be used.
    pub warnings: Box<[LoweringFault]>,
    /// Intents that the profile has no data to check.
    pub not_checked: Box<[UncheckedIntent]>,
    /// The options of a role that its one-shot command does not have. Empty for a server.
    pub left_out: Box<[Arc<str>]>,
}

impl Lowered {
    /// True if the build can express all settings, and lists the program.
    pub fn is_complete(&self) -> bool {
        self.errors.is_empty() && !self.args.is_empty()
    }

    /// The texts of the arguments.
    pub fn texts(&self) -> Vec<&str> {
        self.args.iter().map(Word::text).collect()
    }
}
