//! Artifacts: the files that a build generates. Texts are rendered lazily, so that only a few are in memory at a time.

use super::Pieces;
use rayon::prelude::*;
use std::fmt;
use std::sync::Arc;

/// One generated file: its path below `out/`, its mode, and a function that renders its text.
pub struct Artifact<'p> {
    path: ArtifactPath,
    executable: bool,
    text: Box<dyn Fn() -> Result<Pieces, RenderError> + Send + Sync + 'p>,
}

/// An internal error: a text could not be rendered. The plan has been checked, so the registry is not the cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenderError(Box<str>);

/// A relative path below the output folder, separated by `/`. It is never absolute and has no empty, `.` or `..` parts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ArtifactPath(Arc<str>);

/// Artifacts, and the part of the output folder that they cover.
#[derive(Default)]
pub struct ArtifactSet<'p> {
    /// The artifacts in byte order of their paths, which are unique.
    artifacts: Vec<Artifact<'p>>,
    /// The roots that the set covers. `None` if it covers the whole folder.
    roots: Option<Vec<&'static str>>,
}

impl ArtifactPath {
    /// The path; none if it would be outside the folder or does not name a file.
    pub fn new(path: impl Into<Arc<str>>) -> Option<Self> {
        let path = path.into();
        let is_valid = path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'));
        is_valid.then_some(Self(path))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first part of the path, which is a folder unless it is the whole path.
    pub fn root(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RenderError {
    /// An error about the named file, template or role, with the reason.
    pub fn new(name: &str, reason: &str) -> Self {
        Self(format!("this is a bug in orchgen: cannot render {name}: {reason}").into())
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
    pub fn file<T: Into<Pieces>>(
        path: ArtifactPath,
        text: impl Fn() -> Result<T, RenderError> + Send + Sync + 'p,
    ) -> Self {
        Self { path, executable: false, text: Box::new(move || text().map(T::into)) }
    }

    /// An executable file (mode 0755).
    pub fn program<T: Into<Pieces>>(
        path: ArtifactPath,
        text: impl Fn() -> Result<T, RenderError> + Send + Sync + 'p,
    ) -> Self {
        Self { path, executable: true, text: Box::new(move || text().map(T::into)) }
    }

    /// The path below the output folder.
    pub fn path(&self) -> &ArtifactPath {
        &self.path
    }

    /// True if the file is executable.
    pub fn is_executable(&self) -> bool {
        self.executable
    }

    /// Renders the text. The result is the same at every call.
    pub fn text(&self) -> Result<String, RenderError> {
        self.pieces().map(Pieces::concat)
    }

    /// Renders the text in pieces.
    pub fn pieces(&self) -> Result<Pieces, RenderError> {
        (self.text)()
    }
}

impl<'p> ArtifactSet<'p> {
    /// A set of artifacts. Fails with an artifact whose path is not unique.
    pub fn new(mut artifacts: Vec<Artifact<'p>>) -> Result<Self, Artifact<'p>> {
        artifacts.par_sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let mut pairs = artifacts.iter().zip(artifacts.iter().skip(1));
        match pairs.position(|(one, next)| one.path == next.path) {
            Some(at) => Err(artifacts.swap_remove(at + 1)),
            None => Ok(Self { artifacts, roots: None }),
        }
    }

    /// The same artifacts, as a set that covers only these roots.
    #[must_use]
    pub fn limited_to(self, roots: Vec<&'static str>) -> Self {
        Self { roots: Some(roots), ..self }
    }

    /// True if the set covers the whole output folder.
    pub fn is_whole(&self) -> bool {
        self.roots.is_none()
    }

    /// True if the set covers this path: a listed file without an artifact is stale. A build ignores all other files.
    pub fn covers(&self, path: &ArtifactPath) -> bool {
        self.roots.as_ref().is_none_or(|roots| roots.contains(&path.root()))
    }

    /// Adds an artifact. Fails with the artifact if its path is already in use.
    pub fn add(&mut self, artifact: Artifact<'p>) -> Result<(), Artifact<'p>> {
        match self.find(&artifact.path) {
            Ok(_) => Err(artifact),
            Err(at) => {
                self.artifacts.insert(at, artifact);
                Ok(())
            }
        }
    }

    /// The artifacts in byte order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = &Artifact<'p>> {
        self.artifacts.iter()
    }

    /// The artifact with this path.
    pub fn get(&self, path: &ArtifactPath) -> Option<&Artifact<'p>> {
        self.find(path).ok().and_then(|at| self.artifacts.get(at))
    }

    /// The number of artifacts.
    pub fn len(&self) -> usize {
        self.artifacts.len()
    }

    /// True if there are no artifacts.
    pub fn is_empty(&self) -> bool {
        self.artifacts.is_empty()
    }

    fn find(&self, path: &ArtifactPath) -> Result<usize, usize> {
        self.artifacts.binary_search_by(|artifact| artifact.path.cmp(path))
    }
}
