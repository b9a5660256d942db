//! A field value, parsed as the shape of its field requires.

use super::record::Record;
use crate::hir::{Bytes, CpuList, Date, Factor, NumaPolicy, PortRange, Rate, Seconds, Setting, Share, Text};
use crate::source::Spanned;
use std::sync::Arc;

/// A value that matches the shape of its field.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::hir) enum TypedValue {
    Text(Arc<str>),
    Flag(bool),
    Count(u64),
    Fraction(f64),
    Size(Bytes),
    Share(Share),
    Duration(Seconds),
    Rate(Rate),
    Factor(Factor),
    Date(Date),
    Ports(PortRange),
    Cpus(CpuList),
    Word(&'static str),
    List(Vec<Spanned<TypedValue>>),
    Setting(Setting),
    Numa(NumaPolicy),
    Map(Vec<(Text, Text)>),
    Block(Box<Record>),
}

impl TypedValue {
    /// A plain value as a setting; sizes and durations are in bytes and seconds. `None` for any other variant.
    pub(super) fn into_setting(self) -> Option<Setting> {
        let integer = |number| i64::try_from(number).ok().map(Setting::Integer);
        match self {
            Self::Text(text) => Some(Setting::Text(text)),
            Self::Word(word) => Some(Setting::Text(word.into())),
            Self::Flag(flag) => Some(Setting::Flag(flag)),
            Self::Fraction(number) => Some(Setting::Float(number)),
            Self::Count(number) | Self::Size(Bytes(number)) | Self::Duration(Seconds(number)) => {
                integer(number)
            }
            Self::Setting(setting) => Some(setting),
            Self::Share(_)
            | Self::Rate(_)
            | Self::Factor(_)
            | Self::Date(_)
            | Self::Ports(_)
            | Self::Cpus(_)
            | Self::List(_)
            | Self::Numa(_)
            | Self::Map(_)
            | Self::Block(_) => None,
        }
    }
}

impl Spanned<TypedValue> {
    /// The text with its place. `None` for any other variant.
    pub(super) fn into_text(self) -> Option<Text> {
        Arc::<str>::from_value(self.value).map(|text| Spanned::new(text, self.span))
    }
}

/// Conversion from a variant of [`TypedValue`].
pub(in crate::hir) trait FromTypedValue: Sized {
    /// The content, if the value has the matching variant. Any other variant means that a table and its reader
    /// disagree.
    fn from_value(value: TypedValue) -> Option<Self>;
}

/// Implements [`FromTypedValue`] for the type of each variant.
macro_rules! impl_from_value {
    ($($variant:ident($type:ty)),+ $(,)?) => {
        $(impl FromTypedValue for $type {
            fn from_value(value: TypedValue) -> Option<Self> {
                if let TypedValue::$variant(value) = value { Some(value) } else { None }
            }
        })+
    };
}

impl_from_value! {
    Flag(bool), Count(u64), Fraction(f64), Size(Bytes), Share(Share), Duration(Seconds), Rate(Rate),
    Factor(Factor), Date(Date), Ports(PortRange), Cpus(CpuList), Word(&'static str), Setting(Setting), Numa(NumaPolicy),
    Block(Box<Record>),
}

/// A text, or a word.
impl FromTypedValue for Arc<str> {
    fn from_value(value: TypedValue) -> Option<Self> {
        if let TypedValue::Word(word) = value {
            return Some(word.into());
        }
        if let TypedValue::Text(text) = value { Some(text) } else { None }
    }
}

impl FromTypedValue for Record {
    fn from_value(value: TypedValue) -> Option<Self> {
        Box::<Self>::from_value(value).map(|block| *block)
    }
}

impl FromTypedValue for u32 {
    fn from_value(value: TypedValue) -> Option<Self> {
        u64::from_value(value).and_then(|count| Self::try_from(count).ok())
    }
}

impl FromTypedValue for u16 {
    fn from_value(value: TypedValue) -> Option<Self> {
        u64::from_value(value).and_then(|count| Self::try_from(count).ok())
    }
}
