//! The import of configurations of other tools: makes a registry, compiles it, and reports each difference.

use super::{NotCheckedPolicy, analyze, lower};
use crate::derive::Derived;
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::engine::Word;
use crate::import::assemble::{Assembled, EngineChoice, ImportedRole, assemble};
use crate::import::codes::{SETTING_CHANGED, SETTING_LOST};
use crate::import::compare::differences;
use crate::import::report::{Compared, NOT_SET, Place, RegistryFinding, Report, report};
use crate::import::source::{Server, Sources};
use crate::import::write::{RegistryFile, write};
use crate::source::{FileId, Loaded, SourceMap, Span};
use crate::syntax::Language;

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
    /// The files of the registry and of the sources, with the places of the findings.
    pub map: SourceMap,
}

/// Makes a registry of sources.
pub fn import(sources: &Sources, options: &ImportOptions) -> Import {
    let mut assembled = assemble(sources, &options.engines);
    let loaded = load(&write(&assembled.items, options.language), options);
    let derived = lower(&loaded, &mut Diagnostics::default()).derive(None, &mut Diagnostics::default());
    let compared = compare(sources, &assembled, &derived);
    let mut report = report(sources, &assembled, &compared, &kept_of_gateways(sources));
    comment(sources, &mut assembled, &report);
    let files = write(&assembled.items, options.language);
    let loaded = load(&files, options);
    let mut findings = Diagnostics::default();
    let _checked = analyze(&loaded, NotCheckedPolicy::Count, &mut findings);
    let mut map = loaded.map.clone();
    let sources_in_map = SourceFiles::new(sources, &mut map);
    let findings = join(&mut report, sources, &assembled, &findings, (&map, &sources_in_map));
    Import { files, report, findings, map }
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
fn compare(sources: &Sources, assembled: &Assembled, derived: &Derived) -> Vec<Compared> {
    let one = |(server, role): (&Server, &Option<ImportedRole>)| {
        let role = role.as_ref()?;
        let served = derived
            .roles
            .iter()
            .find(|served| *derived.registry.roles.get(served.id).head.name.value == *role.name)?;
        let command = served.known_command()?;
        let profile = role.profile?;
        let line = command.server();
        let mut words: Vec<&str> = line.args.iter().map(Word::text).collect();
        let placed = served.placement.first();
        if placed.memory.is_some() && !words.contains(&"--numa") {
            words.retain(|word| *word != "--numa");
        }
        let env: Vec<(&str, &str)> = served.env.iter().map(|(name, value)| (&**name, &**value)).collect();
        Some(differences((sources, server), &words, &env, profile))
    };
    sources.servers.iter().zip(&assembled.roles).map(one).collect()
}

/// The settings of gateways that the registry has.
fn kept_of_gateways(sources: &Sources) -> Vec<Vec<String>> {
    let kept = |gateway: &crate::import::source::SourceGateway| {
        let mut kept = Vec::new();
        kept.extend(gateway.port.map(|(port, _)| format!("--port {port}")));
        kept.extend(gateway.listen.as_ref().map(|host| format!("--host {}", host.text)));
        kept.extend(gateway.key_file.as_ref().map(|file| format!("--api-key-file {}", file.text)));
        kept.extend(gateway.most.map(|(most, _)| format!("--models-max {most}")));
        kept
    };
    sources.gateways.iter().map(kept).collect()
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
        let files = sources.files.iter().map(|file| map.add(file.path.clone(), file.text.clone())).collect();
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
    for own in &report.servers {
        let name = own.role.as_deref().unwrap_or("this server");
        let file = file_of(&own.from.file);
        for change in own.changed.iter().filter(|change| !change.form_only) {
            let what = if change.was == NOT_SET { "" } else { &change.was };
            let Some(span) = files.span(map, (file, change.line), what) else { continue };
            let (option, role) = (printable(&change.option), quoted_role(name));
            let message = if change.was == NOT_SET {
                format!("{role} has `{option} {}`, which the source does not set", printable(&change.is))
            } else {
                format!(
                    "`{option}` of {role} is `{}`, not `{}`",
                    printable(&change.is),
                    printable(&change.was)
                )
            };
            all.report(SETTING_CHANGED.at(span, "changed", message).help(change.why.clone()));
        }
        for loss in &own.lost {
            let Some(span) = files.span(map, (file, loss.line), &loss.what) else { continue };
            let message = format!("`{}` of {} is lost", printable(&loss.what), quoted_role(name));
            all.report(SETTING_LOST.at(span, "not in the registry", message).help(loss.why.clone()));
        }
    }
    for loss in &report.lost {
        let Some(span) = files.span(map, (file_of(&loss.file), loss.line), &loss.what) else { continue };
        let finding =
            SETTING_LOST.at(span, "not in the registry", format!("`{}` is lost", printable(&loss.what)));
        all.report(finding.help(loss.why.clone()));
    }
    let findings: Vec<Diagnostic> = registry.findings().to_vec();
    for finding in findings {
        if finding.severity == Severity::Note {
            continue;
        }
        let place = origin(&finding, sources, assembled, map);
        let from =
            place.and_then(|(file, line)| Some(Place { file: sources.files.get(file)?.path.clone(), line }));
        report.findings.push(RegistryFinding {
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
    all
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
