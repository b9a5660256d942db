//! Plan to artifacts: one file a target, one folder of templates each.

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

/// One kind of output: its name, its templates, and its function from plan to artifacts.
pub struct Target {
    /// The word by which the stack asks for it.
    pub name: TargetName,
    templates: &'static [&'static Template],
    artifacts: for<'p> fn(&'p Plan, &'p Templates, &mut Claims<'_, 'p>),
}

/// All targets, in the order of the documentation.
pub static ALL: &[&Target] =
    &[&systemd::TARGET, &bin::TARGET, &numactl::TARGET, &docs::TARGET, &stack_json::TARGET];

/// What a target claims: paths below `out/`, each with the way to its text.
pub struct Claims<'s, 'p> {
    list: &'s mut Vec<Artifact<'p>>,
    clash: Option<RenderError>,
}

impl<'p> Claims<'_, 'p> {
    /// Claims a plain file (mode 0644).
    pub fn file(&mut self, path: String, text: impl Fn() -> Result<String, RenderError> + Send + Sync + 'p) {
        self.claim(path, |path| Artifact::file(path, text));
    }

    /// Claims a program (mode 0755).
    pub fn program(
        &mut self,
        path: String,
        text: impl Fn() -> Result<String, RenderError> + Send + Sync + 'p,
    ) {
        self.claim(path, |path| Artifact::program(path, text));
    }

    /// A path that leads out of the folder is a name that the checks should have refused.
    fn claim(&mut self, path: String, artifact: impl FnOnce(ArtifactPath) -> Artifact<'p>) {
        match ArtifactPath::new(path) {
            Some(sound) => self.list.push(artifact(sound)),
            None if self.clash.is_none() => self.clash = Some(clash("an artifact out of the folder")),
            None => {}
        }
    }
}

fn clash(what: &str) -> RenderError {
    RenderError::new(what, "its path is taken or leads out of the folder")
}

/// The templates of all targets, compiled.
pub fn templates() -> Templates {
    Templates::new(ALL.iter().flat_map(|target| target.templates.iter().copied()))
}

/// Everything that the plan asks for, by path; texts are rendered when they are asked for.
pub fn render<'p>(plan: &'p Plan, templates: &'p Templates) -> Result<ArtifactSet<'p>, RenderError> {
    let claimed = |target: &&Target| {
        let mut list = Vec::new();
        let mut claims = Claims { list: &mut list, clash: None };
        (target.artifacts)(plan, templates, &mut claims);
        claims.clash.map_or(Ok(list), Err)
    };
    let asked: Vec<&Target> =
        ALL.iter().copied().filter(|target| plan.targets.contains(&target.name)).collect();
    let lists: Vec<Result<Vec<Artifact<'p>>, RenderError>> = asked.par_iter().map(claimed).collect();
    let mut all = Vec::new();
    for list in lists {
        all.append(&mut list?);
    }
    // A path that is claimed twice comes of a name that the checks should have refused.
    ArtifactSet::new(all).map_err(|taken| clash(taken.path().as_str()))
}
