//! The description of a kind or a field as text for the terminal.

use super::effect::{Effect, UNKNOWN};
use super::page::FieldPage;
use crate::diag::report::{hanging, hanging_words};
use crate::diag::words;

impl FieldPage {
    /// The page as text, wrapped to a number of columns.
    pub(super) fn text(&self, columns: usize) -> String {
        let presence = self.presence.map(|presence| format!(" ({presence})")).unwrap_or_default();
        let mut text = format!("{}{presence}\n", self.field);
        text.push_str(&hanging("  ", self.description, columns));
        text.push('\n');
        let range = self.range.map(|range| format!("{} to {}", range.least, range.most));
        let facts = [
            ("type", self.r#type.clone()),
            ("range", range),
            ("unit", self.unit.map(str::to_owned)),
            ("default", self.default.map(str::to_owned)),
        ];
        for (title, fact) in facts {
            text.extend(fact.map(|fact| hanging(&prefix(title), &fact, columns)));
        }
        text.push_str(&lines("KDL", self.kdl.lines(), columns));
        text.push_str(&lines("YAML", self.yaml.lines(), columns));
        match &self.writes {
            Some(effect) => text.push_str(&effect_text(effect, columns)),
            None if self.presence.is_some() => {
                text.push_str(&hanging(&prefix("writes"), UNKNOWN, columns));
            }
            None => {}
        }
        let replaces: Vec<String> = self.replaces.iter().map(|name| words::quoted(name)).collect();
        let findings = self.findings.iter().map(|related| format!("{} {}", related.code, related.name));
        let builds = self.builds.as_ref().map(|builds| format!("{} (for this example)", builds.text()));
        let facts = [
            ("replaces", replaces.join(", ")),
            ("builds", builds.unwrap_or_default()),
            ("findings", findings.collect::<Vec<_>>().join(", ")),
        ];
        for (title, fact) in facts.into_iter().filter(|(_, fact)| !fact.is_empty()) {
            text.push_str(&hanging(&prefix(title), &fact, columns));
        }
        text + &self.fields_text(columns)
    }

    /// The list of the fields of a kind or a block.
    fn fields_text(&self, columns: usize) -> String {
        let mut text = String::new();
        if !self.fields.is_empty() {
            text.push_str("\nFields:\n");
        }
        let width = self.fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
        for field in &self.fields {
            let mark =
                if field.presence == "optional" { String::new() } else { format!(" ({})", field.presence) };
            let start = format!("  {:width$}  ", field.name);
            text.push_str(&hanging(&start, &(field.description.to_owned() + &mark), columns));
        }
        text
    }
}

fn prefix(title: &str) -> String {
    format!("  {title:8}  ")
}

/// Lines that are not wrapped, so that they can be copied.
fn lines<'l>(title: &str, lines: impl Iterator<Item = &'l str>, columns: usize) -> String {
    let row = |(n, line)| hanging_words(&prefix(if n == 0 { title } else { "" }), [line], columns);
    lines.enumerate().map(row).collect()
}

fn effect_text(effect: &Effect, columns: usize) -> String {
    let (written, changed) = effect.parts();
    let text = lines("writes", written.iter().map(|line| line.trim_matches('`')), columns);
    if changed.is_empty() { text } else { text + &hanging(&prefix("changes"), &changed.join(", "), columns) }
}
