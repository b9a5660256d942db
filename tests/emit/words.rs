//! The texts of conflicts and drift.

use super::{build, put, set};
use crate::support::assert_snapshot;
use orchgen::diag::Label;
use orchgen::emit::{ChangeKind, EntryKind, FileChange, check, codes, finding};
use orchgen::render::ArtifactPath;
use orchgen::source::{FileId, Span};

/// The finding about a change, as text.
fn report_text(path: &str, kind: ChangeKind) -> String {
    let change = FileChange { path: ArtifactPath::new(path).unwrap(), kind };
    let place = |shown: String, label: &str| Label {
        span: Span::new(FileId(0), 0, 0),
        text: format!("{shown}: {label}"),
    };
    let finding = finding(&change, "out/", place);
    assert_eq!(finding.subject.map(|subject| (subject.kind, subject.name)), Some(("file", path.to_owned())));
    let mut text = format!("{} {}\n  {}\n", finding.code.name, finding.message, finding.primary.text);
    text.extend(finding.help.iter().map(|help| format!("  help: {help}\n")));
    text
}

#[test]
fn each_kind_of_change_has_its_text() {
    let kinds = [
        ChangeKind::Create,
        ChangeKind::Update,
        ChangeKind::Mode { executable: true },
        ChangeKind::Mode { executable: false },
        ChangeKind::Remove,
        ChangeKind::Edited,
        ChangeKind::EditedStale,
        ChangeKind::Unlisted,
        ChangeKind::InTheWay { is: EntryKind::Folder, wanted: EntryKind::File },
        ChangeKind::InTheWay { is: EntryKind::Symlink, wanted: EntryKind::Folder },
        ChangeKind::InTheWay { is: EntryKind::File, wanted: EntryKind::Folder },
        ChangeKind::InTheWay { is: EntryKind::Other, wanted: EntryKind::File },
        ChangeKind::Damaged("it is not a file".to_owned()),
    ];
    let mut text: String = kinds.into_iter().map(|kind| report_text("bin/x", kind)).collect();
    text.push_str(&report_text("systemd/box/x.service", ChangeKind::Edited));
    assert_snapshot!("emit", "differences", text);
}

#[test]
fn control_characters_in_names_are_escaped() {
    assert!(
        !report_text("bin/\u{1b}[31m", ChangeKind::Create).split("out/").next().unwrap().contains('\u{1b}')
    );
}

#[test]
fn changes_are_sorted_by_path() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")]);
    put(&out.join("b"), "by hand");
    put(&out.join("e"), "mine");
    let changes = check(&out, &set(&[("a", "2"), ("b", "2"), ("d", "1"), ("e", "2"), ("f", "2")])).unwrap();
    let order: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(order, ["a", "b", "c", "e", "f"]);
    let conflicts: Vec<bool> = changes.iter().map(FileChange::is_conflict).collect();
    assert_eq!(conflicts, [false, true, false, true, false]);
}

#[test]
fn codes_are_numbered_from_401_and_have_pages() {
    let all = [
        &codes::EDITED_BY_HAND,
        &codes::UNLISTED_FILE,
        &codes::OUTPUT_DRIFT,
        &codes::DAMAGED_MANIFEST,
        &codes::NOT_A_FILE,
    ];
    for (number, code) in (401..).zip(all) {
        assert_eq!(code.number, number);
        for heading in ["## What it finds", "## Why", "## Instead"] {
            assert!(code.page.contains(heading), "{} lacks {heading}", code.name);
        }
    }
}
