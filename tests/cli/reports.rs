//! Reports of findings: formats, streams, files, and reports that cannot be written.

use super::{BASE, BROKEN, Workspace, exit_code, text};
use crate::report::{sarif, schema};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

const MACHINE_FORMATS: [&str; 5] = ["concise", "json", "sarif", "github", "gitlab"];

fn read(workspace: &Workspace, path: &str) -> String {
    fs::read_to_string(workspace.at(path)).unwrap()
}

/// `n` families with one warning each.
fn warnings(n: usize) -> String {
    (0..n)
        .map(|n| {
            format!("family \"f{n}\" arch=\"none-{n}\"; ban target=\"f{n}\" draft=\"*\" failure=\"f\"\n")
        })
        .collect::<Vec<_>>()
        .concat()
}

fn json(bytes: &str) -> serde_json::Value {
    serde_json::from_str(bytes).unwrap_or_else(|error| panic!("{error}: {bytes}"))
}

#[test]
fn a_report_is_the_only_output_on_its_stream() {
    for (workspace, errors) in [(Workspace::new(""), 0), (Workspace::new(BROKEN), 1)] {
        for command in ["check", "build"] {
            for format in MACHINE_FORMATS {
                let output = workspace.run(&[command, "--report", format]);
                let same = workspace.run(&[command, "--output-format", format]);
                assert_eq!(exit_code(&output), errors);
                assert_eq!(text(&output.stdout), text(&same.stdout));
                assert!(output.stderr.is_empty(), "{format}: {}", text(&output.stderr));
                assert!(output.stdout.is_empty() || output.stdout.ends_with(b"\n"), "{format}");
            }
            let output = workspace.run(&[command, "--report", "human"]);
            assert!(output.stdout.is_empty() && !output.stderr.is_empty());
        }
    }
}

