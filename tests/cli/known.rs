//! Severity options by code, `allow` nodes, and baselines.

use super::{BASE, BROKEN, Workspace, exit_code, text};
use std::fs;
use std::process::Output;

/// Two warnings with the same code.
const ODD: &str = "family \"odd\" arch=\"none\"; ban target=\"odd\" draft=\"*\" failure=\"f\"\nfamily \"odder\" arch=\"nine\"; ban target=\"odder\" draft=\"*\" failure=\"f\"\n";

fn report(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

/// The exit code, and the numbers of errors, warnings, notes and silenced findings.
fn counts(workspace: &Workspace, args: &[&str]) -> (i32, [u64; 4]) {
    let output = workspace.run(&[args, &["--report", "json"]].concat());
    let summary = &report(&output)["summary"];
    let count = |key: &str| summary[key].as_u64().unwrap();
    (exit_code(&output), ["errors", "warnings", "notes", "silenced"].map(count))
}

fn run(workspace: &Workspace, args: &[&str]) -> (i32, String) {
    let output = workspace.run(args);
    (exit_code(&output), text(&output.stderr))
}

#[test]
fn the_last_severity_option_for_a_code_wins() {
    let workspace = Workspace::new(ODD);
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
        assert_eq!(counts(&workspace, &[&["check"], args].concat()), (exit, expected), "{args:?}");
        assert_eq!(counts(&workspace, &[&["build"], args].concat()), (exit, expected), "{args:?}");
        assert_eq!(workspace.at("out").exists(), exit == 0, "{args:?}");
        let _ = fs::remove_dir_all(workspace.at("out"));
    }
}

#[test]
fn errors_cannot_be_lowered() {
    let workspace = Workspace::new(BROKEN);
    for args in [["--ignore", "all"], ["--warn", "all"]] {
        assert_eq!(counts(&workspace, &[&["check"], &args[..]].concat()), (1, [1, 0, 0, 0]), "{args:?}");
        assert_eq!(counts(&workspace, &[&["build"], &args[..]].concat()).0, 1);
        assert!(!workspace.at("out").exists());
    }
    assert_eq!(counts(&workspace, &["check", "--error", "unknown-name"]), (1, [1, 0, 0, 0]));
    for level in ["--warn", "--ignore"] {
        let (exit, stderr) = run(&workspace, &["check", level, "ORC210"]);
        assert_eq!(exit, 2);
        assert!(stderr.starts_with("error: `unknown-name` must stay an error: "), "{stderr}");
    }
}

#[test]
fn an_unknown_code_ends_the_run_and_the_nearest_code_is_suggested() {
    let workspace = Workspace::new("");
    for option in ["--error", "--warn", "--ignore"] {
        for command in ["check", "build"] {
            let (exit, stderr) = run(&workspace, &[command, option, "unkown-architecture"]);
            assert_eq!(exit, 2);
            assert!(
                stderr.starts_with(
                    "error: unknown code `unkown-architecture`; did you mean `unknown-architecture`?\n"
                ),
                "{stderr}"
            );
        }
    }
}

#[test]
fn allow_accepts_numbers_and_names_in_any_case() {
    for word in ["unknown-architecture", "Unknown-Architecture", "ORC315", "orc315", "315"] {
        let allowed = format!(
            "family \"odd\" arch=\"none\" {{ allow \"{word}\" because=\"ours\"; }}; ban target=\"odd\" draft=\"*\" failure=\"f\"\n"
        );
        let workspace = Workspace::new(&allowed);
        assert_eq!(counts(&workspace, &["check"]), (0, [0, 0, 0, 1]), "{word}");
        assert_eq!(counts(&workspace, &["check", "--error", "315"]), (0, [0, 0, 0, 1]), "{word}");
        let finding = &report(&workspace.run(&["check", "--report", "json"]))["silenced"][0];
        assert_eq!((finding["by"].as_str(), finding["because"].as_str()), (Some("allow"), Some("ours")));
    }
}

