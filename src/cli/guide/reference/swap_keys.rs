//! The cheat sheet of llama-swap, from the table of the importer.

use super::{link, row, table};
use crate::hir::schema::FieldPath;
use crate::import::llama_swap::{KEYS, Meaning};

/// The page without its title.
pub(super) fn body() -> String {
    let mut text = "`orchgen import config.yaml` reads a configuration of llama-swap. The import report lists each \
                    setting that is not imported.\nThis table is the one that the importer uses. `ID` and `NAME` are \
                    any name.\n\n"
        .to_owned();
    text.push_str(&table(&["key", "field", "how, or why it is not imported"]));
    for key in KEYS {
        let (field, how) = match key.meaning {
            Meaning::Field(path, how) => (field_link(path), how.to_owned()),
            Meaning::Read(how) => ("no field".to_owned(), how.to_owned()),
            Meaning::SameAs(other) => ("no field".to_owned(), format!("the same as `{other}`")),
            Meaning::Lost(why, _) => ("not imported".to_owned(), why.to_owned()),
            Meaning::Group => continue,
        };
        text.push_str(&row(&[format!("`{}`", key.path), field, how]));
    }
    text
}

fn field_link(path: &str) -> String {
    FieldPath::find(path).map_or_else(|| format!("`{path}`"), |path| link(&path))
}
