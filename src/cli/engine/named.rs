//! A profile by what the user calls it: one that is built in, or a file.

use crate::cli::{End, session};
use crate::diag::{nearest, words};
use crate::engine::Profile;
use crate::source::text;
use std::borrow::Cow;
use std::path::Path;

/// Finds the profile, or says why there is none.
pub(super) fn profile(name: &str) -> Result<Cow<'static, Profile>, End> {
    if let Some(profile) = Profile::built_in(name) {
        return Ok(Cow::Borrowed(profile));
    }
    let is_path = name.contains('/') || Path::new(name).extension().is_some_and(|ending| ending == "json");
    let read = if is_path || Path::new(name).exists() { file(name) } else { Err(unknown(name)) };
    read.map(Cow::Owned).map_err(|why| {
        session::report(&format!("error: {why}\n"));
        End::CannotRun
    })
}

fn file(name: &str) -> Result<Profile, String> {
    let json = text(Path::new(name)).map_err(|error| error.to_string())?;
    Profile::parse(name, &json, Profile::built_in).map_err(|error| words::printable(&error.to_string()))
}

fn unknown(name: &str) -> String {
    let near = nearest(name, Profile::names().iter().copied());
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!(
        "there is no profile {}{near}\nname one that `orchgen engine list` lists, or a file that `orchgen engine probe` wrote",
        words::quoted(name)
    )
}
