//! A value that was read by the shape of its field.

use super::record::Record;
use crate::hir::{Bytes, CpuList, Date, Factor, Numa, PortRange, Rate, Seconds, Setting, Share, Text};
use crate::source::Spanned;

/// A value that fits the shape of its field.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Datum {
    Text(Box<str>),
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
    List(Vec<Spanned<Datum>>),
    Setting(Setting),
    Numa(Numa),
    Map(Vec<(Text, Text)>),
    Block(Box<Record>),
}

/// A type that one kind of datum turns into.
pub(super) trait Holds: Sized {
    /// The value, where the datum is of that kind. Another kind would be a table that disagrees with its reader.
    fn of(datum: Datum) -> Option<Self>;
}

/// Gives each type its kind of datum.
macro_rules! holds {
    ($($kind:ident($held:ty)),+ $(,)?) => {
        $(impl Holds for $held {
            fn of(datum: Datum) -> Option<Self> {
                if let Datum::$kind(value) = datum { Some(value) } else { None }
            }
        })+
    };
}

holds! {
    Text(Box<str>), Flag(bool), Count(u64), Fraction(f64), Size(Bytes), Share(Share), Duration(Seconds), Rate(Rate),
    Factor(Factor), Date(Date), Ports(PortRange), Cpus(CpuList), Word(&'static str), List(Vec<Spanned<Datum>>),
    Setting(Setting), Numa(Numa), Map(Vec<(Text, Text)>), Block(Box<Record>),
}

impl Holds for Record {
    fn of(datum: Datum) -> Option<Self> {
        Box::<Self>::of(datum).map(|block| *block)
    }
}

impl Holds for u32 {
    fn of(datum: Datum) -> Option<Self> {
        u64::of(datum).and_then(|count| Self::try_from(count).ok())
    }
}

impl Holds for u16 {
    fn of(datum: Datum) -> Option<Self> {
        u64::of(datum).and_then(|count| Self::try_from(count).ok())
    }
}
