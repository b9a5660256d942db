//! The settings of a unit and its drop-ins, and which of them count.

use super::name::UnitName;
use super::syntax::{self, Setting};
use crate::import::source::{Loss, Reader, join};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of drop-ins.
const MAX_DROP_INS: usize = 256;

/// All settings in their order.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// The settings of the unit, then those of its drop-ins.
    pub(crate) all: Vec<Setting>,
    /// Lines that systemd ignores, and files that cannot be read.
    pub(crate) faults: Vec<Loss>,
}

impl Settings {
    /// Reads a unit and its drop-ins.
    pub(crate) fn load(reader: &mut Reader<'_>, file: usize, name: &UnitName) -> Self {
        let mut settings = Self::default();
        settings.add(reader, file);
        let folder = reader.folder_of(file);
        // A file of a more specific folder replaces one of the same name.
        let mut paths = BTreeMap::new();
        for inner in name.drop_in_folders() {
            for file in reader.around.names(&join(&folder, &inner)) {
                if file.rsplit_once('.').is_some_and(|(_, ending)| ending == "conf") {
                    paths.entry(file.clone()).or_insert_with(|| format!("{inner}/{file}"));
                }
            }
        }
        let found = paths.len();
        for path in paths.into_values().take(MAX_DROP_INS) {
            match reader.companion(file, &path) {
                Some(file) => settings.add(reader, file),
                None => settings.lose(file, format!("drop-in {path}"), "the file cannot be read"),
            }
        }
        if found > MAX_DROP_INS {
            settings.lose(
                file,
                "further drop-ins".to_owned(),
                "orchgen reads at most 256 drop-ins of a unit",
            );
        }
        settings
    }

    fn add(&mut self, reader: &Reader<'_>, file: usize) {
        let text = reader.found.files.get(file).map_or("", |file| &file.text);
        let parsed = syntax::parse(text, file);
        self.all.extend(parsed.settings);
        self.faults.extend(parsed.faults);
    }

    fn lose(&mut self, file: usize, what: String, why: &str) {
        let at = crate::import::source::At { file, line: 1 };
        self.faults.push(Loss { what, at, why: why.to_owned() });
    }

    /// The settings of a key that is a list: those after the last empty one.
    pub(crate) fn list(&self, section: &str, key: &str) -> Vec<&Setting> {
        let found = self.all.iter().rev().filter(|setting| setting.key == key && setting.section == section);
        let mut found: Vec<&Setting> = found.take_while(|setting| !setting.value.is_empty()).collect();
        found.reverse();
        found
    }

    /// The last setting of a key, if it is not empty.
    pub(crate) fn last(&self, section: &str, key: &str) -> Option<&Setting> {
        let last = self.all.iter().rev().find(|setting| setting.key == key && setting.section == section);
        last.filter(|setting| !setting.value.is_empty())
    }

    /// The settings that count: of a list all after the last empty one, of other keys the last.
    pub(crate) fn effective(&self, is_list: impl Fn(&Setting) -> bool) -> Vec<&Setting> {
        let mut closed = BTreeSet::new();
        let mut found: Vec<&Setting> = Vec::new();
        for setting in self.all.iter().rev() {
            let name = (setting.section.as_str(), setting.key.as_str());
            if closed.contains(&name) {
                continue;
            }
            if setting.value.is_empty() || !is_list(setting) {
                closed.insert(name);
            }
            if !setting.value.is_empty() {
                found.push(setting);
            }
        }
        found.reverse();
        found
    }
}
