//! Metadata keys: which keys an override may name, and the type of their values.
//!
//! The table is that of llama.cpp b11434, in `metadata.json`, one key per line (keys from `src/llama-arch.cpp`; types
//! and the effect of an override from the code that reads them). The engine silently ignores an override if its prefix
//! is not the architecture of the file, if its type is not the stored one, or if no code reads the key. This module
//! decides all three:
//!
//! | key | verdict |
//! |---|---|
//! | in the table, with the prefix of this architecture | known |
//! | in the table but added after 2025, for a build before b11434 without a list of keys | not checked |
//! | with another architecture before the first dot | key of that architecture |
//! | for an architecture that the table lacks (such as one of a fork) | not checked |
//! | not in the table, for a newer or a probed build, unless it is one typo away from a key of the table | not checked |
//! | anything else | unknown: the table only ever grew, so no build has the key |
//!
//! A key that the loader of an architecture does not read is still accepted. The lists of keys per architecture are
//! only hints: they lack keys that are read conditionally, by the general loader or by the vocabulary. A wrong error
//! would be worse than an ignored key.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use serde::Deserialize;

use super::architecture::architecture;
use super::profile::Profile;

/// The build of the table, which is used for profiles without metadata keys.
const TABLE_BUILD: u32 = 11434;

/// The type of an override, as in `--override-kv KEY=TYPE:VALUE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideType {
    /// `int`: any integer type of the file, signed or unsigned.
    Int,
    /// `float`.
    Float,
    /// `bool`.
    Bool,
    /// `str`, at most 127 bytes.
    Str,
}

/// The shape of the value of a key: one value, or an array with one value per layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Array {
    /// One value.
    Never,
    /// Either. The engine ignores an override if the file has an array.
    Maybe,
    /// Always an array, which cannot be overridden.
    Always,
}

/// The verdict about an override key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyVerdict {
    /// The engine reads it for this architecture.
    Known {
        /// The type that the engine requires.
        kind: OverrideType,
        /// The shape of the value.
        array: Array,
        /// True if an override can have an effect. False if the key always has an array, or if the engine reads it
        /// without looking at overrides (`general.sampling.*`, chat templates). With [`Array::Maybe`] an override only
        /// has an effect if the file has one value.
        scalar_effective: bool,
    },
    /// The key has the prefix of another architecture. The engine would ignore it.
    OtherArchitecture {
        /// The architecture in the prefix.
        arch: &'static str,
    },
    /// No build has the key.
    Unknown,
    /// It is unknown if this build has the key.
    NotChecked,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRow {
    key: String,
    #[serde(rename = "type")]
    kind: String,
    scalar: ScalarOverride,
    /// True if the key was in the source of 2025, so that every built-in profile has it.
    #[serde(default)]
    early: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ScalarOverride {
    Yes,
    Maybe,
    No,
}

#[derive(Deserialize)]
struct KeyTable {
    keys: Vec<KeyRow>,
}

fn table() -> &'static [KeyRow] {
    static TABLE: OnceLock<Vec<KeyRow>> = OnceLock::new();
    TABLE.get_or_init(|| {
        // Parse errors give an empty table here; a test compares the table with the profile of b11434.
        serde_json::from_str::<KeyTable>(include_str!("metadata.json"))
            .map_or_else(|_| Vec::new(), |table| table.keys)
    })
}

/// The verdict of a build about an override key for a model of an architecture.
pub fn check_key(profile: &Profile, arch: &str, key: &str) -> KeyVerdict {
    if profile.family().unknown_facts().is_some() {
        return KeyVerdict::NotChecked;
    }
    match spelling(arch, key) {
        KeySpelling::Table(name) => {
            let verdict = verdict(profile, &name);
            let is_fork_key = name.starts_with(ARCH) && architecture(arch).is_none();
            if is_fork_key && verdict == KeyVerdict::Unknown { KeyVerdict::NotChecked } else { verdict }
        }
        KeySpelling::OtherArchitecture(other) => KeyVerdict::OtherArchitecture { arch: other },
        KeySpelling::Placeholder => KeyVerdict::Unknown,
    }
}

/// The range of whole numbers that a key can store. The engine silently truncates others to the bits of the type (`-1`
/// becomes 4294967295). `None` if the key is not known to have a whole number.
pub fn integer_range(profile: &Profile, arch: &str, key: &str) -> Option<RangeInclusive<i64>> {
    let KeySpelling::Table(name) = spelling(arch, key) else { return None };
    let (kind, _) = find(profile, &name)?;
    match kind.split('|').next()? {
        "u16" => Some(0..=i64::from(u16::MAX)),
        "u32" => Some(0..=i64::from(u32::MAX)),
        "i32" => Some(i64::from(i32::MIN)..=i64::from(i32::MAX)),
        "u64" => Some(0..=i64::MAX),
        _ => None,
    }
}

