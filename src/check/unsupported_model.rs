//! Words of model files that are not in the closed lists of the pinned build.

use crate::derive::Derived;
use crate::derive::locked;
use crate::diag::{Diagnostic, Diagnostics, suggest, words};
use crate::engine::architecture::{self, Class};
use crate::engine::lists::{has_pre_tokenizer, replacement_of_removed};
use crate::engine::{ClosedList, Family as EngineFamily, Profile};
use crate::hir::{Engine, Id, Model};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// A served model whose architecture, pre-tokenizer, projector type or tensor type is not in the list of the pinned
    /// build. The architecture is the declared one or that of the lock; the others are from the lock.
    ///
    /// ## Why
    /// Each build has closed lists of these words. llama-server exits if it reads another word (`src/llama-arch.cpp`,
    /// `src/llama-vocab.cpp`, `tools/mtmd/clip-impl.h` and `ggml/src/ggml.c` of llama.cpp). The lists are in the
    /// profile: `architectures`, `pre_tokenizers`, `projector_types` and `tensor_types`. If the profile lacks a list,
    /// the check is not run, which is an error under `--locked`. `orchgen engine probe` reads the lists from the
    /// libraries of the build.
    ///
    /// ## Example
    /// ```kdl
    /// engine "spring" profile="llama.cpp-2026-03-22-g49bfddeca" bin="/opt/spring/bin"
    /// family "new" arch="gemma4"
    /// model "new" family="new" title="New" quant="Q4_K_M" size="4.4 GB" file="new.gguf"
    /// role "extra" tier="A" residency="hot" model="new" engine="spring" port=9000 context=4096
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "spring" profile="llama.cpp-b11434" bin="/opt/spring/bin"
    /// family "new" arch="gemma4"
    /// model "new" family="new" title="New" quant="Q4_K_M" size="4.4 GB" file="new.gguf"
    /// role "extra" tier="A" residency="hot" model="new" engine="spring" port=9000 context=4096
    /// ```
    pub(super) static UNSUPPORTED_MODEL = 381, "unsupported-model", Error;
}

/// A word of a model file that an engine has to know.
struct FileWord<'d> {
    list: ClosedList,
    word: &'d str,
    /// The declared word, or the file that has it.
    place: Span,
    /// The word in the lock.
    locked: Option<Span>,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    // A family is reported once, with the first of its models.
    let mut seen = BTreeSet::new();
    let mut unknown_lists: BTreeMap<(&str, ClosedList), &Engine> = BTreeMap::new();
    for (model, id) in served_models(derived) {
        let Some(profile) = derived.profile(id) else { continue };
        let engine = derived.registry.engines.get(id);
        for found in file_words(derived, model) {
            if !seen.insert((id.number(), found.list, found.word, found.place)) {
                continue;
            }
            match profile.lists().has(found.list, found.word) {
                None => {
                    unknown_lists.entry((profile.name(), found.list)).or_insert(engine);
                }
                Some(true) => {}
                Some(false) => {
                    findings.report(finding(model, engine, profile, &found));
                }
            }
        }
    }
    for ((profile, list), engine) in unknown_lists {
        let why = format!(
            "the profile {} has no list `{}`: create it with `orchgen engine probe` where the libraries of the build are, \
             or add the list",
            words::quoted(profile),
            list.field()
        );
        findings.skip(&UNSUPPORTED_MODEL, engine, why);
    }
}

/// The models and drafts of all roles with their engines, each once.
fn served_models(derived: &Derived) -> Vec<(&Model, Id<Engine>)> {
    let mut models = BTreeMap::new();
    for served in &derived.roles {
        let Some(engine) = served.serving.engine else { continue };
        let draft = served.serving.draft_model().map(|(_, model)| model.value);
        for model in std::iter::once(served.serving.model.value).chain(draft) {
            models.insert((model.number(), engine.value.number()), (model, engine.value));
        }
    }
    models.into_values().map(|(model, engine)| (derived.registry.models.get(model), engine)).collect()
}

