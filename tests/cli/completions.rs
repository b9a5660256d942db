//! Completions: the candidates of orchgen, and the scripts in their shells.

use super::{BASE, Workspace, exit_code, text};
use std::fs;

/// The candidates for the last word, as value and help.
#[track_caller]
fn candidates(workspace: &Workspace, words: &[&str]) -> Vec<(String, String)> {
    let output = workspace.run(&[&["__complete", "fish", "orchgen"], words].concat());
    assert_eq!((exit_code(&output), text(&output.stderr)), (0, String::new()), "{words:?}");
    let pair = |line: &str| {
        let (value, help) = line.split_once('\t').unwrap_or((line, ""));
        (value.to_owned(), help.to_owned())
    };
    text(&output.stdout).lines().map(pair).collect()
}

#[track_caller]
fn values(workspace: &Workspace, words: &[&str]) -> Vec<String> {
    candidates(workspace, words).into_iter().map(|(value, _)| value).collect()
}

#[test]
fn commands_and_options_are_candidates() {
    let workspace = Workspace::new("");
    let commands = values(&workspace, &[""]);
    for name in ["check", "build", "apply", "engine", "completions"] {
        assert!(commands.contains(&name.to_owned()), "{commands:?}");
    }
    assert!(!commands.iter().any(|name| name.starts_with('-')), "{commands:?}");
    assert_eq!(values(&workspace, &["engine", "sh"]), ["show"]);
    assert_eq!(values(&workspace, &["check", "--fi"]), ["--fix"]);
    assert_eq!(values(&workspace, &["plan", "--output-format", "m"]), ["markdown"]);
    assert_eq!(values(&workspace, &["build", "--only", "systemd,do"]), ["systemd,docs"]);
    assert_eq!(values(&workspace, &["check", "--report", "sa"]), ["sarif"]);
}

#[test]
fn names_of_the_registry_are_candidates_with_their_help() {
    let workspace = Workspace::new("");
    let roles = candidates(&workspace, &["memory", "--fit", ""]);
    assert!(roles.iter().any(|(name, help)| name == "basic" && !help.is_empty()), "{roles:?}");
    assert_eq!(values(&workspace, &["memory", "--fit=exp"]), ["--fit=expert"]);
    // The registry of the command line, and the one around the working folder.
    fs::create_dir_all(workspace.at("second/below")).unwrap();
    fs::write(workspace.at("second/stack.kdl"), BASE.replace("role \"expert\"", "role \"extra\"")).unwrap();
    assert_eq!(values(&workspace, &["memory", "second", "--fit", "ex"]), ["extra"]);
    let mut command = workspace.command(&["__complete", "fish", "orchgen", "memory", "--fit", "ex"]);
    let output = command.current_dir(workspace.at("second/below")).output().unwrap();
    assert!(text(&output.stdout).starts_with("expert\t"), "{}", text(&output.stdout));
    let hosts = values(&workspace, &["plan", "--host", ""]);
    assert!(!hosts.is_empty() && hosts == values(&workspace, &["apply", "--host", ""]), "{hosts:?}");
}

#[test]
fn codes_profiles_fields_and_topics_are_candidates() {
    let workspace = Workspace::new("");
    let codes = candidates(&workspace, &["explain", "ORC30"]);
    assert!(codes.contains(&("ORC302".to_owned(), "port-conflict".to_owned())), "{codes:?}");
    let names = candidates(&workspace, &["check", "--error", "port-c"]);
    assert!(names[0].0 == "port-conflict" && names[0].1.starts_with("ORC302: "), "{names:?}");
    assert!(values(&workspace, &["check", "--ignore", "port-c"]).is_empty(), "an error cannot be ignored");
    assert_eq!(values(&workspace, &["check", "--warn", "al"]), ["all"]);
    for words in [
        &["engine", "show", "llama.cpp-b11"][..],
        &["engine", "diff", "x", "llama.cpp-b11"],
        &["import", "--profile", "llama.cpp-b11"],
    ] {
        assert!(values(&workspace, words).contains(&"llama.cpp-b11669".to_owned()), "{words:?}");
    }
    assert!(
        values(&workspace, &["engine", "show", "llama.cpp-b11669", "ctx-s"]).contains(&"ctx-size".to_owned())
    );
    let topics = candidates(&workspace, &["guide", "vis"]);
    assert_eq!(topics, [("vision".to_owned(), "Images: a vision model".to_owned())]);
    assert!(values(&workspace, &["schema", "--field", "role.draft."]).contains(&"role.draft.max".to_owned()));
}

