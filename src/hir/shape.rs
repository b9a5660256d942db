//! The shape of the registry language: tables of fields, and the type of each field.

/// The fields of an item or of a block.
#[derive(PartialEq, Eq, Debug)]
pub struct Table {
    /// The field that a bare argument means: `draft "d"` is `draft model="d"`.
    pub principal: Option<&'static str>,
    /// The field that a second argument means in KDL: `option "temp" 0.7` is `option "temp" value=0.7`.
    pub value: Option<&'static str>,
    /// Controls whether a block may be just its name: `lookup` is `lookup: true`.
    pub bare: Bare,
    /// The fields, in the order of the documentation.
    pub fields: &'static [Field],
}

/// Controls whether a block may be just its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bare {
    /// `lookup` or `lookup: true` is a block without fields. `false` means that the block is absent.
    Allowed,
    /// The block requires a value or fields.
    Refused,
}

/// A field: its name, type and cardinality.
#[derive(PartialEq, Eq, Debug)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// The type of its value.
    pub shape: Shape,
    /// Required, optional or repeated.
    pub presence: Presence,
    /// One or two sentences for users, with unit, range and default.
    pub doc: &'static str,
    /// Hints for editors.
    pub hints: Hints,
    /// True if the field becomes an engine option as it is. Its shape is a plain value, or a block of such values whose
    /// principal field means the whole field.
    pub is_engine_setting: bool,
}

/// Hints for editors, in addition to the description. Values are in YAML syntax, without quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hints {
    /// An example value. The default is the example in the description (``such as `X` ``), or an example of the type.
    pub example: Option<&'static str>,
    /// The default value, if it is constant.
    pub default: Option<&'static str>,
    /// The unit of a plain number.
    pub unit: Option<&'static str>,
    /// The field of the same block without which it has no effect, and the value of that field in the example.
    pub needs: Option<(&'static str, &'static str)>,
}

/// How often a field may occur.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// Exactly once.
    Required,
    /// At most once.
    Optional,
    /// Any number of times.
    Repeated,
    /// Any number of times, each with a different value of its principal field.
    Distinct,
}