#[test]
fn one_run_can_write_several_report_files_and_still_prints_to_stderr() {
    let workspace = Workspace::new(BROKEN);
    let mut args = vec!["check".to_owned()];
    for format in MACHINE_FORMATS.iter().chain(&["human"]) {
        args.extend(["--report".to_owned(), format!("{format}=reports/{format}")]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let output = workspace.run(&args);
    assert_eq!((exit_code(&output), text(&output.stdout)), (1, String::new()));
    assert!(text(&output.stderr).starts_with("error[ORC210] unknown-name"), "{}", text(&output.stderr));
    for format in MACHINE_FORMATS {
        let alone = workspace.run(&["check", "--report", format]);
        assert_eq!(read(&workspace, &format!("reports/{format}")), text(&alone.stdout), "{format}");
    }
    assert!(read(&workspace, "reports/human").contains("error[ORC210]"));
    assert_eq!(fs::read_dir(workspace.at("reports")).unwrap().count(), 6, "no temporary file is left");
    let both =
        workspace.run(&["check", "--report", "json", "--report", "human", "--report", "gitlab=g.json"]);
    json(&text(&both.stdout));
    assert!(text(&both.stderr).contains("ORC210") && json(&read(&workspace, "g.json")).is_array());
}

#[test]
fn conflicting_report_options_are_refused_before_any_work() {
    let workspace = Workspace::new("");
    symlink(".", workspace.at("here")).unwrap();
    let cases: [(&[&str], &str); 10] = [
        (
            &["--report", "json", "--output-format", "sarif"],
            "error: `sarif` and `json` would be written to standard output: write one to a file, for example `--report json=FILE`\n",
        ),
        (
            &["--report", "json", "--report", "json"],
            "error: `json` would be written to standard output twice",
        ),
        (
            &["--report", "human", "--report", "human"],
            "error: `human` would be written to standard error twice",
        ),
        (
            &["--report", "json=x", "--report", "sarif=./here/x"],
            "error: `json` and `sarif` would be written to `./here/x`: choose another file\n",
        ),
        (
            &["--report", "json=registry/base.kdl"],
            "error: the report `registry/base.kdl` would become part of the registry",
        ),
        (
            &["--report", "json=known.json", "--baseline", "./known.json"],
            "error: the report `known.json` would overwrite the baseline: choose another file\n",
        ),
        (&["--report", "sarfi"], "did you mean `sarif`?"),
        (&["--report", "xml"], "expected human, concise, json, sarif, github or gitlab"),
        (&["--report", "json="], "write `json=FILE`, or `json` alone"),
        (&["--max-findings", "0"], "expected a positive number or `all`"),
    ];
    for (args, expected) in cases {
        for command in ["check", "build"] {
            let output = workspace.run(&[&[command], args].concat());
            let stderr = text(&output.stderr);
            assert_eq!(exit_code(&output), 2, "{args:?}");
            assert!(stderr.contains(expected), "{args:?}: {stderr}");
            assert!(output.stdout.is_empty() && !workspace.at("out").exists() && !workspace.at("x").exists());
        }
    }
    assert_eq!(read(&workspace, "registry/base.kdl"), BASE);
}

#[test]
fn a_report_that_cannot_be_written_fails_the_run_with_and_without_findings() {
    fs::metadata("/dev/full").unwrap();
    for (workspace, formats) in [
        (Workspace::new(""), &["json", "sarif", "gitlab", "human"][..]),
        (Workspace::new(BROKEN), &MACHINE_FORMATS[..]),
    ] {
        for format in formats {
            let full =
                workspace.run(&["check", "--report", &format!("{format}=/dev/full"), "--report", "json=ok"]);
            assert_eq!(exit_code(&full), 2, "{format}");
            assert!(text(&full.stderr).contains("error: cannot write `/dev/full`: the disk is full"));
            json(&read(&workspace, "ok"));
        }
        fs::write(workspace.at("file"), "").unwrap();
        let output = workspace.run(&["check", "--report", "json=file/x"]);
        assert_eq!(exit_code(&output), 2, "{}", text(&output.stderr));
        for format in ["json", "sarif", "gitlab"] {
            let script = format!("'{}' check --report {format} >/dev/full", crate::support::orchgen());
            let mut shell = Command::new("bash");
            let output = shell.args(["-c", &script]).current_dir(workspace.at("")).output().unwrap();
            assert_eq!(exit_code(&output), 2, "{format}");
        }
    }
}

#[test]
fn a_closed_pipe_is_no_error_in_any_format() {
    let many = warnings(1000);
    let workspace = Workspace::new(&many);
    for format in MACHINE_FORMATS {
        let script = format!(
            "'{}' check --report {format} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}",
            crate::support::orchgen()
        );
        let output =
            Command::new("bash").args(["-c", &script]).current_dir(workspace.at("")).output().unwrap();
        assert_eq!((exit_code(&output), text(&output.stderr)), (0, String::new()), "{format}");
    }
}

#[test]
fn every_format_reports_drift() {
    let workspace = Workspace::new("");
    workspace.run(&["build"]);
    fs::remove_file(workspace.at("out/stack.json")).unwrap();
    for format in MACHINE_FORMATS {
        let output = workspace.run(&["build", "--check", "--report", format]);
        assert_eq!(exit_code(&output), 1);
        let stdout = text(&output.stdout);
        assert!(stdout.contains("out/stack.json"), "{format}");
        assert!(stdout.contains("output-drift") || stdout.contains(r#""ruleId":"ORC403""#), "{format}");
    }
}

#[test]
fn paths_in_reports_are_relative_to_the_root_of_the_repository() {
    let workspace = Workspace::new(BROKEN);
    fs::create_dir_all(workspace.at("deep/er")).unwrap();
    fs::create_dir(workspace.at(".git")).unwrap();
    symlink("../registry", workspace.at("deep/link")).unwrap();
    fs::rename(workspace.at("registry/base.kdl"), workspace.at("registry/b,c:d%.kdl")).unwrap();
    let elsewhere = Workspace::new(BROKEN);
    let outside = elsewhere.at("registry").canonicalize().unwrap();
    let whole = workspace.at("registry");
    let cases = [
        ("", "registry", "registry"),
        ("", "./registry/", "registry"),
        ("deep/er", "../../registry", "registry"),
        ("deep/er", "../link", "registry"),
        ("deep", &whole.to_string_lossy(), "registry"),
        ("deep", &outside.to_string_lossy(), &outside.to_string_lossy()),
    ];
    for (folder, registry, expected) in cases {
        let mut command = workspace.command(&["check", registry, "--report", "gitlab"]);
        let stdout = text(&command.current_dir(workspace.at(folder)).output().unwrap().stdout);
        let path = json(&stdout)[0]["location"]["path"].as_str().unwrap().to_owned();
        assert_eq!(
            path.rsplit_once('/').unwrap().0,
            expected,
            "registry {registry}, working folder {folder}"
        );
    }
    let github = text(&workspace.run(&["check", "--report", "github"]).stdout);
    assert!(github.starts_with("::error file=registry/b%2Cc%3Ad%25.kdl,line="), "{github}");
    let log = json(&text(&workspace.run(&["check", "--report", "sarif"]).stdout));
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(place["uri"], "registry/b%2Cc%3Ad%25.kdl");
}

#[test]
fn max_findings_keeps_the_most_severe_findings_and_prints_how_many_are_left_out() {
    let many = warnings(1000);
    let workspace = Workspace::new(&(many + BROKEN));
    let output = workspace.run(&["check"]);
    let stderr = text(&output.stderr);
    assert_eq!(exit_code(&output), 1);
    assert_eq!(stderr.matches("\nwarning[ORC315]").count() + usize::from(stderr.starts_with("warning[")), 99);
    assert_eq!(
        stderr.matches("error[ORC210]").count(),
        1,
        "the error is printed, although it is last in the registry"
    );
    assert!(
        stderr.contains("\n901 more findings not printed; --max-findings all prints them\n"),
        "{}",
        &stderr[stderr.len() - 400..]
    );
    assert!(stderr.contains("\n1 error, 1000 warnings"));
    assert!(stderr.lines().count() < 1500, "{}", stderr.lines().count());
    let few = text(&workspace.run(&["check", "--max-findings", "1"]).stderr);
    assert!(few.starts_with("error[ORC210]"), "{few}");
    let all = text(&workspace.run(&["check", "--max-findings", "all"]).stderr);
    assert_eq!(all.matches("warning[ORC315]").count(), 1_000);
}

mod tools {
    use super::*;

    #[test]
    fn validators_accept_the_sarif_and_json_reports() {
        let faults = format!(
            "{BROKEN}family \"odd\" arch=\"none\" {{ allow \"315\" because=\"ours\"; }}; ban target=\"odd\" draft=\"*\" failure=\"f\"\nfamily \"odder\" arch=\"nine\"; ban target=\"odder\" draft=\"*\" failure=\"f\"\ntier \"T\" titel=\"x\"\n"
        );
        for extra in ["", &faults] {
            let workspace = Workspace::new(extra);
            workspace.run(&["check", "--report", "sarif=a.sarif", "--report", "json=a.json"]);
            assert_eq!(sarif::validation_errors(&workspace.at("a.sarif")), [""; 0]);
            assert_eq!(schema::validation_errors(&json(&read(&workspace, "a.json"))), [""; 0]);
        }
    }
}