#[test]
fn an_unused_allow_is_reported_with_the_reason() {
    let cases = [
        ("unkown-architecture", "did you mean `unknown-architecture`?"),
        ("port-conflict", "an error cannot be allowed"),
        ("unknown-name", "an error cannot be allowed"),
        ("inherited-override", "this item has no such warning"),
        ("output-drift", "no warning about an item has this code"),
        ("nothing-like-it", "no warning about an item has this code"),
    ];
    for (word, expected) in cases {
        let workspace =
            Workspace::new(&format!("tier \"T\" title=\"x\" {{ allow \"{word}\" because=\"so\"; }}\n"));
        let (exit, stderr) = run(&workspace, &["check"]);
        assert_eq!(exit, 0);
        assert!(stderr.contains("unused-allow") && stderr.contains(expected), "{word}: {stderr}");
    }
}

#[test]
fn an_allow_counts_as_used_while_its_finding_may_be_hidden() {
    let allowed = "family \"fine\" arch=\"qwen2\" { allow \"unknown-architecture\" because=\"x\"; }; ban target=\"fine\" draft=\"*\" failure=\"f\"\n";
    let workspace = Workspace::new(allowed);
    assert_eq!(counts(&workspace, &["check"]), (0, [0, 1, 0, 0]));
    assert_eq!(counts(&workspace, &["check", "--ignore", "unknown-architecture"]), (0, [0, 0, 0, 0]));
    let blind = Workspace::new(&format!("{allowed}{BROKEN}"));
    assert_eq!(counts(&blind, &["check"]), (1, [1, 0, 0, 0]), "only the cause is reported");
    let unread = "family \"fine\" arch=3 { allow \"unknown-architecture\" because=\"x\"; }\n";
    assert_eq!(counts(&Workspace::new(unread), &["check"]), (1, [1, 0, 0, 0]));
}

#[test]
fn an_allow_without_a_reason_is_one_error_and_still_silences_its_finding() {
    for because in ["", " because=\"\"", " because=\"  \"", " because=3"] {
        let workspace = Workspace::new(&format!(
            "family \"odd\" arch=\"none\" {{ allow \"315\"{because}; }}; ban target=\"odd\" draft=\"*\" failure=\"f\"\n"
        ));
        assert_eq!(counts(&workspace, &["check"]), (1, [1, 0, 0, 1]), "{because:?}");
    }
}

/// Two roles at one port, and a role at CPUs that its host does not have.
fn conflict(port: u16, cpus: &str) -> String {
    format!(
        "{BASE}role \"left\" tier=\"A\" residency=\"hot\" model=\"plain\" port={port} context=4096\n\
         role \"right\" tier=\"A\" residency=\"hot\" model=\"tiny\" port={port} context=4096 {{ placement cpus=\"{cpus}\" threads=1; }}\n"
    )
}

#[test]
fn a_conflict_at_another_port_is_not_in_the_baseline() {
    let workspace = Workspace::new("");
    let write = |text: &str| fs::write(workspace.at("registry/base.kdl"), text).unwrap();
    let check = ["check", "--baseline", "known.json"];
    write(&conflict(9000, "900"));
    assert_eq!(run(&workspace, &[&check[..], &["--update-baseline"]].concat()).0, 0);
    // Lines above it change nothing.
    write(&format!("// one\n// two\n{}", conflict(9000, "900")));
    assert_eq!(counts(&workspace, &check).0, 0);
    for (port, cpus, code) in [(9001, "900", "ORC302"), (9000, "901", "unknown-cpu")] {
        write(&conflict(port, cpus));
        let (exit, report) = run(&workspace, &check);
        assert!(exit == 1 && report.contains(code), "{port} {cpus}: {report}");
    }
}

