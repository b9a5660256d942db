//! The import of configurations of other tools: makes a registry, compiles it, and reports each difference.

use super::{NotCheckedPolicy, analyze, lower};
use crate::derive::Derived;
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::engine::Word;
use crate::import::assemble::{Assembled, EngineChoice, ImportedRole, Selection, assemble};
use crate::import::codes::{SETTING_CHANGED, SETTING_LOST};
use crate::import::compare::differences;
use crate::import::report::{Compared, NOT_SET, Place, RegistryFinding, Report, ReportedChange, report};
use crate::import::secret::redacted;
use crate::import::source::{Server, SourceGateway, Sources};
use crate::import::write::{RegistryFile, write};
use crate::source::{FileId, Loaded, SourceMap, Span};
use crate::syntax::Language;
use std::collections::BTreeMap;

/// The choices of an import.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The language of the registry.
    pub language: Language,
    /// The profiles and programs.
    pub engines: EngineChoice,
    /// The folder of the registry, for the names of its files.
    pub folder: String,
    /// Further files of the registry: profiles that were probed, each with its name and text.
    pub profiles: Vec<(String, String)>,
}

/// An imported registry.
#[derive(Debug)]
pub struct Import {
    /// The files of the registry.
    pub files: Vec<RegistryFile>,
    /// The report.
    pub report: Report,
    /// The findings about the sources and the registry.
    pub findings: Diagnostics,
    /// The number of roles. Without any, the registry is not complete.
    pub roles: usize,
    /// The engines with their profiles, and how each was selected.
    pub engines: Vec<(String, &'static str, Selection)>,
    /// The files of the registry and of the sources, with the places of the findings.
    pub map: SourceMap,
}

/// Makes a registry of sources.
pub fn import(sources: &Sources, options: &ImportOptions) -> Import {
    let mut assembled = assemble(sources, &options.engines);
    let loaded = load(&write(&assembled.items, options.language), options);
    let derived = lower(&loaded, &mut Diagnostics::default()).derive(None, &mut Diagnostics::default());
    let compared = compare(sources, &mut assembled, &derived);
    let mut report = report(sources, &assembled, &compared, &kept_of_gateways(sources, &assembled));
    comment(sources, &mut assembled, &report);
    let files = write(&assembled.items, options.language);
    let loaded = load(&files, options);
    let mut findings = Diagnostics::default();
    let _checked = analyze(&loaded, NotCheckedPolicy::Count, &mut findings);
    let mut map = loaded.map.clone();
    let sources_in_map = SourceFiles::new(sources, &mut map);
    let roles = assembled.roles.iter().flatten().count();
    // Findings about a registry without roles would hide the reasons.
    let findings = if roles == 0 { Diagnostics::default() } else { findings };
    let findings = join(&mut report, sources, &assembled, &findings, (&map, &sources_in_map));
    Import { files, report, findings, roles, engines: assembled.engines, map }
}

/// The registry as if it was read from its folder.
fn load(files: &[RegistryFile], options: &ImportOptions) -> Loaded {
    let mut loaded = Loaded::default();
    for file in files {
        loaded.map.add(format!("{}/{}", options.folder, file.name), file.text.clone());
    }
    loaded.profiles = options.profiles.iter().map(|(name, text)| (name.clone(), Ok(text.clone()))).collect();
    loaded
}

/// The differences of the command lines of all servers.
fn compare(sources: &Sources, assembled: &mut Assembled, derived: &Derived) -> Vec<Compared> {
    let one = |(server, role): (&Server, &mut Option<ImportedRole>)| {
        let role = role.as_mut()?;
        let served = derived
            .roles
            .iter()
            .find(|served| *derived.registry.roles.get(served.id).head.name.value == *role.name)?;
        let command = served.known_command()?;
        let profile = role.profile?;
        let line = command.server();
        role.has_faults = !line.errors.is_empty();
        let mut words: Vec<&str> = line.args.iter().map(Word::text).collect();
        let placed = served.placement.first();
        if placed.memory.is_some() && !words.contains(&"--numa") {
            words.retain(|word| *word != "--numa");
        }
        let env: Vec<(&str, &str)> = served.env.iter().map(|(name, value)| (&**name, &**value)).collect();
        Some(differences((sources, server), &words, &env, profile))
    };
    sources.servers.iter().zip(&mut assembled.roles).map(one).collect()
}

/// The settings of gateways that the registry has.
fn kept_of_gateways(sources: &Sources, assembled: &Assembled) -> Vec<Vec<String>> {
    let kept = |(index, gateway): (usize, &SourceGateway)| {
        let mut kept = Vec::new();
        kept.extend(gateway.port.map(|(port, _)| format!("--port {port}")));
        kept.extend(gateway.listen.as_ref().map(|host| format!("--host {}", host.text)));
        kept.extend(gateway.key_file.as_ref().map(|file| format!("--api-key-file {}", file.text)));
        let file = sources.files.get(gateway.at.file).map_or("", |file| &file.text);
        // The file of orchgen has it too.
        let lists_aliases = file.lines().any(|line| line.starts_with("includeAliasesInList: true"));
        kept.extend(lists_aliases.then(|| "includeAliasesInList".to_owned()));
        let has_limit = assembled.limits.contains(&(index, true));
        kept.extend(gateway.most.filter(|_| has_limit).map(|(most, _)| format!("--models-max {most}")));
        kept
    };
    sources.gateways.iter().enumerate().map(kept).collect()
}

/// Adds comments with the place in the source to roles that have changed or lost settings.
fn comment(sources: &Sources, assembled: &mut Assembled, report: &Report) {
    for (server, own) in sources.servers.iter().zip(&report.servers) {
        let Some(role) = &own.role else { continue };

        let is_role = |item: &&mut crate::import::assemble::Item| {
            item.section == "roles"
                && item.line.values.first() == Some(&crate::diag::Literal::from(role.as_str()))
        };
        let Some(item) = assembled.items.iter_mut().find(is_role) else { continue };
        let file = sources.files.get(server.at.file).map_or("", |file| &file.path);
        let changed =
            own.changed.iter().filter(|change| !change.form_only).map(|change| change.option.as_str());
        let lost = own.lost.iter().map(|loss| loss.option.as_deref().unwrap_or(&loss.what));
        let short = |name: &str| name.split([' ', ':', '=']).next().unwrap_or(name).to_owned();
        let names: Vec<String> = changed.chain(lost).map(short).collect();
        let mut unique: Vec<String> = Vec::new();
        for name in names {
            if !unique.contains(&name) {
                unique.push(name);
            }
        }
        if unique.is_empty() {
            continue;
        }
        item.comments.push(format!("{file}:{}: changed or lost: {}", server.at.line, unique.join(", ")));
    }
}

/// The source files in the map of all files.
struct SourceFiles {
    files: Vec<FileId>,
    /// For each file, the byte offset of each line.
    lines: Vec<Vec<usize>>,
}

impl SourceFiles {
    fn new(sources: &Sources, map: &mut SourceMap) -> Self {
        let files =
            sources.files.iter().map(|file| map.add(file.path.clone(), redacted(&file.text))).collect();
        let starts = |text: &str| {
            let lines = text.split_inclusive('\n').scan(0, |start, line| {
                *start += line.len();
                Some(*start)
            });
            std::iter::once(0).chain(lines).collect()
        };
        Self { files, lines: sources.files.iter().map(|file| starts(&file.text)).collect() }
    }

