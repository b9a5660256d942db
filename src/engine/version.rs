//! What `--version` prints, and what a build is called by it.
//!
//! ```text
//! version: 0.7.0 (build 11669, commit Debian)      a release; its commit is a word of who packs it
//! version: 0.1.0-dev (build 1, commit 7e4c0a9)     a shallow clone: the number counts what was fetched
//! version: 7924 (abcdef0)                          seen up to b10068
//! ```

/// The least number that is one of a build; below, it counts the commits of a shallow clone, or there was no git.
const LEAST: u32 = 1000;

/// What a build says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The release, `0.7.0` or `0.1.0-dev`; older builds have none.
    pub release: Option<String>,
    /// The number of the build, where it is one.
    pub number: Option<u32>,
    /// The commit, or a word of who packs it; none where it is unknown.
    pub commit: Option<String>,
    /// What it said, without `version: `.
    pub said: String,
}

/// Finds the version in what both streams of `--version` said: the lines before and after it differ from program to program.
pub fn version(text: &str) -> Option<Version> {
    text.lines().find_map(|line| line_version(line.trim_end()))
}

fn line_version(line: &str) -> Option<Version> {
    let said = line.strip_prefix("version: ")?;
    let (first, rest) = said.split_once(" (")?;
    let inside = rest.strip_suffix(')').filter(|inside| !inside.contains(')'))?;
    let (release, number, commit) = match inside.strip_prefix("build ") {
        Some(build) => {
            let (number, commit) = build.split_once(", commit ")?;
            (Some(first).filter(|release| is_release(release)).map(Some)?, number, commit)
        }
        None => (None, first, inside),
    };
    let number: u32 = number.parse().ok()?;
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic());
    if !is_word(commit) {
        return None;
    }
    Some(Version {
        release: release.map(str::to_owned),
        number: (number >= LEAST).then_some(number),
        commit: (commit != "unknown").then(|| commit.to_owned()),
        said: said.to_owned(),
    })
}

/// `0.7.0`, `0.1.0-dev`
fn is_release(word: &str) -> bool {
    let parts: Vec<&str> = word.strip_suffix("-dev").unwrap_or(word).split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

impl Version {
    /// What the build is called: `b11669`, else its release and commit, as far as they are known.
    pub fn build(&self) -> String {
        match (self.number, &self.release, &self.commit) {
            (Some(number), _, _) => format!("b{number}"),
            (None, Some(release), Some(commit)) => format!("{release}-{commit}"),
            (None, Some(word), None) | (None, None, Some(word)) => word.clone(),
            (None, None, None) => "unknown".to_owned(),
        }
    }
}