#[test]
fn baselined_findings_pass_and_new_ones_do_not() {
    let workspace = Workspace::new(&format!("{ODD}{BROKEN}"));
    let update = ["check", "--baseline", "known.json", "--update-baseline"];
    let (exit, first) = run(&workspace, &update);
    assert_eq!(exit, 0, "{first}");
    assert!(first.starts_with("known.json: 3 findings, 3 added, 0 removed\nno findings"), "{first}");
    let file = fs::read_to_string(workspace.at("known.json")).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(
        (lines[0], lines[4], lines.len()),
        ("{\"format_version\":1,\"findings\":[", "]}", 5),
        "{file}"
    );
    assert!(lines[1..4].is_sorted() && !file.contains("\"line\""), "{file}");
    assert_eq!(counts(&workspace, &["check", "--baseline", "known.json"]), (0, [0, 0, 0, 3]));
    let shown = run(&workspace, &["check", "--baseline", "known.json"]).1;
    assert!(shown.starts_with("no findings; 3 findings silenced by the baseline"), "{shown}");
    // New lines above move the known findings, and there is one new finding with the same code.
    let moved = format!(
        "// moved\n\n\n{BASE}\n{ODD}{BROKEN}family \"oddest\" arch=\"nein\"; ban target=\"oddest\" draft=\"*\" failure=\"f\"\n"
    );
    fs::write(workspace.at("registry/base.kdl"), &moved).unwrap();
    assert_eq!(counts(&workspace, &["check", "--baseline", "known.json"]), (0, [0, 1, 0, 3]));
    assert_eq!(counts(&workspace, &["check", "--baseline", "known.json", "--deny", "warnings"]).0, 1);
    let split = workspace.run(&["check", "./registry/", "--baseline", "./known.json", "--report", "json"]);
    assert_eq!(
        report(&split)["findings"].as_array().unwrap().len(),
        1,
        "another spelling of the registry path gives the same result"
    );
    let again = run(&workspace, &update).1;
    assert!(again.starts_with("known.json: 4 findings, 1 added, 0 removed\n"), "{again}");
}

#[test]
fn errors_over_the_limit_of_findings_are_not_baselined_and_fail_the_run() {
    let roles: Vec<String> = (0..10_050)
        .map(|n| format!("role \"many{n}\" tier=\"A\" residency=\"hot\" host=\"box\" model=\"none{n}\" port=9000 context=1\n"))
        .collect();
    let workspace = Workspace::new(&roles.concat());
    let (exit, text) = run(&workspace, &["check", "--baseline", "known.json", "--update-baseline"]);
    assert_eq!(exit, 1, "{text}");
    assert!(text.starts_with("known.json: 10000 findings, 10000 added, 0 removed\n"), "{text}");
    let (exit, text) = run(&workspace, &["check", "--baseline", "known.json"]);
    assert_eq!(exit, 1, "{text}");
    let words = "50 errors over the limit: fix some findings of the baseline first; 10000 findings";
    assert!(text.starts_with(words), "{text}");
}

#[test]
fn a_build_refuses_to_write_with_a_baselined_error() {
    let workspace = Workspace::new(&format!("{ODD}{BROKEN}"));
    workspace.run(&["check", "--baseline", "known.json", "--update-baseline"]);
    assert_eq!(counts(&workspace, &["build", "--baseline", "known.json"]), (1, [1, 0, 0, 2]));
    assert!(!workspace.at("out").exists());
    fs::write(workspace.at("registry/base.kdl"), format!("{BASE}{ODD}")).unwrap();
    let (exit, stderr) = run(&workspace, &["build", "--baseline", "known.json"]);
    assert_eq!(exit, 0);
    assert!(workspace.at("out").exists() && stderr.contains("stale-baseline"), "{stderr}");
}

