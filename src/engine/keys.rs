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
//! | anything else | unknown: the table only grew, so no build ever had it |
//!
//! That the loader of an architecture does not read a key is no verdict: the lists are hints (keys read under a condition, by
//! the general loader or by the vocabulary are not in them), and a wrong error would be worse than a silent key.

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
    if let Some(rest) = key.strip_prefix(arch).and_then(|rest| rest.strip_prefix('.')) {
        let verdict = general(profile, &format!("{{arch}}.{rest}"));
        let own = architecture(arch).is_none() && verdict == KeyVerdict::Unknown;
        return if own { KeyVerdict::NotChecked } else { verdict };
    }
    let prefix = key.split('.').next().unwrap_or_default();
    match architecture(prefix) {
        Some(other) => KeyVerdict::OtherArchitecture { arch: other.name() },
        None if prefix == "{arch}" => KeyVerdict::Unknown,
        None => general(profile, key),
    }
}

/// The verdict on a key as the table spells it.
fn general(profile: &Profile, key: &str) -> KeyVerdict {
    let row = row(key);
    let own = profile.metadata_keys();
    if let Ok(at) = own.binary_search_by(|known| known.key.as_str().cmp(key)) {
        let kind = own.get(at).map_or("", |known| known.kind.as_str());
        return known(kind, row.map_or(Scalar::Maybe, |row| row.scalar));
    }
    match row {
        Some(row) if own.is_empty() => {
            let young = profile.build_number().is_none_or(|build| build < TABLE_BUILD);
            if young && !row.early { KeyVerdict::NotChecked } else { known(&row.kind, row.scalar) }
        }
        _ => KeyVerdict::Unknown,
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
