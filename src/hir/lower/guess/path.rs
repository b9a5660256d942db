//! Paths that only a shell or another system understands, and paths that are not absolute.

use super::quantity::blank;
use crate::diag::words::{printable, quoted};
use crate::syntax::linux_path;

/// A fault of a path, and the text to write.
#[derive(PartialEq, Eq, Debug)]
pub(in crate::hir::lower) struct PathFault {
    /// The end of the sentence that begins with the path.
    pub(in crate::hir::lower) fault: String,
    /// The label of the path.
    pub(in crate::hir::lower) label: &'static str,
    pub(in crate::hir::lower) remedy: Remedy,
}

/// The paths that a field accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::hir::lower) enum PathKind {
    /// Only absolute paths.
    Absolute,
    /// Also relative paths.
    Any,
}

/// The text to write instead of a path.
#[derive(PartialEq, Eq, Debug)]
pub(in crate::hir::lower) enum Remedy {
    /// This path; the text is the reason, if there is one.
    Path(String, String),
    /// An instruction.
    Text(String),
}

const FULL_PATH: &str = "expected a path that begins with `/`";

/// The fault of a path that does not depend on whether it is absolute.
pub(in crate::hir::lower) fn fault(text: &str, kind: PathKind) -> Option<PathFault> {
    if let Some(blank) = blank(text) {
        return Some(written(blank.to_owned(), text.trim().to_owned()));
    }
    if let Some(path) = text.strip_prefix("file://") {
        let path = path.strip_prefix("localhost").unwrap_or(path);
        return Some(written("a URL and not a path".to_owned(), path.to_owned()));
    }
    let instead = |fault: &str, text: &str| PathFault {
        fault: fault.to_owned(),
        label: "expected only a path",
        remedy: Remedy::Text(text.to_owned()),
    };
    if text.contains("://") {
        return Some(instead(
            "a URL and not a path",
            "download or mount it on the host, and write the path there",
        ));
    }
    if let Some((repository, quant)) = hub_reference(text) {
        let remedy = format!(
            "use the field `repo` of the model for `{repository}`, and write the name of its {quant} file here"
        );
        return Some(instead("a name at Hugging Face and not a path", &remedy));
    }
    if text.contains('*') {
        return Some(instead(
            "a pattern and not a path",
            "write the path without `*`; of several shards, the first",
        ));
    }
    let quote = |mark: char| text.strip_prefix(mark).and_then(|text| text.strip_suffix(mark));
    if let Some(path) = ['\'', '"', '`'].into_iter().find_map(quote) {
        return Some(written("with quotes around it".to_owned(), path.to_owned()));
    }
    home(text).or_else(|| variable(text)).or_else(|| windows(text)).or_else(|| parts(text, kind))
}

/// The repository and the quant of a model at Hugging Face, as in `org/name:Q4_K_M`.
fn hub_reference(text: &str) -> Option<(&str, &str)> {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let (repository, quant) = text.strip_prefix("hf.co/").unwrap_or(text).split_once(':')?;
    let (owner, name) = repository.split_once('/')?;
    (is_name(owner) && is_name(name) && is_name(quant)).then_some((repository, quant))
}

/// The fault of a relative path where an absolute one is required.
pub(in crate::hir::lower) fn relative(text: &str) -> PathFault {
    PathFault {
        fault: "which is not an absolute path".to_owned(),
        label: FULL_PATH,
        remedy: printed_by("realpath", text, &format!("in the folder that has {}", quoted(first_part(text)))),
    }
}

fn written(fault: String, path: String) -> PathFault {
    PathFault { fault, label: "expected only a path", remedy: Remedy::Path(path, String::new()) }
}

/// The instruction to write what a command prints.
fn printed_by(command: &str, argument: &str, place: &str) -> Remedy {
    let blank = if place.is_empty() { "" } else { " " };
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@~:".contains(c);
    let argument = match argument {
        word if word.chars().all(is_plain) || command == "echo" => printable(word),
        word => format!("\"{}\"", printable(word)),
    };
    Remedy::Text(format!("run `{command} {argument}`{blank}{place}, and write the path that it prints"))
}

/// The first part of a relative path.
fn first_part(text: &str) -> &str {
    let rest = text.trim_start_matches("./").trim_start_matches("../");
    rest.split('/').find(|part| !part.is_empty()).unwrap_or(".")
}

