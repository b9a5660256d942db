//! A page of the guide.

use std::sync::LazyLock;

/// A page: a topic of the guide, or a generated page of the reference. The text of a page is computed on first use, because
/// some take long.
#[derive(Debug)]
pub struct Page {
    /// Its name: the path of its HTML file without the extension, for example `reference/role`.
    pub name: String,
    /// The heading under which it is listed.
    pub group: String,
    title: String,
    text: LazyLock<String, Box<dyn FnOnce() -> String + Send>>,
}

impl Page {
    /// A page with a text in Markdown. The first line is the title as a heading of level 1.
    pub fn new(name: impl Into<String>, group: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let first = text.lines().next().unwrap_or_default();
        let title = first.strip_prefix("# ").unwrap_or(first).to_owned();
        Self { name: name.into(), group: group.into(), title, text: LazyLock::new(Box::new(|| text)) }
    }

    /// A page whose text below the title is computed on first use.
    pub fn computed(
        name: impl Into<String>,
        group: impl Into<String>,
        title: impl Into<String>,
        body: impl FnOnce() -> String + Send + 'static,
    ) -> Self {
        let title = title.into();
        let heading = format!("# {title}\n\n");
        let text = LazyLock::new(Box::new(move || heading + &body()) as Box<dyn FnOnce() -> String + Send>);
        Self { name: name.into(), group: group.into(), title, text }
    }

    /// The text as Markdown. The first line is the title as a heading of level 1.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The title, which is the heading in the first line.
    pub fn title(&self) -> &str {
        &self.title
    }
}
