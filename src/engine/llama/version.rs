//! Parses the output of `--version` and derives the name of the build.
//!
//! ```text
//! version: 0.7.0 (build 11669, commit Debian)      a release; the packager chose the word for the commit
//! version: 0.1.0-dev (build 1, commit 7e4c0a9)     a shallow clone: the number counts the fetched commits
//! version: 7924 (abcdef0)                          seen up to b10068
//! ```

/// The minimum build number. A lower number counts the commits of a shallow clone, or the source had no git data.
const MIN_BUILD_NUMBER: u32 = 1000;

/// The version of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The release, such as `0.7.0` or `0.1.0-dev`. Older builds have none.
    pub release: Option<String>,
    /// The build number, if the printed number is one.
    pub number: Option<u32>,
    /// The commit, or the word of a packager. `None` if it is printed as `unknown`.
    pub commit: Option<String>,
    /// The printed text, without `version: `.
    pub text: String,
}

/// Finds the version in the output of `--version` (both streams). The lines before and after it differ between
/// programs.
pub fn parse_version(text: &str) -> Option<Version> {
    text.lines().find_map(|line| parse_line(line.trim_end()))
}

fn parse_line(line: &str) -> Option<Version> {
    let text = line.strip_prefix("version: ")?;
    let (first, rest) = text.split_once(" (")?;
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
        number: (number >= MIN_BUILD_NUMBER).then_some(number),
        commit: (commit != "unknown").then(|| commit.to_owned()),
        text: text.to_owned(),
    })
}

/// True for `0.7.0` and `0.1.0-dev`.
fn is_release(word: &str) -> bool {
    let parts: Vec<&str> = word.strip_suffix("-dev").unwrap_or(word).split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

impl Version {
    /// The name of the build: `b11669`, else its release and commit as far as known.
    pub fn build(&self) -> String {
        match (self.number, &self.release, &self.commit) {
            (Some(number), _, _) => format!("b{number}"),
            (None, Some(release), Some(commit)) => format!("{release}-{commit}"),
            (None, Some(word), None) | (None, None, Some(word)) => word.clone(),
            (None, None, None) => "unknown".to_owned(),
        }
    }
}
