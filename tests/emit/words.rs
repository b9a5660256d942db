//! How conflicts and drift are said.

use super::{build, put, set};
use orchgen::diag::Label;
use orchgen::emit::{Change, Thing, What, check, codes, finding};
use orchgen::render::ArtifactPath;
use orchgen::source::{FileId, Span};

fn said(path: &str, what: What) -> String {
    let change = Change { path: ArtifactPath::new(path).unwrap(), what };
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
fn every_difference_has_its_words() {
    let whats = [
        What::Create,
        What::Update,
        What::Mode { executable: true },
        What::Mode { executable: false },
        What::Remove,
        What::Edited,
        What::EditedStale,
        What::Unlisted,
        What::InTheWay { is: Thing::Folder, wanted: Thing::File },
        What::InTheWay { is: Thing::Symlink, wanted: Thing::Folder },
        What::InTheWay { is: Thing::File, wanted: Thing::Folder },
        What::InTheWay { is: Thing::Other, wanted: Thing::File },
        What::Damaged("it is not a file".to_owned()),
    ];
    let text: String = whats.into_iter().map(|what| said("bin/x", what)).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    assert!(!said("bin/\u{1b}[31m", What::Create).split("out/").next().unwrap().contains('\u{1b}'));
}

#[test]
fn the_order_is_that_of_the_paths() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")]);
    put(&out.join("b"), "by hand");
    put(&out.join("e"), "mine");
    let changes = check(&out, &set(&[("a", "2"), ("b", "2"), ("d", "1"), ("e", "2"), ("f", "2")])).unwrap();
    let order: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(order, ["a", "b", "c", "e", "f"]);
    let conflicts: Vec<bool> = changes.iter().map(Change::is_conflict).collect();
    assert_eq!(conflicts, [false, true, false, true, false]);
}

#[test]
fn the_codes_have_pages() {
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
