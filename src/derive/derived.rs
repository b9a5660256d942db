//! Values that several checks need: the registry, the lock, the engine profiles, the command line of each role, and
//! memory sums.

use super::intent;
use super::memory::{self, ProcessMemory};
use super::{ExtraMemory, RoleGroups, RoleMemory};
use crate::engine::dialect::{Lowered, LoweringFault, UncheckedIntent};
use crate::engine::{Profile, ProfileError};
use crate::facts::Lock;
use crate::hir::{Engine, Id, Model, Registry, Role, Serving};
use rayon::prelude::*;
use std::sync::OnceLock;

/// The input of the checks: registry, lock and engine profiles, and the values computed from them.
#[derive(Debug)]
pub struct Derived {
    /// The lowered registry.
    pub registry: Registry,
    /// The lock.
    pub lock: Lock,
    /// The profile of each engine, indexed by engine id.
    profiles: Vec<EngineProfile>,
    /// The names of the profile files in the registry folder.
    profile_files: Vec<String>,
    lowering_issues: OnceLock<Vec<LoweringIssues>>,
    memory: OnceLock<(Vec<ProcessMemory>, ExtraMemory)>,
}

/// The result of looking up the profile of an engine.
#[derive(Debug)]
pub enum EngineProfile {
    /// A profile that is built into orchgen.
    BuiltIn(&'static Profile),
    /// A profile from a file in the registry folder.
    File(Box<Profile>),
    /// No profile has this name.
    Unknown,
    /// The file is not a valid profile: the reason.
    Unreadable(String),
}

/// A profile file in the registry folder: its name, and its text or the reason why it cannot be read.
pub type ProfileText = (String, Result<String, String>);

/// The ending of profile file names. No built-in profile name has it.
pub const FILE_ENDING: &str = ".json";

/// Problems found while lowering a role to the command line of its engine build.
#[derive(Debug)]
pub struct LoweringIssues {
    /// The role.
    pub role: Id<Role>,
    /// Settings that the build cannot express.
    pub errors: Vec<LoweringFault>,
    /// Settings that the build accepts but that deserve a warning.
    pub warnings: Vec<LoweringFault>,
    /// Settings that the profile has no data to check.
    pub not_checked: Vec<UncheckedIntent>,
}

impl Derived {
    /// Looks up the profile of each engine, among the built-in ones and the files of the registry folder.
    pub fn new(registry: Registry, files: &[ProfileText], lock: Lock) -> Self {
        let profiles =
            registry.engines.iter().map(|engine| resolve_profile(&engine.profile, files)).collect();
        let profile_files = files.iter().map(|(name, _)| name.clone()).collect();
        Self {
            registry,
            lock,
            profiles,
            profile_files,
            lowering_issues: OnceLock::new(),
            memory: OnceLock::new(),
        }
    }

    /// The same registry after an upgrade: every engine with the profile `old` gets `new`.
    #[must_use]
    pub fn with_profile(mut self, old: &str, new: &Profile) -> Self {
        for (engine, profile) in self.registry.engines.iter().zip(&mut self.profiles) {
            if *engine.profile.value == *old {
                *profile = EngineProfile::File(Box::new(new.clone()));
            }
        }
        Self { lowering_issues: OnceLock::new(), memory: OnceLock::new(), ..self }
    }

    /// The lowered registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The command line of an instance of a role. `None` if the profile of its engine is unknown.
    pub fn lower_server(&self, serving: &Serving, instance: usize) -> Option<Lowered> {
        intent::lower_server(self, serving, instance)
    }

    /// The one-shot command of a model with the settings of a role.
    pub fn lower_prompt(&self, model: Id<Model>, serving: &Serving) -> Option<Lowered> {
        intent::lower_prompt(self, model, serving)
    }

    /// The profile of an engine. `None` if it is unknown or cannot be read.
    pub fn profile(&self, engine: Id<Engine>) -> Option<&Profile> {
        match self.profiles.get(engine.number())? {
            EngineProfile::BuiltIn(profile) => Some(profile),
            EngineProfile::File(profile) => Some(profile),
            EngineProfile::Unknown | EngineProfile::Unreadable(_) => None,
        }
    }

