//! `check --watch`: a new report after each change.

use super::{BASE, BROKEN, Workspace, exit_code, text};
use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The longest wait for a report. A report usually needs half a second.
const LIMIT: Duration = Duration::from_mins(1);

/// A running `check --watch`, which ends with the test.
struct Watch {
    child: Child,
    text: Receiver<Vec<u8>>,
    unread: String,
}

impl Watch {
    /// Starts a command. Its standard error is read.
    fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stream = child.stderr.take().unwrap();
        let (sender, text) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, text, unread: String::new() }
    }

    /// Waits until the output has these words, and returns it up to their end.
    #[track_caller]
    fn wait_for(&mut self, words: &str) -> String {
        loop {
            if let Some(at) = self.unread.find(words) {
                let rest = self.unread.split_off(at + words.len());
                return std::mem::replace(&mut self.unread, rest);
            }
            match self.text.recv_timeout(LIMIT) {
                Ok(bytes) => self.unread.push_str(&text(&bytes)),
                Err(error) => panic!("no {words:?} in {:?}: {error}", self.unread),
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const WATCHING: &str = "watching registry (Ctrl-C stops)\n";

#[test]
fn a_change_of_a_file_gives_a_new_report() {
    let workspace = Workspace::new("");
    let mut watch = Watch::start(&mut workspace.command(&["check", "--watch"]));
    assert!(watch.wait_for(WATCHING).contains("no findings"));
    // Written in place.
    fs::write(workspace.at("registry/base.kdl"), format!("{BASE}{BROKEN}")).unwrap();
    let report = watch.wait_for(WATCHING);
    assert!(report.starts_with("---\n") && report.contains("error[ORC"), "{report}");
    assert!(!report.contains('\u{1b}'), "{report}");
    // Replaced by another file, as editors do.
    fs::write(workspace.at("registry/.base.kdl.swp"), BASE).unwrap();
    fs::rename(workspace.at("registry/.base.kdl.swp"), workspace.at("registry/base.kdl")).unwrap();
    assert!(watch.wait_for(WATCHING).contains("no findings"));
    // A new file with broken syntax.
    fs::write(workspace.at("registry/more.kdl"), "role \"x {\n").unwrap();
    assert!(watch.wait_for(WATCHING).contains("more.kdl"));
    fs::remove_file(workspace.at("registry/more.kdl")).unwrap();
    assert!(watch.wait_for(WATCHING).contains("no findings"));
    fs::write(workspace.at("registry/registry.lock"), "damaged").unwrap();
    assert!(watch.wait_for(WATCHING).contains("registry.lock"));
    fs::remove_file(workspace.at("registry/registry.lock")).unwrap();
    watch.wait_for(WATCHING);
}

#[test]
fn the_folder_can_be_removed_and_come_back() {
    let workspace = Workspace::new("");
    let mut watch = Watch::start(&mut workspace.command(&["check", "--watch", "registry"]));
    watch.wait_for(WATCHING);
    fs::rename(workspace.at("registry"), workspace.at("other")).unwrap();
    assert!(watch.wait_for(WATCHING).contains("error: cannot read `registry`"));
    fs::rename(workspace.at("other"), workspace.at("registry")).unwrap();
    assert!(watch.wait_for(WATCHING).contains("no findings"));
}

#[test]
fn several_changes_are_one_report() {
    let workspace = Workspace::new("");
    let mut watch = Watch::start(&mut workspace.command(&["check", "--watch"]));
    watch.wait_for(WATCHING);
    for _ in 0..20 {
        fs::write(workspace.at("registry/base.kdl"), format!("{BASE}{BROKEN}")).unwrap();
    }
    fs::write(workspace.at("registry/base.kdl"), BASE).unwrap();
    fs::write(workspace.at("registry/last.kdl"), BROKEN).unwrap();
    let report = watch.wait_for("last.kdl");
    assert!(report.matches("---\n").count() <= 3, "{report}");
}

#[test]
fn quiet_prints_findings_only_and_reports_go_to_files() {
    let workspace = Workspace::new("");
    let mut watch = Watch::start(&mut workspace.command(&[
        "check",
        "--watch",
        "--quiet",
        "--report",
        "json=report.json",
    ]));
    while !workspace.at("report.json").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    fs::write(workspace.at("registry/base.kdl"), format!("{BASE}{BROKEN}")).unwrap();
    let report = watch.wait_for("error[ORC");
    assert_eq!(report, "error[ORC");
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let workspace = Workspace::new("");
    for option in [
        "--fix",
        "--diff",
        "--update-baseline --baseline b.json",
        "--output-format json",
        "--report concise",
        "--report json=registry/report.json",
    ] {
        let args: Vec<&str> = ["check", "--watch"].into_iter().chain(option.split(' ')).collect();
        let output = workspace.run(&args);
        assert_eq!(exit_code(&output), 2, "{option}");
        assert!(text(&output.stderr).contains("--watch"), "{option}: {}", text(&output.stderr));
    }
    let output = workspace.run(&["check", "--watch", "nowhere"]);
    assert_eq!(exit_code(&output), 2, "a wrong folder ends the first run");
}

mod tools {
    use super::*;

    #[test]
    fn a_terminal_is_cleared_before_the_next_report() {
        let workspace = Workspace::new("");
        let program = format!("'{}' check --watch 1>&2", crate::support::orchgen());
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--flush", "--command", &program, "/dev/stderr"]);
        script.current_dir(workspace.0.path()).env("TERM", "xterm").env_remove("CI").env("NO_COLOR", "1");
        let mut watch = Watch::start(&mut script);
        let first = watch.wait_for("(Ctrl-C stops)");
        assert!(!first.contains("\u{1b}[2J"), "{first:?}");
        fs::write(workspace.at("registry/base.kdl"), format!("{BASE}{BROKEN}")).unwrap();
        let next = watch.wait_for("(Ctrl-C stops)");
        assert!(next.contains("\u{1b}[2J\u{1b}[H") && next.contains("error[ORC"), "{next:?}");
        assert!(!next.contains("---\r"), "{next:?}");
    }
}
