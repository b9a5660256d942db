//! Commands and options of other tools: the error names what to write instead.

use super::{Workspace, exit_code, text};
use orchgen::cli::command;
use orchgen::cli::foreign::{COMMANDS, OPTIONS, explain};

/// The exit code and the error of a command line.
fn error(line: &str) -> (i32, String) {
    let output = Workspace::new("").run(&line.split(' ').collect::<Vec<_>>());
    assert!(output.stdout.is_empty(), "{line}: {}", text(&output.stdout));
    (exit_code(&output), text(&output.stderr))
}

/// The text for a command line, without a process.
fn explained(line: &str) -> String {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let parsed = command().try_get_matches_from(&words);
    explain(&parsed.unwrap_err(), &words).unwrap_or_else(|| panic!("{line}: no text"))
}

/// True if clap accepts a command line.
fn is_valid(line: &str) -> bool {
    command().try_get_matches_from(line.split(' ')).map_or_else(|error| !error.use_stderr(), |_| true)
}

#[test]
fn the_help_has_the_corrected_command_line() {
    for (line, help) in [
        ("validate", "orchgen check"),
        ("verify registry --strict", "orchgen check registry --deny warnings"),
        ("check -D warnings", "orchgen check --deny warnings"),
        ("check --deny port-conflict", "orchgen check --error port-conflict"),
        ("check --allow 305", "orchgen check --ignore 305"),
        ("check --dry-run", "orchgen check"),
        ("check --json", "orchgen check --output-format json"),
        ("--color never lint --format=sarif", "orchgen --color never lint --output-format sarif"),
        ("check -f registry/stack.kdl", "orchgen check registry"),
        ("check --config=stack.yaml", "orchgen check ."),
        ("check --file my-registry", "orchgen check my-registry"),
        ("build --dry-run", "orchgen build --check"),
        ("build -o generated", "orchgen build --out generated"),
        ("generate --target docs", "orchgen build --only docs"),
        ("build --watch", "orchgen check --watch"),
        ("deploy --auto-approve", "orchgen apply --yes"),
        ("apply -auto-approve", "orchgen apply --yes"),
        ("plan -detailed-exitcode", "orchgen plan --detailed-exitcode"),
        ("check -Werror", "orchgen check --deny warnings"),
        ("convert", "orchgen import FILE"),
        ("convert config.yaml", "orchgen import config.yaml"),
        ("import --json config.yaml", "orchgen import --report json config.yaml"),
        ("upgrade", "orchgen engine diff OLD NEW"),
        ("completion zsh", "orchgen completions zsh"),
        ("tutorial vision", "orchgen guide vision"),
        ("version", "orchgen --version"),
        ("check --version", "orchgen --version"),
        ("status --no-color", "orchgen status --color never"),
    ] {
        let (code, text) = error(line);
        assert_eq!(code, 2, "{line}: {text}");
        assert!(text.ends_with(&format!("\nhelp: run `{help}`\n")), "{line}: {text}");
        assert!(text.starts_with("error: ") && text.lines().count() == 2, "{line}: {text}");
    }
}

#[test]
fn the_error_names_the_wrong_word() {
    assert_eq!(error("validate").1, "error: orchgen has no command `validate`\nhelp: run `orchgen check`\n");
    let (_, text) = error("engine list --json");
    assert_eq!(
        text,
        "error: `orchgen engine list` has no option `--json`\nhelp: run `orchgen engine list --output-format json`\n"
    );
    let (_, text) = error("build --fix");
    assert!(text.contains("has no option `--fix`\nhelp: `--fix` is an option of `orchgen check`;"), "{text}");
    let (_, text) = error("check --out x");
    assert!(text.contains("`orchgen build`") && text.contains("`orchgen check --help`"), "{text}");
    let (_, text) = error("check --format yaml");
    assert!(
        text.ends_with(
            "help: the option is `--output-format`: `orchgen check --help` describes its values\n"
        ),
        "{text}"
    );
    assert!(error("logs").1.contains("journalctl --unit"));
    assert!(error("stop").1.contains("systemctl stop STACK.target"));
}

#[test]
fn clap_explains_other_mistakes() {
    for (line, words) in [
        ("chekc", "a similar subcommand exists"),
        ("check --repor x", "'--report'"),
        ("engine shw", "'show'"),
        ("check --frob", "unexpected argument '--frob'"),
        ("check a b", "unexpected argument 'b'"),
        ("check --deny everything", "possible values: warnings"),
        ("apply registry", "unexpected argument 'registry'"),
    ] {
        let (code, text) = error(line);
        assert!(
            code == 2 && (text.contains(words) || text.contains("similar subcommands")),
            "{line}: {text}"
        );
    }
    let hostile = std::process::Command::new(crate::support::orchgen())
        .arg(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"valid\xffate"))
        .output()
        .unwrap();
    assert_eq!(exit_code(&hostile), 2);
}

#[test]
fn each_row_of_the_commands_names_a_command() {
    for row in COMMANDS {
        assert!(is_valid(format!("orchgen {} {}", row.write, row.arguments).trim_end()), "{row:?}");
        for name in row.names.split(' ') {
            assert!(!is_valid(&format!("orchgen {name}")), "`{name}` is a command of orchgen");
            let text = explained(&format!("orchgen {name}"));
            assert!(text.starts_with(&format!("error: orchgen has no command `{name}`\nhelp: ")), "{text}");
        }
    }
}

#[test]
fn each_row_of_the_options_names_an_option() {
    for row in OPTIONS {
        let commands = if row.commands.is_empty() { "check explain" } else { row.commands };
        for command in commands.split(' ') {
            let needed = match command {
                "man" if !row.write.contains("--out") => " --out pages",
                "import" => " config.yaml",
                _ => "",
            };
            for spelling in row.names.split('|') {
                // A value that each option of the table takes.
                let values = ["docs", "port-conflict", "json", "yaml", "never", "unused-item"];
                let right = |value| format!("orchgen {command}{needed} {}", row.write.replace("{}", value));
                let value = values
                    .into_iter()
                    .find(|value| is_valid(right(value).trim_end()) || row.write.starts_with("orchgen"));
                let Some(value) = value else {
                    assert!(row.commands.is_empty(), "{row:?}: `{command}` does not take it");
                    continue;
                };
                let text = explained(&format!("orchgen {command}{needed} {}", spelling.replace("{}", value)));
                assert!(text.contains("\nhelp: run `orchgen "), "{command} {spelling} {value}: {text}");
            }
        }
    }
}