    /// The profile of a role's engine.
    pub fn profile_of(&self, serving: &Serving) -> Option<&Profile> {
        self.profile(serving.engine?.value)
    }

    /// The names of the profile files in the registry folder, in byte order.
    pub fn profile_files(&self) -> &[String] {
        &self.profile_files
    }

    /// All engines with their profiles.
    pub fn engines(&self) -> impl Iterator<Item = (&Engine, &EngineProfile)> {
        self.registry.engines.iter().zip(&self.profiles)
    }

    /// All roles with problems in lowering, in the order of declaration. Computed once.
    pub fn lowering_issues(&self) -> &[LoweringIssues] {
        self.lowering_issues.get_or_init(|| {
            let served: Vec<(Id<Role>, &Serving)> =
                self.registry.roles.entries().filter_map(|(id, role)| Some((id, role.serving()?))).collect();
            let lowering_issues = served.par_iter().filter_map(|(id, serving)| {
                let Lowered { errors, warnings, not_checked, .. } = intent::lower_server(self, serving, 0)?;
                let any = !errors.is_empty() || !warnings.is_empty() || !not_checked.is_empty();
                any.then_some(LoweringIssues { role: *id, errors, warnings, not_checked })
            });
            lowering_issues.collect()
        })
    }

    /// Computes shared results before the parallel checks, or rayon can deadlock: the computation runs on all threads,
    /// and a thread that waits for it inside a check may have to compute a part of it.
    pub fn prepare(&self) {
        self.lowering_issues();
        self.known_memory();
    }

    /// The memory of each served role, as far as file headers determine it, in the order of declaration. Computed once.
    pub fn memory(&self) -> &[ProcessMemory] {
        &self.known_memory().0
    }

    /// The memory of a role. `None` if it is not served.
    pub fn memory_of(&self, role: Id<Role>) -> Option<&ProcessMemory> {
        let all = self.memory();
        all.get(all.binary_search_by_key(&role, |memory| memory.role).ok()?)
    }

    /// Memory sums over roles, residencies and hosts.
    pub fn loads(&self) -> RoleGroups<'_> {
        self.registry.loads(&self.known_memory().1)
    }

    fn known_memory(&self) -> &(Vec<ProcessMemory>, ExtraMemory) {
        self.memory.get_or_init(|| {
            let roles = memory::of_served_roles(self);
            let known = roles.iter().map(|role| (role.role, memory::role_memory(self, role)));
            let known = known.filter(|(_, memory)| *memory != RoleMemory::default()).collect();
            (roles, known)
        })
    }

    /// True if the build cannot express the command line of a role. This has a separate finding.
    pub fn cannot_serve(&self, role: Id<Role>) -> bool {
        let lowering_issues = self.lowering_issues();
        let at = lowering_issues.binary_search_by_key(&role, |issues| issues.role);
        at.is_ok_and(|at| lowering_issues.get(at).is_some_and(|issues| !issues.errors.is_empty()))
    }
}

fn resolve_profile(name: &str, files: &[ProfileText]) -> EngineProfile {
    if !name.ends_with(FILE_ENDING) {
        return Profile::built_in(name).map_or(EngineProfile::Unknown, EngineProfile::BuiltIn);
    }
    match files.iter().find(|(file, _)| file == name) {
        None => EngineProfile::Unknown,
        Some((_, Err(why))) => EngineProfile::Unreadable(why.clone()),
        Some((_, Ok(text))) => match Profile::parse(name, text, Profile::built_in) {
            Ok(profile) => EngineProfile::File(Box::new(profile)),
            Err(error) => EngineProfile::Unreadable(describe_error(error)),
        },
    }
}

/// The error without the name of the profile, which the finding already contains.
fn describe_error(error: ProfileError) -> String {
    match error {
        ProfileError::Shape { why, .. } => why,
        other @ (ProfileError::Extends { .. }
        | ProfileError::Alias { .. }
        | ProfileError::Name { .. }
        | ProfileError::Twice { .. }) => other.to_string(),
    }
}
