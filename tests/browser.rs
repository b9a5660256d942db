//! HTML pages in Chromium: light and dark, on small and large screens, with the keyboard, and with the rules of axe.

use crate::outside::python;
use crate::support::{compile_folder, orchgen, repository};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Opens pages in the browser and returns their problems, by file.
#[track_caller]
pub(crate) fn problems(files: &[PathBuf]) -> Value {
    let output = python().arg(repository().join("tests/browser/check.py")).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

mod tools {
    use super::*;
    use crate::report_page::{page, stacks};

    #[test]
    fn reports_have_no_problems() {
        let folder = tempfile::tempdir().unwrap();
        let own = compile_folder(&repository().join("registry")).files().remove("report.html").unwrap().0;
        let pages = stacks().into_iter().map(|(name, text)| (name, page(&text))).chain([("own", own)]);
        let files: Vec<PathBuf> = pages
            .map(|(name, text)| {
                let file = folder.path().join(format!("{name}.html"));
                fs::write(&file, text).unwrap();
                file
            })
            .collect();
        for (file, found) in problems(&files).as_object().unwrap() {
            assert_eq!(found, &Value::Array(Vec::new()), "{file}");
        }
    }

    /// A page of each form: the list of topics, topics with tables and long lines, the reference, and codes.
    #[test]
    fn pages_of_the_guide_have_no_problems() {
        const NAMES: [&str; 6] =
            ["index", "not-starting", "containers", "reference/residency", "codes/index", "codes/ORC302"];
        let folder = tempfile::tempdir().unwrap();
        let wrote = Command::new(orchgen()).args(["guide", "--out"]).arg(folder.path()).output().unwrap();
        assert!(wrote.status.success(), "{wrote:?}");
        let files: Vec<PathBuf> =
            NAMES.iter().map(|name| folder.path().join(format!("{name}.html"))).collect();
        for (file, found) in problems(&files).as_object().unwrap() {
            assert_eq!(found, &Value::Array(Vec::new()), "{file}");
        }
    }

    #[test]
    fn the_check_finds_problems() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bad.html");
        fs::write(
            &file,
            "<!DOCTYPE html><html><title>x</title><style>a:focus{outline:none}</style>\
             <body><a href='#'>link</a><p style='color:#eee;background:#fff'>pale</p>\
             <p style='width:3000px'>wide</p><img src='http://127.0.0.1:9/x.png'></body></html>",
        )
        .unwrap();
        let found = problems(&[file]).to_string();
        for part in [
            "no visible focus",
            "axe: color-contrast",
            "axe: html-has-lang",
            "3008 pixels wide",
            "request: http://127.0.0.1:9/x.png",
            "console: ",
        ] {
            assert!(found.contains(part), "{part}: {found}");
        }
    }
}
