//! Builds a profile from the help texts of the programs of one build.

use std::collections::BTreeMap;

use super::file::{FileTools, ProfileFile};
use super::help::Help;
use super::lists::ClosedLists;
use super::option::{OptionRecord, Tools};
use super::version::Version;
use crate::engine::Family;

/// Merges the options of several programs of one build, given by program name. An option with the same data in several
/// programs is listed once, with these programs. `lists` are from the libraries of the build. Checks that need a list that
/// could not be read are not run.
pub fn profile_from_help(
    version: &Version,
    helps: &BTreeMap<String, Help>,
    lists: ClosedLists,
) -> ProfileFile {
    let mut records: Vec<(&OptionRecord, Vec<&str>)> = Vec::new();
    let mut titled: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (tool, help) in helps {
        for option in &help.options {
            let same = titled.entry(option.title()).or_default();
            let known = same.iter().find(|at| records.get(**at).is_some_and(|(record, _)| *record == option));
            match known.and_then(|at| records.get_mut(*at)) {
                Some((_, tools)) => tools.push(tool),
                None => {
                    same.push(records.len());
                    records.push((option, vec![tool]));
                }
            }
        }
    }
    let options = records.into_iter().map(|(option, tools)| {
        let all = tools.len() == helps.len();
        let tools =
            if all { Tools::All } else { Tools::Some(tools.into_iter().map(str::to_owned).collect()) };
        OptionRecord { tools, ..option.clone() }
    });
    let unparsed = helps
        .iter()
        .flat_map(|(tool, help)| help.not_understood.iter().map(move |line| format!("{tool}: {line}")));
    let mut file = ProfileFile {
        engine: Family::LlamaCpp,
        build: version.build(),
        extends: None,
        source: format!("--help of programs that print `version: {}`", version.text),
        version: version.release.clone(),
        commit: version.commit.clone(),
        date: None,
        tools: FileTools::List(helps.keys().cloned().collect()),
        subcommands: BTreeMap::new(),
        options: options.collect(),
        not_understood: unparsed.collect(),
        architectures: lists.architectures,
        pre_tokenizers: lists.pre_tokenizers,
        projector_types: lists.projector_types,
        tensor_types: lists.tensor_types,
        metadata_keys: Vec::new(),
    };
    file.sort();
    file
}
