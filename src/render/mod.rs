//! Turns a plan into artifacts. Each output target has one file and one folder of templates.

mod artifact;
mod bin;
mod docs;
mod numactl;
pub mod quote;
mod stack_json;
mod systemd;
pub mod template;

pub use artifact::{Artifact, ArtifactPath, ArtifactSet, RenderError};

use crate::plan::{Plan, TargetName};
use rayon::prelude::*;
use template::{Template, Templates};

/// One kind of output: its name, its templates, and the function that adds its artifacts.
pub struct OutputTarget {
    /// The name in `targets` of the stack.
    pub name: TargetName,
    templates: &'static [&'static Template],
    artifacts: for<'p> fn(&'p Plan, &'p Templates, &mut ArtifactCollector<'_, 'p>),
}

/// All output targets, in the order of the documentation.
pub static ALL: &[&OutputTarget] =
    &[&systemd::TARGET, &bin::TARGET, &numactl::TARGET, &docs::TARGET, &stack_json::TARGET];

/// Collects the artifacts of an output target.
pub struct ArtifactCollector<'s, 'p> {
    list: &'s mut Vec<Artifact<'p>>,
    error: Option<RenderError>,
}

impl<'p> ArtifactCollector<'_, 'p> {
    /// Adds a plain file (mode 0644).
    pub fn file(&mut self, path: String, text: impl Fn() -> Result<String, RenderError> + Send + Sync + 'p) {
        self.add(path, |path| Artifact::file(path, text));
    }

    /// Adds an executable file (mode 0755).
    pub fn program(
        &mut self,
        path: String,
        text: impl Fn() -> Result<String, RenderError> + Send + Sync + 'p,
    ) {
        self.add(path, |path| Artifact::program(path, text));
    }

    /// An invalid path is an internal error, because the checks reject invalid names.
    fn add(&mut self, path: String, artifact: impl FnOnce(ArtifactPath) -> Artifact<'p>) {
        match ArtifactPath::new(path) {
            Some(valid) => self.list.push(artifact(valid)),
            None if self.error.is_none() => self.error = Some(path_error("an artifact outside the folder")),
            None => {}
        }
    }
}

fn path_error(path: &str) -> RenderError {
    RenderError::new(path, "the path is outside the folder or already in use")
}

/// The compiled templates of all output targets.
pub fn templates() -> Templates {
    Templates::new(ALL.iter().flat_map(|target| target.templates.iter().copied()))
}

/// The artifacts of all output targets that the stack names. Texts are rendered lazily.
pub fn render<'p>(plan: &'p Plan, templates: &'p Templates) -> Result<ArtifactSet<'p>, RenderError> {
    let collect = |target: &&OutputTarget| {
        let mut list = Vec::new();
        let mut collector = ArtifactCollector { list: &mut list, error: None };
        (target.artifacts)(plan, templates, &mut collector);
        collector.error.map_or(Ok(list), Err)
    };
    let selected: Vec<&OutputTarget> =
        ALL.iter().copied().filter(|target| plan.targets.contains(&target.name)).collect();
    let lists: Vec<Result<Vec<Artifact<'p>>, RenderError>> = selected.par_iter().map(collect).collect();
    let mut all = Vec::new();
    for list in lists {
        all.append(&mut list?);
    }
    // Two artifacts with one path are an internal error, because the checks reject such names.
    ArtifactSet::new(all).map_err(|duplicate| path_error(duplicate.path().as_str()))
}
