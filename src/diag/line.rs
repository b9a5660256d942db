//! A line of a registry that a help asks the user to write, independent of the language of the file.

/// A field or an item to write: its name, its values and its own fields. `syntax` writes it as YAML or as KDL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The name of the field, or the kind of the item.
    pub name: String,
    /// The values: in KDL the arguments.
    pub values: Vec<Literal>,
    /// The fields of a block.
    pub fields: Vec<Self>,
    /// The name of the field that the value of a block means: YAML writes `draft: {model: d, max: 24}`.
    pub principal: &'static str,
}

/// A value to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Literal {
    /// A string, quoted as its language requires.
    Text(String),
    /// A number, in digits.
    Number(String),
    /// A boolean: KDL `#true`, YAML `true`.
    Flag(bool),
    /// The name of an item of this kind that is declared. Names are known when all files are read.
    NameOf(&'static str),
}

impl Literal {
    /// The text without quotes.
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Flag(flag) => flag.to_string(),
            Self::NameOf(kind) => kind.to_owned(),
        }
    }
}

impl Line {
    /// A field without a value.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), values: Vec::new(), fields: Vec::new(), principal: "" }
    }

    /// A field with one value.
    pub fn of(name: impl Into<String>, value: impl Into<Literal>) -> Self {
        Self::new(name).value(value)
    }

    /// Adds a value.
    #[must_use]
    pub fn value(mut self, value: impl Into<Literal>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Sets the name of the field that the value of a block means.
    #[must_use]
    pub fn principal(mut self, name: &'static str) -> Self {
        self.principal = name;
        self
    }

    /// Adds fields.
    #[must_use]
    pub fn with_each(mut self, fields: impl IntoIterator<Item = Self>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, field: Self) -> Self {
        self.fields.push(field);
        self
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Literal {
    fn from(number: u64) -> Self {
        Self::Number(number.to_string())
    }
}

impl From<bool> for Literal {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
