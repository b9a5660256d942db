//! The topics of the guide, in reading order. Their pages are in `templates/guide/`.

use super::page::Page;

/// A topic: its name, the heading under which it is listed, and the Markdown of its page.
struct Topic {
    name: &'static str,
    group: &'static str,
    text: &'static str,
}

macro_rules! topic {
    ($name:literal, $group:literal) => {
        Topic {
            name: $name,
            group: $group,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/guide/", $name, ".md")),
        }
    };
}

static TOPICS: &[Topic] = &[
    topic!("install", "Start"),
    topic!("first-model", "Start"),
    topic!("deploy", "Start"),
    topic!("one-gpu", "Recipes"),
    topic!("gpu-and-cpu", "Recipes"),
    topic!("vision", "Recipes"),
    topic!("embedder", "Recipes"),
    topic!("on-demand", "Recipes"),
    topic!("draft", "Recipes"),
    topic!("numa", "Recipes"),
    topic!("keys", "Recipes"),
    topic!("two-hosts", "Recipes"),
    topic!("other-servers", "Recipes"),
    topic!("metrics", "Recipes"),
    topic!("own-build", "Recipes"),
    topic!("containers", "Recipes"),
    topic!("kubernetes", "Recipes"),
    topic!("from-llama-swap", "Coming from other tools"),
    topic!("from-systemd", "Coming from other tools"),
    topic!("not-starting", "Help"),
    topic!("glossary", "Help"),
];

/// The pages of all topics.
pub(super) fn pages() -> impl Iterator<Item = Page> {
    TOPICS.iter().map(|topic| Page::new(topic.name, topic.group, topic.text))
}
