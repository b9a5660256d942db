//! The only callers of the library: text in, findings and files out.

use orchgen::check::Checked;
use orchgen::cli::fix::{FixLevel, Fixed, fix};
use orchgen::compile::analyse;
use orchgen::diag::{Diagnostics, report};
use orchgen::hir::Registry;
use orchgen::source::{Loaded, SourceMap};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A registry and everything that was said about it.
pub(crate) struct Compiled {
    pub(crate) loaded: Loaded,
    pub(crate) findings: Diagnostics,
    pub(crate) checked: Option<Checked>,
}

impl Compiled {
    /// The codes of the findings, in the order of the text.
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        self.findings.findings().iter().map(|finding| finding.code.name).collect()
    }

    /// Everything that was said, as people see it.
    pub(crate) fn report(&self) -> String {
        report::json::json(&self.findings, &self.loaded.map)
    }

    /// What was checked; the report where something is wrong.
    #[track_caller]
    pub(crate) fn checked(&self) -> &Checked {
        self.checked.as_ref().unwrap_or_else(|| panic!("{}", self.report()))
    }

    /// Every file that would be written: its text, and whether it is a program.
    #[track_caller]
    pub(crate) fn files(&self) -> BTreeMap<String, (String, bool)> {
        let plan = orchgen::plan::plan(self.checked());
        let templates = orchgen::render::templates();
        let set = orchgen::render::render(&plan, &templates).unwrap_or_else(|error| panic!("{error}"));
        let text =
            |artifact: &orchgen::render::Artifact| artifact.text().unwrap_or_else(|error| panic!("{error}"));
        set.iter().map(|one| (one.path().to_string(), (text(one), one.is_executable()))).collect()
    }

    /// Writes every file below a folder, for the programs that they are for.
    #[track_caller]
    pub(crate) fn write(&self, out: &Path) {
        use std::os::unix::fs::PermissionsExt;
        for (path, (text, executable)) in self.files() {
            let path = out.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            let mode = if executable { 0o755 } else { 0o644 };
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

/// Compiles texts, each under its file name.
pub(crate) fn compile(files: &[(&str, &str)]) -> Compiled {
    compile_loaded(load_texts(files))
}

fn load_texts(files: &[(&str, &str)]) -> Loaded {
    let mut map = SourceMap::default();
    let is_profile = |name: &str| Path::new(name).extension().is_some_and(|ending| ending == "json");
    for (name, text) in files.iter().filter(|(name, _)| !is_profile(name)) {
        map.add(*name, *text);
    }
    let profiles = files.iter().filter(|(name, _)| is_profile(name));
    let profiles = profiles.map(|(name, text)| ((*name).to_owned(), Ok((*text).to_owned())));
    Loaded { map, profiles: profiles.collect(), ..Loaded::default() }
}

/// Compiles texts and applies the fixes.
pub(crate) fn fixed(files: &[(&str, &str)], daring: FixLevel) -> Fixed {
    fix(load_texts(files), daring, &|loaded| {
        let mut findings = Diagnostics::default();
        let _ = analyse(loaded, &mut findings);
        findings
    })
}

/// Compiles a folder.
#[track_caller]
pub(crate) fn compile_folder(folder: &Path) -> Compiled {
    compile_loaded(orchgen::source::load(folder).unwrap_or_else(|error| panic!("{error}")))
}

fn compile_loaded(loaded: Loaded) -> Compiled {
    let mut findings = Diagnostics::default();
    let checked = analyse(&loaded, &mut findings).ok();
    Compiled { loaded, findings, checked }
}

/// What texts declare, without checks, and what was said on the way.
pub(crate) fn lower(files: &[(&str, &str)]) -> (Registry, Compiled) {
    let loaded = load_texts(files);
    let mut findings = Diagnostics::default();
    let registry = orchgen::compile::lower(&loaded, &mut findings);
    findings.sort();
    (registry, Compiled { loaded, findings, checked: None })
}

/// A file of the shared folder, which lies beside the project or where `ORCHGEN_SHARED` says.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "where the shared folder lies is not known to the project")]
pub(crate) fn shared(path: &str) -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let found = std::env::var_os("ORCHGEN_SHARED").map_or_else(beside, PathBuf::from).join(path);
    assert!(found.exists(), "{} is not there: set ORCHGEN_SHARED to the shared folder", found.display());
    found
}

/// The Python that has the packages which `.ci/test` installs; the machine's own where that was not run.
pub(crate) fn python() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/python3");
    if own.exists() { own } else { PathBuf::from("python3") }
}

/// The root of the rig, in which a real llama.cpp is. Where a test cannot have it, it says why in one line, and fails only if
/// `ORCHGEN_RIG=required` asks for it.
#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "the environment says where the rig is, and whether it has to be"
)]
pub(crate) fn rig_root(test: &str) -> Option<PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let beside = || format!("{home}/.cache/orchgen-rig/root");
    let root = PathBuf::from(std::env::var("RIG_ROOT").unwrap_or_else(|_| beside()));
    let is_there = root.join("usr/bin/llama-server").is_file();
    if !is_there {
        without_rig(test, "`systemd-rig create` of the shared folder makes it");
    }
    is_there.then_some(root)
}

/// Says why a test runs without the rig, which fails where the environment asks for it.
#[track_caller]
#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a test that is not run says so")]
pub(crate) fn without_rig(test: &str, why: &str) {
    println!("{test}: not run, for there is no rig here: {why}");
    let is_asked = std::env::var("ORCHGEN_RIG").is_ok_and(|word| word == "required");
    assert!(!is_asked, "ORCHGEN_RIG=required asks for the rig: {why}");
}
