//! One option of an engine build: its spellings, its value, and the programs that accept it.
//!
//! A record in a profile file omits empty optional fields, except `value`, which is null if the option takes no value:
//!
//! ```json
//! {"names":["-fit","--fit"],"value":"[on|off]","choices":["on","off"],"env":"LLAMA_ARG_FIT","tools":"*","repeat":"last"}
//! ```

use super::options::OptionRow;
use serde::{Deserialize, Serialize, Serializer};

/// One option as a build declares it (llama.cpp, `common/arg.cpp` or `--help`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionRecord {
    /// The spellings, in the order of the source.
    pub names: Vec<String>,
    /// The spellings that switch the option off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub negative: Vec<String>,
    /// The placeholder of its value in `--help`. `None` if it takes no value.
    #[serde(default)]
    pub value: Option<String>,
    /// The number of arguments if it takes several (2 for `START END`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<u8>,
    /// The closed set of values. Empty if no such set is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Further values that are known to be accepted. Empty means unknown, not none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<String>,
    /// The separator of several values in one argument, if the build is known to split it (`,` for `--host` since
    /// b11434, and for `--alias` since March 2026).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// The environment variable that sets the option.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// The programs that accept the option.
    pub tools: Tools,
    /// The backend that the build needs in order to declare the option.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<String>,
    /// Set if the build refuses the option: the replacement that it prints, such as `use --x`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<String>,
    /// Set if the option is deprecated but still works: the replacement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
    /// The effect of giving the option twice. `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// Its row in the table of options. A profile looks it up once, when it is parsed.
    #[serde(skip)]
    pub row: Option<&'static OptionRow>,
}

/// The programs that accept an option.
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
#[serde(untagged, expecting = "expected a list of programs, or `\"*\"` for all")]
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

/// The effect of giving an option twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Repeat {
    /// Both values are used.
    List,
    /// The last value is used.
    Last,
}

/// The effect of a spelling: it switches the option on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// One of [`OptionRecord::names`].
    On,
    /// One of [`OptionRecord::negative`].
    Off,
}

impl OptionRecord {
    /// The number of arguments after the name: 0, 1 or 2.
    pub fn arity(&self) -> usize {
        match (&self.value, self.values) {
            (None, _) => 0,
            (Some(_), None) => 1,
            (Some(_), Some(n)) => usize::from(n),
        }
    }

    /// True if the value is a comma-separated list of [`OptionRecord::choices`], not just one of them. Such options
    /// have the bare list as placeholder; the others have it in brackets (`--spec-type` since b10068 and before).
    pub fn takes_list_of_choices(&self) -> bool {
        let bare = |value: &String| value.contains(',') && !value.starts_with(['[', '{', '<']);
        !self.choices.is_empty() && self.value.as_ref().is_some_and(bare)
    }

    /// True if one argument may have several values separated by commas: `KEY=TYPE:VALUE,...`.
    pub fn takes_comma_list(&self) -> bool {
        self.separator.as_deref() == Some(",") || self.value.as_ref().is_some_and(|v| v.ends_with(",..."))
    }

    /// True if the value is in the closed set, or if no such set is known.
    pub fn allows_value(&self, word: &str) -> bool {
        self.choices.is_empty() || self.lists_value(word)
    }

    /// True if the value is in the closed set or among the further accepted values.
    pub fn lists_value(&self, word: &str) -> bool {
        self.choices.iter().chain(&self.accepts).any(|choice| choice == word)
    }

    /// All spellings, first those that switch the option on.
    pub fn spellings(&self) -> impl Iterator<Item = (&str, Switch)> {
        let on = self.names.iter().map(|name| (name.as_str(), Switch::On));
        on.chain(self.negative.iter().map(|name| (name.as_str(), Switch::Off)))
    }

    /// The main name: the first long name, else the first name.
    pub fn title(&self) -> &str {
        let long = self.names.iter().find(|name| name.starts_with("--"));
        long.or(self.names.first()).map_or("", String::as_str)
    }
}
