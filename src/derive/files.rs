//! The model files that the processes of a role read.

use crate::engine::memory::Owner;
use crate::hir::{Bytes, Host, Id, Model, Registry, Seconds, Serving, Store};
use crate::source::Spanned;
use std::sync::Arc;

/// The files that each process of a role reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleFiles {
    /// The weights of the model.
    pub model: ModelFile,
    /// The weights of the draft.
    pub draft: Option<ModelFile>,
    /// The projector of the model.
    pub projector: Option<ModelFile>,
}

/// A file of a model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelFile {
    /// The full path. Several models may have the same file.
    pub path: Arc<str>,
    /// The declared size. `None` if it is unknown.
    pub bytes: Option<Bytes>,
    /// Its store. `None` if the registry has the full path.
    pub store: Option<Id<Store>>,
}

/// The upper limit of a load time, or the reason why it is unknown, as a clause.
pub type LoadTime = Result<Seconds, &'static str>;

impl RoleFiles {
    pub(super) fn new(registry: &Registry, serving: &Serving) -> Self {
        let host = serving.host.value;
        let new = |model: &Model, file: &Arc<str>, size: Option<Spanned<Bytes>>| {
            ModelFile::new((registry, host), model, file, size.map(|size| size.value))
        };
        let weights = |model: &Model| new(model, &model.file, model.size);
        let model = registry.models.get(serving.model.value);
        let draft = serving.draft_model().map(|(_, model)| registry.models.get(model.value));
        let projector = model.projector.as_ref().map(|projector| new(model, &projector.file, projector.size));
        Self { model: weights(model), draft: draft.map(weights), projector }
    }

    /// All files: of the model, the draft and the projector.
    pub fn iter(&self) -> impl Iterator<Item = (Owner, &ModelFile)> {
        let files = [
            (Owner::Model, Some(&self.model)),
            (Owner::Draft, self.draft.as_ref()),
            (Owner::Projector, self.projector.as_ref()),
        ];
        files.into_iter().filter_map(|(owner, file)| Some((owner, file?)))
    }

    /// The size of all files. `None` if the size of a model is unknown.
    pub fn bytes(&self) -> Option<Bytes> {
        let mut sum = Bytes(0);
        for (owner, file) in self.iter() {
            match file.bytes {
                Some(bytes) => sum = sum.plus(bytes),
                None if owner == Owner::Projector => {}
                None => return None,
            }
        }
        Some(sum)
    }
}

impl ModelFile {
    fn new(
        (registry, host): (&Registry, Id<Host>),
        model: &Model,
        file: &Arc<str>,
        bytes: Option<Bytes>,
    ) -> Self {
        if file.starts_with('/') {
            // The roles of a model share the text.
            return Self { path: file.clone(), bytes, store: None };
        }
        let store = model.store.map(|store| store.value);
        Self { path: registry.path_of(model, file, host).into(), bytes, store }
    }
}
