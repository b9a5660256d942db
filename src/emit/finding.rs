//! The findings for differences between the disk and the artifacts.

use super::codes;
use super::diff::{ChangeKind, FileChange};
use super::tree::EntryKind;
use crate::diag::words::quoted;
use crate::diag::{Code, Diagnostic, Label};

const UPDATE_HELP: &str = "run `orchgen build` and commit the changes";

/// The texts of one finding.
struct Texts {
    code: &'static Code,
    message: String,
    label: &'static str,
    help: Vec<String>,
}

/// The finding for a difference below the folder `out`. `place` returns the label for a displayed path and a label
/// text.
pub fn finding(change: &FileChange, out: &str, place: impl FnOnce(String, &str) -> Label) -> Diagnostic {
    let shown = match out.trim_end_matches('/') {
        "" => format!("/{}", change.path),
        out => format!("{out}/{}", change.path),
    };
    let texts = texts(change, &quoted(&shown));
    let label = place(shown, texts.label);
    let mut finding = texts.code.at(label.span, label.text, texts.message);
    finding = finding.about(("file", change.path.as_str()));
    finding.help = texts.help;
    finding
}

fn texts(change: &FileChange, name: &str) -> Texts {
    match &change.kind {
        ChangeKind::Create => drift(format!("{name} is missing"), "missing"),
        ChangeKind::Update => drift(format!("{name} differs from the generated content"), "out of date"),
        ChangeKind::Mode { executable: true } => {
            drift(format!("{name} is not executable"), "has the wrong mode")
        }
        ChangeKind::Mode { executable: false } => {
            drift(format!("{name} is executable and should not be"), "has the wrong mode")
        }
        ChangeKind::Remove => drift(format!("{name} is stale: the registry does not generate it"), "stale"),
        ChangeKind::Edited => edited(change, format!("{name} was edited manually"), "overwrite"),
        ChangeKind::EditedStale => {
            let message = format!("{name} was edited manually, and the registry no longer generates it");
            edited(change, message, "remove")
        }
        ChangeKind::Unlisted => unlisted(name),
        ChangeKind::InTheWay { is, wanted } => in_the_way(name, *is, *wanted),
        ChangeKind::Damaged(reason) => damaged(name, reason),
    }
}

fn drift(message: String, label: &'static str) -> Texts {
    Texts { code: &codes::OUTPUT_DRIFT, message, label, help: vec![UPDATE_HELP.to_owned()] }
}

fn edited(change: &FileChange, message: String, action: &str) -> Texts {
    let path = change.path.as_str();
    let unit = path.starts_with("systemd/").then(|| path.rsplit_once('/').map_or(path, |(_, unit)| unit));
    let keep = match unit {
        Some(unit) => {
            let command = quoted(&format!("systemctl edit {unit}"));
            format!("move the edit into the registry, or into a systemd drop-in: {command}")
        }
        None => "move the edit into the registry".to_owned(),
    };
    let help = vec![keep, format!("run `orchgen build --force` to {action} the file")];
    Texts { code: &codes::EDITED_BY_HAND, message, label: "differs from the last build", help }
}

fn unlisted(name: &str) -> Texts {
    Texts {
        code: &codes::UNLISTED_FILE,
        message: format!("{name} would be overwritten, but no build wrote it"),
        label: "not in the manifest",
        help: vec![
            "move the file elsewhere and run `orchgen build`".to_owned(),
            "run `orchgen build --force` to overwrite the file".to_owned(),
        ],
    }
}

fn in_the_way(name: &str, is: EntryKind, wanted: EntryKind) -> Texts {
    let is_word = match is {
        EntryKind::File => "a file",
        EntryKind::Folder => "a folder",
        EntryKind::Symlink => "a symlink",
        EntryKind::Other => "neither a file nor a folder",
    };
    let wanted = if wanted == EntryKind::Folder { "folder" } else { "file" };
    let mut help = vec![format!("move {name} elsewhere and run `orchgen build`")];
    if is != EntryKind::Folder {
        help.push(format!("run `orchgen build --force` to replace {name} with the {wanted}"));
    }
    Texts {
        code: &codes::NOT_A_FILE,
        message: format!("{name} is {is_word}, but must be a {wanted}"),
        label: "wrong type of entry",
        help,
    }
}

fn damaged(name: &str, reason: &str) -> Texts {
    let restore = format!("restore {name} from version control and run `orchgen build`");
    let help = vec![restore, "run `orchgen build --force` to rewrite all files and the manifest".to_owned()];
    let message = format!("{name} is damaged: {reason}");
    Texts { code: &codes::DAMAGED_MANIFEST, message, label: "damaged", help }
}
