//! Where findings go: formats, streams, files, and what becomes of them when they cannot be written.

use super::{BASE, BROKEN, Ground, code, text};
use crate::report::{sarif, schema};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

const PROGRAMS: [&str; 5] = ["concise", "json", "sarif", "github", "gitlab"];

fn read(ground: &Ground, path: &str) -> String {
    fs::read_to_string(ground.at(path)).unwrap()
}

/// Families with as many warnings.
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
fn each_format_is_alone_on_its_stream() {
    for (ground, errors) in [(Ground::new(""), 0), (Ground::new(BROKEN), 1)] {
        for command in ["check", "build"] {
            for format in PROGRAMS {
                let output = ground.run(&[command, "--report", format]);
                let same = ground.run(&[command, "--output-format", format]);
                assert_eq!(code(&output), errors);
                assert_eq!(text(&output.stdout), text(&same.stdout));
                assert!(output.stderr.is_empty(), "{format}: {}", text(&output.stderr));
                assert!(output.stdout.is_empty() || output.stdout.ends_with(b"\n"), "{format}");
            }
            let output = ground.run(&[command, "--report", "human"]);
            assert!(output.stdout.is_empty() && !output.stderr.is_empty());
        }
    }
}

#[test]
fn several_in_one_run_are_files_and_people_read_beside_them() {
    let ground = Ground::new(BROKEN);
    let mut args = vec!["check".to_owned()];
    for format in PROGRAMS.iter().chain(&["human"]) {
        args.extend(["--report".to_owned(), format!("{format}=reports/{format}")]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let output = ground.run(&args);
    assert_eq!((code(&output), text(&output.stdout)), (1, String::new()));
    assert!(text(&output.stderr).starts_with("error[ORC210] unknown-name"), "{}", text(&output.stderr));
    for format in PROGRAMS {
        let alone = ground.run(&["check", "--report", format]);
        assert_eq!(read(&ground, &format!("reports/{format}")), text(&alone.stdout), "{format}");
    }
    assert!(read(&ground, "reports/human").contains("error[ORC210]"));
    assert_eq!(fs::read_dir(ground.at("reports")).unwrap().count(), 6, "nothing is left beside them");
    let both = ground.run(&["check", "--report", "json", "--report", "human", "--report", "gitlab=g.json"]);
    json(&text(&both.stdout));
    assert!(text(&both.stderr).contains("ORC210") && json(&read(&ground, "g.json")).is_array());
}

#[test]
fn reports_that_are_in_each_others_way_are_refused_before_anything_is_done() {
    let ground = Ground::new("");
    symlink(".", ground.at("here")).unwrap();
    let cases: [(&[&str], &str); 10] = [
        (
            &["--report", "json", "--output-format", "sarif"],
            "error: the reports would write `sarif` and `json` both to standard output: name a file for one, as in `--report json=FILE`\n",
        ),
        (
            &["--report", "json", "--report", "json"],
            "error: the reports would write `json` twice to standard output",
        ),
        (
            &["--report", "human", "--report", "human"],
            "error: the reports would write `human` twice to standard error",
        ),
        (
            &["--report", "json=x", "--report", "sarif=./here/x"],
            "error: the reports would write `json` and `sarif` both to `./here/x`: name another file\n",
        ),
        (
            &["--report", "json=registry/base.kdl"],
            "error: the report `registry/base.kdl` would be a file of the registry",
        ),
        (
            &["--report", "json=known.json", "--baseline", "./known.json"],
            "error: the report `known.json` would take the place of the known findings: name another file\n",
        ),
        (&["--report", "sarfi"], "did you mean `sarif`?"),
        (&["--report", "xml"], "expected human, concise, json, sarif, github or gitlab"),
        (&["--report", "json="], "write `json=FILE`, or `json` alone"),
        (&["--max-findings", "0"], "expected a number from 1 on, or `all`"),
    ];
    for (args, expected) in cases {
        for command in ["check", "build"] {
            let output = ground.run(&[&[command], args].concat());
            let said = text(&output.stderr);
            assert_eq!(code(&output), 2, "{args:?}");
            assert!(said.contains(expected), "{args:?}: {said}");
            assert!(output.stdout.is_empty() && !ground.at("out").exists() && !ground.at("x").exists());
        }
    }
    assert_eq!(read(&ground, "registry/base.kdl"), BASE);
}

#[test]
fn a_report_that_is_lost_is_no_success_whatever_was_found() {
    fs::metadata("/dev/full").unwrap();
    for (ground, said) in
        [(Ground::new(""), &["json", "sarif", "gitlab", "human"][..]), (Ground::new(BROKEN), &PROGRAMS[..])]
    {
        for format in said {
            let full =
                ground.run(&["check", "--report", &format!("{format}=/dev/full"), "--report", "json=ok"]);
            assert_eq!(code(&full), 2, "{format}");
            assert!(text(&full.stderr).contains("error: cannot write `/dev/full`: the disk is full"));
            json(&read(&ground, "ok"));
        }
        fs::write(ground.at("file"), "").unwrap();
        let output = ground.run(&["check", "--report", "json=file/x"]);
        assert_eq!(code(&output), 2, "{}", text(&output.stderr));
        for format in ["json", "sarif", "gitlab"] {
            let script = format!("'{}' check --report {format} >/dev/full", env!("CARGO_BIN_EXE_orchgen"));
            let mut shell = Command::new("bash");
            let output = shell.args(["-c", &script]).current_dir(ground.at("")).output().unwrap();
            assert_eq!(code(&output), 2, "{format}");
        }
    }
}

#[test]
fn a_closed_pipe_is_quiet_in_every_format() {
    let many = warnings(1000);
    let ground = Ground::new(&many);
    for format in PROGRAMS {
        let script = format!(
            "'{}' check --report {format} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}",
            env!("CARGO_BIN_EXE_orchgen")
        );
        let output = Command::new("bash").args(["-c", &script]).current_dir(ground.at("")).output().unwrap();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()), "{format}");
    }
}

