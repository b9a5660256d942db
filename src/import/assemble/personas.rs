//! Roles that share the process of another role.

use super::{Assembly, RoleDraft};
use crate::diag::Line;
use crate::engine::requests::option_of_field;
use crate::import::raise::literal;
use crate::import::source::Server;

impl Assembly<'_> {
    /// The roles that share the process of a server with other settings of requests.
    pub(super) fn personas(
        &mut self,
        index: usize,
        server: &Server,
        role: &str,
        drafts: &mut Vec<RoleDraft>,
    ) {
        for persona in &server.personas {
            let mut options = Vec::new();
            for (field, value, at) in &persona.settings {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                match option_of_field(field) {
                    Some(name) => options.push(Line { values: vec![literal(&text)], ..Line::new(name) }),
                    None => {
                        let what = format!("{field} of setParamsByID");
                        self.lose(index, &what, *at, "no option of the engine sets it");
                    }
                }
            }
            let name = self.names.add("role", &persona.name.text);
            let mut lines = vec![Line::of("shares", role)];
            if name != persona.name.text {
                let why = "the name of a role has letters, digits, `.`, `_` and `-`";
                self.change(
                    index,
                    ("setParamsByID", &persona.name.text, &name),
                    persona.name.at,
                    why.to_owned(),
                );
            }
            if !options.is_empty() {
                lines.push(Line::new("options").with_each(options));
            }
            drafts.push(RoleDraft { name, lines });
        }
    }
}
