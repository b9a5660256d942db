//! What checks stand on: the registry, what the builds of its engines accept, what its model files say, and what follows for its
//! roles.

use super::intent;
use super::memory::{self, RoleMemory};
use crate::engine::dialect::{Inexpressible, Lowered, NotChecked};
use crate::engine::{Profile, ProfileError};
use crate::facts::Lock;
use crate::hir::{Engine, Id, Loads, Model, Registry, Role, Serving, Taken, Taking};
use rayon::prelude::*;
use std::sync::OnceLock;

/// What checks stand on.
#[derive(Debug)]
pub struct Ground {
    pub(super) registry: Registry,
    pub(super) lock: Lock,
    /// The profile of each engine, in the order of their numbers.
    profiles: Vec<Accepted>,
    /// The names of the profile files beside the registry.
    files: Vec<String>,
    troubles: OnceLock<Vec<Trouble>>,
    memory: OnceLock<(Vec<RoleMemory>, Taken)>,
}

/// The profile of an engine.
#[derive(Debug)]
pub(super) enum Accepted {
    /// One that comes with the program.
    BuiltIn(&'static Profile),
    /// One of a file beside the registry.
    Own(Box<Profile>),
    /// No profile has the name.
    Unknown,
    /// The file is no profile.
    Unreadable(String),
}

/// A profile file beside the registry: its name, and its text or why there is none.
pub type ProfileText = (String, Result<String, String>);

/// How the names of profile files end; no built-in profile is named so.
pub(super) const FILE_ENDING: &str = ".json";

/// What the build of a role's engine cannot say of it, does not know, or has to be warned of.
#[derive(Debug)]
pub(super) struct Trouble {
    /// The role.
    pub(super) role: Id<Role>,
    /// What the build cannot express.
    pub(super) cannot: Vec<Inexpressible>,
    /// What it takes and should not be given.
    pub(super) warned: Vec<Inexpressible>,
    /// What the profile does not know.
    pub(super) not_checked: Vec<NotChecked>,
}

impl Ground {
    /// Reads the profiles of the engines: those that are built in, and those of files beside the registry. The lock says what model
    /// files say.
    pub fn new(registry: Registry, files: &[ProfileText], lock: Lock) -> Self {
        let profiles = registry.engines.iter().map(|engine| accepted(&engine.profile, files)).collect();
        let files = files.iter().map(|(name, _)| name.clone()).collect();
        Self { registry, lock, profiles, files, troubles: OnceLock::new(), memory: OnceLock::new() }
    }

    /// The same registry with every engine that has the one profile under the other: what an upgrade would make of it.
    #[must_use]
    pub fn under(mut self, old: &str, new: &Profile) -> Self {
        for (engine, accepted) in self.registry.engines.iter().zip(&mut self.profiles) {
            if *engine.profile.value == *old {
                *accepted = Accepted::Own(Box::new(new.clone()));
            }
        }
        Self { troubles: OnceLock::new(), memory: OnceLock::new(), ..self }
    }

    /// What was declared.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The command line of an instance of a role; none where the profile of its engine is not known.
    pub fn serve(&self, serving: &Serving, instance: usize) -> Option<Lowered> {
        intent::serve(self, serving, instance)
    }

    /// The one-shot command of a model as a role has it, with `words` for what is asked and the image it is asked about.
    pub fn prompt(&self, model: Id<Model>, serving: &Serving, words: (&str, &str)) -> Option<Lowered> {
        intent::prompt(self, model, serving, words)
    }

    /// What the build of an engine accepts; none where its profile is unknown or cannot be read.
    pub fn profile(&self, engine: Id<Engine>) -> Option<&Profile> {
        match self.profiles.get(engine.number())? {
            Accepted::BuiltIn(profile) => Some(profile),
            Accepted::Own(profile) => Some(profile),
            Accepted::Unknown | Accepted::Unreadable(_) => None,
        }
    }

