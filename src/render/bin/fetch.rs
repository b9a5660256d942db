//! `bin/fetch/MODEL` downloads the files of a model from its repository.

use serde::Serialize;

use crate::plan::Fetch;
use crate::render::quote::shell;
use crate::render::template::{Field, Quoted};

/// The template data of the script that downloads a model.
#[derive(Serialize)]
pub(super) struct FetchView<'p> {
    model: Field<'p>,
    title: Field<'p>,
    repo: Field<'p>,
    revision: Field<'p>,
    /// The quoted addresses, files and hashes, one per line.
    sources: Quoted,
    files: Quoted,
    sums: Quoted,
}

pub(super) fn fetch_view(fetch: &Fetch) -> FetchView<'_> {
    let lines = |text: &dyn Fn(usize) -> String| -> Quoted {
        let all: Vec<String> = (0..fetch.files.len()).map(|at| shell(&text(at)).into_owned()).collect();
        all.join("\n  ").into()
    };
    let file = |at: usize| fetch.files.get(at);
    FetchView {
        model: Field::from(&*fetch.model),
        title: Field::from(&*fetch.title),
        repo: Field::from(&*fetch.repo),
        revision: Field::from(&*fetch.revision),
        sources: lines(&|at| file(at).map(|one| one.source.clone()).unwrap_or_default()),
        files: lines(&|at| file(at).map(|one| one.path.clone()).unwrap_or_default()),
        sums: lines(&|at| file(at).and_then(|one| one.sha256.as_deref()).unwrap_or_default().to_owned()),
    }
}