/// The type of a field.
#[derive(PartialEq, Eq, Debug)]
pub enum Shape {
    /// Any text that is not empty.
    Text,
    /// An absolute path.
    Path,
    /// The path of a file: absolute, or relative to a known folder.
    File,
    /// The name of a system user or group.
    Account,
    /// The name of an object in a Kubernetes cluster.
    ObjectName,
    /// An IP address.
    Address,
    /// An IP address or a DNS name.
    HostAddress,
    /// A name at the API: a text without commas.
    ApiName,
    /// The name of a repository at Hugging Face: `org/name`.
    Repository,
    /// A SHA-256 as 64 hexadecimal digits.
    Sha256,
    /// `true` or `false`.
    Flag,
    /// An integer in an inclusive range.
    Count(u64, u64),
    /// An integer in an inclusive range, or one of these words.
    CountOr(u64, u64, &'static [&'static str]),
    /// A number from 0 to 1.
    Fraction,
    /// A number from -100 to 100.
    Scale,
    /// `17.5 GB`.
    Size,
    /// A size, or `0 B`.
    SizeOrZero,
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
    /// A date, or any other text.
    DateOrBuild,
    /// A port from 1 to 65535.
    Port,
    /// `8090-8095`, or one port.
    Ports,
    /// `2:1`: the shares of several GPUs.
    Shares,
    /// `0-47,96-143`.
    Cpus,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of these words.
    Words(&'static [&'static str]),
    /// A list of CPUs, or the name of a set of CPUs.
    CpuSet,
    /// The name of an item of this kind.
    Name(&'static str),
    /// Names of items of this kind.
    Names(&'static str),
    /// The name of a model, the name of a family, or a glob of model titles.
    Rule,
    /// A number, a boolean or a text for the engine.
    Setting,
    /// `interleave`, `interleave 0,1`, `bind 0` or `spread`.
    Numa,
    /// A map of names to texts.
    Map,
    /// A map of names to settings: the items of the field of this name.
    Entries(&'static str),
    /// The fields of a role, all optional, and `store`.
    Defaults,
    /// A block with its own fields.
    Block(&'static Table),
}

/// The text of a doc comment without the space at its start.
pub(super) const fn doc(comment: &'static str) -> &'static str {
    comment.split_at(1).1
}

impl Presence {
    /// True if the field may occur several times.
    pub fn is_several(self) -> bool {
        matches!(self, Self::Repeated | Self::Distinct)
    }
}

impl Field {
    const fn new(name: &'static str, shape: Shape, presence: Presence, doc: &'static str) -> Self {
        let hints = Hints { example: None, default: None, unit: None, needs: None };
        Self { name, shape, presence, doc, hints, is_engine_setting: false }
    }

    /// A required field.
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self::new(name, shape, Presence::Required, doc)
    }

    /// An optional field.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self::new(name, shape, Presence::Optional, doc)
    }

    /// A block that may occur several times, each with a different value of its principal field.
    pub const fn distinct(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self::new(name, shape, Presence::Distinct, doc)
    }

    /// A field that may occur several times.
    pub const fn repeated(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self::new(name, shape, Presence::Repeated, doc)
    }

    /// Sets the example value.
    #[must_use]
    pub const fn example(mut self, value: &'static str) -> Self {
        self.hints.example = Some(value);
        self
    }

    /// Sets the default value.
    #[must_use]
    pub const fn default(mut self, value: &'static str) -> Self {
        self.hints.default = Some(value);
        self
    }

    /// The same field, which becomes an engine option as it is. Nothing else has to read it.
    #[must_use]
    pub const fn engine_setting(mut self) -> Self {
        self.is_engine_setting = true;
        self
    }

    /// Sets the unit of its number.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.hints.unit = Some(unit);
        self
    }

    /// Sets the field of its block without which it has no effect, and the value of that field in the example.
    #[must_use]
    pub const fn needs(mut self, field: &'static str, example: &'static str) -> Self {
        self.hints.needs = Some((field, example));
        self
    }
}

impl Table {
    /// The table of an item or a block without a principal field.
    pub const fn of(fields: &'static [Field]) -> Self {
        Self { principal: None, value: None, bare: Bare::Refused, fields }
    }

    /// The table of a block whose bare argument is the principal field.
    pub const fn with_principal(principal: &'static str, fields: &'static [Field]) -> Self {
        Self { principal: Some(principal), value: None, bare: Bare::Refused, fields }
    }

    /// The table of a block with a principal field that may also be just its name.
    pub const fn or_bare(principal: &'static str, fields: &'static [Field]) -> Self {
        Self { principal: Some(principal), value: None, bare: Bare::Allowed, fields }
    }

    /// The table of a block whose first argument is the principal field, and whose second one is its `value`.
    pub const fn with_value(principal: &'static str, fields: &'static [Field]) -> Self {
        Self { principal: Some(principal), value: Some("value"), bare: Bare::Refused, fields }
    }

    /// The field that a bare argument means.
    pub fn principal_field(&self) -> Option<&'static Field> {
        self.field(self.principal?)
    }

    /// The field that a second argument means in KDL.
    pub fn value_field(&self) -> Option<&'static Field> {
        self.field(self.value?)
    }

    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The field `allow`, which all kinds of items have.
pub(super) static ALLOW: Field = Field::repeated(
    "allow",
    Shape::Block(&Table::with_principal(
        "code",
        &[
            Field::required(
                "code",
                Shape::Text,
                "The name or number of the finding to suppress on this item, such as `unused-item`.",
            ),
            Field::required("because", Shape::Text, "The reason why the finding is acceptable here.")
                .example("kept for the next release"),
        ],
    )),
    "Suppresses a finding on this item, with the reason.",
);
