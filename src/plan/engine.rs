//! The engines, as far as those who start them have to know.

use crate::check::Checked;
use crate::engine::Profile;

/// An engine that serves.
#[derive(Debug)]
pub struct Engine {
    /// Its name.
    pub name: Box<str>,
    /// The variables that its server reads as options, in byte order: set by others, they would change a command line unseen.
    pub variables: Vec<Box<str>>,
}

/// All engines, in the order of declaration.
pub(super) fn engines(checked: &Checked) -> Vec<Engine> {
    let engines = checked.registry().engines.entries();
    let planned = engines.map(|(id, engine)| Engine {
        name: engine.head.name.value.clone(),
        variables: checked.profile(id).map(variables).unwrap_or_default(),
    });
    planned.collect()
}

fn variables(profile: &Profile) -> Vec<Box<str>> {
    let is_name = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    profile.variables("llama-server").into_iter().filter(is_name).map(Into::into).collect()
}
