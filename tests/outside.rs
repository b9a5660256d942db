//! External programs that verify the output of orchgen: bash, shellcheck, systemd, and Python packages.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A unit as systemd parsed it.
pub(crate) struct Dump {
    /// The section `Unit X:` of the output of `systemd --test`.
    pub(crate) raw: String,
}

impl Dump {
    /// The values of a key, such as `Description` or `MemoryMax`; `\t\t` starts every line.
    pub(crate) fn all(&self, key: &str) -> Vec<&str> {
        let key = format!("{key}: ");
        self.raw.lines().filter_map(|line| line.trim_start().strip_prefix(&key)).collect()
    }

    /// The argv of each command, before systemd expands `$`.
    pub(crate) fn argvs(&self) -> Vec<Vec<String>> {
        self.all("Command Line").into_iter().map(split_words).collect()
    }

    /// True if the unit has exactly this environment variable. The dump does not escape line breaks in a value.
    pub(crate) fn has_environment(&self, name: &str, value: &str) -> bool {
        let entry = format!("\t\tEnvironment: {name}={value}\n");
        self.raw.match_indices(&entry).any(|(at, _)| self.raw[at + entry.len()..].starts_with('\t'))
    }
}

/// A temporary folder that every user may enter, because the external programs do not run as root.
pub(crate) fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    dir
}

