//! Generated registries: a correct one has no finding, and each known mistake has one finding at its line.

use super::lines;
use crate::registries::{Language, Mistake, mistakes, write};
use crate::support::{Compiled, compile_folder};

const LANGUAGES: [Language; 2] = [Language::Yaml, Language::Kdl];

/// The line of the finding of a mistake. A port conflict is reported at the later role.
fn line(compiled: &Compiled, role: u32, mistake: Mistake) -> u32 {
    let role = if mistake == Mistake::PortConflict { role + 1 } else { role };
    let (_, roles) = compiled.loaded.map.files().find(|(_, file)| file.name().contains("roles-")).unwrap();
    let mut lines = (1..).zip(roles.text().lines().map(str::trim_start));
    let starts = [format!("role-{role}:"), format!("role \"role-{role}\"")];
    lines.by_ref().find(|(_, line)| starts.iter().any(|start| line.starts_with(start))).unwrap();
    lines.find(|(_, line)| line.starts_with(mistake.field())).unwrap().0
}

#[test]
fn a_correct_registry_has_no_finding() {
    for language in LANGUAGES {
        for count in [20, 200] {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), language, count, &[]);
            let compiled = compile_folder(folder.path());
            assert!(compiled.findings.is_empty(), "{count} in {language:?}: {}", compiled.report());
            assert_eq!(compiled.checked().registry().roles.len(), count as usize);
        }
    }
}

#[test]
fn each_mistake_has_one_finding_at_its_line() {
    for language in LANGUAGES {
        for (count, number) in [(20, 4), (200, 40)] {
            let wrong = mistakes(count, number);
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), language, count, &wrong);
            let compiled = compile_folder(folder.path());
            let mut expected: Vec<u32> =
                wrong.iter().map(|(role, mistake)| line(&compiled, *role, *mistake)).collect();
            expected.sort_unstable();
            assert_eq!(lines(&compiled), expected, "{count} in {language:?}: {}", compiled.report());
        }
    }
}
