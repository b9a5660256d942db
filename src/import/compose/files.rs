//! The files of a project: the compose file, and the files that `extends` names. The settings of a service with those that it extends.

use super::interpolate::{Lookup, interpolate};
use crate::import::source::{At, Reader};
use crate::import::words::Lined;
use crate::syntax::yaml::{Tree, TreeEntry, tree};
use std::collections::BTreeMap;

/// The maximum number of files that `extends` names.
const MAX_FILES: usize = 50;
/// The maximum number of services that one service extends, directly and indirectly.
const MAX_CHAIN: usize = 16;

/// A compose file.
pub(super) struct ComposeFile {
    /// Its index in the sources.
    pub(super) file: usize,
    /// Its folder, relative to that of the first file. Empty for the same folder.
    pub(super) folder: String,
    /// Its content.
    pub(super) root: Tree,
    /// The index of each service by its name.
    by_name: BTreeMap<String, usize>,
}

impl ComposeFile {
    fn new(file: usize, folder: String, root: Tree) -> Self {
        let by_name = (0..).zip(services(&root)).map(|(at, service)| (service.key.clone(), at)).collect();
        Self { file, folder, root, by_name }
    }
}

/// All files of a project. The first is the compose file.
pub(super) struct Project {
    pub(super) files: Vec<ComposeFile>,
    /// The file that `extends` names, by the file with the key and the text of the value.
    by_name: BTreeMap<(usize, String), usize>,
}

/// A setting of a service. The parts of extended services are first.
pub(super) struct Setting<'p> {
    pub(super) key: &'p str,
    pub(super) parts: Vec<Part<'p>>,
}

/// The value of a setting in one file.
#[derive(Clone, Copy)]
pub(super) struct Part<'p> {
    pub(super) source: &'p ComposeFile,
    pub(super) line: u32,
    pub(super) value: &'p Tree,
}

impl Part<'_> {
    /// The place of the key.
    pub(super) fn at(&self) -> At {
        At { file: self.source.file, line: self.line }
    }
}

impl Project {
    /// Reads the files. Reports those that cannot be read.
    pub(super) fn read(reader: &mut Reader<'_>, file: usize, lookup: Lookup<'_>) -> Option<Self> {
        let first = ComposeFile::new(file, String::new(), parse(reader, file)?);
        let mut project = Self { files: vec![first], by_name: BTreeMap::new() };
        let mut next = 0;
        while next < project.files.len() {
            for (name, line) in project.extended_files(next, lookup) {
                project.load(reader, next, &name, line);
            }
            next += 1;
        }
        Some(project)
    }

    /// The names of the files that the services of a file extend.
    fn extended_files(&self, at: usize, lookup: Lookup<'_>) -> Vec<(String, u32)> {
        let services = self.files.get(at).map_or(&[][..], |source| services(&source.root));
        let named = services.iter().filter_map(|service| {
            let extends = service.value.get("extends")?;
            let file = extends.value.get("file")?;
            let text = interpolate(&Lined::of(&file.value, 0), lookup, &mut Vec::new());
            Some((text.text().to_owned(), extends.line))
        });
        named.collect()
    }

    fn load(&mut self, reader: &mut Reader<'_>, from: usize, name: &str, line: u32) {
        let Some(source) = self.files.get(from) else { return };
        let key = (from, name.to_owned());
        let at = At { file: source.file, line };
        if self.by_name.contains_key(&key) {
            return;
        }
        if self.files.len() >= MAX_FILES {
            reader.lose(format!("extends: {name}"), at, format!("more than {MAX_FILES} files are extended"));
            return;
        }
        let Some(file) = reader.companion(source.file, name) else {
            reader.lose(
                format!("extends: {name}"),
                at,
                "the file cannot be read, so its settings are unknown",
            );
            return;
        };
        if let Some(known) = self.files.iter().position(|source| source.file == file) {
            self.by_name.insert(key, known);
            return;
        }
        let written = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = crate::import::source::join(&source.folder, written);
        let Some(root) = parse(reader, file) else { return };
        self.by_name.insert(key, self.files.len());
        self.files.push(ComposeFile::new(file, folder, root));
    }

    /// The services of the compose file.
    pub(super) fn services(&self) -> &[TreeEntry] {
        self.files.first().map_or(&[][..], |source| services(&source.root))
    }

    /// The settings of a service, with those of the services that it extends. An error is the reason why they are incomplete.
    pub(super) fn settings<'p>(
        &'p self,
        service: &'p TreeEntry,
        lookup: Lookup<'_>,
    ) -> (Vec<Setting<'p>>, Option<String>) {
        let mut chain = vec![(0, service)];
        let mut problem = None;
        while let Some((at, service)) = chain.last().copied() {
            let Some(extends) = service.value.get("extends") else { break };
            let found = self.extended(at, extends, lookup);
            if chain.len() > MAX_CHAIN {
                problem = Some(format!("it extends more than {MAX_CHAIN} services"));
                break;
            }
            match found {
                Ok(found) => chain.push(found),
                Err(name) => {
                    problem = Some(format!("the service `{name}`, which it extends, is not known"));
                    break;
                }
            }
        }
        let mut settings: Vec<Setting<'p>> = Vec::new();
        let mut known = BTreeMap::new();
        for (at, service) in chain.into_iter().rev() {
            let Some(source) = self.files.get(at) else { continue };
            for entry in service.value.entries().iter().filter(|entry| entry.key != "extends") {
                let at = *known.entry(entry.key.as_str()).or_insert_with(|| {
                    settings.push(Setting { key: &entry.key, parts: Vec::new() });
                    settings.len() - 1
                });
                if let Some(setting) = settings.get_mut(at) {
                    setting.add(entry, source);
                }
            }
        }
        (settings, problem)
    }

    /// The service that `extends` names.
    fn extended(
        &self,
        from: usize,
        extends: &TreeEntry,
        lookup: Lookup<'_>,
    ) -> Result<(usize, &TreeEntry), String> {
        let text = |tree: &Tree| interpolate(&Lined::of(tree, 0), lookup, &mut Vec::new()).text().to_owned();
        let name = extends.value.get("service").map_or(&extends.value, |service| &service.value);
        let name = text(name);
        let file = extends.value.get("file").map(|file| text(&file.value));
        let at = match file {
            Some(file) => self.by_name.get(&(from, file)).copied().ok_or_else(|| name.clone())?,
            None => from,
        };
        let source = self.files.get(at).ok_or_else(|| name.clone())?;
        let service = source.by_name.get(&name).and_then(|at| services(&source.root).get(*at));
        service.map(|service| (at, service)).ok_or(name)
    }
}

impl<'p> Setting<'p> {
    /// Adds a part. `!reset` removes the parts before, and `!override` replaces them.
    fn add(&mut self, entry: &'p TreeEntry, source: &'p ComposeFile) {
        let tag = entry.value.tag.as_deref().unwrap_or_default();
        if matches!(tag, "!reset" | "!override") {
            self.parts.clear();
        }
        if tag != "!reset" {
            self.parts.push(Part { source, line: entry.line, value: &entry.value });
        }
    }
}

fn services(root: &Tree) -> &[TreeEntry] {
    root.get("services").map_or(&[][..], |services| services.value.entries())
}

fn parse(reader: &mut Reader<'_>, file: usize) -> Option<Tree> {
    let text = reader.found.files.get(file).map(|file| file.text.clone()).unwrap_or_default();
    let parsed = tree(&text);
    for problem in parsed.problems {
        reader.lose(problem.message, At { file, line: problem.line }, "this part is not imported");
    }
    parsed.root
}
