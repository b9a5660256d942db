//! The build script: sets `ORCHGEN_VERSION`, the text of `orchgen --version`, and `ORCHGEN_DATE`, the date of the man pages.
//!
//! Both name the commit of the sources. It comes from git, or from the variables `ORCHGEN_COMMIT` and
//! `ORCHGEN_COMMIT_DATE` if the sources are not a git checkout. Without a commit, the text is only the version. A debug build
//! does not ask git, because cargo would compile everything again after each commit.
#![expect(clippy::disallowed_methods, reason = "cargo passes its values to build scripts in the environment")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The number of hexadecimal digits of a printed commit.
const COMMIT_DIGITS: usize = 9;

/// A commit of the sources: its hash, and its date as `YYYY-MM-DD`. Both may be empty.
#[derive(Default)]
struct Commit {
    hash: String,
    date: String,
}

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    let given = Commit { hash: word("ORCHGEN_COMMIT"), date: word("ORCHGEN_COMMIT_DATE") };
    let sources = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let asks_git = is_release && given.hash.is_empty();
    let commit = if asks_git { from_git(&sources).unwrap_or_default() } else { given };
    let short = commit.hash.get(..COMMIT_DIGITS).unwrap_or(&commit.hash);
    let words: Vec<&str> = [short, &commit.date].into_iter().filter(|word| !word.is_empty()).collect();
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let suffix = if words.is_empty() { String::new() } else { format!(" ({})", words.join(" ")) };
    println!("cargo::rustc-env=ORCHGEN_VERSION={version}{suffix}");
    println!("cargo::rustc-env=ORCHGEN_DATE={}", commit.date);
}

/// The value of an environment variable, without characters that are in no commit and in no date.
fn word(name: &str) -> String {
    println!("cargo::rerun-if-env-changed={name}");
    let value = std::env::var(name).unwrap_or_default();
    value.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// The commit that git has checked out. `None` if the folder is not the root of a checkout: a package inside of another
/// repository must not get the commit of that repository.
fn from_git(sources: &Path) -> Option<Commit> {
    if !sources.join(".git").exists() {
        return None;
    }
    let log = git(sources, &["-c", "log.showSignature=false", "log", "-1", "--format=%H %cs"])?;
    let (hash, date) = log.split_once(' ')?;
    // A new commit changes one of these files. Cargo would run this script again in each build for a missing file.
    let branch = git(sources, &["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        let file = git(sources, &["rev-parse", "--git-path", name]).map(|path| sources.join(path));
        if let Some(file) = file.filter(|file| file.is_file()) {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    }
    Some(Commit { hash: hash.to_owned(), date: date.to_owned() })
}

/// The output of git in a folder, without the last line break. `None` if git fails or is not installed.
fn git(folder: &Path, args: &[&str]) -> Option<String> {
    // The user of a container is often not the owner of the checkout, which git reports as an error.
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["-c", "safe.directory=*"]).args(args);
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim_end().to_owned())
}
