//! `orchgen init`: a small registry to begin with.

use super::End;
use super::args::{Init, Language, Output};
use super::session;
use crate::diag::words;
use crate::emit;
use crate::hir::schema::schema;
use crate::render::quote::shell;
use crate::source::is_registry;
use std::path::Path;

/// The name of the schema beside a registry in YAML; its ending keeps it from being read as part of the registry.
const SCHEMA: &str = "orchgen.schema.json";

pub(super) fn run(command: &Init, output: Output) -> End {
    let folder = &command.registry;
    if is_registry(folder) {
        let name = words::quoted(&folder.to_string_lossy());
        session::report(&format!(
            "error: {name} holds a registry already: name another folder, or check this one\n"
        ));
        return End::CannotRun;
    }
    let schema = schema();
    let files: &[(&str, &str)] = match command.format {
        Language::Yaml => &[
            ("stack.yaml", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/init/stack.yaml"))),
            (SCHEMA, &schema),
        ],
        Language::Kdl => {
            &[("stack.kdl", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/init/stack.kdl")))]
        }
    };
    if let Err(error) = emit::create(folder, files) {
        session::report(&format!("error: {error}\n"));
        return End::CannotRun;
    }
    if !output.quiet {
        let shown = |(name, _): &(&str, &str)| words::printable(&folder.join(name).to_string_lossy());
        let names: Vec<String> = files.iter().map(shown).collect();
        session::report(&format!("wrote {}\n{}", words::all_of(&names), next(folder)));
    }
    End::Clean
}

/// What to do with it.
fn next(folder: &Path) -> String {
    let named = folder != Path::new("registry");
    let operand = if named { format!(" {}", shell(&folder.to_string_lossy())) } else { String::new() };
    format!(
        "Put your own engine, host and models into it. Then:
  orchgen check{operand}            says what is wrong in it
  orchgen build{operand}            writes units, scripts and documents into out/
  orchgen build --check{operand}    in CI: whether out/ is what the registry says
"
    )
}
