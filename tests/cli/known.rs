//! What counts: severities by code, allowances, and known findings.

use super::{BASE, BROKEN, Ground, code, text};
use std::fs;
use std::process::Output;

/// Two warnings of one kind.
const ODD: &str = "family \"odd\" arch=\"none\"; ban target=\"odd\" draft=\"*\" failure=\"f\"\nfamily \"odder\" arch=\"nine\"; ban target=\"odder\" draft=\"*\" failure=\"f\"\n";

fn report(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

/// The exit code, and errors, warnings, notes and what does not count.
fn counts(ground: &Ground, args: &[&str]) -> (i32, [u64; 4]) {
    let output = ground.run(&[args, &["--report", "json"]].concat());
    let summary = &report(&output)["summary"];
    let count = |key: &str| summary[key].as_u64().unwrap();
    (code(&output), ["errors", "warnings", "notes", "silenced"].map(count))
}

fn said(ground: &Ground, args: &[&str]) -> (i32, String) {
    let output = ground.run(args);
    (code(&output), text(&output.stderr))
}

#[test]
fn the_later_word_on_a_code_counts() {
    let ground = Ground::new(ODD);
    let cases: [(&[&str], i32, [u64; 4]); 11] = [
        (&[], 0, [0, 2, 0, 0]),
        (&["--error", "unknown-architecture"], 1, [2, 0, 0, 0]),
        (&["--error", "ORC315"], 1, [2, 0, 0, 0]),
        (&["--error", "orc315"], 1, [2, 0, 0, 0]),
        (&["--ignore", "315"], 0, [0, 0, 0, 0]),
        (&["--ignore", "Unknown-Architecture", "--deny", "warnings"], 0, [0, 0, 0, 0]),
        (&["--error", "315", "--ignore", "315"], 0, [0, 0, 0, 0]),
        (&["--ignore", "315", "--error", "315"], 1, [2, 0, 0, 0]),
        (&["--ignore", "all", "--warn", "315"], 0, [0, 2, 0, 0]),
        (&["--warn", "315", "--ignore", "ALL"], 0, [0, 0, 0, 0]),
        (&["--error", "all", "--warn", "315", "--deny", "warnings"], 1, [0, 2, 0, 0]),
    ];
    for (args, exit, expected) in cases {
        assert_eq!(counts(&ground, &[&["check"], args].concat()), (exit, expected), "{args:?}");
        assert_eq!(counts(&ground, &[&["build"], args].concat()), (exit, expected), "{args:?}");
        assert_eq!(ground.at("out").exists(), exit == 0, "{args:?}");
        let _ = fs::remove_dir_all(ground.at("out"));
    }
}

#[test]
fn an_error_stays_one() {
    let ground = Ground::new(BROKEN);
    for args in [["--ignore", "all"], ["--warn", "all"]] {
        assert_eq!(counts(&ground, &[&["check"], &args[..]].concat()), (1, [1, 0, 0, 0]), "{args:?}");
        assert_eq!(counts(&ground, &[&["build"], &args[..]].concat()).0, 1);
        assert!(!ground.at("out").exists());
    }
    assert_eq!(counts(&ground, &["check", "--error", "unknown-name"]), (1, [1, 0, 0, 0]));
    for level in ["--warn", "--ignore"] {
        let (exit, said) = said(&ground, &["check", level, "ORC210"]);
        assert_eq!(exit, 2);
        assert!(said.starts_with("error: `unknown-name` stays an error: "), "{said}");
    }
}

#[test]
fn a_word_that_is_no_code_ends_the_run_with_the_nearest_one() {
    let ground = Ground::new("");
    for option in ["--error", "--warn", "--ignore"] {
        for command in ["check", "build"] {
            let (exit, said) = said(&ground, &[command, option, "unkown-architecture"]);
            assert_eq!(exit, 2);
            assert!(
                said.starts_with(
                    "error: there is no code `unkown-architecture`; did you mean `unknown-architecture`?\n"
                ),
                "{said}"
            );
        }
    }
}

#[test]
fn an_allowance_names_its_code_by_number_or_name_in_any_case() {
    for word in ["unknown-architecture", "Unknown-Architecture", "ORC315", "orc315", "315"] {
        let allowed = format!(
            "family \"odd\" arch=\"none\" {{ allow \"{word}\" because=\"ours\"; }}; ban target=\"odd\" draft=\"*\" failure=\"f\"\n"
        );
        let ground = Ground::new(&allowed);
        assert_eq!(counts(&ground, &["check"]), (0, [0, 0, 0, 1]), "{word}");
        assert_eq!(counts(&ground, &["check", "--error", "315"]), (0, [0, 0, 0, 1]), "{word}");
        let one = &report(&ground.run(&["check", "--report", "json"]))["silenced"][0];
        assert_eq!((one["by"].as_str(), one["because"].as_str()), (Some("allow"), Some("ours")));
    }
}

#[test]
fn an_allowance_of_no_use_is_said_with_what_to_do() {
    let cases = [
        ("unkown-architecture", "did you mean `unknown-architecture`?"),
        ("port-conflict", "an error cannot be allowed"),
        ("unknown-name", "an error cannot be allowed"),
        ("inherited-override", "there is no such warning here"),
        ("output-drift", "no warning about an item has this code"),
        ("nothing-like-it", "no warning about an item has this code"),
    ];
    for (word, expected) in cases {
        let ground = Ground::new(&format!("tier \"T\" title=\"x\" {{ allow \"{word}\" because=\"so\"; }}\n"));
        let (exit, said) = said(&ground, &["check"]);
        assert_eq!(exit, 0);
        assert!(said.contains("unused-allow") && said.contains(expected), "{word}: {said}");
    }
}

#[test]
fn nothing_is_said_of_an_allowance_while_what_it_allows_may_yet_be_found() {
    let allowed = "family \"fine\" arch=\"qwen2\" { allow \"unknown-architecture\" because=\"x\"; }; ban target=\"fine\" draft=\"*\" failure=\"f\"\n";
    let ground = Ground::new(allowed);
    assert_eq!(counts(&ground, &["check"]), (0, [0, 1, 0, 0]));
    assert_eq!(counts(&ground, &["check", "--ignore", "unknown-architecture"]), (0, [0, 0, 0, 0]));
    let blind = Ground::new(&format!("{allowed}{BROKEN}"));
    assert_eq!(counts(&blind, &["check"]), (1, [1, 0, 0, 0]), "one cause, one finding");
    let unread = "family \"fine\" arch=3 { allow \"unknown-architecture\" because=\"x\"; }\n";
    assert_eq!(counts(&Ground::new(unread), &["check"]), (1, [1, 0, 0, 0]));
}

#[test]
fn an_allowance_without_a_reason_is_one_finding_and_holds() {
    for because in ["", " because=\"\"", " because=\"  \"", " because=3"] {
        let ground = Ground::new(&format!(
            "family \"odd\" arch=\"none\" {{ allow \"315\"{because}; }}; ban target=\"odd\" draft=\"*\" failure=\"f\"\n"
        ));
        assert_eq!(counts(&ground, &["check"]), (1, [1, 0, 0, 1]), "{because:?}");
    }
}

#[test]
fn known_findings_pass_and_others_do_not() {
    let ground = Ground::new(&format!("{ODD}{BROKEN}"));
    let update = ["check", "--baseline", "known.json", "--update-baseline"];
    let (exit, first) = said(&ground, &update);
    assert_eq!(exit, 0, "{first}");
    assert!(first.starts_with("known.json: 3 known findings, 3 added, 0 removed\nno findings"), "{first}");
    let file = fs::read_to_string(ground.at("known.json")).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(
        (lines[0], lines[4], lines.len()),
        ("{\"format_version\":1,\"findings\":[", "]}", 5),
        "{file}"
    );
    assert!(lines[1..4].is_sorted() && !file.contains("\"line\""), "{file}");
    assert_eq!(counts(&ground, &["check", "--baseline", "known.json"]), (0, [0, 0, 0, 3]));
    let shown = said(&ground, &["check", "--baseline", "known.json"]).1;
    assert!(shown.starts_with("no findings; 3 known findings of the baseline"), "{shown}");
    // Lines come above, and a finding of the same kind beside.
    let moved = format!(
        "// moved\n\n\n{BASE}\n{ODD}{BROKEN}family \"oddest\" arch=\"nein\"; ban target=\"oddest\" draft=\"*\" failure=\"f\"\n"
    );
    fs::write(ground.at("registry/base.kdl"), &moved).unwrap();
    assert_eq!(counts(&ground, &["check", "--baseline", "known.json"]), (0, [0, 1, 0, 3]));
    assert_eq!(counts(&ground, &["check", "--baseline", "known.json", "--deny", "warnings"]).0, 1);
    let split = ground.run(&["check", "./registry/", "--baseline", "./known.json", "--report", "json"]);
    assert_eq!(report(&split)["findings"].as_array().unwrap().len(), 1, "however the folder is called");
    let again = said(&ground, &update).1;
    assert!(again.starts_with("known.json: 4 known findings, 1 added, 0 removed\n"), "{again}");
}

#[test]
fn what_no_run_holds_is_not_known_and_fails() {
    let roles: Vec<String> = (0..10_050)
        .map(|n| format!("role \"many{n}\" tier=\"A\" residency=\"hot\" host=\"box\" model=\"none{n}\" port=9000 context=1\n"))
        .collect();
    let ground = Ground::new(&roles.concat());
    let (exit, text) = said(&ground, &["check", "--baseline", "known.json", "--update-baseline"]);
    assert_eq!(exit, 1, "{text}");
    assert!(text.starts_with("known.json: 10000 known findings, 10000 added, 0 removed\n"), "{text}");
    let (exit, text) = said(&ground, &["check", "--baseline", "known.json"]);
    assert_eq!(exit, 1, "{text}");
    let words =
        "50 errors beyond those that a run holds: mend some of what is known first; 10000 known findings";
    assert!(text.starts_with(words), "{text}");
}

#[test]
fn a_known_error_still_keeps_a_build_from_writing() {
    let ground = Ground::new(&format!("{ODD}{BROKEN}"));
    ground.run(&["check", "--baseline", "known.json", "--update-baseline"]);
    assert_eq!(counts(&ground, &["build", "--baseline", "known.json"]), (1, [1, 0, 0, 2]));
    assert!(!ground.at("out").exists());
    fs::write(ground.at("registry/base.kdl"), format!("{BASE}{ODD}")).unwrap();
    let (exit, said) = said(&ground, &["build", "--baseline", "known.json"]);
    assert_eq!(exit, 0);
    assert!(ground.at("out").exists() && said.contains("stale-baseline"), "{said}");
}

#[test]
fn what_is_known_and_not_found_is_a_finding_at_its_entry() {
    let ground = Ground::new(ODD);
    let update = ["check", "--baseline", "known.json", "--update-baseline"];
    ground.run(&update);
    fs::write(
        ground.at("registry/base.kdl"),
        format!("{BASE}family \"odder\" arch=\"nine\"; ban target=\"odder\" draft=\"*\" failure=\"f\"\n"),
    )
    .unwrap();
    let output = ground.run(&["check", "--baseline", "known.json", "--report", "json"]);
    let findings = report(&output)["findings"].clone();
    assert_eq!((code(&output), findings.as_array().unwrap().len()), (0, 1));
    let one = &findings[0];
    assert_eq!(one["name"], "stale-baseline");
    assert_eq!(one["message"], "`unknown-architecture` of family `odd` is known, and nothing of it is found");
    assert_eq!(
        (one["primary"]["file"].as_str(), one["primary"]["start"]["line"].as_u64()),
        (Some("known.json"), Some(2))
    );
    let cure = "run `orchgen check --baseline known.json --update-baseline` and commit what it changes";
    assert_eq!(one["help"][0], cure);
    assert_eq!(counts(&ground, &["check", "--baseline", "known.json", "--deny", "warnings"]).0, 1);
    assert_eq!(counts(&ground, &["build", "--baseline", "known.json", "--error", "stale-baseline"]).0, 1);
    assert!(!ground.at("out").exists());
    // What cannot be read may hold it yet.
    fs::write(ground.at("registry/base.kdl"), format!("{BASE}{BROKEN}")).unwrap();
    assert_eq!(counts(&ground, &["check", "--baseline", "known.json"]), (1, [1, 0, 0, 0]));
    fs::write(ground.at("registry/base.kdl"), BASE).unwrap();
    let (exit, said) = said(&ground, &update);
    assert_eq!(exit, 0);
    assert!(said.starts_with("known.json: 0 known findings, 0 added, 2 removed\n"), "{said}");
    assert_eq!(
        fs::read_to_string(ground.at("known.json")).unwrap(),
        "{\"format_version\":1,\"findings\":[\n]}\n"
    );
    assert_eq!(counts(&ground, &["check", "--baseline", "known.json"]), (0, [0, 0, 0, 0]));
}

#[test]
fn what_is_allowed_is_not_known() {
    let allowed = "family \"odd\" arch=\"none\" { allow \"315\" because=\"ours\"; }; ban target=\"odd\" draft=\"*\" failure=\"f\"\n";
    let ground = Ground::new(allowed);
    let (_, first) = said(&ground, &["check", "--baseline", "known.json", "--update-baseline"]);
    assert!(first.starts_with("known.json: 0 known findings"), "{first}");
    assert_eq!(counts(&ground, &["check", "--baseline", "known.json"]), (0, [0, 0, 0, 1]));
}

#[test]
fn a_file_of_known_findings_that_cannot_be_read_ends_the_run() {
    let ground = Ground::new(ODD);
    let (exit, missing) = said(&ground, &["check", "--baseline", "no where.json"]);
    assert_eq!(exit, 2);
    assert_eq!(
        missing,
        "error: cannot read `no where.json`: there is no such folder or file\n\
         run `orchgen check --baseline 'no where.json' --update-baseline` to write it from what is found\n"
    );
    let cases = [
        ("{\"format_version\":1,\n<<<<<<< ours\n", "line 2, column 1: "),
        ("{\"format_version\":2,\"findings\":[]}", "its `format_version` is 2, and 1 is what is read"),
        (
            "{\"format_version\":1,\"findings\":[{\"code\":\"ORC315\"}]}",
            "line 1, column 49: missing field `name`",
        ),
        ("", "line 1, column 0: "),
        ("roles: {}\n", "line 1, column 1: "),
    ];
    for (damaged, place) in cases {
        fs::write(ground.at("known.json"), damaged).unwrap();
        for more in [&[][..], &["--update-baseline"]] {
            let (exit, said) = said(&ground, &[&["check", "--baseline", "known.json"], more].concat());
            assert_eq!(exit, 2, "{damaged}");
            let head = format!("error: `known.json` is no list of known findings: {place}");
            assert!(said.starts_with(&head) && said.contains("restore it from version control"), "{said}");
            assert_eq!(fs::read_to_string(ground.at("known.json")).unwrap(), damaged, "it is left alone");
        }
    }
    let (exit, _) = said(&ground, &["check", "--baseline", "registry"]);
    assert_eq!(exit, 2);
    assert_eq!(said(&ground, &["check", "--update-baseline"]).0, 2, "it has to be named");
    assert_eq!(said(&ground, &["check", "--baseline", "/dev/full/x", "--update-baseline"]).0, 2);
}