#[test]
fn drift_is_in_every_format() {
    let ground = Ground::new("");
    ground.run(&["build"]);
    fs::remove_file(ground.at("out/stack.json")).unwrap();
    for format in PROGRAMS {
        let output = ground.run(&["build", "--check", "--report", format]);
        assert_eq!(code(&output), 1);
        let said = text(&output.stdout);
        assert!(said.contains("out/stack.json"), "{format}");
        assert!(said.contains("output-drift") || said.contains(r#""ruleId":"ORC403""#), "{format}");
    }
}

#[test]
fn programs_get_paths_from_the_root_of_the_repository() {
    let ground = Ground::new(BROKEN);
    fs::create_dir_all(ground.at("deep/er")).unwrap();
    fs::create_dir(ground.at(".git")).unwrap();
    symlink("../registry", ground.at("deep/link")).unwrap();
    fs::rename(ground.at("registry/base.kdl"), ground.at("registry/b,c:d%.kdl")).unwrap();
    let elsewhere = Ground::new(BROKEN);
    let outside = elsewhere.at("registry").canonicalize().unwrap();
    let whole = ground.at("registry");
    let cases = [
        ("", "registry", "registry"),
        ("", "./registry/", "registry"),
        ("deep/er", "../../registry", "registry"),
        ("deep/er", "../link", "registry"),
        ("deep", &whole.to_string_lossy(), "registry"),
        ("deep", &outside.to_string_lossy(), &outside.to_string_lossy()),
    ];
    for (folder, registry, expected) in cases {
        let mut command = ground.command(&["check", registry, "--report", "gitlab"]);
        let said = text(&command.current_dir(ground.at(folder)).output().unwrap().stdout);
        let path = json(&said)[0]["location"]["path"].as_str().unwrap().to_owned();
        assert_eq!(path.rsplit_once('/').unwrap().0, expected, "{registry} in {folder}");
    }
    let github = text(&ground.run(&["check", "--report", "github"]).stdout);
    assert!(github.starts_with("::error file=registry/b%2Cc%3Ad%25.kdl,line="), "{github}");
    let log = json(&text(&ground.run(&["check", "--report", "sarif"]).stdout));
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(place["uri"], "registry/b%2Cc%3Ad%25.kdl");
}

#[test]
fn what_the_program_writes_is_what_validators_want() {
    let faults = format!(
        "{BROKEN}family \"odd\" arch=\"none\" {{ allow \"315\" because=\"ours\"; }}; ban target=\"odd\" draft=\"*\" failure=\"f\"\nfamily \"odder\" arch=\"nine\"; ban target=\"odder\" draft=\"*\" failure=\"f\"\ntier \"T\" titel=\"x\"\n"
    );
    for extra in ["", &faults] {
        let ground = Ground::new(extra);
        ground.run(&["check", "--report", "sarif=a.sarif", "--report", "json=a.json"]);
        assert_eq!(sarif::complaints(&ground.at("a.sarif")), [""; 0]);
        assert_eq!(schema::complaints(&json(&read(&ground, "a.json"))), [""; 0]);
    }
}

#[test]
fn people_see_the_most_severe_and_how_many_more_there_are() {
    let many = warnings(1000);
    let ground = Ground::new(&(many + BROKEN));
    let output = ground.run(&["check"]);
    let said = text(&output.stderr);
    assert_eq!(code(&output), 1);
    assert_eq!(said.matches("\nwarning[ORC315]").count() + usize::from(said.starts_with("warning[")), 99);
    assert_eq!(said.matches("error[ORC210]").count(), 1, "the error is the last in the text");
    assert!(
        said.contains("\n901 more findings are not drawn; --max-findings all draws them\n"),
        "{}",
        &said[said.len() - 400..]
    );
    assert!(said.contains("\n1 error, 1000 warnings"));
    assert!(said.lines().count() < 1500, "{}", said.lines().count());
    let few = text(&ground.run(&["check", "--max-findings", "1"]).stderr);
    assert!(few.starts_with("error[ORC210]"), "{few}");
    let all = text(&ground.run(&["check", "--max-findings", "all"]).stderr);
    assert_eq!(all.matches("warning[ORC315]").count(), 1_000);
}
