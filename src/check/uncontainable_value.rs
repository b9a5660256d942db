//! A value that the files of a container cannot have.

use super::owner;
use crate::derive::{Derived, ServedRole, uncarried_path, uncarried_value, uncarried_word};
use crate::diag::{Diagnostics, words};
use crate::hir::{Registry, Setting};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A value of a role whose engine has an `image`, which podman or systemd would read differently: a folder with a line
    /// break in its path, an option whose value is only `;`, or a text with the character U+0080.
    ///
    /// ## Why
    /// podman writes the unit of a container from the command line in its file (`pkg/systemd/parser/split.go`). It does not quote a
    /// `;`, which ends a command of systemd, and it writes U+0080 as another byte. Lists of mounts change line ends. All other
    /// texts arrive unchanged.
    ///
    /// ## Example
    /// ```kdl
    /// engine "cuda" profile="llama.cpp-b11434" image="ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="cuda" { option "reverse-prompt" ";" }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "cuda" profile="llama.cpp-b11434" image="ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="cuda" { option "reverse-prompt" ";;" }
    /// ```
    pub(super) static UNCONTAINABLE_VALUE = 615, "uncontainable-value", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for (role, served, command) in derived.commands().filter(|(_, served, _)| served.container.is_some()) {
        let known = parts(registry, served).into_iter().find_map(|part| Some((part.why()?, part)));
        let unknown = || {
            let args = &command.server().args;
            let (why, word) =
                args.iter().find_map(|word| Some((uncarried_word(word.text())?, word.text())))?;
            Some((why, Part { what: "the word", place: role.head.name.span, text: word, form: Form::Word }))
        };
        let Some((why, part)) = known.or_else(unknown) else { continue };
        // A model, a default or a YAML alias applies to many roles, but is reported once.
        if reported.insert(part.place) {
            let Part { what, place, text, .. } = part;
            let message =
                format!("the container of {role} cannot have {what} {}: {why}", words::quoted(text));
            let finding = UNCONTAINABLE_VALUE.at(place, "would arrive changed", message);
            let help = if what == PATH {
                "rename the file or folder"
            } else {
                "write another value, or use an engine with `bin`"
            };
            findings.report(finding.about(owner(registry, role, place)).help(help));
        }
    }
}

const PATH: &str = "the path";

/// A text of the registry that is in the files of a container.
struct Part<'r> {
    what: &'static str,
    place: Span,
    text: &'r str,
    form: Form,
}

/// The position of a text.
#[derive(Clone, Copy)]
enum Form {
    Word,
    Variable,
    Mount,
}

impl Part<'_> {
    fn why(&self) -> Option<&'static str> {
        match self.form {
            Form::Word => uncarried_word(self.text),
            Form::Variable => uncarried_value(self.text),
            Form::Mount => uncarried_path(self.text),
        }
    }
}

fn parts<'r>(registry: &'r Registry, served: &'r ServedRole) -> Vec<Part<'r>> {
    let serving = &*served.serving;
    let mut parts = Vec::new();
    let mut add = |what, place, text, form| parts.push(Part { what, place, text, form });
    for (_, file) in served.files.iter() {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        add(PATH, serving.model.span, folder, Form::Mount);
        add(PATH, serving.model.span, &file.path, Form::Word);
    }
    for file in serving.template().into_iter().chain(serving.key_file.as_deref()) {
        add(PATH, file.span, &file.value, Form::Mount);
    }
    for adapter in serving.adapters() {
        add(PATH, adapter.file.span, &adapter.file.value, Form::Mount);
    }
    for alias in serving.aliases() {
        add("the alias", alias.span, &alias.value, Form::Word);
    }
    let options = serving.options.iter().filter_map(|option| option.value.as_ref());
    for value in options {
        if let Setting::Text(text) = &value.value {
            add("the value", value.span, text, Form::Word);
        }
    }
    let engine = serving.engine.map(|engine| registry.engines.get(engine.value));
    for (_, value) in serving.env.iter().chain(engine.iter().flat_map(|engine| &engine.env)) {
        add("the value", value.span, &value.value, Form::Variable);
    }
    parts
}
