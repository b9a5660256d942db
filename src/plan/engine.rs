//! The engine properties that units and scripts need.

use crate::check::Checked;
use crate::engine::Profile;
use std::sync::Arc;

/// An engine.
#[derive(Debug)]
pub struct Engine {
    /// Its name.
    pub name: Arc<str>,
    /// The environment variables that its server reads as options, in byte order. If they are set elsewhere, they
    /// silently change the command line.
    pub variables: Vec<Arc<str>>,
}

/// All engines, in the order of declaration.
pub(super) fn engines(checked: &Checked) -> Vec<Engine> {
    let planned = checked.engines().map(|(engine, profile)| Engine {
        name: engine.head.name.value.clone(),
        variables: variables(profile),
    });
    planned.collect()
}

fn variables(profile: &Profile) -> Vec<Arc<str>> {
    let is_name = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    profile.variables(profile.server()).into_iter().filter(is_name).map(Into::into).collect()
}