/// A key in the spelling of the table.
enum KeySpelling {
    /// The key, with a placeholder instead of the model's architecture.
    Table(String),
    /// The key begins with another architecture.
    OtherArchitecture(&'static str),
    /// The key contains the placeholder itself.
    Placeholder,
}

/// The placeholder for the architecture in the table.
const ARCH: &str = "{arch}";

fn spelling(arch: &str, key: &str) -> KeySpelling {
    if let Some(rest) = key.strip_prefix(arch).and_then(|rest| rest.strip_prefix('.')) {
        return KeySpelling::Table(format!("{ARCH}.{rest}"));
    }
    let prefix = key.split('.').next().unwrap_or_default();
    match architecture(prefix) {
        Some(other) => KeySpelling::OtherArchitecture(other.name()),
        None if prefix == ARCH => KeySpelling::Placeholder,
        None => KeySpelling::Table(key.to_owned()),
    }
}

/// The verdict about a key in the spelling of the table.
fn verdict(profile: &Profile, key: &str) -> KeyVerdict {
    match find(profile, key) {
        Some((kind, scalar)) => known_key(kind, scalar),
        None if row(key).is_some() && profile.metadata_keys().is_empty() => KeyVerdict::NotChecked,
        None if may_have_more_keys(profile) && !is_typo(key) => KeyVerdict::NotChecked,
        None => KeyVerdict::Unknown,
    }
}

/// The type of a key that the build is known to have, and whether an override has an effect.
fn find<'p>(profile: &'p Profile, key: &str) -> Option<(&'p str, ScalarOverride)> {
    if profile.family().unknown_facts().is_some() {
        return None;
    }
    let (row, listed) = (row(key), profile.metadata_keys());
    if let Ok(at) = listed.binary_search_by(|known| known.key.as_str().cmp(key)) {
        return Some((listed.get(at)?.kind.as_str(), row.map_or(ScalarOverride::Maybe, |row| row.scalar)));
    }
    let row = row.filter(|_| listed.is_empty())?;
    let is_older = profile.build_number().is_none_or(|build| build < TABLE_BUILD);
    (!is_older || row.early).then_some((row.kind.as_str(), row.scalar))
}

/// True if the build may have keys that the table lacks: it is newer, or its age is unknown.
fn may_have_more_keys(profile: &Profile) -> bool {
    let is_newer = match profile.build_number() {
        Some(build) => build > TABLE_BUILD,
        None => !profile.is_built_in(),
    };
    profile.metadata_keys().is_empty() && is_newer
}

/// True if a key is one typo away from a key of the table, or lacks the architecture in front of one.
fn is_typo(key: &str) -> bool {
    key.is_empty()
        || row(&format!("{ARCH}.{key}")).is_some()
        || table().iter().any(|row| differs_by_one(key.as_bytes(), row.key.as_bytes()))
}

/// True if two words differ by one wrong, missing or extra letter, or by two swapped letters.
fn differs_by_one(a: &[u8], b: &[u8]) -> bool {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    match (a.get(same..), b.get(same..)) {
        (Some([a0, a1, a @ ..]), Some([b0, b1, b @ ..])) if a0 == b1 && a1 == b0 => a == b,
        (Some([a0, a @ ..]), Some([b0, b @ ..])) => {
            a == b || a == [&[*b0], b].concat() || [&[*a0], a].concat() == b
        }
        (Some(a), Some(b)) => a.len().abs_diff(b.len()) == 1,
        _ => false,
    }
}

fn row(key: &str) -> Option<&'static KeyRow> {
    let at = table().binary_search_by(|row| row.key.as_str().cmp(key)).ok()?;
    table().get(at)
}

/// The verdict for a type of the table: `u32`, `arr[str]`, `u32|arr[u32]`.
fn known_key(kind: &str, scalar: ScalarOverride) -> KeyVerdict {
    let array = match (kind.contains("arr"), kind.contains('|')) {
        (false, _) => Array::Never,
        (true, true) => Array::Maybe,
        (true, false) => Array::Always,
    };
    let kind = if kind.contains("f32") || kind.contains("f64") {
        OverrideType::Float
    } else if kind.contains("bool") {
        OverrideType::Bool
    } else if kind.contains("str") {
        OverrideType::Str
    } else {
        OverrideType::Int
    };
    let scalar_effective = scalar != ScalarOverride::No && array != Array::Always;
    KeyVerdict::Known { kind, array, scalar_effective }
}

/// All keys with the prefix of an architecture, for suggestions. Keys that its loader reads come first.
pub fn keys_for_architecture(arch: &str) -> Vec<String> {
    let own: Vec<String> = architecture(arch)
        .into_iter()
        .flat_map(|a| a.own_keys().map(|key| format!("{arch}.{key}")))
        .collect();
    let all = table().iter().map(|row| row.key.replace("{arch}", arch));
    let rest: Vec<String> = all.filter(|key| !own.contains(key)).collect();
    own.into_iter().chain(rest).collect()
}
