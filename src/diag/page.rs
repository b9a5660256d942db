//! The parts of a code's page: its headings, and below each prose and examples.

use super::Code;

/// What stands below one heading of a page.
#[derive(PartialEq, Eq, Debug)]
pub struct Section {
    /// The heading, as `Why`.
    pub title: String,
    /// What stands below it, in order.
    pub parts: Vec<Part>,
}

/// A part of a section.
#[derive(PartialEq, Eq, Debug)]
pub enum Part {
    /// Lines that belong together: a paragraph, a list or a table.
    Prose(Vec<String>),
    /// A registry, or part of one.
    Example(Example),
}

/// A fenced block of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// What stands behind the fence: `kdl` or `yaml`, which is also the ending of such a file, or `lock`, which belongs to the
    /// example before it.
    pub language: String,
    /// The text, each line with its end.
    pub text: String,
}

impl Code {
    /// The sections of the page, in order.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections: Vec<Section> = Vec::new();
        let mut is_open = false;
        for line in self.text().lines() {
            if let (false, Some(title)) = (is_open, line.strip_prefix("## ")) {
                sections.push(Section { title: title.to_owned(), parts: Vec::new() });
                continue;
            }
            let Some(Section { parts, .. }) = sections.last_mut() else { continue };
            match (line.strip_prefix("```"), parts.last_mut()) {
                (Some(_), _) if is_open => is_open = false,
                (Some(language), _) => {
                    is_open = true;
                    let example = Example { language: language.to_owned(), text: String::new() };
                    parts.push(Part::Example(example));
                }
                (None, Some(Part::Example(example))) if is_open => example.text.extend([line, "\n"]),
                (None, Some(Part::Prose(lines))) if !line.is_empty() && !lines.is_empty() => {
                    lines.push(line.to_owned());
                }
                (None, _) if line.is_empty() => parts.push(Part::Prose(Vec::new())),
                (None, _) => parts.push(Part::Prose(vec![line.to_owned()])),
            }
        }
        for section in &mut sections {
            section.parts.retain(|part| *part != Part::Prose(Vec::new()));
        }
        sections
    }

    /// The examples below the heading of that title: `Example` has what gives the finding, `Instead` what cures it.
    pub fn examples(&self, title: &str) -> Vec<Example> {
        let named = self.sections().into_iter().filter(|section| section.title == title);
        let parts = named.flat_map(|section| section.parts);
        parts
            .filter_map(|part| if let Part::Example(example) = part { Some(example) } else { None })
            .collect()
    }
}
