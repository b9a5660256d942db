//! Where codes in findings and lists lead to: the pages of `orchgen guide --out`, if the terminal has links.

use super::args::ColorWhen;
use super::session::env_var;
use std::fmt::Write;
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

/// The folder of the pages next to the folder of the program, in a package.
const FOLDER: &str = "share/doc/orchgen/guide/codes";

/// The address of the pages of codes, for [`crate::diag::report::Style`]. `None` if the stream or its terminal has no links.
/// `FORCE_HYPERLINK` decides before the terminal, and `--color never` before both.
pub(super) fn pages(color: ColorWhen, stream: &impl IsTerminal) -> Option<&'static str> {
    static PAGES: OnceLock<Option<String>> = OnceLock::new();
    let is_forced = env_var("FORCE_HYPERLINK").is_some();
    let is_plain = env_var("CI").is_some() || env_var("TERM").is_none_or(|term| term == "dumb");
    let is_shown = is_forced || (stream.is_terminal() && !is_plain);
    if color == ColorWhen::Never || !is_shown || !supports_hyperlinks::supports_hyperlinks() {
        return None;
    }
    PAGES.get_or_init(find).as_deref()
}

/// The address that the user names, or the installed folder.
fn find() -> Option<String> {
    if let Some(address) = env_var("ORCHGEN_EXPLAIN_URL") {
        return Some(encoded(address.as_bytes(), |byte| byte.is_ascii_graphic()));
    }
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.parent()?.join(FOLDER);
    folder.is_dir().then(|| format!("file://{}/{{code}}.html", path(&folder)))
}

/// An absolute path as a part of an address.
fn path(path: &Path) -> String {
    let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    encoded(path.as_os_str().as_bytes(), is_kept)
}

/// Text with all other bytes percent-encoded.
fn encoded(text: &[u8], is_kept: impl Fn(u8) -> bool) -> String {
    let mut out = String::new();
    for &byte in text {
        if is_kept(byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
