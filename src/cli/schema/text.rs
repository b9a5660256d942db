//! The description of a kind or a field as text for the terminal.

use super::builds::Builds;
use super::effect::Effect;
use super::page::FieldPage;
use crate::diag::report::{hanging, hanging_words};
use crate::diag::words;

/// The maximum number of lines of units to print.
const MAX_LINES: usize = 8;

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
                text.push_str(&hanging(&prefix("writes"), "depends on other fields", columns));
            }
            None => {}
        }
        let replaces: Vec<String> = self.replaces.iter().map(|name| words::quoted(name)).collect();
        let findings = self.findings.iter().map(|related| format!("{} {}", related.code, related.name));
        let facts = [
            ("replaces", replaces.join(", ")),
            ("builds", self.builds.as_ref().map(Builds::text).unwrap_or_default()),
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
    let Effect { options, unit_lines, files } = effect;
    let mut text = String::new();
    let mut shown: Vec<&str> =
        options.iter().chain(unit_lines.iter().take(MAX_LINES)).map(String::as_str).collect();
    let more = unit_lines.len().saturating_sub(MAX_LINES);
    let more = format!("and {} of units", words::count(more, "more line"));
    shown.extend((unit_lines.len() > MAX_LINES).then_some(&*more));
    let other = words::all_of(files);
    let other = if shown.is_empty() { other } else { format!("also changes {other}") };
    if shown.is_empty() && files.is_empty() {
        shown.push("nothing in this example: only checks and other fields read it");
    }
    text.push_str(&lines("writes", shown.iter().copied(), columns));
    if !files.is_empty() {
        text.push_str(&hanging(&prefix(if shown.is_empty() { "writes" } else { "" }), &other, columns));
    }
    text
}
