//! `orchgen guide`: the guide of the language and its generated reference.

pub mod page;
mod reference;
mod topics;

use super::RunStatus;
use super::session;
use crate::diag::{nearest, words};
use clap::Args as Arguments;
use page::Page;

pub(in crate::cli) const EXAMPLES: &str = "Examples:
  orchgen guide                list all topics
  orchgen guide first-model    read a topic";

#[derive(Arguments, Debug)]
pub(in crate::cli) struct GuideArgs {
    /// Topic to print. Without TOPIC, all topics are listed
    #[arg(value_name = "TOPIC")]
    topic: Option<String>,
}

pub(super) fn run(command: &GuideArgs) -> RunStatus {
    let pages = pages();
    let Some(topic) = &command.topic else {
        let lines = pages.iter().map(|page| format!("{:16} {}\n", page.name, page.title()));
        return session::print_stdout(&lines.collect::<String>());
    };
    match find(&pages, topic) {
        Some(page) => session::print_stdout(page.text()),
        None => {
            let near = nearest(topic, pages.iter().map(|page| page.name.as_str()));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            session::fail(format!(
                "unknown topic {}{near}\n`orchgen guide` lists all topics",
                words::quoted(topic)
            ))
        }
    }
}

/// All pages, in reading order.
pub fn pages() -> Vec<Page> {
    topics::pages().chain(reference::pages()).collect()
}

/// The page with a name. The last part of the name is sufficient: `role` is `reference/role`.
fn find<'p>(pages: &'p [Page], topic: &str) -> Option<&'p Page> {
    let is_last = |page: &&Page| page.name.rsplit('/').next() == Some(topic);
    pages.iter().find(|page| page.name == topic).or_else(|| pages.iter().find(is_last))
}
