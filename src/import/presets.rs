//! Presets of the router of llama-server: an INI file with a section for each model.
//!
//! The format is that of llama.cpp b11669: `common/preset.cpp` reads the file, `tools/server/server-models.cpp` adds the command line of the
//! router. Precedence, from low to high: the section `[*]`, the section of the model, the command line of the router. It applies to options,
//! not to their spellings.

mod launcher;
mod merge;
mod options;
mod syntax;

use super::source::{At, Change, Loss, Program, Reader, Server, Start, Word};
use launcher::Launcher;
use merge::{Merged, Note};
use std::collections::BTreeMap;

/// The name of the section that applies to all models.
const COMMON: &str = "*";

/// An option, as a spelling in a preset file names it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PresetOption {
    /// The long spelling, with dashes: `--ctx-size`.
    pub title: String,
    /// True if a value follows it.
    pub takes_value: bool,
    /// True if this spelling switches the option off.
    pub is_negative: bool,
    /// The spelling that switches the option off, with dashes.
    pub negative: Option<String>,
}

/// The options of llama-server.
pub trait OptionTable {
    /// An option by its spelling, with or without dashes, or by its variable.
    fn find(&self, key: &str) -> Option<PresetOption>;
}

/// True if a text is a preset file: all lines up to its first section are keys, comments or empty, and the section is none of a unit.
pub fn is_presets(text: &str) -> bool {
    syntax::is_presets(text)
}

/// Reads a preset file.
///
/// `router` is the server that starts the router, with `--models-preset` in its arguments. Each section becomes a server, and the router
/// becomes a gateway.
pub fn read(reader: &mut Reader<'_>, file: usize, router: Option<Server>, table: &dyn OptionTable) {
    let text = reader.found.files.get(file).map(|file| file.text.clone()).unwrap_or_default();
    let document = syntax::parse(&text, file);
    drop(text);
    reader.found.losses.extend(document.faults);
    let launcher = launcher::read(reader, file, router, table);
    let mut shared = Merged::default();
    let mut sections = Vec::new();
    for section in document.sections {
        match section.name.as_str() {
            COMMON => shared = merge::section(&section, file, table),
            _ => sections.push(section),
        }
    }
    report_shared(reader, &mut shared, &launcher);
    let mut names = BTreeMap::new();
    for section in &sections {
        let own = merge::section(section, file, table);
        let server = server(section, file, own, &shared, &launcher);
        let first = *names.entry(served_name(&section.name)).or_insert(section.line);
        reader.found.servers.push(server);
        if first != section.line {
            let what = format!("[{}]: repeated name", section.name);
            let why = format!(
                "llama-server gives the same name to the section in line {first}, and discards one of both"
            );
            reader.lose(what, At { file, line: section.line }, why);
        }
    }
}

/// Reports the settings of `[*]`. Values that the router overrides have no effect in any section.
fn report_shared(reader: &mut Reader<'_>, shared: &mut Merged, launcher: &Launcher) {
    for note in std::mem::take(&mut shared.notes) {
        match note {
            Note::Loss(loss) => reader.found.losses.push(loss),
            Note::Change(change) => {
                let what = format!("{} = {}", change.option, change.was);
                reader.lose(what, change.at, change.why);
            }
        }
    }
    for given in &launcher.overrides {
        let overridden = shared.options.get(&given.title).filter(|setting| setting.words != given.words);
        if let Some(setting) = overridden {
            reader.lose(setting.written.clone(), setting.at, overridden_by(given));
        }
    }
}

fn overridden_by(given: &merge::Setting) -> String {
    format!("the command line of the router has `{}`, which wins", given.written)
}

fn server(
    section: &syntax::Section,
    file: usize,
    own: Merged,
    shared: &Merged,
    launcher: &Launcher,
) -> Server {
    let at = At { file, line: section.line };
    let mut server = Server::new(section.name.clone(), at, Program::Gateway);
    server.last_line = section.last_line;
    server.is_api_name = true;
    server.is_port_automatic = true;
    launcher.equip(&mut server);
    for note in own.notes {
        match note {
            Note::Loss(loss) => server.losses.push(loss),
            Note::Change(change) => server.changes.push(change),
        }
    }
    let served = served_name(&section.name);
    if served != section.name {
        server.aliases.push(Word::new(served, at));
    }
    let aliases = if own.aliases.is_empty() { &shared.aliases } else { &own.aliases };
    server.aliases.extend(aliases.iter().filter(|alias| alias.text != section.name).cloned());
    let start = own.start.or(shared.start);
    let is_at_boot = start.is_some_and(|(is_at_boot, _)| is_at_boot);
    let when = if is_at_boot { Start::Boot } else { Start::OnDemand };
    server.start = (when, start.map(|(_, at)| at));
    for given in &launcher.overrides {
        let overridden = own.options.get(&given.title).filter(|setting| setting.words != given.words);
        if let Some(setting) = overridden {
            server.lose(setting.written.clone(), setting.at, overridden_by(given));
        }
    }
    let mut options: BTreeMap<&str, &merge::Setting> = BTreeMap::new();
    for setting in shared.options.values().chain(own.options.values()).chain(&launcher.overrides) {
        options.insert(&setting.title, setting);
    }
    let mut options: Vec<&merge::Setting> = options.into_values().collect();
    options.sort_by_key(|setting| setting.at);
    server.args = options.iter().flat_map(|setting| setting.words()).collect();
    let is_cached =
        launcher.has_model_variable || options.iter().any(|setting| options::is_model(&setting.title));
    if !is_cached && section.name.contains('/') {
        // llama-server finds the section in its cache, by the name of the repository.
        server.args.extend([Word::new("--hf-repo", at), Word::new(&*section.name, at)]);
        server.changes.push(Change {
            option: "hf-repo".to_owned(),
            was: super::report::NOT_SET.to_owned(),
            is: section.name.clone(),
            why: "the section has no model: llama-server serves the repository of this name if its cache has it".to_owned(),
            at,
        });
    } else if !is_cached {
        let why = "llama-server has no model for this section; add `hf-repo` or `model`";
        server.unreadable = Some(Loss { what: format!("[{}]: no model", section.name), at, why: why.into() });
    }
    server
}

/// The name at the API: llama-server changes the part after the last colon to capitals, and removes what is before its last `-` or `.`.
fn served_name(name: &str) -> String {
    let Some((start, tag)) = name.rsplit_once(':') else { return name.to_owned() };
    let end = tag.rsplit_once(['-', '.']).map(|(_, end)| end);
    let is_word = |end: &&str| !end.is_empty() && end.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let tag = end.filter(is_word).unwrap_or(tag);
    format!("{start}:{}", tag.to_ascii_uppercase())
}
