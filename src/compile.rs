//! The pipeline: loaded files to a registry, everything that follows from it, a checked registry, and artifacts.

mod findings;
mod format;
mod import;
mod read;

pub use findings::listed_findings;
pub use format::format_files;
pub use import::{Import, ImportOptions, import};

use crate::check::{Checked, NotCheckedPolicy, check};
use crate::derive::{Derived, ProfileSources, derive};
use crate::diag::{Diagnostics, Reported};
use crate::engine::Profile;
use crate::facts::Lock;
use crate::hir::{KnownFiles, Registry};
use crate::plan::report::Findings;
use crate::plan::{TargetName, plan, with_needed};
use crate::render::template::Templates;
use crate::render::{ArtifactSet, RenderError, render, render_only, templates};
use crate::source::Loaded;
use crate::syntax::resolve_fixes;
use read::{known_files, lower_with, read_lock};
use std::mem::ManuallyDrop;
use std::sync::LazyLock;

/// A registry that is lowered but not checked, with its lock. Items that cannot be read are reported and left out.
pub struct LoweredRegistry<'l> {
    loaded: &'l Loaded,
    /// The registry.
    pub registry: Registry,
    /// The lock. Its facts replace the size and the trained context that models omit.
    pub lock: Lock,
}

/// The first stage: parses the loaded files and lowers their items.
pub fn lower<'l>(loaded: &'l Loaded, findings: &mut Diagnostics) -> LoweredRegistry<'l> {
    let lock = read_lock(loaded, findings);
    LoweredRegistry { loaded, registry: lower_with(loaded, &known_files(&lock), findings), lock }
}

impl LoweredRegistry<'_> {
    /// The second stage: computes everything that follows. `upgrade` has the name of a profile, and the profile to use
    /// instead of it.
    pub fn derive(self, upgrade: Option<(&str, &Profile)>, findings: &mut Diagnostics) -> Derived {
        derive(self.registry, self.lock, ProfileSources { files: &self.loaded.profiles, upgrade }, findings)
    }
}

/// The stages up to a checked registry. Reports all findings, with their fixes.
pub fn analyze(
    loaded: &Loaded,
    policy: NotCheckedPolicy,
    findings: &mut Diagnostics,
) -> Result<Checked, Reported> {
    let derived = lower(loaded, findings).derive(None, findings);
    let checked = check(derived, policy, findings);
    finish_findings(loaded, findings);
    checked
}

/// Sorts findings, and writes their fixes.
pub fn finish_findings(loaded: &Loaded, findings: &mut Diagnostics) {
    let is_intact = |file| !loaded.flaws.iter().any(|flaw| flaw.file() == file);
    findings.sort();
    resolve_fixes(&loaded.map, is_intact, findings);
}

/// The templates of all targets. The reference of the guide compiles hundreds of small registries.
static TEMPLATES: LazyLock<Templates> = LazyLock::new(templates);

/// The last stages: plans a checked registry, and passes the artifacts to `emit`. These are the artifacts of the output
/// targets in `only` and of those that they need, or of all output targets if `only` is empty. The report lists the
/// findings.
pub fn generate<T>(
    checked: Checked,
    findings: Findings,
    only: &[TargetName],
    emit: impl FnOnce(&ArtifactSet<'_>) -> T,
) -> Result<T, RenderError> {
    // Leak the plan and the artifacts: freeing them is slow.
    // Plan in this thread, which can then reuse the memory that it frees.
    let (mut plan, templates) =
        rayon::join(|| ManuallyDrop::new(plan(checked)), || LazyLock::force(&TEMPLATES));
    plan.report = plan.report.take().map(|report| report.with_findings(findings));
    let artifacts = if only.is_empty() {
        render(&plan, templates)
    } else {
        render_only(&plan, templates, &with_needed(only.iter().copied()))
    };
    let artifacts = ManuallyDrop::new(artifacts?);
    Ok(emit(&artifacts))
}

/// Like [`lower`], for a lock that is about to be written: no fact of the old lock replaces a field. Returns the findings
/// about the old lock separately.
pub fn lower_to_lock<'l>(
    loaded: &'l Loaded,
    findings: &mut Diagnostics,
) -> (LoweredRegistry<'l>, Diagnostics) {
    let mut lock_findings = Diagnostics::default();
    let lock = read_lock(loaded, &mut lock_findings);
    (
        LoweredRegistry { loaded, registry: lower_with(loaded, &KnownFiles::new(), findings), lock },
        lock_findings,
    )
}
