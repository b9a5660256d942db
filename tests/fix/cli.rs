//! `orchgen check --fix` and `--diff` on the command line.

use super::BASE;
use orchgen::emit::{Rewrite, rewrite};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};

const BROKEN: &str =
    "# kept\nroles:\n  extra: {tier: A, residency: hot, model: plian, port: 9000, ctx: 4096} # too\n";
const FIXED: &str =
    "# kept\nroles:\n  extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096} # too\n";

/// A temporary folder with a registry of two files: `base.kdl` and `roles.yaml`.
struct RegistryFolder(tempfile::TempDir);

impl RegistryFolder {
    fn new(text: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.at("registry")).unwrap();
        fs::write(folder.at("registry/base.kdl"), BASE).unwrap();
        fs::write(folder.at("registry/roles.yaml"), text).unwrap();
        folder
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.at("registry/roles.yaml")).unwrap()
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(crate::support::orchgen());
        let Output { status, stdout, stderr } =
            command.args(args).current_dir(self.0.path()).env_clear().output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    fn names(&self) -> Vec<String> {
        let listed = fs::read_dir(self.at("registry")).unwrap();
        let mut names: Vec<String> =
            listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn fix_writes_the_files_and_prints_the_number_of_fixes() {
    let folder = RegistryFolder::new(BROKEN);
    let path = folder.at("registry/roles.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let (code, out, err) = folder.run(&["check", "--fix"]);
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    assert!(err.starts_with("fixed 2 findings in `registry/roles.yaml`\n"), "{err}");
    assert_eq!(folder.text(), FIXED);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(folder.names(), ["base.kdl", "roles.yaml"]);
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    let (code, _, err) = folder.run(&["check", "--fix"]);
    assert_eq!((code, err.contains("fixed")), (Some(0), false));
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
}

#[test]
fn findings_without_a_fix_still_fail_the_run() {
    let folder = RegistryFolder::new(&BROKEN.replace("hot", "nowhere-near"));
    let (code, _, err) = folder.run(&["check", "--fix"]);
    assert_eq!((code, folder.text()), (Some(1), FIXED.replace("hot", "nowhere-near")));
    assert!(err.contains("nowhere-near") && !err.contains("unknown field"), "{err}");
}

#[test]
fn the_number_of_fixable_findings_is_printed() {
    let (_, _, err) = RegistryFolder::new(BROKEN).run(&["check"]);
    assert!(err.contains("\nall of them can be fixed with `orchgen check --fix`; "), "{err}");
    let (_, _, err) = RegistryFolder::new(&BROKEN.replace("ctx", "context")).run(&["check"]);
    assert!(err.contains("\nit can be fixed with `orchgen check --fix`; "), "{err}");
    let (_, _, err) = RegistryFolder::new(&BROKEN.replace("A,", "nowhere-near,")).run(&["check"]);
    assert!(err.contains("\n2 of them can be fixed with `orchgen check --fix`; "), "{err}");
}

#[test]
fn stdout_is_one_json_document() {
    let folder = RegistryFolder::new(BROKEN);
    let (code, out, _) = folder.run(&["check", "--output-format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, Some(1));
    let fix = &report["findings"][0]["fixes"][0];
    assert_eq!((&fix["title"], &fix["safety"]), (&"write `plain`".into(), &"safe".into()));
    let edit = &fix["edits"][0];
    let (start, end) = (&edit["start"]["byte"], &edit["end"]["byte"]);
    let place =
        usize::try_from(start.as_u64().unwrap()).unwrap()..usize::try_from(end.as_u64().unwrap()).unwrap();
    assert_eq!(
        (&edit["file"], &edit["text"], &BROKEN[place]),
        (&"registry/roles.yaml".into(), &"plain".into(), "plian")
    );
    let (code, out, err) = folder.run(&["check", "--diff", "--output-format", "json"]);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("standard output"), "{err}");
    let (code, out, _) = folder.run(&["check", "--fix", "--output-format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, report["findings"].as_array().unwrap().len()), (Some(0), 0));
}

#[test]
fn if_one_file_cannot_be_written_no_file_is_changed_and_the_exit_code_is_2() {
    let folder = RegistryFolder::new(BROKEN);
    // Both files have a fix, and the second file cannot be written.
    fs::write(folder.at("registry/a.yaml"), "tier: {Y: {title: y}}\n").unwrap();
    fs::set_permissions(folder.at("registry/roles.yaml"), fs::Permissions::from_mode(0o444)).unwrap();
    let (code, _, err) = folder.run(&["check", "--fix"]);
    assert_eq!((code, folder.text()), (Some(2), BROKEN.to_owned()));
    assert_eq!(err, "error: cannot write `registry/roles.yaml`: it is read-only\n");
    assert_eq!(fs::read_to_string(folder.at("registry/a.yaml")).unwrap(), "tier: {Y: {title: y}}\n");
    assert_eq!(folder.names(), ["a.yaml", "base.kdl", "roles.yaml"]);
}

#[test]
fn a_symlink_is_followed_and_kept() {
    let folder = RegistryFolder::new("");
    fs::write(folder.at("elsewhere.yaml"), BROKEN).unwrap();
    fs::remove_file(folder.at("registry/roles.yaml")).unwrap();
    symlink("../elsewhere.yaml", folder.at("registry/roles.yaml")).unwrap();
    assert_eq!(folder.run(&["check", "--fix", "--quiet"]).0, Some(0));
    assert!(folder.at("registry/roles.yaml").is_symlink());
    assert_eq!(fs::read_to_string(folder.at("elsewhere.yaml")).unwrap(), FIXED);
}

#[test]
fn a_file_that_changed_in_the_meantime_is_not_overwritten() {
    let folder = RegistryFolder::new(BROKEN);
    let file = |name: &str, old| Rewrite { path: folder.at("registry").join(name), old, new: "new" };
    let error = rewrite(&[file("base.kdl", BASE), file("roles.yaml", FIXED)]).unwrap_err().to_string();
    assert!(error.ends_with("it changed while orchgen ran: run the command again"), "{error}");
    assert_eq!(fs::read_to_string(folder.at("registry/base.kdl")).unwrap(), BASE);
    assert_eq!((folder.text(), folder.names().len()), (BROKEN.to_owned(), 2));
    rewrite(&[file("base.kdl", BASE), file("roles.yaml", BROKEN)]).unwrap();
    assert_eq!(folder.text(), "new");
}

/// Invalid bytes are replaced for display, so the offsets of fixes would not match the file.
#[test]
fn a_file_with_invalid_bytes_is_not_fixed() {
    let folder = RegistryFolder::new("");
    let bytes = [b"tier: {Y: {title: y\xff}}\n# ".as_slice(), BROKEN.as_bytes()].concat();
    fs::write(folder.at("registry/roles.yaml"), &bytes).unwrap();
    assert_eq!(folder.run(&["check", "--fix"]).0, Some(1));
    assert_eq!(fs::read(folder.at("registry/roles.yaml")).unwrap(), bytes);
}

#[test]
fn unsafe_fixes_needs_fix_or_diff() {
    let folder = RegistryFolder::new(BROKEN);
    let (code, _, err) = folder.run(&["check", "--unsafe-fixes"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("--fix"), "{err}");
}

mod tools {
    use super::*;

    #[test]
    fn the_diff_equals_the_fix_and_no_file_is_written() {
        let folder = RegistryFolder::new(BROKEN);
        let (code, out, err) = folder.run(&["check", "--diff"]);
        assert_eq!((code, folder.text()), (Some(1), BROKEN.to_owned()));
        assert!(err.ends_with("would fix 2 findings in `registry/roles.yaml`\n"), "{err}");
        fs::write(folder.at("the.diff"), &out).unwrap();
        let git = |args: &[&str]| {
            let status = Command::new("git").args(args).current_dir(folder.0.path()).status().unwrap();
            assert!(status.success(), "git {args:?}\n{out}");
        };
        git(&["init", "-q"]);
        git(&["apply", "--check", "the.diff"]);
        git(&["apply", "the.diff"]);
        assert_eq!(folder.text(), FIXED);
        let (code, out, _) = folder.run(&["check", "--diff"]);
        assert_eq!((code, out.as_str()), (Some(0), ""));
    }
}
