//! Metadata keys: what an override may name, and of which type its value is.
//!
//! The table is that of llama.cpp b11434 (`src/llama-arch.cpp`; types and the effect of an override from the readers), in
//! `metadata.json`, one key a line. The engine ignores an override in silence when its prefix is not the architecture of the
//! file, when its type is not the stored one, or when no reader asks for it, so all three are decided here:
//!
//! | key | verdict |
//! |---|---|
//! | of the table, spelled for this architecture | known |
//! | of the table, younger than the trees of 2025, under a build before b11434 that does not list its keys | not checked |
//! | with the name of another architecture before the first dot | of that architecture |
//! | for an architecture that the table lacks (a fork's own) | not checked |
//! | under a build that is younger, or a probed one of no known age, unless it is one slip away from a key of the table | not checked |
//! | anything else | unknown: the table only grew, so no build ever had it |
//!
//! That the loader of an architecture does not read a key is no verdict: the lists are hints (keys read under a condition, by
//! the general loader or by the vocabulary are not in them), and a wrong error would be worse than a silent key.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use serde::Deserialize;

use super::architecture::architecture;
use super::profile::Profile;

/// The build whose table the profiles without keys take.
const TABLE_BUILD: u32 = 11434;

/// The type of a value, as `--override-kv KEY=TYPE:VALUE` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// `int`: any integer of the file, signed or not.
    Int,
    /// `float`.
    Float,
    /// `bool`.
    Bool,
    /// `str`, at most 127 bytes.
    Str,
}

/// Whether a file holds one value or one a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Array {
    /// One value.
    Never,
    /// Either; an override of a file that holds an array is ignored.
    Maybe,
    /// Always an array; nothing can override it.
    Always,
}

/// What is known of an override key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyVerdict {
    /// The engine reads it for this architecture.
    Known {
        /// The type that its reader insists on.
        kind: ValueKind,
        /// Whether it is an array.
        array: Array,
        /// Whether an override can take effect at all. `false` where the key is an array or is read past the overrides
        /// (`general.sampling.*`, chat templates); with [`Array::Maybe`] it does only where the file holds one value.
        scalar_effective: bool,
    },
    /// It is spelled for another architecture; the engine would ignore it.
    OtherArchitecture {
        /// The architecture that it names.
        arch: &'static str,
    },
    /// No build ever had it.
    Unknown,
    /// This build may or may not have it.
    NotChecked,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    key: String,
    #[serde(rename = "type")]
    kind: String,
    scalar: Scalar,
    /// In the trees of 2025 already, so that every built-in profile has it.
    #[serde(default)]
    early: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scalar {
    Yes,
    Maybe,
    No,
}

#[derive(Deserialize)]
struct Table {
    keys: Vec<Row>,
}

fn table() -> &'static [Row] {
    static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
    TABLE.get_or_init(|| {
        // A table that cannot be read is empty: a test compares it with the profile of b11434.
        serde_json::from_str::<Table>(include_str!("metadata.json"))
            .map_or_else(|_| Vec::new(), |table| table.keys)
    })
}

/// What a build makes of an override key for a model of an architecture.
pub fn key(profile: &Profile, arch: &str, key: &str) -> KeyVerdict {
    match spelling(arch, key) {
        Spelling::Of(name) => {
            let verdict = general(profile, &name);
            let own = name.starts_with(ARCH) && architecture(arch).is_none();
            if own && verdict == KeyVerdict::Unknown { KeyVerdict::NotChecked } else { verdict }
        }
        Spelling::OtherArchitecture(other) => KeyVerdict::OtherArchitecture { arch: other },
        Spelling::Placeholder => KeyVerdict::Unknown,
    }
}

/// The whole numbers that the reader of a key can hold: one beyond them is cut to its bits in silence (`-1` is 4294967295).
/// None where the key is not known to hold a whole number.
pub fn range(profile: &Profile, arch: &str, key: &str) -> Option<RangeInclusive<i64>> {
    let Spelling::Of(name) = spelling(arch, key) else { return None };
    let (kind, _) = found(profile, &name)?;
    match kind.split('|').next()? {
        "u16" => Some(0..=i64::from(u16::MAX)),
        "u32" => Some(0..=i64::from(u32::MAX)),
        "i32" => Some(i64::from(i32::MIN)..=i64::from(i32::MAX)),
        "u64" => Some(0..=i64::MAX),
        _ => None,
    }
}

