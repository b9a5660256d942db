//! Cases: configurations as users have them, with the expectations of a person.
//!
//! `cases/NAME/input/` has the files. `cases/NAME/expect.txt` is written by hand, from the rules of each format. A line that
//! begins with `#` is a comment. Words have the quotes of a POSIX shell.
//!
//! ```text
//! import FILE...            the files to import
//! options WORD...           further arguments of the import
//! variable NAME=VALUE       a variable of the import
//!
//! server NAME               begins a server; NAME is the name of its role
//!   role NAME               another name of its role; `*` for any
//!   from FILE:FIRST-LAST    its lines in the sources
//!   words WORD...           its program and arguments, without address and names; several lines add up. Paths are those
//!                           of the host
//!   program any | other     the sources do not name the path of llama-server | it is another program, compared as texts,
//!                           with `{port}` for its port
//!   port NUMBER | automatic
//!   host ADDRESS
//!   names NAME...           further names at the API
//!   env NAME=VALUE          a variable of the process
//!   placement POLICY NODES  such as `bind 0`
//!   cpus LIST
//!   start boot | demand     not judged without this line
//!   idle SECONDS            the time until it is unloaded; 0 for never
//!   apart NAME...           the servers that are never in memory at the same time
//!   unknown                 it is known only when its source runs, so it may be lost as a whole
//!
//! lost FILE:LINE: WORD      the report must name this setting with its place
//! ```
//!
//! `comparison.rs` decides about each setting. `comparison_faults.rs` proves that it finds faults.

use super::comparison::{Judged, Verdict, judge};
use super::emitted;
use super::expectation::Case;
use super::workspace::{Workspace, case_folder};
use std::fmt::Write;

/// The smallest percentage of settings that a case keeps.
const LEAST_KEPT: usize = 60;

/// Imports and builds a case, and compares.
#[track_caller]
fn run(name: &str) -> Vec<Judged> {
    let case = Case::parse(&std::fs::read_to_string(case_folder(name).join("expect.txt")).unwrap());
    let workspace = Workspace::of_case(name);
    let args: Vec<&str> = case.files.iter().chain(&case.options).map(String::as_str).collect();
    let report = workspace.import(&[&args[..], &["--out", "registry"]].concat(), &case.variables);
    let out = workspace.build();
    judge(&case, &report, &emitted::read(&out))
}

/// The table of a case, and its faults.
fn table(name: &str, judged: &[Judged]) -> (String, Vec<String>) {
    let (mut text, mut faults) = (String::new(), Vec::new());
    let verdicts = [Verdict::Kept, Verdict::Changed, Verdict::Lost, Verdict::Silent];
    let mut sums = [0; 4];
    for server in judged {
        let counts = verdicts.map(|verdict| server.count(verdict));
        let [kept, changed, lost, silent] = counts;
        let _ = writeln!(text, "{name:16} {:28} {kept:5} {changed:8} {lost:5} {silent:7}", server.server);
        if !server.is_unknown {
            sums = std::array::from_fn(|at| sums[at] + counts[at]);
        }
        let silent = server.settings.iter().filter(|(verdict, _)| *verdict == Verdict::Silent);
        faults.extend(silent.map(|(_, what)| format!("{name}: {}: silent: {what}", server.server)));
    }
    let all: usize = sums.iter().sum();
    if sums[0] * 100 < LEAST_KEPT * all {
        faults.push(format!("{name}: only {} of {all} settings are kept", sums[0]));
    }
    (text, faults)
}

#[test]
fn every_setting_is_kept_or_reported() {
    let mut names: Vec<String> = std::fs::read_dir(case_folder(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 14, "{names:?}");
    println!("{:16} {:28} {:>5} {:>8} {:>5} {:>7}", "case", "server", "kept", "changed", "lost", "silent");
    let mut faults = Vec::new();
    for name in &names {
        let (text, found) = table(name, &run(name));
        print!("{text}");
        faults.extend(found);
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}