    /// The place of a setting in a line: its words if the line has them, else the whole line without blanks around it.
    fn span(&self, map: &SourceMap, (file, line): (usize, u32), what: &str) -> Option<Span> {
        let id = *self.files.get(file)?;
        let text = map.get(id)?.text();
        let number = usize::try_from(line).ok()?.checked_sub(1)?;
        let Some(start) = self.lines.get(file)?.get(number).copied() else {
            return Some(Span::new(id, 0, 0));
        };
        let content = text.get(start..)?.split('\n').next().unwrap_or_default();
        let found = content.find(what).filter(|_| !what.is_empty());
        if let Some(at) = found {
            return Some(Span::new(id, start + at, start + at + what.len()));
        }
        let from = start + (content.len() - content.trim_start().len());
        Some(Span::new(id, from, from + content.trim().len()))
    }
}

/// All findings: those about the sources, and those about the registry with their place in the source.
fn join(
    report: &mut Report,
    sources: &Sources,
    assembled: &Assembled,
    registry: &Diagnostics,
    (map, files): (&SourceMap, &SourceFiles),
) -> Diagnostics {
    let mut all = Diagnostics::default();
    let file_of = |path: &str| sources.files.iter().position(|file| file.path == path).unwrap_or_default();
    let mut groups = Groups::default();
    for own in &report.servers {
        let name = own.role.as_deref().unwrap_or("this server");
        let file = file_of(&own.from.file);
        for change in own.changed.iter().filter(|change| !change.form_only) {
            let what = if change.was == NOT_SET { "" } else { &change.was };
            let Some(span) = files.span(map, (file, change.line), what) else { continue };
            let message = changed_message(change, &quoted_role(name));
            let key = [&*change.option, &*change.was, &*change.is, &*change.why];
            let finding = SETTING_CHANGED.at(span, "changed", message).help(change.why.clone());
            groups.add(key.join("\0"), finding, (name, &own.from.file, change.line));
        }
        for loss in &own.lost {
            let Some(span) = files.span(map, (file, loss.line), &loss.what) else { continue };
            let message = format!("`{}` of {} is lost", printable(&loss.what), quoted_role(name));
            let finding = SETTING_LOST.at(span, "not in the registry", message).help(loss.why.clone());
            groups.add(format!("{}\0{}", loss.what, loss.why), finding, (name, &own.from.file, loss.line));
        }
    }
    groups.report(&mut all);
    for loss in &report.lost {
        let Some(span) = files.span(map, (file_of(&loss.file), loss.line), &loss.what) else { continue };
        let finding =
            SETTING_LOST.at(span, "not in the registry", format!("`{}` is lost", printable(&loss.what)));
        all.report(finding.help(loss.why.clone()));
    }
    let found = join_registry((sources, assembled), registry, (map, files), &mut all);
    report.findings.extend(found);
    all
}

/// The message about a changed setting.
fn changed_message(change: &ReportedChange, role: &str) -> String {
    let (option, was, is) = (printable(&change.option), printable(&change.was), printable(&change.is));
    if change.was == NOT_SET {
        format!("{role} has `{option} {is}`, which the source does not set")
    } else {
        format!("`{option}` of {role} is `{is}`, not `{was}`")
    }
}

/// Findings that differ only in the role: the first has the others in a note.
#[derive(Default)]
struct Groups {
    findings: Vec<(Diagnostic, Vec<String>)>,
    index: BTreeMap<String, usize>,
}

/// The most roles in a note.
const MAX_NAMED: usize = 8;

impl Groups {
    fn add(&mut self, key: String, finding: Diagnostic, (role, file, line): (&str, &str, u32)) {
        match self.index.get(&key).and_then(|at| self.findings.get_mut(*at)) {
            Some((_, others)) => others.push(format!("{} ({}:{line})", quoted_role(role), printable(file))),
            None => {
                self.index.insert(key, self.findings.len());
                self.findings.push((finding, Vec::new()));
            }
        }
    }

