//! One option of an engine build: its spellings, its value, and which programs take it.
//!
//! The shape of a record in a profile file, optional fields absent rather than null (`value` alone is written as null
//! where the option takes none):
//!
//! ```json
//! {"names":["-fit","--fit"],"value":"[on|off]","choices":["on","off"],"env":"LLAMA_ARG_FIT","tools":"*","repeat":"last"}
//! ```

use serde::{Deserialize, Serialize, Serializer};

/// One option as a build declares it (llama.cpp, `common/arg.cpp` or `--help`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionRecord {
    /// The spellings, in the order of the source.
    pub names: Vec<String>,
    /// The spellings that switch it off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub negative: Vec<String>,
    /// The placeholder of its value as `--help` prints it; none where it takes no value.
    #[serde(default)]
    pub value: Option<String>,
    /// How many arguments it eats where that is not what `value` says (2 for `START END`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<u8>,
    /// The closed set that its value belongs to; empty where nothing is known of one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Further spellings of a value that are known to be accepted. Empty means unknown, not none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<String>,
    /// What stands between several values in one argument, where the build is known to split it (`,` for `--host` from
    /// b11434 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// The environment variable that sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// The programs that take it.
    pub tools: Tools,
    /// The backend without which the build does not declare it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<String>,
    /// What the build prints instead of taking it: `use --x`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<String>,
    /// Still taken, and what to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
    /// What happens to the earlier value when it is given twice; none where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
}

/// Which programs take an option.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "RawTools")]
pub enum Tools {
    /// Every program of the profile.
    #[default]
    All,
    /// These programs.
    Some(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawTools {
    List(Vec<String>),
    Word(String),
}

impl From<RawTools> for Tools {
    fn from(raw: RawTools) -> Self {
        match raw {
            RawTools::List(list) => Self::Some(list),
            RawTools::Word(word) if word == "*" => Self::All,
            RawTools::Word(word) => Self::Some(vec![word]),
        }
    }
}

impl Serialize for Tools {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("*"),
            Self::Some(tools) => serializer.collect_seq(tools),
        }
    }
}

/// What a second value of the same option does to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Repeat {
    /// Both are kept.
    List,
    /// The last one counts.
    Last,
}

/// Whether a spelling switches an option on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// One of [`OptionRecord::names`].
    On,
    /// One of [`OptionRecord::negative`].
    Off,
}

impl OptionRecord {
    /// How many arguments follow the name: 0, 1 or 2.
    pub fn arity(&self) -> usize {
        match (&self.value, self.values) {
            (None, _) => 0,
            (Some(_), None) => 1,
            (Some(_), Some(n)) => usize::from(n),
        }
    }

    /// Whether its value is a list of [`OptionRecord::choices`] with commas rather than one of them. Such options print
    /// the bare list as their placeholder; the others put it in brackets (`--spec-type` before and from b10068 on).
    pub fn takes_list_of_choices(&self) -> bool {
        let bare = |value: &String| value.contains(',') && !value.starts_with(['[', '{', '<']);
        !self.choices.is_empty() && self.value.as_ref().is_some_and(bare)
    }

    /// Whether one argument may hold several values with commas: `KEY=TYPE:VALUE,...`.
    pub fn takes_several(&self) -> bool {
        self.separator.as_deref() == Some(",") || self.value.as_ref().is_some_and(|v| v.ends_with(",..."))
    }

    /// Whether a word belongs to the closed set of its value, or there is none.
    pub fn allows(&self, word: &str) -> bool {
        self.choices.is_empty() || self.lists(word)
    }

    /// Whether a word is named as a value, by the closed set or as a further spelling.
    pub fn lists(&self, word: &str) -> bool {
        self.choices.iter().chain(&self.accepts).any(|choice| choice == word)
    }

    /// All spellings, those that switch it on first.
    pub fn spellings(&self) -> impl Iterator<Item = (&str, Side)> {
        let on = self.names.iter().map(|name| (name.as_str(), Side::On));
        on.chain(self.negative.iter().map(|name| (name.as_str(), Side::Off)))
    }

    /// Its first long name, else its first name.
    pub fn title(&self) -> &str {
        let long = self.names.iter().find(|name| name.starts_with("--"));
        long.or(self.names.first()).map_or("", String::as_str)
    }
}
