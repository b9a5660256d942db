//! The builds of llama.cpp on this machine: their programs, their profile, and the GPUs that they find.
#![expect(clippy::disallowed_methods, reason = "programs are on PATH, and in the home of the user")]

use crate::cli::engine::probe::{ProbedBuild, probe_programs};
use crate::cli::engine::program::{deadline, run};
use crate::diag::words;
use crate::engine::version::parse_version;
use crate::engine::{Family, Profile};
use crate::source::find_program;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folders where packages, containers and manual builds put the programs, after those of `PATH`.
const USUAL_FOLDERS: &[&str] = &[
    "/usr/local/bin",
    "/usr/bin",
    "/opt/llama.cpp/bin",
    "/opt/llama.cpp/build/bin",
    "/opt/llama.cpp",
    "/srv/llama.cpp/bin",
    "/srv/llama.cpp/build/bin",
    "/usr/local/llama.cpp/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/app",
];

/// Folders of manual builds in the home of the user.
const HOME_FOLDERS: &[&str] =
    &["llama.cpp/build/bin", "src/llama.cpp/build/bin", "git/llama.cpp/build/bin", ".local/bin", "bin"];

/// The most builds that are asked for their version.
const MAX_BUILDS: usize = 8;

/// A build of llama.cpp.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Build {
    /// The folder of its programs.
    pub(super) folder: String,
    /// Its version as it prints it, or why it prints none.
    pub(super) version: Result<String, String>,
    /// Its profile.
    pub(super) profile: ProfileChoice,
}

/// The profile of a build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ProfileChoice {
    /// A built-in profile of the same build.
    BuiltIn(&'static str),
    /// A new profile: the name of its file, and its text.
    Probed(String, String),
    /// None, and why.
    None(String),
}

/// A GPU that llama-server finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Device {
    /// Its name, such as `CUDA0`.
    pub(super) name: String,
    /// Its product name.
    pub(super) title: String,
    /// Its memory in MiB.
    pub(super) mebibytes: u64,
}

impl Device {
    /// The name of the back end, such as `CUDA`.
    pub(super) fn back_end(&self) -> &str {
        self.name.trim_end_matches(|c: char| c.is_ascii_digit())
    }
}

/// The folders with a llama-server: the given one, or those of `PATH` and the usual ones. A folder behind a symlink counts once.
pub(super) fn folders(given: Option<&Path>) -> Vec<String> {
    let server = Family::LlamaCpp.server();
    let search = match given {
        Some(folder) => std::path::absolute(folder).unwrap_or_default().to_string_lossy().into_owned(),
        None => search_path(),
    };
    let mut known: BTreeSet<PathBuf> = BTreeSet::new();
    let mut found = Vec::new();
    for folder in search.split(':') {
        let Some(program) = find_program(server, folder) else { continue };
        let real = Path::new(&program).canonicalize().unwrap_or_else(|_| PathBuf::from(&program));
        if known.insert(real) && found.len() < MAX_BUILDS {
            found.push(folder.trim_end_matches('/').to_owned());
        }
    }
    found
}

/// The folders of `PATH`, then the usual ones.
fn search_path() -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    // Programs in the home of another user are not run as root.
    let home = if std::env::var_os("SUDO_USER").is_some() { String::new() } else { home };
    let of_home =
        HOME_FOLDERS.iter().filter(|_| home.starts_with('/')).map(|folder| format!("{home}/{folder}"));
    let path = std::env::var("PATH").unwrap_or_default();
    let usual = USUAL_FOLDERS.iter().map(|folder| (*folder).to_owned());
    std::iter::once(path).chain(usual).chain(of_home).collect::<Vec<_>>().join(":")
}

impl Build {
    /// Asks the programs of a folder.
    pub(super) fn examine(folder: &str) -> Self {
        let server = Family::LlamaCpp.server();
        let program = Path::new(folder).join(server);
        let version = version(&program);
        let build = version.as_ref().ok().and_then(|text| parse_version(text)).map(|version| version.build());
        let same = |profile: &&Profile| Some(profile.build()) == build.as_deref();
        let profile = match (&version, Profile::built_in_of(Family::LlamaCpp).find(same)) {
            (Err(why), _) => ProfileChoice::None(why.clone()),
            (Ok(_), Some(profile)) => ProfileChoice::BuiltIn(profile.name()),
            // The other programs of a folder can be of another build.
            (Ok(_), None) => probe_programs(&[PathBuf::from(folder)], |_| {})
                .or_else(|_| probe_programs(&[program], |_| {}))
                .map_or_else(ProfileChoice::None, |probed| probed_profile(&probed)),
        };
        Self { folder: folder.to_owned(), version, profile }
    }

    /// The GPUs that llama-server finds, or why they are unknown.
    pub(super) fn devices(&self) -> Result<Vec<Device>, String> {
        let program = Path::new(&self.folder).join(Family::LlamaCpp.server());
        let output = run(&program, LIST_DEVICES, deadline())
            .map_err(|error| format!("`{} {LIST_DEVICES}` {error}", program.display()))?;
        Ok(parse_devices(&output.out))
    }
}

/// The option that lists the GPUs.
const LIST_DEVICES: &str = "--list-devices";

/// The line with the version of a program, with its `version: `.
fn version(program: &Path) -> Result<String, String> {
    let shown = words::quoted(&program.to_string_lossy());
    let output = run(program, "--version", deadline()).map_err(|error| format!("{shown} {error}"))?;
    let lines = output.err.lines().chain(output.out.lines()).map(str::trim_end);
    let line = lines.into_iter().find(|line| parse_version(line).is_some());
    line.map(str::to_owned).ok_or_else(|| format!("{shown} prints no version of llama.cpp"))
}

fn probed_profile(probed: &ProbedBuild) -> ProfileChoice {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let build: String = probed.file.build.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    let name = format!("{}-{build}.json", probed.file.engine.name());
    ProfileChoice::Probed(name, probed.text.clone())
}

/// Reads the lines `  CUDA0: NVIDIA GeForce RTX 4090 (24080 MiB, 23670 MiB free)`. The source is the output of b11669.
pub(super) fn parse_devices(text: &str) -> Vec<Device> {
    let device = |line: &str| {
        let (name, rest) = line.strip_prefix("  ")?.split_once(": ")?;
        let (title, memory) = rest.trim_end().strip_suffix(" MiB free)")?.rsplit_once(" (")?;
        let mebibytes = memory.split_once(" MiB, ")?.0.parse().ok()?;
        // Others, such as `BLAS` without own memory, are no GPUs.
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_digit());
        (is_name && mebibytes > 0).then(|| Device {
            name: name.to_owned(),
            title: title.trim().to_owned(),
            mebibytes,
        })
    };
    text.lines().filter_map(device).collect()
}