    fn report(self, all: &mut Diagnostics) {
        for (mut finding, others) in self.findings {
            if !others.is_empty() {
                let more = others.len().saturating_sub(MAX_NAMED);
                let named: Vec<String> = others.into_iter().take(MAX_NAMED).collect();
                let more = if more > 0 { format!(", and {more} more") } else { String::new() };
                finding.notes.push(format!("also of {}{more}", named.join(", ")));
            }
            all.report(finding);
        }
    }
}

/// Adds the findings about the registry, with their place in the source.
fn join_registry(
    (sources, assembled): (&Sources, &Assembled),
    registry: &Diagnostics,
    (map, files): (&SourceMap, &SourceFiles),
    all: &mut Diagnostics,
) -> Vec<RegistryFinding> {
    let mut found = Vec::new();
    let findings: Vec<Diagnostic> = registry.findings().to_vec();
    for finding in findings {
        if finding.severity == Severity::Note {
            continue;
        }
        let place = origin(&finding, sources, assembled, map);
        let from =
            place.and_then(|(file, line)| Some(Place { file: sources.files.get(file)?.path.clone(), line }));
        found.push(RegistryFinding {
            code: finding.code.to_string(),
            severity: finding.severity.word(),
            message: finding.message.clone(),
            from,
        });
        let span = place.and_then(|place| files.span(map, place, ""));
        all.report(match span {
            Some(span) => finding.also(span, "imported from here"),
            None => finding,
        });
    }
    found
}

/// The place in the source that a finding about the registry comes from: the line of the word at its place, else that of the server.
fn origin(
    finding: &Diagnostic,
    sources: &Sources,
    assembled: &Assembled,
    map: &SourceMap,
) -> Option<(usize, u32)> {
    let text =
        map.get(finding.primary.span.file)?.text().get(finding.primary.span.range()).unwrap_or_default();
    let word = text.trim_matches('"');
    let subject = finding
        .subject
        .as_ref()
        .filter(|subject| subject.kind == "role")
        .map(|subject| subject.name.as_str());
    let of_role = assembled
        .roles
        .iter()
        .position(|role| role.as_ref().is_some_and(|role| Some(role.name.as_str()) == subject));
    let has_word = |server: &&Server| server.args.iter().any(|known| known.text == word);
    let server = match of_role {
        Some(index) => sources.servers.get(index),
        None => sources.servers.iter().find(has_word),
    }?;
    let option = format!("--{word}");
    let found = server.args.iter().find(|known| known.text == word || known.text == option);
    let at = found.map_or(server.at, |known| known.at);
    Some((at.file, at.line))
}

fn quoted_role(name: &str) -> String {
    if name == "this server" { name.to_owned() } else { format!("role `{}`", printable(name)) }
}

fn printable(text: &str) -> String {
    crate::diag::words::printable(text)
}
