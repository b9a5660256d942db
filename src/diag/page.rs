//! Splits the page of a code into sections of prose and examples.

use super::Code;
use serde::Serialize;

/// A section of a page: a heading and its content.
#[derive(PartialEq, Eq, Debug)]
pub struct Section {
    /// The heading, such as `Why`.
    pub title: String,
    /// The content, in order.
    pub parts: Vec<Part>,
}

/// A part of a section.
#[derive(PartialEq, Eq, Debug)]
pub enum Part {
    /// The lines of a paragraph, a list or a table.
    Prose(Vec<String>),
    /// A registry, or part of one.
    Example(Example),
}

/// A fenced block of a page.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Example {
    /// The info string of the fence: `kdl` or `yaml`, which is also the file extension, or `lock` for the lock file of
    /// the preceding example.
    pub language: String,
    /// The text; every line ends with a newline.
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

    /// The examples in the section with this title: `Example` produces the finding, `Instead` fixes it.
    pub fn examples(&self, title: &str) -> Vec<Example> {
        let named = self.sections().into_iter().filter(|section| section.title == title);
        let parts = named.flat_map(|section| section.parts);
        parts
            .filter_map(|part| if let Part::Example(example) = part { Some(example) } else { None })
            .collect()
    }
}