#[test]
fn a_stale_entry_of_the_baseline_is_a_finding_at_its_line() {
    let workspace = Workspace::new(ODD);
    let update = ["check", "--baseline", "known.json", "--update-baseline"];
    workspace.run(&update);
    fs::write(
        workspace.at("registry/base.kdl"),
        format!("{BASE}family \"odder\" arch=\"nine\"; ban target=\"odder\" draft=\"*\" failure=\"f\"\n"),
    )
    .unwrap();
    let output = workspace.run(&["check", "--baseline", "known.json", "--report", "json"]);
    let findings = report(&output)["findings"].clone();
    assert_eq!((exit_code(&output), findings.as_array().unwrap().len()), (0, 1));
    let finding = &findings[0];
    assert_eq!(finding["name"], "stale-baseline");
    assert_eq!(
        finding["message"],
        "`unknown-architecture` of family `odd` is in the baseline but no longer found"
    );
    assert_eq!(
        (finding["primary"]["file"].as_str(), finding["primary"]["start"]["line"].as_u64()),
        (Some("known.json"), Some(2))
    );
    let help = "run `orchgen check --baseline known.json --update-baseline` and commit the change";
    assert_eq!(finding["help"][0], help);
    assert_eq!(counts(&workspace, &["check", "--baseline", "known.json", "--deny", "warnings"]).0, 1);
    assert_eq!(counts(&workspace, &["build", "--baseline", "known.json", "--error", "stale-baseline"]).0, 1);
    assert!(!workspace.at("out").exists());
    // Items that cannot be read may still have the finding, so the entry is not stale.
    fs::write(workspace.at("registry/base.kdl"), format!("{BASE}{BROKEN}")).unwrap();
    assert_eq!(counts(&workspace, &["check", "--baseline", "known.json"]), (1, [1, 0, 0, 0]));
    fs::write(workspace.at("registry/base.kdl"), BASE).unwrap();
    let (exit, stderr) = run(&workspace, &update);
    assert_eq!(exit, 0);
    assert!(stderr.starts_with("known.json: 0 findings, 0 added, 2 removed\n"), "{stderr}");
    assert_eq!(
        fs::read_to_string(workspace.at("known.json")).unwrap(),
        "{\"format_version\":1,\"findings\":[\n]}\n"
    );
    assert_eq!(counts(&workspace, &["check", "--baseline", "known.json"]), (0, [0, 0, 0, 0]));
}

#[test]
fn an_allowed_finding_is_not_added_to_the_baseline() {
    let allowed = "family \"odd\" arch=\"none\" { allow \"315\" because=\"ours\"; }; ban target=\"odd\" draft=\"*\" failure=\"f\"\n";
    let workspace = Workspace::new(allowed);
    let (_, first) = run(&workspace, &["check", "--baseline", "known.json", "--update-baseline"]);
    assert!(first.starts_with("known.json: 0 findings"), "{first}");
    assert_eq!(counts(&workspace, &["check", "--baseline", "known.json"]), (0, [0, 0, 0, 1]));
}

#[test]
fn a_baseline_that_cannot_be_read_ends_the_run() {
    let workspace = Workspace::new(ODD);
    let (exit, missing) = run(&workspace, &["check", "--baseline", "no where.json"]);
    assert_eq!(exit, 2);
    assert_eq!(
        missing,
        "error: cannot read `no where.json`: no such file or folder\n\
         run `orchgen check --baseline 'no where.json' --update-baseline` to create it from the current findings\n"
    );
    let cases = [
        ("{\"format_version\":1,\n<<<<<<< ours\n", "line 2, column 1: not valid JSON ("),
        ("{\"format_version\":2,\"findings\":[]}", "`format_version` is 2, but only 1 is supported"),
        (
            "{\"format_version\":1,\"findings\":[{\"code\":\"ORC315\"}]}",
            "line 1, column 49: the field `name` is missing",
        ),
        ("", "the file ends too early, in line 1"),
        ("roles: {}\n", "line 1, column 1: not valid JSON ("),
    ];
    for (damaged, problem) in cases {
        fs::write(workspace.at("known.json"), damaged).unwrap();
        for more in [&[][..], &["--update-baseline"]] {
            let (exit, stderr) = run(&workspace, &[&["check", "--baseline", "known.json"], more].concat());
            assert_eq!(exit, 2, "{damaged}");
            let start = format!("error: `known.json` is not a valid baseline: {problem}");
            assert!(
                stderr.starts_with(&start) && stderr.contains("restore it from version control"),
                "{stderr}"
            );
            assert_eq!(
                fs::read_to_string(workspace.at("known.json")).unwrap(),
                damaged,
                "the file is unchanged"
            );
        }
    }
    let (exit, _) = run(&workspace, &["check", "--baseline", "registry"]);
    assert_eq!(exit, 2);
    assert_eq!(
        run(&workspace, &["check", "--update-baseline"]).0,
        2,
        "`--update-baseline` needs `--baseline`"
    );
    assert_eq!(run(&workspace, &["check", "--baseline", "/dev/full/x", "--update-baseline"]).0, 2);
}
