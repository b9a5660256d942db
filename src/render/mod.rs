//! Turns a plan into artifacts. Each output target has one file and one folder of templates.

mod artifact;
mod bin;
mod command;
mod compose;
mod container;
pub mod deployment;
mod docs;
mod kubernetes;
mod llama_swap;
mod names;
mod numactl;
mod pieces;
mod presets;
mod prometheus;
mod quadlet;
pub mod quote;
pub mod report;
mod router;
mod stack_json;
mod stencil;
mod systemd;
pub mod template;
mod yaml;

pub use artifact::{Artifact, ArtifactPath, ArtifactSet, RenderError};
pub use pieces::Pieces;

use crate::plan::{Plan, TargetName};
use serde::Serialize;
use template::{Quoted, Template, Templates};

/// One kind of output: its root, its templates, and the function that adds its artifacts.
pub struct OutputTarget {
    /// The first part of the path of all its artifacts: a folder, or its only file. No two targets have the same root, so
    /// the root decides to which target a file of an earlier build belongs.
    root: &'static str,
    templates: &'static [&'static Template],
    artifacts: for<'p> fn(&'p Plan, &mut ArtifactCollector<'p>),
}

/// The output target of a name.
fn target(name: TargetName) -> &'static OutputTarget {
    match name {
        TargetName::Systemd => &systemd::TARGET,
        TargetName::Router => &router::TARGET,
        TargetName::LlamaSwap => &llama_swap::TARGET,
        TargetName::Quadlet => &quadlet::TARGET,
        TargetName::Compose => &compose::TARGET,
        TargetName::Bin => &bin::TARGET,
        TargetName::Numactl => &numactl::TARGET,
        TargetName::Docs => &docs::TARGET,
        TargetName::Report => &report::TARGET,
        TargetName::StackJson => &stack_json::TARGET,
        TargetName::Prometheus => &prometheus::TARGET,
        TargetName::Deploy => &deployment::TARGET,
        TargetName::Kubernetes => &kubernetes::TARGET,
    }
}

/// Collects the artifacts of output targets. Texts are rendered lazily.
pub struct ArtifactCollector<'p> {
    templates: &'p Templates,
    /// The root of the current target.
    root: &'static str,
    list: Vec<Artifact<'p>>,
    error: Option<RenderError>,
}

impl OutputTarget {
    /// A target with this root and these templates. The function adds its artifacts.
    pub const fn new(
        root: &'static str,
        templates: &'static [&'static Template],
        artifacts: for<'p> fn(&'p Plan, &mut ArtifactCollector<'p>),
    ) -> Self {
        Self { root, templates, artifacts }
    }
}

impl<'p> ArtifactCollector<'p> {
    /// Adds a file that a template makes from the data of a view. It is executable if it is a script.
    pub fn file<V: Serialize>(
        &mut self,
        path: String,
        template: &'static Template,
        view: impl Fn() -> Result<V, RenderError> + Send + Sync + 'p,
    ) {
        let templates = self.templates;
        let text = move || templates.render(template, &view()?);
        self.add(path, |path| {
            if template.is_script() { Artifact::program(path, text) } else { Artifact::file(path, text) }
        });
    }

    /// Adds a file with a text that a function writes.
    pub fn text<T: Into<Pieces>>(
        &mut self,
        path: String,
        text: impl Fn() -> Result<T, RenderError> + Send + Sync + 'p,
    ) {
        self.add(path, |path| Artifact::file(path, text));
    }

    /// The text of a template that several files contain, without the line break at its end.
    pub fn part(&mut self, template: &'static Template, view: &impl Serialize) -> Quoted {
        let mut text = self.templates.render(template, view).unwrap_or_else(|error| {
            self.error = Some(error);
            String::new()
        });
        text.truncate(text.trim_end_matches('\n').len());
        text.into()
    }

    /// An invalid path is an internal error, because the checks reject invalid names.
    fn add(&mut self, path: String, artifact: impl FnOnce(ArtifactPath) -> Artifact<'p>) {
        match ArtifactPath::new(path).filter(|path| path.root() == self.root) {
            Some(path) => self.list.push(artifact(path)),
            None => self.error = Some(path_error("an artifact outside the folder")),
        }
    }
}

fn path_error(path: &str) -> RenderError {
    RenderError::new(path, "the path is outside the folder or already in use")
}

/// The compiled templates of all output targets.
pub fn templates() -> Templates {
    templates_of(TargetName::ALL.iter().map(|name| target(*name)))
}

/// The compiled templates of these output targets.
pub fn templates_of(targets: impl IntoIterator<Item = &'static OutputTarget>) -> Templates {
    Templates::new(targets.into_iter().flat_map(|target| target.templates.iter().copied()))
}

/// The artifacts of all output targets that the stack names.
pub fn render<'p>(plan: &'p Plan, templates: &'p Templates) -> Result<ArtifactSet<'p>, RenderError> {
    render_targets(plan, templates, plan.targets.iter().map(|name| target(*name)))
}

/// The artifacts of these output targets alone, if the stack names them. The set covers no file of another target.
pub fn render_only<'p>(
    plan: &'p Plan,
    templates: &'p Templates,
    only: &[TargetName],
) -> Result<ArtifactSet<'p>, RenderError> {
    let targets = || plan.targets.iter().filter(|name| only.contains(name)).map(|name| target(*name));
    let set = render_targets(plan, templates, targets())?;
    Ok(set.limited_to(targets().map(|target| target.root).collect()))
}

/// The artifacts of these output targets.
pub fn render_targets<'p>(
    plan: &'p Plan,
    templates: &'p Templates,
    targets: impl IntoIterator<Item = &'static OutputTarget>,
) -> Result<ArtifactSet<'p>, RenderError> {
    let mut collector = ArtifactCollector { templates, root: "", list: Vec::new(), error: None };
    for target in targets {
        collector.root = target.root;
        (target.artifacts)(plan, &mut collector);
    }
    if let Some(error) = collector.error {
        return Err(error);
    }
    // Two artifacts with one path are an internal error, because the checks reject such names.
    ArtifactSet::new(collector.list).map_err(|duplicate| path_error(duplicate.path().as_str()))
}
