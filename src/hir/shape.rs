//! The shape of the language: kinds, their fields, and what each field holds.

use super::{engine, expect, family, host, model, quirk, residency, role, rule, service, stack, store, tier};

/// A kind of item, and the table of its fields.
#[derive(PartialEq, Eq, Debug)]
pub struct Kind {
    /// The word as KDL writes it.
    pub word: &'static str,
    /// The word as YAML writes it.
    pub plural: &'static str,
    /// What a name of it may be.
    pub naming: Naming,
    /// Its fields, without `allow`, which every kind takes.
    pub table: &'static Table,
}

/// What names a kind has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Naming {
    /// `[A-Za-z0-9][A-Za-z0-9._-]*`.
    Word,
    /// Any text that is not empty.
    Text,
    /// No name at all.
    None,
    /// There is one, and its name is the field `name` in YAML.
    One,
}

/// The fields of an item or of a block.
#[derive(PartialEq, Eq, Debug)]
pub struct Table {
    /// The field that a bare argument means: `draft "d"` is `draft model="d"`.
    pub principal: Option<&'static str>,
    /// Whether the bare word alone means something: `lookup` is `lookup: true`.
    pub bare: Bare,
    /// The fields, in the order of the documentation.
    pub fields: &'static [Field],
}

/// Whether a block may be just its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bare {
    /// `lookup`, `lookup: true`: present, with every field left out; `false` is absent.
    Means,
    /// Something has to be said.
    Refused,
}

/// One field: its name, what it holds, and whether it must be there.
#[derive(PartialEq, Eq, Debug)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it has to be there and whether it may stand several times.
    pub presence: Presence,
    /// One sentence for people, with unit, range and default.
    pub doc: &'static str,
}

/// How often a field may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// Once.
    Required,
    /// Once or not at all.
    Optional,
    /// Any number of times.
    Repeated,
    /// Any number of times, each with another principal part.
    Distinct,
}

/// What a field holds.
#[derive(PartialEq, Eq, Debug)]
pub enum Shape {
    /// Any text that is not empty.
    Text,
    /// An absolute path.
    Path,
    /// The path of a file: absolute, or below a folder that is known.
    File,
    /// The name of a user or a group of the system.
    Account,
    /// An IP address.
    Address,
    /// `true` or `false`.
    Flag,
    /// A whole number, both ends included.
    Count(u64, u64),
    /// A number from 0 to 1.
    Fraction,
    /// `17.5 GB`.
    Size,
    /// `5 percent` or a size.
    Share,
    /// `15 min`.
    Duration,
    /// `6.3 t/s`, `~15 t/s`.
    TokenRate,
    /// `2 GB/s`.
    ByteRate,
    /// `5.4x`.
    Factor,
    /// `2026-02-03`.
    Date,
    /// A port from 1 to 65535.
    Port,
    /// `8090-8095`, or one port.
    Ports,
    /// `0-47,96-143`.
    Cpus,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words.
    Words(&'static [&'static str]),
    /// The name of an item of that kind.
    Name(&'static str),
    /// Names of items of that kind.
    Names(&'static str),
    /// A model's name, a family's name, or a glob over model titles.
    Rule,
    /// A number, a boolean or a text, as the engine will have it.
    Setting,
    /// `interleave`, `interleave 0,1`, `bind 0` or `spread`.
    Numa,
    /// Names and texts of any number.
    Map,
    /// The fields of a role, none of them required, and `store`.
    Defaults,
    /// Fields of its own.
    Block(&'static Table),
}

impl Presence {
    /// Whether a field may stand several times.
    pub fn is_several(self) -> bool {
        matches!(self, Self::Repeated | Self::Distinct)
    }
}

impl Field {
    /// A field that has to be there.
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, presence: Presence::Required, doc }
    }

    /// A field that may be left out.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, presence: Presence::Optional, doc }
    }

    /// A block that may stand several times, each with another principal part.
    pub const fn distinct(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, presence: Presence::Distinct, doc }
    }

    /// A field that may stand several times.
    pub const fn repeated(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, presence: Presence::Repeated, doc }
    }
}

impl Table {
    /// A block or an item whose fields all have names.
    pub const fn of(fields: &'static [Field]) -> Self {
        Self { principal: None, bare: Bare::Refused, fields }
    }

    /// A block whose argument is one of its fields.
    pub const fn with_principal(principal: &'static str, fields: &'static [Field]) -> Self {
        Self { principal: Some(principal), bare: Bare::Refused, fields }
    }

    /// The same, which may also be just its name.
    pub const fn or_bare(principal: &'static str, fields: &'static [Field]) -> Self {
        Self { principal: Some(principal), bare: Bare::Means, fields }
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Kind {
    /// The kind that KDL writes so.
    pub fn of_word(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.word == word)
    }

    /// The kind that YAML writes so.
    pub fn of_plural(plural: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.plural == plural)
    }
}

/// The field that every item takes.
pub(super) static ALLOW: Field = Field::repeated(
    "allow",
    Shape::Block(&Table::with_principal(
        "code",
        &[
            Field::required(
                "code",
                Shape::Text,
                "The name or number of the finding to silence on this item.",
            ),
            Field::required("because", Shape::Text, "Why it is all right here."),
        ],
    )),
    "A finding that is all right on this item, with the reason.",
);

/// Every kind of thing that a registry can declare, in the order of the documentation.
pub static KINDS: &[Kind] = &[
    Kind { word: "stack", plural: "stack", naming: Naming::One, table: &stack::TABLE },
    Kind { word: "engine", plural: "engines", naming: Naming::Word, table: &engine::TABLE },
    Kind { word: "host", plural: "hosts", naming: Naming::Word, table: &host::TABLE },
    Kind { word: "store", plural: "stores", naming: Naming::Word, table: &store::TABLE },
    Kind { word: "tier", plural: "tiers", naming: Naming::Word, table: &tier::TABLE },
    Kind { word: "residency", plural: "residencies", naming: Naming::Word, table: &residency::TABLE },
    Kind { word: "family", plural: "families", naming: Naming::Word, table: &family::TABLE },
    Kind { word: "model", plural: "models", naming: Naming::Word, table: &model::TABLE },
    Kind { word: "role", plural: "roles", naming: Naming::Word, table: &role::TABLE },
    Kind { word: "pair", plural: "pairs", naming: Naming::None, table: &rule::PAIR },
    Kind { word: "ban", plural: "bans", naming: Naming::None, table: &rule::BAN },
    Kind { word: "quirk", plural: "quirks", naming: Naming::Text, table: &quirk::TABLE },
    Kind { word: "service", plural: "services", naming: Naming::Word, table: &service::TABLE },
    Kind { word: "expect", plural: "expects", naming: Naming::Text, table: &expect::TABLE },
];
