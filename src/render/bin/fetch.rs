//! `bin/fetch/MODEL` downloads the files of a model from its repository.

use serde::Serialize;
use std::sync::Arc;

use crate::plan::{Fetch, FetchPlace};
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
    /// The paths of each host, if they differ.
    places: Vec<PlaceView>,
    /// The quoted names of the hosts, as a list.
    hosts: Quoted,
}

/// The paths of the files on some hosts.
#[derive(Serialize)]
struct PlaceView {
    /// The quoted names of the hosts, as patterns of `case`.
    hosts: Quoted,
    /// The quoted files, one per line.
    files: Quoted,
}

pub(super) fn fetch_view(fetch: &Fetch) -> FetchView<'_> {
    let lines = |text: &dyn Fn(usize) -> String| -> Quoted {
        let all: Vec<String> = (0..fetch.files.len()).map(|at| shell(&text(at)).into_owned()).collect();
        all.join("\n  ").into()
    };
    let file = |at: usize| fetch.files.get(at);
    let one = fetch.places.first().filter(|_| fetch.places.len() == 1);
    let several = if one.is_some() { &[] } else { fetch.places.as_slice() };
    let names = |hosts: &[Arc<str>]| hosts.iter().map(|host| shell(host).into_owned()).collect::<Vec<_>>();
    FetchView {
        places: several.iter().map(|place| place_view(place, &names(&place.hosts))).collect(),
        hosts: several.iter().flat_map(|place| names(&place.hosts)).collect::<Vec<_>>().join(", ").into(),
        model: Field::from(&*fetch.model),
        title: Field::from(&*fetch.title),
        repo: Field::from(&*fetch.repo),
        revision: Field::from(&*fetch.revision),
        sources: lines(&|at| file(at).map(|one| one.source.clone()).unwrap_or_default()),
        files: lines(&|at| one.and_then(|one| one.paths.get(at)).cloned().unwrap_or_default()),
        sums: lines(&|at| file(at).and_then(|one| one.sha256.as_deref()).unwrap_or_default().to_owned()),
    }
}

fn place_view(place: &FetchPlace, names: &[String]) -> PlaceView {
    let files: Vec<_> = place.paths.iter().map(|path| shell(path)).collect();
    PlaceView { hosts: names.join(" | ").into(), files: files.join("\n      ").into() }
}
