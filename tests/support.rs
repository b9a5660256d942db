//! Functions that compile registries for tests: texts or folders in, findings and output files out.

use orchgen::check::{Checked, NotCheckedPolicy};
use orchgen::cli::fix::{FixLevel, Fixed, fix};
use orchgen::compile::analyze;
use orchgen::derive::ServedRole;
use orchgen::diag::{Diagnostics, report};
use orchgen::engine::Word;
use orchgen::hir::Registry;
use orchgen::source::{Loaded, SourceMap};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The result of a compilation: the sources, the findings, and the checked registry if there are no errors.
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

    /// All findings as a JSON report.
    pub(crate) fn report(&self) -> String {
        report::json::json(&self.findings, &self.loaded.map)
    }

    /// The checked registry. Panics with the report if there are errors.
    #[track_caller]
    pub(crate) fn checked(&self) -> &Checked {
        self.checked.as_ref().unwrap_or_else(|| panic!("{}", self.report()))
    }

    /// The arguments of the first process of a role.
    #[track_caller]
    pub(crate) fn arguments(&self, role: &str) -> String {
        let checked = self.checked();
        let is_named =
            |served: &ServedRole| *checked.registry().roles.get(served.id).head.name.value == *role;
        let (served, command) = checked.roles().find(|(served, _)| is_named(served)).unwrap();
        command.line(&served.endpoint, 0).iter().map(Word::text).collect::<Vec<_>>().join(" ")
    }

    /// All files that a build would write: path, text, and true if the file is executable.
    #[track_caller]
    pub(crate) fn files(&self) -> BTreeMap<String, (String, bool)> {
        let mut plan = orchgen::plan::plan(self.checked().clone());
        let findings = orchgen::compile::listed_findings(&self.findings, &self.loaded.map);
        plan.report = plan.report.take().map(|report| report.with_findings(findings));
        let templates = orchgen::render::templates();
        let set = orchgen::render::render(&plan, &templates).unwrap_or_else(|error| panic!("{error}"));
        let text =
            |artifact: &orchgen::render::Artifact| artifact.text().unwrap_or_else(|error| panic!("{error}"));
        set.iter()
            .map(|artifact| (artifact.path().to_string(), (text(artifact), artifact.is_executable())))
            .collect()
    }

    /// Writes all files into a folder, so that other programs can read them.
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
pub(crate) fn fixed(files: &[(&str, &str)], level: FixLevel) -> Fixed {
    fix(load_texts(files), level, &|loaded| {
        let mut findings = Diagnostics::default();
        let _ = analyze(loaded, NotCheckedPolicy::Count, &mut findings);
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
    let checked = analyze(&loaded, NotCheckedPolicy::Count, &mut findings).ok();
    Compiled { loaded, findings, checked }
}

/// The registry that texts declare, without checks, and the findings up to this stage.
pub(crate) fn lower(files: &[(&str, &str)]) -> (Registry, Compiled) {
    let loaded = load_texts(files);
    let mut findings = Diagnostics::default();
    let registry = orchgen::compile::lower(&loaded, &mut findings).registry;
    findings.sort();
    (registry, Compiled { loaded, findings, checked: None })
}

/// The root folder of the repository. nextest names it at run time, because an archive of tests may be unpacked elsewhere.
#[expect(clippy::disallowed_methods, reason = "only the environment names the folder of an unpacked archive")]
pub(crate) fn repository() -> &'static Path {
    static REPOSITORY: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        PathBuf::from(folder)
    });
    &REPOSITORY
}

/// The path of the orchgen under test. nextest names it at run time, as for [`repository`].
#[expect(clippy::disallowed_methods, reason = "only the environment names the folder of an unpacked archive")]
pub(crate) fn orchgen() -> &'static str {
    static ORCHGEN: LazyLock<String> = LazyLock::new(|| {
        let path = std::env::var("NEXTEST_BIN_EXE_orchgen");
        path.unwrap_or_else(|_| env!("CARGO_BIN_EXE_orchgen").to_owned())
    });
    &ORCHGEN
}

/// Compares a text with a file of `tests/snapshots/FOLDER`.
macro_rules! assert_snapshot {
    ($folder:literal, $name:expr, $text:expr) => {
        insta::with_settings!({
            snapshot_path => $crate::support::repository().join("tests/snapshots").join($folder),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!($name, $text) })
    };
}
pub(crate) use assert_snapshot;

/// A text as a terminal shows it: without colors and links.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = match after.strip_prefix(']') {
            Some(link) => link.split_once("\u{1b}\\").unwrap().1,
            None => after.split_once('m').unwrap().1,
        };
    }
    out + rest
}

/// The root folder of the rig, which `tests/rig create` installs: it has systemd and llama.cpp.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "only the environment names the folder of the rig")]
pub(crate) fn rig_root() -> PathBuf {
    let default = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/orchgen/rig");
    let root = std::env::var_os("RIG_ROOT").map_or_else(default, PathBuf::from);
    let is_complete = root.join("etc/orchgen-rig").is_file();
    assert!(is_complete, "there is no rig in {}: run `bash tests/rig create` as root", root.display());
    root
}
