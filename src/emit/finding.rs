//! How a difference is said.

use super::codes;
use super::diff::{Change, What};
use super::tree::Thing;
use crate::diag::words::quoted;
use crate::diag::{Code, Diagnostic, Label};

const UPDATES: &str = "run `orchgen build` and commit what it changes";

/// What is said of one difference.
struct Words {
    code: &'static Code,
    message: String,
    label: &'static str,
    help: Vec<String>,
}

/// The finding of a difference below the folder `out`. The caller gives the place, for the path as it is shown and the
/// words drawn there.
pub fn finding(change: &Change, out: &str, place: impl FnOnce(String, &str) -> Label) -> Diagnostic {
    let shown = match out.trim_end_matches('/') {
        "" => format!("/{}", change.path),
        out => format!("{out}/{}", change.path),
    };
    let words = words(change, &quoted(&shown));
    let label = place(shown, words.label);
    let mut finding = words.code.at(label.span, label.text, words.message);
    finding = finding.about("file", change.path.as_str());
    finding.help = words.help;
    finding
}

fn words(change: &Change, name: &str) -> Words {
    match &change.what {
        What::Create => drift(format!("{name} is missing"), "not there"),
        What::Update => drift(format!("{name} differs from what the registry says"), "out of date"),
        What::Mode { executable: true } => drift(format!("{name} is not executable"), "has the wrong mode"),
        What::Mode { executable: false } => {
            drift(format!("{name} is executable and should not be"), "has the wrong mode")
        }
        What::Remove => drift(format!("{name} is stale: nothing in the registry makes it"), "stale"),
        What::Edited => edited(format!("{name} was edited by hand"), "overwrite"),
        What::EditedStale => edited(
            format!("{name} was edited by hand, and nothing in the registry makes it any more"),
            "remove",
        ),
        What::Unlisted => unlisted(name),
        What::InTheWay { is, wanted } => in_the_way(name, *is, *wanted),
        What::Damaged(reason) => damaged(name, reason),
    }
}

fn drift(message: String, label: &'static str) -> Words {
    Words { code: &codes::OUTPUT_DRIFT, message, label, help: vec![UPDATES.to_owned()] }
}

fn edited(message: String, end: &str) -> Words {
    let help = vec![
        "move the edit into the registry, or for a unit into a systemd drop-in".to_owned(),
        format!("run `orchgen build --force` to {end} the file"),
    ];
    Words { code: &codes::EDITED_BY_HAND, message, label: "differs from what the last build wrote", help }
}

fn unlisted(name: &str) -> Words {
    Words {
        code: &codes::UNLISTED_FILE,
        message: format!("{name} would be overwritten, and no build wrote it"),
        label: "not in the manifest",
        help: vec![
            "move the file elsewhere and run `orchgen build`".to_owned(),
            "run `orchgen build --force` to overwrite the file".to_owned(),
        ],
    }
}

fn in_the_way(name: &str, is: Thing, wanted: Thing) -> Words {
    let is_word = match is {
        Thing::File => "a file",
        Thing::Folder => "a folder",
        Thing::Symlink => "a symlink",
        Thing::Other => "neither a file nor a folder",
    };
    let wanted = if wanted == Thing::Folder { "folder" } else { "file" };
    let mut help = vec![format!("move {name} elsewhere and run `orchgen build`")];
    if is != Thing::Folder {
        help.push(format!("run `orchgen build --force` to put the {wanted} in its place"));
    }
    Words {
        code: &codes::NOT_A_FILE,
        message: format!("{name} is {is_word}, where a {wanted} would be written"),
        label: "in the way",
        help,
    }
}

fn damaged(name: &str, reason: &str) -> Words {
    let restore = format!("restore {name} from version control and run `orchgen build`");
    let help = vec![restore, "run `orchgen build --force` to write every file anew".to_owned()];
    let message = format!("{name} cannot be relied on: {reason}");
    Words { code: &codes::DAMAGED_MANIFEST, message, label: "damaged", help }
}
