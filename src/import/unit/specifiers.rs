//! Specifiers such as `%h` (systemd.unit(5), version 252).

use super::name::UnitName;
use crate::import::source::Surroundings;

/// The meaning of the specifiers of a unit.
#[derive(Clone)]
pub(crate) struct Context<'s> {
    /// The name of the unit.
    pub(crate) name: UnitName,
    /// True if a user manager runs it.
    pub(crate) is_user: bool,
    /// The path of its file.
    pub(crate) path: String,
    /// The variables of the user.
    pub(crate) around: &'s dyn Surroundings,
}

/// A text with replaced specifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expanded {
    /// The text. Specifiers that are not known stay as written.
    pub(crate) text: String,
    /// True if a specifier is known only when systemd runs.
    pub(crate) is_dynamic: bool,
    /// True if systemd refuses the setting, because it does not know a specifier.
    pub(crate) is_refused: bool,
}

impl Context<'_> {
    /// Replaces the specifiers of a text.
    pub(crate) fn expand(&self, text: &str) -> Expanded {
        let mut expanded = Expanded::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            expanded.text.push_str(before);
            let mut chars = after.chars();
            let specifier = chars.next();
            rest = chars.as_str();
            match specifier.map(|specifier| (specifier, self.value(specifier))) {
                Some((_, Some(value))) => expanded.text.push_str(&value),
                Some((specifier, None)) => {
                    expanded.text.extend(['%', specifier]);
                    let is_known = KNOWN.contains(specifier);
                    expanded.is_dynamic |= is_known;
                    expanded.is_refused |= !is_known && specifier.is_ascii_alphanumeric();
                }
                None => expanded.text.push('%'),
            }
        }
        expanded.text.push_str(rest);
        expanded
    }

    /// The home folder: that of the user, or of root.
    pub(crate) fn home(&self) -> Option<String> {
        if self.is_user { self.around.variable("HOME") } else { Some("/root".to_owned()) }
    }

    fn value(&self, specifier: char) -> Option<String> {
        let name = &self.name;
        Some(match specifier {
            '%' => "%".to_owned(),
            'h' => self.home()?,
            'n' => format!("{}.{}", name.stem, name.suffix),
            'N' => name.stem.clone(),
            'p' => name.prefix().to_owned(),
            'P' => name.unescaped(name.prefix())?,
            'j' => name.last_part().to_owned(),
            'J' => name.unescaped(name.last_part())?,
            'i' if !name.is_template() => name.instance().unwrap_or_default().to_owned(),
            'I' if !name.is_template() => name.unescaped(name.instance().unwrap_or_default())?,
            'f' if !name.is_template() => name.path()?,
            'y' if self.path.starts_with('/') => self.path.clone(),
            'Y' if self.path.starts_with('/') => self.path.rsplit_once('/')?.0.to_owned(),
            'u' if self.is_user => self.around.variable("USER")?,
            't' if self.is_user => self.around.variable("XDG_RUNTIME_DIR")?,
            'C' if self.is_user => self.in_home("XDG_CACHE_HOME", ".cache")?,
            'E' if self.is_user => self.in_home("XDG_CONFIG_HOME", ".config")?,
            's' if self.is_user => self.around.variable("SHELL")?,
            _ if self.is_user => return None,
            'u' | 'g' => "root".to_owned(),
            'U' | 'G' => "0".to_owned(),
            't' => "/run".to_owned(),
            'C' => "/var/cache".to_owned(),
            'E' => "/etc".to_owned(),
            'S' => "/var/lib".to_owned(),
            'L' => "/var/log".to_owned(),
            'T' => "/tmp".to_owned(),
            'V' => "/var/tmp".to_owned(),
            _ => return None,
        })
    }

    fn in_home(&self, variable: &str, folder: &str) -> Option<String> {
        self.around.variable(variable).or_else(|| Some(format!("{}/{folder}", self.home()?)))
    }
}

/// All specifiers. systemd refuses other letters and digits, and keeps other characters as written.
const KNOWN: &str = "aAbBCdDEfgGhHiIjJlLmMnNopPqsStTuUvVwWyY";