/// A key as the table would spell it.
enum Spelling {
    /// This, with a placeholder for the architecture where it was there.
    Of(String),
    /// It begins with another architecture.
    OtherArchitecture(&'static str),
    /// It holds the placeholder itself.
    Placeholder,
}

/// What stands for the architecture in the table.
const ARCH: &str = "{arch}";

fn spelling(arch: &str, key: &str) -> Spelling {
    if let Some(rest) = key.strip_prefix(arch).and_then(|rest| rest.strip_prefix('.')) {
        return Spelling::Of(format!("{ARCH}.{rest}"));
    }
    let prefix = key.split('.').next().unwrap_or_default();
    match architecture(prefix) {
        Some(other) => Spelling::OtherArchitecture(other.name()),
        None if prefix == ARCH => Spelling::Placeholder,
        None => Spelling::Of(key.to_owned()),
    }
}

/// The verdict on a key as the table spells it.
fn general(profile: &Profile, key: &str) -> KeyVerdict {
    match found(profile, key) {
        Some((kind, scalar)) => known(kind, scalar),
        None if row(key).is_some() && profile.metadata_keys().is_empty() => KeyVerdict::NotChecked,
        None if is_open(profile) && !is_slip(key) => KeyVerdict::NotChecked,
        None => KeyVerdict::Unknown,
    }
}

/// The type of a key that the build is known to have, and whether an override of one value takes effect.
fn found<'p>(profile: &'p Profile, key: &str) -> Option<(&'p str, Scalar)> {
    let (row, own) = (row(key), profile.metadata_keys());
    if let Ok(at) = own.binary_search_by(|known| known.key.as_str().cmp(key)) {
        return Some((own.get(at)?.kind.as_str(), row.map_or(Scalar::Maybe, |row| row.scalar)));
    }
    let row = row.filter(|_| own.is_empty())?;
    let is_young = profile.build_number().is_none_or(|build| build < TABLE_BUILD);
    (!is_young || row.early).then_some((row.kind.as_str(), row.scalar))
}

/// Whether the build may have keys that the table lacks: a younger one, or one of which nobody knows how old it is.
fn is_open(profile: &Profile) -> bool {
    let is_young = match profile.build_number() {
        Some(build) => build > TABLE_BUILD,
        None => !profile.is_built_in(),
    };
    profile.metadata_keys().is_empty() && is_young
}

/// Whether a key is one slip away from one of the table, or lacks the architecture that one of the table has.
fn is_slip(key: &str) -> bool {
    key.is_empty()
        || row(&format!("{ARCH}.{key}")).is_some()
        || table().iter().any(|row| differs_by_one(key.as_bytes(), row.key.as_bytes()))
}

/// Whether two words differ by one letter that is wrong, missing or too many, or by two that are swapped.
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

fn row(key: &str) -> Option<&'static Row> {
    let at = table().binary_search_by(|row| row.key.as_str().cmp(key)).ok()?;
    table().get(at)
}

/// A type as the table writes it: `u32`, `arr[str]`, `u32|arr[u32]`.
fn known(kind: &str, scalar: Scalar) -> KeyVerdict {
    let array = match (kind.contains("arr"), kind.contains('|')) {
        (false, _) => Array::Never,
        (true, true) => Array::Maybe,
        (true, false) => Array::Always,
    };
    let kind = if kind.contains("f32") || kind.contains("f64") {
        ValueKind::Float
    } else if kind.contains("bool") {
        ValueKind::Bool
    } else if kind.contains("str") {
        ValueKind::Str
    } else {
        ValueKind::Int
    };
    let scalar_effective = scalar != Scalar::No && array != Array::Always;
    KeyVerdict::Known { kind, array, scalar_effective }
}

/// All keys spelled for an architecture, those that its own loader reads first: what a misspelt one is compared with.
pub fn spelled(arch: &str) -> Vec<String> {
    let own: Vec<String> = architecture(arch)
        .into_iter()
        .flat_map(|a| a.own_keys().map(|key| format!("{arch}.{key}")))
        .collect();
    let all = table().iter().map(|row| row.key.replace("{arch}", arch));
    let rest: Vec<String> = all.filter(|key| !own.contains(key)).collect();
    own.into_iter().chain(rest).collect()
}