fn file_words<'d>(derived: &'d Derived, model: &'d Model) -> Vec<FileWord<'d>> {
    let mut found = Vec::new();
    let entry = locked::facts(&derived.lock, model).ok();
    let actual = entry.and_then(|entry| entry.facts.architecture.as_deref());
    // A wrong declaration is reported as such, and so is an architecture that no build loads.
    let arch = derived.registry.arch_of(model).filter(|arch| !is_unloadable(arch));
    if let Some(arch) = arch.filter(|arch| actual.is_none_or(|actual| *actual == *arch.value)) {
        found.push(FileWord {
            list: ClosedList::Architectures,
            word: arch,
            place: if model.family.is_some() { arch.span } else { model.file.span },
            locked: actual.and(entry).and_then(|entry| entry.place("architecture")),
        });
    }
    let of_file = |list, word, place| FileWord { list, word, place, locked: None };
    if let Some(entry) = entry {
        let vocabulary = entry.facts.vocabulary.as_ref().filter(|tokens| has_pre_tokenizer(&tokens.kind));
        let pre = vocabulary.and_then(|tokens| tokens.pre.as_deref()).filter(|pre| !pre.is_empty());
        found.extend(pre.map(|pre| of_file(ClosedList::PreTokenizers, pre, model.file.span)));
        let types = entry.facts.tensors.bytes.keys();
        found.extend(types.map(|kind| of_file(ClosedList::TensorTypes, kind, model.file.span)));
    }
    if let (Some(projector), Some(Ok(entry))) = (&model.projector, locked::projector(&derived.lock, model)) {
        let place = projector.file.span;
        let kind = entry.facts.projector_type.as_deref();
        found.extend(kind.map(|kind| FileWord {
            locked: entry.place("projector_type"),
            ..of_file(ClosedList::ProjectorTypes, kind, place)
        }));
        let types = entry.facts.tensors.bytes.keys();
        found.extend(types.map(|kind| of_file(ClosedList::TensorTypes, kind, place)));
    }
    found
}

fn is_unloadable(arch: &str) -> bool {
    architecture::architecture(arch).is_some_and(|arch| arch.is(Class::NotLoadable))
}

fn finding(model: &Model, engine: &Engine, profile: &Profile, found: &FileWord<'_>) -> Diagnostic {
    let (list, word) = (found.list, words::quoted(found.word));
    let build = words::quoted(profile.name());
    let message = format!("{model} has the {} {word}, which {build} does not know", list.word());
    let mut finding = UNSUPPORTED_MODEL
        .at(found.place, format!("not in the {}s of {build}", list.word()), message)
        .about(model)
        .also(engine.profile.span, "the build")
        .also_each(found.locked.map(|place| (place, format!("{word} in the file"))));
    let knows = |other: &&Profile| other.lists().has(list, found.word) == Some(true);
    let family = profile.family();
    let same: Vec<&Profile> = Profile::built_in_of(family).filter(knows).collect();
    if let Some(instead) = replacement_of_removed(found.word).filter(|_| family == EngineFamily::LlamaCpp) {
        let help = format!(
            "use a file of type `{instead}`: llama.cpp removed {word}, and repacks `{instead}` itself"
        );
        return finding.help(help);
    }
    if !same.is_empty() {
        return finding.help(format!("serve {model} with a build that knows {word}: {}", named(&same)));
    }
    let other: Vec<&Profile> = EngineFamily::ALL
        .iter()
        .filter(|other| **other != family)
        .flat_map(|other| Profile::built_in_of(*other))
        .filter(knows)
        .collect();
    if let Some(first) = other.first() {
        let (made_for, own) = (first.family().name(), family.name());
        return finding.note(format!("this file is made for another engine: {made_for}")).help(format!(
            "use a file of {model} that is made for {own}, or serve it with {made_for}: {}",
            named(&other)
        ));
    }
    if list == ClosedList::Architectures && found.locked.is_none() {
        let known = profile.lists().get(list).unwrap_or_default().iter().map(String::as_str);
        let near = suggest(found.word, known);
        finding =
            finding.suggest(near, found.place).help("write the `general.architecture` of the model file");
    }
    let (own, field) = (family.name(), list.field());
    let help = if profile.is_built_in() {
        format!(
            "no known build has {word}: if a newer {own} has it, install that, and write its profile with `orchgen engine \
             probe`"
        )
    } else {
        format!("if the build does know {word}, add it to `{field}` in {build}")
    };
    finding.help(help)
}

/// The profiles by name. Several builds in a row, up to the newest one, are one text.
fn named(profiles: &[&Profile]) -> String {
    let newest = profiles.first().and_then(|first| Profile::built_in_of(first.family()).last());
    match profiles {
        [first, _, .., last] if newest.is_some_and(|newest| newest.name() == last.name()) => {
            format!("profile {} or newer", words::quoted(first.name()))
        }
        _ => {
            let names: Vec<String> = profiles.iter().map(|known| words::quoted(known.name())).collect();
            format!("profile {}", words::any_of(&names))
        }
    }
}