    /// The profile of a role's engine.
    pub(super) fn profile_of(&self, serving: &Serving) -> Option<&Profile> {
        self.profile(serving.engine?.value)
    }

    /// The names of the profile files beside the registry, in byte order.
    pub(super) fn files(&self) -> &[String] {
        &self.files
    }

    /// All engines with their profiles.
    pub(super) fn engines(&self) -> impl Iterator<Item = (&Engine, &Accepted)> {
        self.registry.engines.iter().zip(&self.profiles)
    }

    /// The roles that the builds of their engines have trouble with, in the order of declaration; found out once.
    pub(super) fn troubles(&self) -> &[Trouble] {
        self.troubles.get_or_init(|| {
            let served: Vec<(Id<Role>, &Serving)> =
                self.registry.roles.entries().filter_map(|(id, role)| Some((id, role.serving()?))).collect();
            let troubles = served.par_iter().filter_map(|(id, serving)| {
                let Lowered { cannot, warned, not_checked, .. } = intent::serve(self, serving, 0)?;
                let any = !cannot.is_empty() || !warned.is_empty() || !not_checked.is_empty();
                any.then_some(Trouble { role: *id, cannot, warned, not_checked })
            });
            troubles.collect()
        })
    }

    /// Finds out what several checks ask for. It is worked out by all threads, and one that waits for it inside a check may be one
    /// that has to work it out, so it has to be there before checks run beside one another.
    pub(super) fn prepare(&self) {
        self.troubles();
        self.known_memory();
    }

    /// What the served roles take in memory, as far as the headers of their files say, in the order of declaration; found out once.
    pub fn memory(&self) -> &[RoleMemory] {
        &self.known_memory().0
    }

    /// What a role takes in memory; none where it is not served.
    pub fn memory_of(&self, role: Id<Role>) -> Option<&RoleMemory> {
        let all = self.memory();
        all.get(all.binary_search_by_key(&role, |memory| memory.role).ok()?)
    }

    /// The roles, to be summed with what is known of their memory.
    pub fn loads(&self) -> Loads<'_> {
        self.registry.loads(&self.known_memory().1)
    }

    fn known_memory(&self) -> &(Vec<RoleMemory>, Taken) {
        self.memory.get_or_init(|| {
            let roles = memory::of_roles(self);
            let taken = roles.iter().map(|role| (role.role, memory::taking(self, role)));
            let taken = taken.filter(|(_, taking)| *taking != Taking::default()).collect();
            (roles, taken)
        })
    }

    /// Whether the server of a role cannot be said, which has a finding of its own.
    pub(super) fn cannot_serve(&self, role: Id<Role>) -> bool {
        let troubles = self.troubles();
        let at = troubles.binary_search_by_key(&role, |trouble| trouble.role);
        at.is_ok_and(|at| troubles.get(at).is_some_and(|trouble| !trouble.cannot.is_empty()))
    }
}

fn accepted(name: &str, files: &[ProfileText]) -> Accepted {
    if !name.ends_with(FILE_ENDING) {
        return Profile::built_in(name).map_or(Accepted::Unknown, Accepted::BuiltIn);
    }
    match files.iter().find(|(file, _)| file == name) {
        None => Accepted::Unknown,
        Some((_, Err(why))) => Accepted::Unreadable(why.clone()),
        Some((_, Ok(text))) => match Profile::parse(name, text, Profile::built_in) {
            Ok(profile) => Accepted::Own(Box::new(profile)),
            Err(error) => Accepted::Unreadable(why(error)),
        },
    }
}

/// The error without the name of the profile, which the finding says.
fn why(error: ProfileError) -> String {
    match error {
        ProfileError::Shape { why, .. } => why,
        other @ (ProfileError::Extends { .. }
        | ProfileError::Alias { .. }
        | ProfileError::Name { .. }
        | ProfileError::Twice { .. }) => other.to_string(),
    }
}
