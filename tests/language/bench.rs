//! The registries of the benchmarks: correct ones give nothing, and each seeded fault one finding at its line.

use super::lines;
use crate::support::{Compiled, compile_folder, shared};
use std::path::Path;

fn made(count: u32, faults: u32, format: &str, out: &Path) -> Compiled {
    let status = std::process::Command::new("python3")
        .arg(shared("bench/make_registry.py"))
        .args([&count.to_string(), "--format", format, "--faults", &faults.to_string()])
        .arg(out)
        .status();
    assert!(status.unwrap().success());
    compile_folder(out)
}

/// The lines at which the generator's faults lie: a taken port is said at the later of the two roles.
fn expected(count: u32, faults: u32, compiled: &Compiled) -> Vec<u32> {
    let (_, roles) = compiled.loaded.map.files().find(|(_, file)| file.name().contains("roles-")).unwrap();
    let step = count / faults;
    let line_of = |role: u32, word: &str| {
        let named = |line: &str| {
            line.contains(&format!("role-{role}:")) || line.contains(&format!("\"role-{role}\""))
        };
        let lines = roles.text().lines().enumerate().skip_while(|(_, line)| !named(line));
        let found = lines.map(|(n, line)| (n, line.trim())).find(|(_, line)| line.starts_with(word));
        u32::try_from(found.unwrap().0).unwrap() + 1
    };
    let words = ["port", "draft", "override", "contxt"];
    let mut at: Vec<u32> = (0..faults)
        .map(|n| {
            let role = n * step;
            line_of(if n % 4 == 0 { role + 1 } else { role }, words[n as usize % 4])
        })
        .collect();
    at.sort_unstable();
    at
}

#[test]
fn a_correct_registry_gives_no_finding() {
    for format in ["yaml", "kdl"] {
        for count in [20, 200] {
            let out = tempfile::tempdir().unwrap();
            let compiled = made(count, 0, format, out.path());
            assert!(compiled.findings.is_empty(), "{count} in {format}: {}", compiled.report());
            assert_eq!(compiled.checked().registry().roles.len(), count as usize);
        }
    }
}

#[test]
fn each_seeded_fault_is_one_finding_at_its_line() {
    for format in ["yaml", "kdl"] {
        for (count, faults) in [(20, 4), (200, 40)] {
            let out = tempfile::tempdir().unwrap();
            let compiled = made(count, faults, format, out.path());
            let expected = expected(count, faults, &compiled);
            assert_eq!(lines(&compiled), expected, "{count}, {faults} in {format}: {}", compiled.report());
        }
    }
}
