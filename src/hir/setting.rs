//! Settings that become options of the engine: fields of the language, and options without their own field.

use super::shape::{Field, Shape, Table};
use super::{Serving, Text};
use crate::source::{Span, Spanned};
use std::sync::Arc;

/// A field that becomes an engine option as it is: a row of the table of fields with
/// [`is_engine_setting`](super::shape::Field). The table of options of the engine has the option.
#[derive(Clone, PartialEq, Debug)]
pub struct EngineSetting {
    /// The field.
    pub field: &'static str,
    /// The part of the field, such as `k` of `cache-type`. `None` for the whole field.
    pub part: Option<&'static str>,
    /// Its value; a size is in bytes.
    pub value: Spanned<Setting>,
}

impl Serving {
    /// A field that becomes an engine option as it is.
    pub fn setting(&self, field: &str) -> Option<&Spanned<Setting>> {
        self.settings.iter().find(|setting| setting.field == field).map(|setting| &setting.value)
    }

    /// The word of such a field.
    pub fn setting_word(&self, field: &str) -> Option<(&str, Span)> {
        word_of(self.setting(field)?)
    }

    /// The declared data type of the keys (`k`) or the values (`v`) of the KV cache.
    pub fn cache_type(&self, part: &str) -> Option<(&str, Span)> {
        let is_it = |setting: &&EngineSetting| {
            setting.field == "cache-type" && setting.part.is_none_or(|name| name == part)
        };
        word_of(&self.settings.iter().find(is_it)?.value)
    }
}

fn word_of(setting: &Spanned<Setting>) -> Option<(&str, Span)> {
    if let Setting::Text(word) = &setting.value { Some((word, setting.span)) } else { None }
}

/// A map of names: its entries are values of another field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntriesOf;

/// An engine option without its own field.
#[derive(Clone, PartialEq, Debug)]
pub struct EngineOption {
    /// Its name, with or without the leading dashes.
    pub name: Text,
    /// Its value. `None` for a switch.
    pub value: Option<Spanned<Setting>>,
}

impl EngineOption {
    /// True if its value is `false`.
    pub fn is_off(&self) -> bool {
        self.value.as_ref().is_some_and(|value| value.value == Setting::Flag(false))
    }
}

/// The value of an engine option or a metadata override.
#[derive(Clone, PartialEq, Debug)]
pub enum Setting {
    /// A boolean.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(Arc<str>),
}

/// The data types of a KV cache (`common/arg.cpp`, b11434; lower case only).
const CACHE_TYPES: &[&str] = &["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"];

pub(super) const CACHE_TYPE: Table = Table::with_principal(
    "type",
    &[
        Field::optional(
            "type",
            Shape::Word(CACHE_TYPES),
            "The data type of keys and values; excludes `k` and `v`.",
        )
        .example("q8_0"),
        Field::optional("k", Shape::Word(CACHE_TYPES), "The data type of keys; default f16.")
            .default("f16")
            .example("q8_0"),
        Field::optional(
            "v",
            Shape::Word(CACHE_TYPES),
            "The data type of values; default f16. A quantized type needs flash attention.",
        )
        .default("f16")
        .example("q5_1"),
    ],
);
