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
    set: &'s mut ArtifactSet<'p>,
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

    /// A path that leads out of the folder or is claimed twice is a name that the checks should have refused.
    fn claim(&mut self, path: String, artifact: impl FnOnce(ArtifactPath) -> Artifact<'p>) {
        let clash = match ArtifactPath::new(path) {
            Some(sound) => self.set.add(artifact(sound)).err().map(|taken| taken.path().to_string()),
            None => Some("an artifact out of the folder".to_owned()),
        };
        if let (Some(what), None) = (clash, &self.clash) {
            self.clash = Some(RenderError::new(&what, "its path is taken or leads out of the folder"));
        }
    }
}

/// The templates of all targets, compiled.
pub fn templates() -> Templates {
    Templates::new(ALL.iter().flat_map(|target| target.templates.iter().copied()))
}

/// Everything that the plan asks for, by path; texts are rendered when they are asked for.
pub fn render<'p>(plan: &'p Plan, templates: &'p Templates) -> Result<ArtifactSet<'p>, RenderError> {
    let mut set = ArtifactSet::default();
    let mut claims = Claims { set: &mut set, clash: None };
    for target in ALL.iter().filter(|target| plan.targets.contains(&target.name)) {
        (target.artifacts)(plan, templates, &mut claims);
    }
    match claims.clash {
        Some(clash) => Err(clash),
        None => Ok(set),
    }
}
