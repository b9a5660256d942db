//! The router of llama-server: its command line, and the options of its models in a preset file.
//!
//! The router starts one llama-server for each model (`tools/server/server-models.cpp`, b11669). A section of the preset file
//! has the options of one model. The router sets the address, the port and the name of each server itself, and its own command
//! line overrides the sections. So the command line has only options that no model gets.

use super::argv::ArgvBuilder;
use super::serve::write_network;
use super::{Intent, Lowered, ServerSpec};
use crate::engine::llama::SERVER;
use crate::engine::{OptionRecord, Profile, Switch, Word};

/// The first build for which it is known that its router does not lose requests when it unloads a model: `tick` of
/// `tools/server/server-models.cpp` unloads only idle models, and not one that a waiting request loaded. b10825 has no `tick`,
/// and the router of b10434 loses requests of two clients that use two models in turn.
pub const WAITS_FOR_REQUESTS: u32 = 10865;

/// The options that the router removes from the section of a model, or sets itself (`unset_reserved_args` in
/// `tools/server/server-models.cpp`; seen with llama-server b11669).
pub(super) const DROPPED: &[&str] =
    &["--log-colors", "--models-autoload", "--models-max", "--models-memory-margin"];

/// The specification of a router.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RouterSpec<'a> {
    /// The preset file.
    pub preset: &'a str,
    /// The maximum number of models in memory, at least 1. The router refuses 0 together with a model that it loads at its start.
    pub models_max: u32,
    /// Mebibytes of each GPU that stay free, if its models use GPUs.
    pub memory_margin: Option<u64>,
    /// The addresses to listen on. Empty means 127.0.0.1.
    pub hosts: &'a [&'a str],
    /// The port, 1 to 65535.
    pub port: u16,
    /// The file of API keys; a request needs one of them.
    pub key_file: Option<&'a str>,
}

/// The settings of a model behind a router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteSpec {
    /// Seconds without a request after which the server frees its model.
    pub sleep: Option<u64>,
}

/// An option in a section of a preset file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresetEntry {
    /// The long name of the option, without dashes.
    pub key: Box<str>,
    /// Its value. A switch has `true` or `false`.
    pub value: Box<str>,
}

impl PresetEntry {
    pub(super) fn new(option: &OptionRecord, switch: Switch, value: Option<&Word>) -> Self {
        let value = match (value, switch) {
            (Some(word), _) => word.text(),
            (None, Switch::On) => "true",
            (None, Switch::Off) => "false",
        };
        Self { key: option.title().trim_start_matches('-').into(), value: value.into() }
    }
}

/// Lowers a router to its command line.
pub fn lower_router(profile: &Profile, spec: &RouterSpec<'_>) -> Lowered {
    let mut argv = ArgvBuilder::new(profile, SERVER);
    if !profile.has_tool(SERVER) {
        argv.add_error(Intent::Tool, format!("{} does not list {SERVER}", argv.build()));
        return argv.finish();
    }
    let preset = Word::PresetFile(spec.preset.into());
    if !argv.write_option((Intent::Tool, "kind"), &["--models-preset"], preset) {
        return argv.finish();
    }
    argv.write_option((Intent::Tool, "at-once"), &["--models-max"], spec.models_max.to_string());
    if let Some(margin) = spec.memory_margin {
        argv.write_unless_set(&["--models-memory-margin"], Some(margin.to_string().into()), &[]);
    }
    let RouterSpec { hosts, port, key_file, .. } = *spec;
    write_network(&mut argv, &ServerSpec { hosts, port, key_file, ..ServerSpec::default() });
    argv.finish()
}
