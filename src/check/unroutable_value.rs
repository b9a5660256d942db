//! A value that the file of a gateway cannot carry.

use super::owner;
use crate::derive::overrides::effective_overrides;
use crate::derive::{Derived, RoleCommand};
use crate::diag::{Diagnostics, words};
use crate::engine::dialect::{PresetEntry, PresetValue, UncarriedText};
use crate::engine::llama_swap::has_macro;
use crate::engine::options::row_of;
use crate::hir::{Id, Model, Registry, Role, RoleKind, Serving, Setting, Text};
use crate::source::{Span, Spanned};
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A value of a role behind a gateway that llama-server would read differently from the preset file: a path, an alias or the
    /// value of an option. Or one that llama-swap would read differently from its configuration file: a name, a title, a purpose, or
    /// the value of an environment variable.
    ///
    /// ## Why
    /// The preset file has no quotes and no escapes (`common/preset.cpp` of llama.cpp). A `#` or `;` starts a comment
    /// anywhere, so the rest of the value is lost. Spaces at the ends are removed, and a value ends with its line. The router
    /// reports none of this: a path is cut, and the model fails later.
    ///
    /// llama-swap replaces macros such as `${PORT}` everywhere, and there is no way to write one as text. A command can have them,
    /// because orchgen writes quotes between the characters.
    ///
    /// ## Example
    /// ```kdl
    /// gateway "front" port=9000
    /// role "extra" tier="A" residency="hot" model="plain" gateway="front" context=4096 alias="c#"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// gateway "front" port=9000
    /// role "extra" tier="A" residency="hot" model="plain" gateway="front" context=4096 alias="c-sharp"
    /// ```
    pub(super) static UNROUTABLE_VALUE = 604, "unroutable-value", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for (role, served, command) in derived.commands() {
        if served.serving.gateway.is_none() || command.server().preset.is_empty() {
            continue;
        }
        for Uncarried { what, place, text, why } in uncarried(registry, role, &served.serving, command) {
            // A model, a default or a YAML alias applies to many roles, but is reported once.
            if !reported.insert(place) {
                continue;
            }
            let message = format!(
                "the preset file of a gateway cannot have {what} {} of {role}: {}",
                words::quoted(&text),
                why.describe()
            );
            let finding = UNROUTABLE_VALUE.at(place, "llama-server would read another value", message);
            findings.report(finding.about(owner(registry, role, place)).help(help(what, why)));
        }
    }
    behind_llama_swap(derived, &mut reported, findings);
    of_peers(derived, &mut reported, findings);
}

/// Reports the values that llama-swap would replace.
fn behind_llama_swap(derived: &Derived, reported: &mut BTreeSet<Span>, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for served in &derived.gateways {
        if served.swap().is_none() {
            continue;
        }
        let behind = |id: &Id<Role>| served.roles.contains(id);
        let sharers = registry
            .roles
            .iter()
            .filter(|role| matches!(&role.kind, RoleKind::Shares(shared) if behind(&shared.value)));
        let own = served.roles.iter().map(|id| registry.roles.get(*id));
        for role in own.chain(sharers) {
            for Swapped { what, text, why } in swapped(registry, role) {
                if !reported.insert(text.span) {
                    continue;
                }
                let message = format!(
                    "the configuration of llama-swap cannot have {what} {} of {role}: {why}",
                    words::quoted(text.value)
                );
                let finding = UNROUTABLE_VALUE.at(text.span, "llama-swap would read another value", message);
                let owner = owner(registry, role, text.span);
                findings.report(
                    finding.about(owner).help(format!("write {}", what.replacen("the", "another", 1))),
                );
            }
        }
    }
}

/// Reports the names of the roles of peers that llama-swap would replace.
fn of_peers(derived: &Derived, reported: &mut BTreeSet<Span>, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let peers = derived.gateways.iter().filter(|served| served.swap().is_some());
    let peers = peers.flat_map(|served| derived.peers(served.id));
    for role in peers.flat_map(|peer| peer.roles).map(|id| registry.roles.get(id)) {
        for alias in role.serving().map(Serving::aliases).unwrap_or_default() {
            if has_macro(alias) && reported.insert(alias.span) {
                let message = format!(
                    "the configuration of llama-swap cannot have {ALIAS} {} of {role}: it replaces `${{NAME}}` everywhere",
                    words::quoted(alias)
                );
                let finding = UNROUTABLE_VALUE.at(alias.span, "llama-swap would read another value", message);
                let owner = owner(registry, role, alias.span);
                findings.report(finding.about(owner).help("write another alias"));
            }
        }
    }
}

/// A value that llama-swap would read differently.
struct Swapped<'r> {
    what: &'static str,
    text: Spanned<&'r str>,
    why: &'static str,
}

