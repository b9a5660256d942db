//! `orchgen guide`: the guide of the language and its generated reference, on the terminal and as HTML.

pub mod html;
pub mod links;
pub mod markdown;
pub mod page;
mod reference;
pub mod site;
pub mod terminal;
mod topics;

use super::RunStatus;
use super::args::{Args, OutputArgs};
use super::session;
use super::table::{Section, Table, Text, Tone};
use crate::catalogue;
use crate::diag::report::Style;
use crate::diag::{Code, Severity, nearest, words};
use crate::emit;
use crate::hir::schema::FieldPath;
use clap::{Args as Arguments, CommandFactory, ValueEnum};
use page::Page;
use std::path::{Path, PathBuf};

pub(in crate::cli) const EXAMPLES: &str = "Examples:
  orchgen guide                   list all topics
  orchgen guide first-model       read a topic
  orchgen guide --out guide       write all topics as HTML: open guide/index.html in a browser";

/// The most topics that the error for an unknown topic names.
const MAX_NAMED: usize = 6;

#[derive(Arguments, Debug)]
pub(in crate::cli) struct GuideArgs {
    /// Topic to print, for example vision. Without TOPIC, all topics are listed
    #[arg(value_name = "TOPIC")]
    topic: Option<String>,
    /// Write all topics into this folder as HTML, with the reference and the pages of all codes. It is created if it is
    /// missing, and pages in it are replaced
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["topic", "format"])]
    out: Option<PathBuf>,
    /// Output format
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    format: GuideFormat,
}

/// The output format of `guide`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum GuideFormat {
    /// Text for a terminal
    Human,
    /// Markdown
    Markdown,
}

pub(super) fn run(command: &GuideArgs, output: OutputArgs) -> RunStatus {
    let pages = pages();
    if let Some(folder) = &command.out {
        return write_site(pages, folder, output);
    }
    let style = session::style(output, &std::io::stdout());
    let text = match (&command.topic, command.format) {
        (None, GuideFormat::Human) => list(&pages, style),
        (None, GuideFormat::Markdown) => site::index(&pages),
        (Some(topic), format) => match find(&pages, topic) {
            Some(page) if format == GuideFormat::Human => page_text(&page.name, page.text(), style),
            Some(page) => page.text().to_owned(),
            None => return report_unknown_topic(&pages, topic),
        },
    };
    session::print_stdout(&text)
}

/// All pages, in reading order.
pub fn pages() -> Vec<Page> {
    topics::pages().chain(reference::pages()).collect()
}

/// A page for a terminal.
fn page_text(name: &str, text: &str, style: Style) -> String {
    terminal::print(&markdown::parse(text), name, style)
}

/// The page of a code for a terminal: severity, code and name, then its text.
pub fn code_page(code: &'static Code, style: Style) -> String {
    let tone = match code.severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Open,
        Severity::Note => Tone::Good,
    };
    let title = Text::new(tone, format!("{}[{code}]", code.severity.word()))
        .and(Tone::Plain, format!(" {}", code.name));
    format!("{}\n\n{}", title.painted(style), page_text(&format!("codes/{code}"), &code.text(), style))
}

/// The page with a name. The last part of the name is sufficient: `role` is `reference/role`.
fn find<'p>(pages: &'p [Page], topic: &str) -> Option<&'p Page> {
    let topic = topic.to_lowercase();
    let is_last = |page: &&Page| page.name.rsplit('/').next() == Some(&topic);
    pages.iter().find(|page| page.name == topic).or_else(|| pages.iter().find(is_last))
}

/// The topics by group, with their titles.
fn list(pages: &[Page], style: Style) -> String {
    let row = |page: &Page| (Text::from(&*page.name), Text::from(page.title().replace('`', "")));
    let section = |(group, pages): (&str, Vec<&Page>)| {
        Section::pairs(Some(Text::new(Tone::Strong, group)), pages.into_iter().map(row).collect())
    };
    Table::new(site::groups(pages).into_iter().map(section).collect()).print(style)
}

/// Reports an unknown topic, with the topics that the user may mean.
fn report_unknown_topic(pages: &[Page], topic: &str) -> RunStatus {
    let help = match named_elsewhere(topic) {
        Some(help) => help,
        None => similar_topics(pages, topic),
    };
    session::fail(format!("unknown topic {}{help}\n`orchgen guide` lists all topics", words::quoted(topic)))
}

/// The help for the name of a code, a field or a command.
fn named_elsewhere(topic: &str) -> Option<String> {
    match topic {
        "index" => return Some("\nrun `orchgen guide` for the list of topics".to_owned()),
        "codes" | "codes/index" => {
            return Some("\nrun `orchgen explain` for the list of findings".to_owned());
        }
        _ => {}
    }
    if let Some(code) = catalogue::find(topic.strip_prefix("codes/").unwrap_or(topic)) {
        return Some(format!("\n{code} is a finding: run `orchgen explain {code}`"));
    }
    if let Some(path) = FieldPath::find(topic).filter(|path| path.field().is_some()) {
        return Some(format!("\nrun `orchgen schema --field {}`", path.text()));
    }
    let root = Args::command();
    let command = root.find_subcommand(topic)?;
    Some(format!("\nrun `orchgen {} --help`", command.get_name()))
}

/// The topics with the word in their name, title or group, then the one with a similar name, then those of the guide with the word in
/// their text.
fn similar_topics(pages: &[Page], topic: &str) -> String {
    let word = topic.to_lowercase();
    let with = |text: &dyn Fn(&Page) -> String| -> Vec<String> {
        let found =
            pages.iter().filter(|page| word.chars().count() > 1 && text(page).to_lowercase().contains(&word));
        found.take(MAX_NAMED).map(|page| format!("`orchgen guide {}`", page.name)).collect()
    };
    let titled = with(&|page| format!("{} {} {}", page.name, page.title(), page.group));
    if !titled.is_empty() {
        return format!("\nread {}", words::any_of(&titled));
    }
    if let Some(near) = nearest(topic, pages.iter().map(|page| page.name.as_str())) {
        return format!("; did you mean `{near}`?");
    }
    // The texts of the reference take long.
    let guide =
        |page: &Page| if page.group == reference::GROUP { String::new() } else { page.text().to_owned() };
    let mentioned = with(&guide);
    if mentioned.is_empty() { String::new() } else { format!("\nread {}", words::any_of(&mentioned)) }
}

/// Writes the pages as HTML.
fn write_site(pages: Vec<Page>, folder: &Path, output: OutputArgs) -> RunStatus {
    let files = match site::files(&site::all_pages(pages)) {
        Ok(files) => files,
        Err(error) => return session::fail(error),
    };
    for (path, text) in &files {
        if let Err(error) = emit::write_file(&folder.join(path), text.as_bytes()) {
            return session::fail(error);
        }
    }
    if !output.quiet {
        let pages = words::count(files.len(), "page");
        let folder = words::quoted(&folder.to_string_lossy());
        session::print_stderr(&format!("wrote {pages} into {folder}\n"));
    }
    RunStatus::Clean
}
