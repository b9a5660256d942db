//! A model: a GGUF file and its declared properties.

use super::shape::{Field, Shape, Table};
use super::{Bytes, Family, Host, Id, Registry, Store, Text};
use crate::source::Spanned;

declare! {
    /// A GGUF file and its declared properties.
    pub item Model {
        /// The family of the model.
        family: Option<Spanned<Id<Family>>> = optional("family", Shape::Name("family")),
        /// The architecture of a model without `family`: the value of `general.architecture` in its file. The lock has it.
        arch: Option<Text> = optional("arch", Shape::Text).example("qwen3moe"),
        /// Display name of the model; default: its name. Globs in rules match titles.
        title: Text = optional("title", Shape::Text).example("Qwen3-30B-A3B"),
        /// Short name of the model in the documents about drafts; default: the title.
        label: Option<Text> = optional("label", Shape::Text).example("Qwen3-30B"),
        /// The quantization of the weights, such as `Q4_K_M`; default: as the lock has it.
        quant: Option<Text> = optional("quant", Shape::Text),
        /// The size of the file or of all shards, such as `17.5 GB`; default: as the lock has it.
        size: Option<Spanned<Bytes>> = optional("size", Shape::Size),
        /// The model file or its first shard: a path relative to the store, or an absolute path.
        file: Text = required("file", Shape::File).example("Qwen3-30B-A3B-Q4_K_M.gguf"),
        /// The repository at Hugging Face that has the file. orchgen writes `bin/fetch/MODEL`, which downloads it. A relative `file` is then in the folder of this name, below the store.
        repo: Option<Spanned<Repo>> = optional("repo", Shape::Block(&Repo::TABLE)),
        // `None` if all paths are absolute.
        /// The store of the model's files. Required if there are several stores and no default.
        store: Option<Spanned<Id<Store>>> = optional("store", Shape::Name("store")),
        /// The multimodal projector of a vision model.
        projector: Option<Spanned<Projector>> = optional("projector", Shape::Block(&Projector::TABLE)),
        /// The experts of a mixture-of-experts model.
        experts: Option<Spanned<Experts>> = optional("experts", Shape::Block(&Experts::TABLE)),
        /// The trained context length, in tokens.
        trained_context: Option<Spanned<u64>> =
            optional("trained-context", Shape::Count(1, 1 << 31)).example("262144").unit("tokens"),
        /// Marks a model that must no longer be used, with an optional reason.
        retired: Option<Spanned<Retired>> = optional("retired", Shape::Block(&Retired::TABLE)),
    }
}

declare! {
    /// The repository of a model. Its files are in the folder `org/name` below the store, or below `/srv/models` if no
    /// store is declared.
    pub block Repo = with_principal("name") {
        /// The name of the repository, such as `lmstudio-community/Qwen3-30B-A3B-GGUF`.
        name: Text = required("name", Shape::Repository),
        /// The branch, tag or commit of the repository; default `main`.
        revision: Option<Text> = optional("revision", Shape::Text).default("main").example("v1.0"),
        /// The SHA-256 of the model file, or of its first shard; default: what the hub has.
        sha256: Option<Text> = optional("sha256", Shape::Sha256),
    }
}

/// The folder of the files of a repository if no store is declared.
const DEFAULT_FOLDER: &str = "/srv/models";

impl Registry {
    /// The absolute path of a file of a model on a host. A relative path is below the model's store, in the folder of its
    /// repository.
    pub fn path_of(&self, model: &Model, file: &str, host: Id<Host>) -> String {
        if file.starts_with('/') {
            return file.to_owned();
        }
        let store = model.store.map(|store| self.stores.get(store.value).path_on(host).trim_end_matches('/'));
        match (store, &model.repo) {
            (store, Some(repo)) => format!("{}/{}/{file}", store.unwrap_or(DEFAULT_FOLDER), *repo.name),
            (Some(store), None) => format!("{store}/{file}"),
            (None, None) => file.to_owned(),
        }
    }

    /// True if a host has a file of a model: the path is absolute, or the host has the store.
    pub fn is_file_on(&self, model: &Model, file: &str, host: Id<Host>) -> bool {
        let store = model.store.filter(|_| !file.starts_with('/'));
        store.is_none_or(|store| self.stores.get(store.value).is_on(host))
    }

    /// The hosts on which paths can differ: all hosts if a store has mounts, else one.
    pub fn path_hosts(&self) -> impl Iterator<Item = Id<Host>> {
        let has_mounts = self.stores.iter().any(|store| !store.mounts.is_empty());
        let most = if has_mounts { usize::MAX } else { 1 };
        self.hosts.entries().map(|(id, _)| id).take(most)
    }
}

declare! {
    /// A multimodal projector: a second file, which turns images into embeddings.
    pub block Projector = with_principal("file") {
        /// The projector file: a path relative to the model's store, or an absolute path.
        file: Text = required("file", Shape::File).example("mmproj-F16.gguf"),
        /// The size of the projector file, such as `1.4 GB`.
        size: Option<Spanned<Bytes>> = optional("size", Shape::Size),
        /// The GPU for the projector, or `none` for the host; default: the first GPU of each role.
        gpu: Option<Text> = optional("gpu", Shape::Text).example("CUDA1"),
    }
}

declare! {
    /// The experts of a model, or advice for all models of a family.
    pub block Experts = of() {
        /// The number of experts, 1 to 1024.
        total: Option<Spanned<u32>> =
            optional("total", Shape::Count(1, 1024)).example("128").unit("experts"),
        /// The default number of experts per token, 1 to 1024.
        default: Option<Spanned<u32>> =
            optional("default", Shape::Count(1, 1024)).example("8").unit("experts"),
        /// A recommended number of experts per token.
        advise: Vec<Advice> = distinct("advise", Shape::Block(&Advice::TABLE)),
        /// A number of experts per token that degrades the answers.
        avoid: Vec<Spanned<u32>> = distinct("avoid", AVOID),
    }
}

/// The fields of [`Experts`] that a family has: `advise` and `avoid`.
pub(super) const EXPERT_ADVICE: Table = Table::of(Experts::TABLE.fields.split_at(2).1);

declare! {
    /// A recommended number of experts: `advise 4 for="quality"`.
    pub block Advice = with_principal("use") {
        /// The number of experts per token, 1 to 1024.
        experts: Spanned<u32> = required("use", Shape::Count(1, 1024)).example("4").unit("experts"),
        /// The purpose for which the number is recommended.
        purpose: Option<Text> = optional("for", Shape::Text).example("quality"),
    }
}

/// A number of experts that degrades a model: `avoid 2`.
const AVOID: Shape = Shape::Block(&Table::with_principal(
    "use",
    &[Field::required("use", Shape::Count(1, 1024), "The number of experts per token, 1 to 1024.")
        .example("4")
        .unit("experts")],
));

declare! {
    /// The reason why a model must no longer be used.
    pub block Retired = or_bare("why") {
        /// The reason.
        why: Option<Text> = optional("why", Shape::Text).example("superseded"),
    }
}
