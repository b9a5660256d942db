//! The files, folders and machines that options name.

use super::argv::ArgvBuilder;
use super::options::{AcceptedOption, OptionFault};
use super::{FaultKind, OptionPath};
use crate::engine::llama::options::{Exposure, Given, is_usable_path};
use crate::engine::{OptionRecord, Profile};
use std::sync::Arc;

/// Adds the paths and the machines in the value of an option to those of the command line.
pub(super) fn collect(argv: &mut ArgvBuilder<'_>, accepted: &AcceptedOption<'_>) {
    let (Some(row), Some(value)) = (accepted.option.row(), accepted.value()) else { return };
    let given = Given { row, title: "", is_on: true, value, is_default: false };
    argv.paths.extend(paths_of(given, Some(accepted.index)));
    argv.peers.extend(peers_of(given).map(Into::into));
}

/// The files and folders that an option names.
pub(super) fn paths_of(given: Given<'_>, option: Option<usize>) -> impl Iterator<Item = OptionPath> {
    let used = given.row.path.into_iter();
    used.flat_map(move |used| {
        let new = move |path: &str| OptionPath {
            path: path.into(),
            access: used.access,
            is_folder: used.is_folder,
            option,
        };
        used.paths(given.value).map(new)
    })
}

/// The machines that an option connects to.
pub(super) fn peers_of(given: Given<'_>) -> impl Iterator<Item = &str> {
    let value = (given.row.exposure == Some(Exposure::Connects)).then_some(given.value);
    value.into_iter().flat_map(|value| value.split(',')).filter_map(|peer| Some(peer.split_once(':')?.0))
}

/// The paths and the machines in environment variables that set options.
pub fn of_variables(profile: &Profile, env: &[(Arc<str>, Arc<str>)]) -> (Vec<OptionPath>, Vec<Arc<str>>) {
    let given: Vec<Given<'_>> = env
        .iter()
        .filter_map(|(name, value)| {
            let option = profile.variable(name).filter(|option| option.arity() == 1)?;
            Some(Given { row: option.row()?, title: "", is_on: true, value, is_default: false })
        })
        .collect();
    let paths = given.iter().flat_map(|given| paths_of(*given, None)).filter(|one| is_usable_path(&one.path));
    (paths.collect(), given.iter().flat_map(|given| peers_of(*given)).map(Into::into).collect())
}

/// Checks the paths and machines in a value.
pub(super) fn check(option: &OptionRecord, spelling: &str, value: &str) -> Result<(), OptionFault> {
    let Some(row) = option.row() else { return Ok(()) };
    if let Some(path) =
        row.path.into_iter().flat_map(|used| used.paths(value)).find(|path| !is_usable_path(path))
    {
        let why = format!(
            "the value of `{spelling}` must be a full path, which starts with `/`; `{}` is not",
            path.escape_debug()
        );
        return Err(OptionFault::with(FaultKind::BadValue, why, path_help(path)));
    }
    if row.exposure == Some(Exposure::Connects)
        && let Some(peer) = value.split(',').find(|peer| !is_peer(peer))
    {
        let expected = "addresses with ports, such as `192.168.0.2:50052`";
        let why = format!("the value of `{spelling}` must be {expected}; `{}` is not", peer.escape_debug());
        return Err(OptionFault::with(FaultKind::BadValue, why, format!("write {expected}")));
    }
    Ok(())
}

fn path_help(path: &str) -> String {
    let start = "write the full path";
    match path.chars().next() {
        Some('/') => format!("{start} without `..` and control characters"),
        Some('~') => format!("{start}: only a shell replaces `~` by a home folder"),
        Some('$' | '%') => format!("{start}: variables are not replaced"),
        _ => format!("{start}: the service starts in the folder `/`, and not in the one of the registry"),
    }
}

/// True for a name or an IPv4 address with a port. The engine splits at the first colon, so it has no form for IPv6
/// addresses (llama.cpp b11434, `ggml/src/ggml-rpc/ggml-rpc.cpp`).
fn is_peer(peer: &str) -> bool {
    peer.split_once(':').is_some_and(|(host, port)| {
        !host.is_empty()
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}
