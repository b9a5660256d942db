//! What a target makes: files to be, whose text is rendered only when it is asked for, so that a build of any size
//! holds a few of them at a time.

use rayon::prelude::*;
use std::fmt;
use std::sync::Arc;

/// One file to be: its place below `out/`, whether it is executable, and the way to its text.
pub struct Artifact<'p> {
    path: ArtifactPath,
    executable: bool,
    text: Box<dyn Fn() -> Result<String, RenderError> + Send + Sync + 'p>,
}

/// A text that could not be rendered. The plan has been checked, so it is never the user's doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenderError(Box<str>);

/// A path below the output folder, with `/` between its parts; absolute ones, `..` and empty parts cannot be held.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ArtifactPath(Arc<str>);

/// Artifacts by path, in byte order; two claims on one path cannot be held.
#[derive(Default)]
pub struct ArtifactSet<'p>(Vec<Artifact<'p>>);

impl ArtifactPath {
    /// The path, or none where it would lead out of the folder or name no file.
    pub fn new(path: impl Into<Arc<str>>) -> Option<Self> {
        let path = path.into();
        let sound = path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'));
        sound.then_some(Self(path))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RenderError {
    /// What renders it, and why that failed.
    pub fn new(what: &str, why: &str) -> Self {
        Self(format!("this is a bug in orchgen: {what} cannot be rendered: {why}").into())
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RenderError {}

impl<'p> Artifact<'p> {
    /// A plain file (mode 0644).
    pub fn file(
        path: ArtifactPath,
        text: impl Fn() -> Result<String, RenderError> + Send + Sync + 'p,
    ) -> Self {
        Self { path, executable: false, text: Box::new(text) }
    }

    /// A program (mode 0755).
    pub fn program(
        path: ArtifactPath,
        text: impl Fn() -> Result<String, RenderError> + Send + Sync + 'p,
    ) -> Self {
        Self { path, executable: true, text: Box::new(text) }
    }

    /// Where it will be.
    pub fn path(&self) -> &ArtifactPath {
        &self.path
    }

    /// Whether it is a program.
    pub fn is_executable(&self) -> bool {
        self.executable
    }

    /// Renders the text; the same at every call.
    pub fn text(&self) -> Result<String, RenderError> {
        (self.text)()
    }
}

impl<'p> ArtifactSet<'p> {
    /// The set of these; gives one back whose path another one has.
    pub fn new(mut artifacts: Vec<Artifact<'p>>) -> Result<Self, Artifact<'p>> {
        artifacts.par_sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let mut pairs = artifacts.iter().zip(artifacts.iter().skip(1));
        match pairs.position(|(one, next)| one.path == next.path) {
            Some(at) => Err(artifacts.swap_remove(at + 1)),
            None => Ok(Self(artifacts)),
        }
    }

    /// Takes an artifact in; gives it back where its path is taken.
    pub fn add(&mut self, artifact: Artifact<'p>) -> Result<(), Artifact<'p>> {
        match self.find(&artifact.path) {
            Ok(_) => Err(artifact),
            Err(at) => {
                self.0.insert(at, artifact);
                Ok(())
            }
        }
    }

    /// The artifacts in byte order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = &Artifact<'p>> {
        self.0.iter()
    }

    /// The artifact of a path.
    pub fn get(&self, path: &ArtifactPath) -> Option<&Artifact<'p>> {
        self.find(path).ok().and_then(|at| self.0.get(at))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, path: &ArtifactPath) -> Result<usize, usize> {
        self.0.binary_search_by(|artifact| artifact.path.cmp(path))
    }
}
