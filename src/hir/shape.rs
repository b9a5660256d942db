//! The shape of the language: fields, what each holds, and the tables in which they stand.

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
    /// What programs that help with writing show besides.
    pub hints: Hints,
}

/// What programs that help with writing show of a field. Values are spelt as YAML spells them, without quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hints {
    /// A value that it may have; where there is none, the one of its doc (``as `X` ``), else one of its shape.
    pub example: Option<&'static str>,
    /// The value that holds where it is left out, if that is always the same.
    pub default: Option<&'static str>,
    /// What a bare number counts.
    pub unit: Option<&'static str>,
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
    const fn new(name: &'static str, shape: Shape, presence: Presence, doc: &'static str) -> Self {
        let hints = Hints { example: None, default: None, unit: None };
        Self { name, shape, presence, doc, hints }
    }

    /// A field that has to be there.
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self::new(name, shape, Presence::Required, doc)
    }

    /// A field that may be left out.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self::new(name, shape, Presence::Optional, doc)
    }

    /// A block that may stand several times, each with another principal part.
    pub const fn distinct(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self::new(name, shape, Presence::Distinct, doc)
    }

    /// A field that may stand several times.
    pub const fn repeated(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self::new(name, shape, Presence::Repeated, doc)
    }

    /// The same with a value that it may have.
    #[must_use]
    pub const fn example(mut self, value: &'static str) -> Self {
        self.hints.example = Some(value);
        self
    }

    /// The same with the value that holds where it is left out.
    #[must_use]
    pub const fn default(mut self, value: &'static str) -> Self {
        self.hints.default = Some(value);
        self
    }

    /// The same with what its number counts.
    #[must_use]
    pub const fn counting(mut self, unit: &'static str) -> Self {
        self.hints.unit = Some(unit);
        self
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

/// The field that every item takes.
pub(super) static ALLOW: Field = Field::repeated(
    "allow",
    Shape::Block(&Table::with_principal(
        "code",
        &[
            Field::required(
                "code",
                Shape::Text,
                "The name or number of the finding to silence on this item, as `unused-model`.",
            ),
            Field::required("because", Shape::Text, "Why it is all right here.")
                .example("kept for the next release"),
        ],
    )),
    "A finding that is all right on this item, with the reason.",
);
