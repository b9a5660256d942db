//! Links of terminals (OSC 8) from a code to its page.

use super::style::Style;
use crate::diag::Code;

/// The place of the code in the address of its page.
const PLACE: &str = "{code}";

/// The text as a link to the page of the code, if the style has links. The visible text is the same.
pub fn linked(text: &str, code: &Code, style: Style) -> String {
    match style.links.filter(|_| !style.screen_reader) {
        Some(pages) => format!("\u{1b}]8;;{}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\", address(pages, code)),
        None => text.to_owned(),
    }
}

fn address(pages: &str, code: &Code) -> String {
    let code = code.to_string();
    if pages.contains(PLACE) { pages.replace(PLACE, &code) } else { format!("{pages}{code}") }
}
