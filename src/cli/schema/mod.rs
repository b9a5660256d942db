//! `orchgen schema`.

mod builds;
mod effect;
mod findings;
mod page;
mod text;

pub(in crate::cli) use builds::Builds;
pub(in crate::cli) use effect::{Effect, UNKNOWN};
pub(in crate::cli) use page::{FieldPage, RelatedCode};

use super::RunStatus;
use super::args::{DataFormat, OutputArgs};
use super::session;
use crate::diag::{nearest, words};
use crate::engine::Profile;
use crate::engine::options::Owner;
use crate::hir::schema::{FieldPath, schema};
use clap::Args as Arguments;

/// The maximum number of fields to suggest.
const MAX_SUGGESTED: usize = 6;

#[derive(Arguments, Debug)]
pub(in crate::cli) struct SchemaArgs {
    /// Describe a kind, such as `role`, or a field, such as `role.draft.max`: type, default, unit, an example in KDL and in
    /// YAML, and what the field writes
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
    /// Output format of `--field`
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", requires = "field")]
    format: DataFormat,
}

pub(super) fn run(command: &SchemaArgs, output: OutputArgs) -> RunStatus {
    let Some(name) = &command.field else { return session::print_stdout(&schema()) };
    let Some(path) = FieldPath::find(name) else { return session::fail(unknown_field(name)) };
    let page = FieldPage::new(&path);
    session::print_stdout(&match command.format {
        DataFormat::Json => page.json(),
        DataFormat::Human => page.text(session::style(output, &std::io::stdout()).width),
    })
}

/// The error for an unknown field, with the fields that were probably meant.
fn unknown_field(name: &str) -> String {
    let all: Vec<String> = FieldPath::all().iter().map(FieldPath::text).collect();
    let (last, folded) = (name.rsplit('.').next().unwrap_or(name), name.to_ascii_lowercase());
    let last_of = |path: &'_ String| path.rsplit('.').next().unwrap_or_default().to_owned();
    let same = |name: &str| -> Vec<String> {
        all.iter().filter(|path| last_of(path) == name).take(MAX_SUGGESTED).cloned().collect()
    };
    let near = || nearest(&folded, all.iter().map(String::as_str)).map(str::to_owned);
    let near_last = || {
        let names: Vec<String> = all.iter().map(last_of).collect();
        nearest(last, names.iter().map(String::as_str)).map(same).unwrap_or_default()
    };
    let found = [same(last), Vec::from_iter(field_of_option(last)), Vec::from_iter(near())];
    let found = found.into_iter().find(|found| !found.is_empty()).unwrap_or_else(near_last);
    let found: Vec<String> = found.iter().map(|path| words::quoted(path)).collect();
    let end = if found.is_empty() {
        "write a kind, such as `role`, or a field of it, such as `role.draft`".to_owned()
    } else {
        format!("did you mean {}?", words::any_of(&found))
    };
    format!("unknown field {}; {end}", words::quoted(name))
}

/// The field that sets an option of an engine, or the field `option` of a role if there is none.
fn field_of_option(name: &str) -> Option<String> {
    let mut profiles = Profile::built_in_names().iter().rev().filter_map(|name| Profile::built_in(name));
    let option = profiles.find_map(|profile| profile.option(profile.server(), name))?;
    let owner = option.row().and_then(|row| row.owner);
    owner.map_or_else(|| FieldPath::find("role.option"), field_of).map(|path| path.text())
}

/// The field of a role or a model that owns an option.
pub(in crate::cli) fn field_of(owner: Owner) -> Option<FieldPath> {
    let part = owner.part.map(|part| format!(".{part}")).unwrap_or_default();
    let paths = ["role", "model"].map(|kind| format!("{kind}.{}{part}", owner.field));
    paths.iter().find_map(|path| FieldPath::find(path))
}
