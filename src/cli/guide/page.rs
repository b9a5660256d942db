//! A page of the guide.

/// A page: a topic of the guide, or a generated page of the reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Its name: the path of its HTML file without the extension, for example `reference/role`.
    pub name: String,
    /// The heading under which it is listed.
    pub group: String,
    /// Its text as Markdown. The first line is the title as a heading of level 1.
    pub text: String,
}

impl Page {
    /// A page with a text in Markdown.
    pub fn new(name: impl Into<String>, group: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), group: group.into(), text: text.into() }
    }

    /// The title, which is the heading in the first line.
    pub fn title(&self) -> &str {
        let first = self.text.lines().next().unwrap_or_default();
        first.strip_prefix("# ").unwrap_or(first)
    }
}