#[test]
fn installed_stacks_and_generations_are_candidates() {
    let workspace = Workspace::new("");
    let generation = workspace.at("orchgen/home/generations/3");
    fs::create_dir_all(&generation).unwrap();
    fs::write(workspace.at("orchgen/home/current"), "3").unwrap();
    fs::write(generation.join("generation.json"), r#"{"number": 3, "host": "box", "created": 1}"#).unwrap();
    let complete = |words: &[&str]| {
        let mut command = workspace.command(&[&["__complete", "fish", "orchgen"], words].concat());
        let state = command.env("XDG_STATE_HOME", workspace.0.path()).env("HOME", "/nonexistent");
        text(&state.output().unwrap().stdout)
    };
    assert_eq!(complete(&["status", "--stack", "ho"]), "home\n");
    assert!(complete(&["rollback", "--stack", "home", "3"]).contains("3\thost box, current\n"));
}

#[test]
fn folders_and_files_are_candidates() {
    let workspace = Workspace::new("");
    fs::write(workspace.at("config.yaml"), "").unwrap();
    fs::write(workspace.at("mine.json"), "").unwrap();
    assert_eq!(values(&workspace, &["check", "reg"]), ["registry/"]);
    assert_eq!(values(&workspace, &["build", "--out", ""]), ["registry/"]);
    assert_eq!(values(&workspace, &["import", "con"]), ["config.yaml"]);
    assert_eq!(values(&workspace, &["check", "--report", "sarif=con"]), ["sarif=config.yaml"]);
    let profiles = values(&workspace, &["engine", "show", ""]);
    assert!(profiles[0].contains("llama") && profiles.contains(&"mine.json".to_owned()), "{profiles:?}");
    assert!(!profiles.contains(&"config.yaml".to_owned()), "{profiles:?}");
}

/// A shell shows the output of a completion, so errors have no place in it.
#[test]
fn broken_registries_and_requests_have_no_errors() {
    let broken = Workspace::new("role \"open model=\n");
    assert!(values(&broken, &["memory", "--fit", "b"]).contains(&"basic".to_owned()));
    for bytes in [&b"\xff\xfe\x00"[..], b"roles: [", b"}}}}{{{{", b"GGUF\0\0"] {
        let workspace = Workspace::new("");
        fs::write(workspace.at("registry/other.yaml"), bytes).unwrap();
        assert!(values(&workspace, &["memory", "--fit", "b"]).contains(&"basic".to_owned()), "{bytes:?}");
    }
    let large = Workspace::new("");
    fs::File::create(large.at("registry/large.yaml")).unwrap().set_len(5 << 20).unwrap();
    assert!(values(&large, &["memory", "--fit", ""]).is_empty(), "a large registry is not read");
    let none = Workspace(tempfile::tempdir().unwrap());
    assert!(values(&none, &["memory", "--fit", ""]).is_empty());
    for args in [
        &["__complete"][..],
        &["__complete", "fish"],
        &["__complete", "nushell", "orchgen", ""],
        &["__complete", "bash"],
        &["__complete", "zsh", "orchgen", "\\"],
    ] {
        let output = none.run(args);
        assert_eq!((exit_code(&output), text(&output.stderr)), (0, String::new()), "{args:?}");
    }
}

#[test]
fn values_with_control_characters_are_left_out() {
    let workspace = Workspace::new("");
    fs::write(workspace.at("bad\nname"), "").unwrap();
    fs::write(workspace.at("bad\u{1b}[2Jname"), "").unwrap();
    fs::write(workspace.at("bad good"), "").unwrap();
    assert_eq!(values(&workspace, &["import", "bad"]), ["bad good"]);
}

/// bash separates words at `=`, sends the last word with its quotes, and keeps the text before the separator.
#[test]
fn the_words_of_bash_are_joined() {
    let workspace = Workspace::new("");
    fs::create_dir(workspace.at("my folder")).unwrap();
    fs::create_dir(workspace.at("a$(touch `x`)")).unwrap();
    for (words, expected) in [
        (&["memory", "--fit", "=", "exp", "exp"][..], "expert \n"),
        (&["memory", "--fit", "exp", "exp"], "expert \n"),
        (&["check", "--report", "sarif", "=", "reg", "reg"], "registry/\n"),
        (&["check", "--report", "sarif", "=", ""], "a\\$\\(touch\\ \\`x\\`\\)/\nmy\\ folder/\nregistry/\n"),
        (&["build", "--out", "my\\ f", "my\\ f"], "my\\ folder/\n"),
        (&["build", "--out", "'my f", "my f"], "my folder/\n"),
        // bash expands commands and variables in `"`.
        (&["build", "--out", "\"a$", "a$"], "a\\$(touch \\`x\\`)/\n"),
        (&["ch", "ch"], "check \n"),
    ] {
        let output = workspace.run(&[&["__complete", "bash", "orchgen"], words].concat());
        assert_eq!(text(&output.stdout), expected, "{words:?}");
    }
}

mod tools {
    use super::*;
    use crate::outside::{run, shellcheck};
    use std::path::Path;
    use std::process::Command;

    /// A command in the workspace, with the orchgen under test in `PATH`.
    fn shell(workspace: &Workspace, program: &str, args: &[&str]) -> Command {
        let folder = Path::new(crate::support::orchgen()).parent().unwrap().to_str().unwrap().to_owned();
        let mut command = Command::new(program);
        command.args(args).current_dir(workspace.0.path()).env_clear();
        command
            .env("PATH", format!("{folder}:/usr/bin:/bin"))
            .env("HOME", workspace.0.path())
            .env("TERM", "xterm");
        command
    }

    fn script(workspace: &Workspace, shell: &str) -> std::path::PathBuf {
        let path = workspace.at(shell);
        fs::write(&path, workspace.run(&["completions", shell]).stdout).unwrap();
        path
    }

    #[test]
    fn bash_completes() {
        let workspace = Workspace::new("");
        let path = script(&workspace, "bash");
        assert!(shell(&workspace, "bash", &["-n", "bash"]).status().unwrap().success());
        shellcheck(&path);
        // The words as bash separates them, then what it replaces.
        let code = r#"source ./bash; complete -p orchgen >&2
            try() { local part=$1; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _orchgen orchgen "$part" ""; printf '%s|' "${COMPREPLY[@]}"; echo; }
            try exp orchgen memory --fit exp
            try exp orchgen memory --fit = exp
            try '' orchgen memory --fit =
            try ORC302 orchgen explain ORC302
            try reg orchgen check reg"#;
        let output = run(&mut shell(&workspace, "bash", &["--norc", "-euc", code]), "bash");
        let lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
        assert_eq!(lines[..2], ["expert |", "expert |"], "{}", text(&output.stderr));
        assert!(lines[2].contains("basic |"), "{lines:?}");
        assert_eq!(lines[3..], ["ORC302 |", "registry/|"]);
    }

    #[test]
    fn fish_completes() {
        let workspace = Workspace::new("");
        script(&workspace, "fish");
        let check = shell(&workspace, "fish", &["--no-execute", "fish"]).output().unwrap();
        assert!(check.status.success(), "{}", text(&check.stderr));
        let code = "source fish; complete -C 'orchgen explain ORC30'; complete -C 'orchgen memory --fit=exp'; complete -C 'orchgen check reg'";
        let output = run(&mut shell(&workspace, "fish", &["--no-config", "-c", code]), "fish");
        let printed = text(&output.stdout);
        assert!(printed.contains("ORC302\tport-conflict\n"), "{printed}");
        assert!(printed.contains("\n--fit=expert\t"), "{printed}");
        assert!(printed.ends_with("\nregistry/\n"), "{printed}");
    }

    /// The file in a folder of `fpath`, as the Debian package installs it: the first completion loads it.
    #[test]
    fn zsh_loads_the_script_and_completes() {
        let workspace = Workspace::new("");
        fs::create_dir(workspace.at("functions")).unwrap();
        fs::rename(script(&workspace, "zsh"), workspace.at("functions/_orchgen")).unwrap();
        assert!(shell(&workspace, "zsh", &["-n", "functions/_orchgen"]).status().unwrap().success());
        let code = r#"
            zmodload zsh/zpty
            zpty z zsh -f -i
            out=
            # Reads the terminal until it has the words, for a minute at most.
            wait_for() {
                local chunk count=0
                while [[ $out != *$1* ]] && (( count++ < 1200 )); do
                    chunk=; zpty -r -t z chunk && out+=$chunk || sleep 0.05
                done
                [[ $out == *$1* ]] || { print -r -- "no $1 in ${(V)out}"; exit 1 }
                out=
            }
            zpty -w z "PS1='% '; fpath=($PWD/functions \$fpath); autoload -Uz compinit; compinit -u -D; print ready\$((40 + 2))"
            wait_for ready42
            zpty -w -n z $'orchgen memory --fit=exp\t'
            wait_for 'rt'
            zpty -w -n z $'\C-uorchgen explain port-con\t'
            wait_for 'flict'
            zpty -w -n z $'\C-uorchgen check reg\t'
            wait_for 'istry/'
            zpty -w -n z $'\C-uorchgen explain ORC30\t\t'
            wait_for 'ORC302  -- port-conflict'
            zpty -d z"#;
        let output = run(&mut shell(&workspace, "zsh", &["-f", "-c", code]), "zsh");
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    }

    #[test]
    fn zsh_loads_the_script_from_the_program() {
        let workspace = Workspace::new("");
        let code = "source <(orchgen completions zsh); print -r -- $_comps[orchgen]; whence -w _orchgen";
        let output = run(&mut shell(&workspace, "zsh", &["-f", "-c", code]), "zsh");
        assert_eq!(text(&output.stdout), "_orchgen\n_orchgen: function\n", "{}", text(&output.stderr));
    }
}