/// The values of a role that llama-swap would read differently.
fn swapped<'r>(registry: &'r Registry, role: &'r Role) -> Vec<Swapped<'r>> {
    let text = |text: &'r Text| Spanned::new(&**text as &str, text.span);
    let mut texts = vec![("the name", text(&role.head.name))];
    texts.extend(role.purpose.iter().map(|purpose| ("the purpose", text(purpose))));
    if let Some(serving) = role.serving() {
        texts.push(("the title", text(&registry.models.get(serving.model.value).title)));
        texts.extend(serving.aliases().iter().map(|alias| (ALIAS, text(alias))));
    }
    if let RoleKind::Program(program) = &role.kind {
        texts.extend(program.health.as_ref().map(|path| (PATH, text(path))));
        // Its title is the name of the program.
        texts.extend(program.words.first().map(|word| ("the program", text(word))));
    }
    let env = role.process().into_iter().flat_map(|process| &process.env);
    let engine = role.serving().and_then(|serving| serving.engine);
    let env = env.chain(engine.into_iter().flat_map(|engine| &registry.engines.get(engine.value).env));
    let variables = env.map(|(_, value)| ("the value", text(value)));
    let macros = texts.iter().copied().chain(variables).filter(|(_, text)| has_macro(text.value));
    let macros = macros.map(|(what, text)| Swapped { what, text, why: "it replaces `${NAME}` everywhere" });
    let key = role.serving().and_then(|serving| serving.key_file.as_deref());
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._@+-".contains(c);
    let key = key.filter(|file| !file.value.chars().all(plain)).map(|file| Swapped {
        what: "the path",
        text: text(file),
        why: "it reads the path of a key file from a variable, without quotes",
    });
    macros.chain(key).collect()
}

fn help(what: &str, why: UncarriedText) -> &'static str {
    let is_comment = matches!(why, UncarriedText::Comment(_));
    match what {
        PATH if is_comment => "rename the file or folder, or use a symbolic link with another name",
        ALIAS if is_comment => "write another alias",
        _ => "write another value, or give the role its own `port` instead of `gateway`",
    }
}

const PATH: &str = "the path";
const ALIAS: &str = "the alias";

/// A value that cannot be carried, with what it is and its place in the registry.
struct Uncarried {
    what: &'static str,
    place: Span,
    text: String,
    why: UncarriedText,
}

fn uncarried(registry: &Registry, role: &Role, serving: &Serving, command: &RoleCommand) -> Vec<Uncarried> {
    let aliases = serving.aliases().iter().filter_map(|alias| {
        // The router splits the list at commas and removes the blanks of each alias.
        let why = PresetValue::new(alias).err()?;
        Some(Uncarried { what: ALIAS, place: alias.span, text: alias.to_string(), why })
    });
    let entries = command.server().preset.iter().filter(|entry| &*entry.key != "alias");
    let others = entries.filter_map(|entry| {
        let why = PresetValue::new(&entry.value).err()?;
        if let Some((what, text)) = part(registry, serving, entry) {
            return Some(Uncarried { what, place: text.span, text: text.to_string(), why });
        }
        let (what, place) = origin(registry, serving, entry).unwrap_or(("a value", role.head.name.span));
        Some(Uncarried { what, place, text: entry.value.to_string(), why })
    });
    aliases.chain(others).collect()
}

/// The part of a list that cannot be carried: the path of an adapter, or the key or value of an override.
fn part<'r>(
    registry: &'r Registry,
    serving: &'r Serving,
    entry: &PresetEntry,
) -> Option<(&'static str, Spanned<&'r str>)> {
    let is_bad = |text: &Spanned<&str>| PresetValue::new(text.value).is_err();
    if let "lora" | "lora-scaled" = &*entry.key {
        let mut files =
            serving.adapters().iter().map(|adapter| Spanned::new(&*adapter.file.value, adapter.file.span));
        return files.find(is_bad).map(|file| (PATH, file));
    }
    let overrides = (&*entry.key == "override-kv").then(|| effective_overrides(registry, serving))?;
    let mut texts = overrides.into_iter().flat_map(|one| {
        let value = match &one.value.value {
            Setting::Text(text) => Some(Spanned::new(&**text as &str, one.value.span)),
            Setting::Flag(_) | Setting::Integer(_) | Setting::Float(_) => None,
        };
        [Some(Spanned::new(&*one.key.value, one.key.span)), value].into_iter().flatten()
    });
    texts.find(is_bad).map(|text| ("the override", text))
}

/// The place of an option in the registry.
fn origin(registry: &Registry, serving: &Serving, entry: &PresetEntry) -> Option<(&'static str, Span)> {
    let (model, host) = (registry.models.get(serving.model.value), serving.host.value);
    let file = |model: &Model, file: &Text| {
        let store = model.store.map(|store| registry.stores.get(store.value).path_on(host));
        // The folder of the store is a part of a relative path.
        let is_relative = !file.starts_with('/');
        let store = store.filter(|path| is_relative && PresetValue::new(path).is_err());
        (PATH, store.map_or(file.span, |path| path.span))
    };
    let is_same = |name: &str| row_of(name).map(|row| row.names) == row_of(&entry.key).map(|row| row.names);
    match &*entry.key {
        "model" => Some(file(model, &model.file)),
        "mmproj" => model.projector.as_ref().map(|projector| file(model, &projector.file)),
        "chat-template-file" => serving.template().map(|path| (PATH, path.span)),
        _ => {
            let draft = serving.draft_model().map(|(_, id)| registry.models.get(id.value));
            let draft = draft.filter(|model| registry.path_of(model, &model.file, host) == *entry.value);
            let draft = draft.map(|model| file(model, &model.file));
            let option = serving
                .options
                .iter()
                .find(|option| is_same(&option.name) || option.name.trim_start_matches('-') == &*entry.key);
            let option = option.and_then(|option| Some(("the value", option.value.as_ref()?.span)));
            option.or(draft)
        }
    }
}
