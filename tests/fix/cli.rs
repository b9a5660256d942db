//! `orchgen check --fix` and `--diff` as people run them.

use super::BASE;
use orchgen::emit::{Rewrite, rewrite};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};

const BROKEN: &str =
    "# kept\nroles:\n  extra: {tier: A, residency: hot, model: plian, port: 9000, ctx: 4096} # too\n";
const MENDED: &str =
    "# kept\nroles:\n  extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096} # too\n";

struct Ground(tempfile::TempDir);

impl Ground {
    fn new(text: &str) -> Self {
        let ground = Self(tempfile::tempdir().unwrap());
        fs::create_dir(ground.at("registry")).unwrap();
        fs::write(ground.at("registry/base.kdl"), BASE).unwrap();
        fs::write(ground.at("registry/roles.yaml"), text).unwrap();
        ground
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.at("registry/roles.yaml")).unwrap()
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orchgen"));
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
fn fixes_are_written_and_what_is_left_is_said() {
    let ground = Ground::new(BROKEN);
    let path = ground.at("registry/roles.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let (code, out, err) = ground.run(&["check", "--fix"]);
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    assert!(err.starts_with("fixed 2 findings in `registry/roles.yaml`\n"), "{err}");
    assert_eq!(ground.text(), MENDED);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(ground.names(), ["base.kdl", "roles.yaml"]);
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    let (code, _, err) = ground.run(&["check", "--fix"]);
    assert_eq!((code, err.contains("fixed")), (Some(0), false));
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
}

#[test]
fn what_cannot_be_fixed_still_fails_the_run() {
    let ground = Ground::new(&BROKEN.replace("hot", "nowhere-near"));
    let (code, _, err) = ground.run(&["check", "--fix"]);
    assert_eq!((code, ground.text()), (Some(1), MENDED.replace("hot", "nowhere-near")));
    assert!(err.contains("nowhere-near") && !err.contains("unknown field"), "{err}");
}

#[test]
fn findings_that_can_be_fixed_are_counted() {
    let (_, _, err) = Ground::new(BROKEN).run(&["check"]);
    assert!(err.contains("\nall of them can be fixed with `orchgen check --fix`; "), "{err}");
    let (_, _, err) = Ground::new(&BROKEN.replace("ctx", "context")).run(&["check"]);
    assert!(err.contains("\nit can be fixed with `orchgen check --fix`; "), "{err}");
    let (_, _, err) = Ground::new(&BROKEN.replace("A,", "nowhere-near,")).run(&["check"]);
    assert!(err.contains("\n2 of them can be fixed with `orchgen check --fix`; "), "{err}");
}

#[test]
fn the_diff_is_what_fixing_does_and_writes_nothing() {
    let ground = Ground::new(BROKEN);
    let (code, out, err) = ground.run(&["check", "--diff"]);
    assert_eq!((code, ground.text()), (Some(1), BROKEN.to_owned()));
    assert!(err.ends_with("would fix 2 findings in `registry/roles.yaml`\n"), "{err}");
    fs::write(ground.at("the.diff"), &out).unwrap();
    let git = |args: &[&str]| {
        let status = Command::new("git").args(args).current_dir(ground.0.path()).status().unwrap();
        assert!(status.success(), "git {args:?}\n{out}");
    };
    git(&["init", "-q"]);
    git(&["apply", "--check", "the.diff"]);
    git(&["apply", "the.diff"]);
    assert_eq!(ground.text(), MENDED);
    let (code, out, _) = ground.run(&["check", "--diff"]);
    assert_eq!((code, out.as_str()), (Some(0), ""));
}

#[test]
fn standard_output_is_one_document() {
    let ground = Ground::new(BROKEN);
    let (code, out, _) = ground.run(&["check", "--output-format", "json"]);
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
    let (code, out, err) = ground.run(&["check", "--diff", "--output-format", "json"]);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("standard output"), "{err}");
    let (code, out, _) = ground.run(&["check", "--fix", "--output-format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, report["findings"].as_array().unwrap().len()), (Some(0), 0));
}

#[test]
fn what_cannot_be_written_ends_the_run_with_two_and_all_is_as_it_was() {
    let ground = Ground::new(BROKEN);
    // Both files have something to fix, and the second cannot be written.
    fs::write(ground.at("registry/a.yaml"), "tier: {Y: {title: y}}\n").unwrap();
    fs::set_permissions(ground.at("registry/roles.yaml"), fs::Permissions::from_mode(0o444)).unwrap();
    let (code, _, err) = ground.run(&["check", "--fix"]);
    assert_eq!((code, ground.text()), (Some(2), BROKEN.to_owned()));
    assert_eq!(err, "error: cannot write `registry/roles.yaml`: it is read-only\n");
    assert_eq!(fs::read_to_string(ground.at("registry/a.yaml")).unwrap(), "tier: {Y: {title: y}}\n");
    assert_eq!(ground.names(), ["a.yaml", "base.kdl", "roles.yaml"]);
}

#[test]
fn a_symlink_stays_one() {
    let ground = Ground::new("");
    fs::write(ground.at("elsewhere.yaml"), BROKEN).unwrap();
    fs::remove_file(ground.at("registry/roles.yaml")).unwrap();
    symlink("../elsewhere.yaml", ground.at("registry/roles.yaml")).unwrap();
    assert_eq!(ground.run(&["check", "--fix", "--quiet"]).0, Some(0));
    assert!(ground.at("registry/roles.yaml").is_symlink());
    assert_eq!(fs::read_to_string(ground.at("elsewhere.yaml")).unwrap(), MENDED);
}

#[test]
fn what_somebody_changed_meanwhile_is_not_overwritten() {
    let ground = Ground::new(BROKEN);
    let file = |name: &str, old| Rewrite { path: ground.at("registry").join(name), old, new: "new" };
    let error = rewrite(&[file("base.kdl", BASE), file("roles.yaml", MENDED)]).unwrap_err().to_string();
    assert!(error.ends_with("it was changed meanwhile: run the command again"), "{error}");
    assert_eq!(fs::read_to_string(ground.at("registry/base.kdl")).unwrap(), BASE);
    assert_eq!((ground.text(), ground.names().len()), (BROKEN.to_owned(), 2));
    rewrite(&[file("base.kdl", BASE), file("roles.yaml", BROKEN)]).unwrap();
    assert_eq!(ground.text(), "new");
}

/// Where bytes were not text, offsets in what is shown are not those of the file.
#[test]
fn a_file_that_is_not_text_is_left_alone() {
    let ground = Ground::new("");
    let bytes = [b"tier: {Y: {title: y\xff}}\n# ".as_slice(), BROKEN.as_bytes()].concat();
    fs::write(ground.at("registry/roles.yaml"), &bytes).unwrap();
    assert_eq!(ground.run(&["check", "--fix"]).0, Some(1));
    assert_eq!(fs::read(ground.at("registry/roles.yaml")).unwrap(), bytes);
}

#[test]
fn daring_needs_something_to_dare() {
    let ground = Ground::new(BROKEN);
    let (code, _, err) = ground.run(&["check", "--unsafe-fixes"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("--fix"), "{err}");
}