/// A `~` at the start of a path or of one of its parts.
fn home(text: &str) -> Option<PathFault> {
    let is_home = text.starts_with('~') || text.split('/').any(|part| part == "~");
    let argument = if text.contains(' ') { text.replace(' ', "\\ ") } else { text.to_owned() };
    is_home.then(|| match text.split_once("/~") {
        Some((before, rest)) if before.len() > 1 && before.starts_with('/') => PathFault {
            fault: "and `~` is the home folder only at the beginning of a path in a shell".to_owned(),
            label: "expected a path without `~`",
            remedy: Remedy::Path(
                format!("{before}{rest}"),
                format!(
                    "if `~` is not the home folder, otherwise run `echo ~{}`, and write the path that it prints",
                    printable(rest)
                ),
            ),
        },
        _ => PathFault {
            fault: "and `~` is only expanded by a shell".to_owned(),
            label: FULL_PATH,
            remedy: printed_by(
                "echo",
                argument.get(argument.find('~').unwrap_or_default()..).unwrap_or_default(),
                "",
            ),
        },
    })
}

/// An environment variable, a specifier of systemd, or a placeholder of a template.
fn variable(text: &str) -> Option<PathFault> {
    let name = variable_in(text)?;
    let is_shell = name.starts_with('$');
    let remedy = if is_shell {
        printed_by("echo", &format!("\"{text}\""), "")
    } else {
        Remedy::Text(format!("write the real name instead of {}", quoted(&name)))
    };
    Some(PathFault {
        fault: format!("and {} is not expanded", quoted(&name)),
        label: "expected a path without variables",
        remedy,
    })
}

/// The first variable of a text: `$HOME`, `${USER}`, `$(pwd)`, `%h`, `%APPDATA%`, `{{ base }}` or `<user>`.
pub(in crate::hir::lower) fn variable_in(text: &str) -> Option<String> {
    for (at, _) in text.match_indices(['$', '%', '{', '<']) {
        let rest = text.get(at..)?;
        let after = rest.get(1..)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
        let length = |text: &str| text.find(|c: char| !is_name(c)).unwrap_or(text.len());
        let closed = |open: &str, close: &str| {
            let inner = rest.strip_prefix(open)?;
            let end = inner.find(close)?;
            rest.get(..open.len() + end + close.len())
        };
        let is_part = |text: &str| {
            let before = text.get(..at).unwrap_or_default();
            before.is_empty() || before.ends_with('/')
        };
        let found = match rest.as_bytes().first()? {
            b'$' if after.starts_with(begins) => rest.get(..=length(after)),
            b'$' => closed("${", "}").or_else(|| closed("$(", ")")),
            b'{' => closed("{{", "}}"),
            b'<' => closed("<", ">").filter(|name| is_part(text) && !name.contains('/')),
            _ => {
                let specifier = rest
                    .get(..2)
                    .filter(|_| is_part(text) && after.starts_with(|c: char| c.is_ascii_alphabetic()));
                let windows = closed("%", "%").filter(|name| name.len() > 2 && !name.contains(['/', ' ']));
                windows.or_else(|| specifier.filter(|_| matches!(rest.as_bytes().get(2), None | Some(b'/'))))
            }
        };
        if let Some(found) = found {
            return Some(found.to_owned());
        }
    }
    None
}

/// A path of Windows. In WSL, the drive `C:` is the folder `/mnt/c`.
fn windows(text: &str) -> Option<PathFault> {
    let fault = "a path of Windows".to_owned();
    let label = FULL_PATH;
    if let Some(path) = linux_path(text) {
        let remedy = Remedy::Path(path, "in WSL; otherwise the path on the Linux host".to_owned());
        return Some(PathFault { fault, label, remedy });
    }
    if text.contains('\\') && !text.contains('/') && !text.starts_with('\\') {
        return Some(written("with a backslash".to_owned(), text.replace('\\', "/")));
    }
    text.starts_with("\\\\").then(|| PathFault {
        fault,
        label,
        remedy: Remedy::Text(
            "mount this share on the Linux host, and write the path of the mount".to_owned(),
        ),
    })
}

/// Parts that are empty, `.` or `..`.
fn parts(text: &str, kind: PathKind) -> Option<PathFault> {
    let is_absolute = text.starts_with('/');
    if kind == PathKind::Absolute && !is_absolute {
        return None;
    }
    let inner = text.split('/').skip(usize::from(is_absolute));
    let found = inner.clone().find(|part| matches!(*part, "" | "." | ".."))?;
    let mut kept: Vec<&str> = Vec::new();
    let mut is_above = false;
    for part in inner {
        match part {
            "" | "." => {}
            ".." => is_above |= kept.pop().is_none(),
            part => kept.push(part),
        }
    }
    let what = if found.is_empty() { "an empty part".to_owned() } else { format!("the part `{found}`") };
    let remedy = match (is_above, kept.is_empty()) {
        (false, false) => {
            Remedy::Path(format!("{}{}", if is_absolute { "/" } else { "" }, kept.join("/")), String::new())
        }
        _ => printed_by("realpath", text, "in the folder that it is relative to"),
    };
    let label = "expected a path without `.`, `..` and empty parts";
    Some(PathFault { fault: format!("a path with {what}"), label, remedy })
}