/// Writes a file with this mode, and its parent folders.
pub(crate) fn write(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Writes a program into the folder. It prints its arguments with a NUL after each.
pub(crate) fn stub(dir: &Path) -> PathBuf {
    let path = dir.join("stub");
    write(&path, "#!/bin/sh\n[ $# -eq 0 ] || printf '%s\\0' \"$@\"\n", 0o755);
    path
}

/// Checks a bash script with `bash -n`, runs it, and returns the arguments that it passes to a [`stub`].
pub(crate) fn run_bash_argv(script: &Path, args: &[&str]) -> Vec<Vec<u8>> {
    let check = run(Command::new("bash").arg("-n").arg(script), "bash");
    assert!(check.status.success() && check.stderr.is_empty(), "bash -n: {}", text(&check.stderr));
    let output = run(Command::new("bash").arg(script).args(args), "bash");
    assert!(output.status.success() && output.stderr.is_empty(), "bash: {}", text(&output.stderr));
    let mut words: Vec<Vec<u8>> = output.stdout.split(|b| *b == 0).map(<[u8]>::to_vec).collect();
    words.pop();
    words
}

/// The output of shellcheck with all warnings enabled; empty if the scripts have no findings.
pub(crate) fn shellcheck<P: AsRef<OsStr>>(scripts: impl IntoIterator<Item = P>) -> String {
    let output =
        run(Command::new("shellcheck").args(["-S", "style", "-f", "gcc"]).args(scripts), "shellcheck");
    text(&output.stdout) + &text(&output.stderr)
}

/// The messages of `systemd-analyze verify`. The exit code alone is not reliable, so tests compare the messages.
pub(crate) fn systemd_verify(unit_dir: &Path, scope: &str, units: &[&str]) -> String {
    let mut command = unprivileged("systemd-analyze", &[unit_dir]);
    // The manager of a user needs a folder for sockets.
    let runtime_dir = folder();
    fs::set_permissions(runtime_dir.path(), Permissions::from_mode(0o777)).unwrap();
    command.env("XDG_RUNTIME_DIR", runtime_dir.path());
    command.args([scope, "verify", "--man=no", "--recursive-errors=yes"]).args(units);
    text(&run(&mut command, "systemd").stderr)
}

/// Lets systemd parse one unit of a folder.
pub(crate) fn systemd_dump(unit_dir: &Path, unit: &str) -> Dump {
    systemd_dumps(unit_dir, &[unit]).remove(unit).unwrap()
}

/// Lets systemd parse several units of a folder, in one run of `systemd --test`, which starts no unit.
pub(crate) fn systemd_dumps(unit_dir: &Path, units: &[&str]) -> BTreeMap<String, Dump> {
    let target_dir = folder();
    let all = format!("[Unit]\nWants={}\n", units.join(" "));
    write(&target_dir.path().join("orchgen-test-all.target"), &all, 0o644);
    let mut command = unprivileged("/lib/systemd/systemd", &[unit_dir, target_dir.path()]);
    command.args(["--test", "--system", "--unit=orchgen-test-all.target"]);
    let output = run(&mut command, "systemd");
    let messages = text(&output.stderr);
    let mut found = BTreeMap::new();
    for section in text(&output.stdout).split("\n\t-> Unit ").skip(1) {
        let name = section.split_once(":\n").unwrap().0;
        if units.contains(&name) {
            found.insert(name.to_owned(), Dump { raw: section.to_owned() });
        }
    }
    assert_eq!(found.len(), units.len(), "systemd did not load all of {units:?}:\n{messages}");
    let about_units =
        messages.lines().filter(|line| line.contains(unit_dir.to_str().unwrap())).collect::<Vec<_>>();
    assert!(about_units.is_empty(), "systemd reports: {about_units:#?}");
    found
}

/// A command that runs as an unprivileged user and finds units in these folders before those of the machine.
fn unprivileged(program: &str, unit_dirs: &[&Path]) -> Command {
    let id = run(Command::new("id").arg("-u"), "coreutils");
    let mut command = if text(&id.stdout).trim() == "0" {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--clear-groups", "--", program]);
        command
    } else {
        Command::new(program)
    };
    let dirs: Vec<_> = unit_dirs.iter().map(|dir| dir.to_string_lossy()).collect();
    command.env_clear().envs([
        ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        ("HOME", "/"),
        ("LC_ALL", "C.UTF-8"),
    ]);
    command.env("SYSTEMD_UNIT_PATH", dirs.join(":") + ":");
    command
}

/// Runs a program. Panics with the name of its Debian package if it is not installed.
pub(crate) fn run(command: &mut Command, package: &str) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    let package = if program == "setpriv" { "util-linux" } else { package };
    let output = command.output();
    assert!(output.is_ok(), "cannot run {program} ({output:?}): apt-get install {package}");
    let output = output.unwrap();
    let missing = output.status.code() == Some(127);
    assert!(!missing, "{}: apt-get install {package}", text(&output.stderr));
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Splits a command line as systemd prints it: a word is bare, or in double quotes with C escapes.
pub(crate) fn split_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let mut word = Vec::new();
        let bytes = rest.as_bytes();
        let mut at = 0;
        if bytes[0] == b'"' {
            at = 1;
            while bytes[at] != b'"' {
                if bytes[at] == b'\\' {
                    let (byte, length) = parse_c_escape(&bytes[at + 1..]);
                    word.push(byte);
                    at += 1 + length;
                } else {
                    word.push(bytes[at]);
                    at += 1;
                }
            }
            at += 1;
        } else {
            while at < bytes.len() && bytes[at] != b' ' {
                word.push(bytes[at]);
                at += 1;
            }
        }
        words.push(String::from_utf8(word).unwrap());
        rest = rest[at..].strip_prefix(' ').unwrap_or(&rest[at..]);
    }
    words
}

/// Parses a C escape after its backslash. Returns the byte and the length of the escape.
fn parse_c_escape(bytes: &[u8]) -> (u8, usize) {
    match bytes[0] {
        b'a' => (7, 1),
        b'b' => (8, 1),
        b'f' => (12, 1),
        b'n' => (10, 1),
        b'r' => (13, 1),
        b't' => (9, 1),
        b'v' => (11, 1),
        b'0'..=b'7' => (bytes[..3].iter().fold(0, |sum, digit| sum * 8 + (digit - b'0')), 3),
        other => (other, 1),
    }
}

/// A program that `.ci/test` installs below `target/`: from the Python packages of `.ci/requirements.txt`, or promtool.
pub(crate) fn python_tool(name: &str) -> Command {
    let program = crate::support::repository().join("target/tools/bin").join(name);
    assert!(program.is_file(), "{name} is missing: run `bash .ci/test`, which installs it");
    Command::new(program)
}

/// The Python interpreter with these packages.
pub(crate) fn python() -> Command {
    let mut python = python_tool("python3");
    // Imports would write `__pycache__` into the repository.
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    python
}
