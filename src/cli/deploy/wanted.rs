//! The output that a build would write, and output of other places.

use super::programs::{Ran, run_with};
use crate::check::NotCheckedPolicy;
use crate::cli::args::OutputArgs;
use crate::cli::folders::RegistryFolder;
use crate::cli::{RunStatus, session};
use crate::compile::{analyze, generate, listed_findings};
use crate::deploy::{DeployError, Tree, TreeFile};
use crate::diag::Diagnostics;
use crate::diag::report::human::human;
use crate::diag::words::{printable, quoted};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The time limit of a command of git.
const GIT_LIMIT: Duration = Duration::from_mins(1);

/// The most bytes of a file of a revision.
const MAX_FILE: usize = 64 << 20;

/// The output that a build of a registry would write. Prints the findings if it has errors.
pub(super) fn wanted(registry: &RegistryFolder, output: OutputArgs) -> Result<Tree, RunStatus> {
    let loaded = session::load_registry(registry.path())?;
    let mut findings = Diagnostics::default();
    let Ok(checked) = analyze(&loaded, NotCheckedPolicy::Count, &mut findings) else {
        findings.sort();
        session::print_stderr(&human(&findings, &loaded.map, session::style(output, &std::io::stderr())));
        return Err(RunStatus::Findings);
    };
    let findings = listed_findings(&findings, &loaded.map);
    generate(checked, findings, &[], Tree::of_artifacts).and_then(|tree| tree).map_err(session::fail)
}

/// Like [`wanted`], for a stack with units.
pub(super) fn wanted_units(registry: &RegistryFolder, output: OutputArgs) -> Result<Tree, RunStatus> {
    let tree = wanted(registry, output)?;
    if tree.deployment.hosts.is_empty() {
        return Err(session::fail(
            "the stack has no units to install: add `systemd` or `quadlet` to its `targets`",
        ));
    }
    Ok(tree)
}

/// The output folder at a revision of git.
pub(super) fn revision(out: &Path, revision: &str) -> Result<Tree, DeployError> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.to_string_lossy().into_owned();
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let git = |args: &[&str], input: &[u8]| -> Result<Ran, DeployError> {
        let all: Vec<&str> = ["-C", &folder].iter().chain(args).copied().collect();
        run_with("git", &all, input, GIT_LIMIT)
    };
    let shown = quoted(revision);
    let found = git(
        &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")],
        b"",
    )?;
    let commit = String::from_utf8_lossy(&found.out).trim().to_owned();
    if !found.success || commit.is_empty() {
        let hint = if revision.contains('/') {
            ": a shallow clone may lack it (`git fetch --unshallow`)"
        } else {
            ""
        };
        return Err(DeployError::new(format!(
            "{shown} is neither a folder nor a revision of git here{hint}"
        )));
    }
    let listed = git(&["ls-tree", "-r", "-z", &commit, "--", &name], b"")?;
    let entries = entries(&listed.out, &format!("{name}/"));
    if entries.is_empty() {
        return Err(DeployError::new(format!(
            "{} is not in the revision {shown}: commit the output of `orchgen build`",
            quoted(&out.to_string_lossy())
        )));
    }
    let ids: Vec<&str> = entries.iter().map(|entry| &*entry.id).collect();
    let contents = git(&["cat-file", "--batch"], (ids.join("\n") + "\n").as_bytes())?;
    let files =
        files(&entries, &contents.out).ok_or_else(|| DeployError::new(format!("git cannot read {shown}")))?;
    Tree::new(files, &format!("the revision {shown}"))
}

/// A file of a revision.
struct Entry {
    path: String,
    id: String,
    executable: bool,
}

/// The files that `git ls-tree -r -z` lists below a folder: `MODE blob ID<tab>PATH`.
fn entries(listed: &[u8], below: &str) -> Vec<Entry> {
    let text = String::from_utf8_lossy(listed);
    let entry = |line: &str| {
        let (head, path) = line.split_once('\t')?;
        let mut words = head.split(' ');
        let (mode, kind, id) = (words.next()?, words.next()?, words.next()?);
        let path = path.strip_prefix(below)?.to_owned();
        let is_hidden = path.split('/').any(|part| part.starts_with('.'));
        let is_file = kind == "blob" && mode.starts_with("100") && !is_hidden;
        is_file.then(|| Entry { path, id: id.to_owned(), executable: mode == "100755" })
    };
    text.split('\0').filter_map(entry).collect()
}

/// The contents that `git cat-file --batch` prints: `ID blob SIZE`, a line break, the bytes, and a line break.
fn files(entries: &[Entry], mut contents: &[u8]) -> Option<BTreeMap<String, TreeFile>> {
    let mut all = BTreeMap::new();
    for entry in entries {
        let end = contents.iter().position(|byte| *byte == b'\n')?;
        let head = std::str::from_utf8(contents.get(..end)?).ok()?;
        let size: usize = head.rsplit(' ').next()?.parse().ok().filter(|size| *size <= MAX_FILE)?;
        let bytes = contents.get(end + 1..end + 1 + size)?.to_vec();
        all.insert(entry.path.clone(), TreeFile { bytes, executable: entry.executable });
        contents = contents.get(end + size + 2..)?;
    }
    Some(all)
}

/// Reads a folder with output.
pub(super) fn folder(path: &Path) -> Result<Tree, DeployError> {
    Tree::read(path).map_err(|error| DeployError::new(printable(&error.to_string())))
}
