//! Loads a profile by built-in name or file.

use crate::cli::{RunStatus, session};
use crate::diag::{json_problem, nearest, words};
use crate::engine::{Profile, ProfileError};
use crate::source::text;
use std::borrow::Cow;
use std::path::Path;

/// Loads a profile. Reports errors.
pub(super) fn load_profile(name: &str) -> Result<Cow<'static, Profile>, RunStatus> {
    if let Some(profile) = Profile::built_in(name) {
        return Ok(Cow::Borrowed(profile));
    }
    let is_path = name.contains('/') || Path::new(name).extension().is_some_and(|ending| ending == "json");
    let profile =
        if is_path || Path::new(name).exists() { load_file(name) } else { Err(unknown_profile(name)) };
    profile.map(Cow::Owned).map_err(session::fail)
}

fn load_file(name: &str) -> Result<Profile, String> {
    let json = text(Path::new(name)).map_err(|error| error.to_string())?;
    Profile::parse(name, &json, Profile::built_in).map_err(|error| match error {
        ProfileError::Shape { error, .. } => {
            format!("cannot read the profile {}: {}", words::quoted(name), json_problem(&error))
        }
        ProfileError::Content(sentence) => words::printable(&sentence),
    })
}

fn unknown_profile(name: &str) -> String {
    let near =
        Profile::built_in_with(name).or_else(|| nearest(name, Profile::built_in_names().iter().copied()));
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!(
        "unknown profile {}{near}\nuse a profile that `orchgen engine list` prints, or a file that `orchgen engine probe` wrote",
        words::quoted(name)
    )
}
