//! The families of engines whose builds a profile can describe, with the names that all builds of a family share.

use super::llama;
use serde::{Deserialize, Serialize};

/// A family of engine builds. A profile names its family in the field `engine`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Family {
    /// llama.cpp.
    LlamaCpp,
    /// The fork `ik_llama.cpp`. Of its builds only the options are known.
    IkLlamaCpp,
}

impl Family {
    /// All families.
    pub const ALL: [Self; 2] = [Self::LlamaCpp, Self::IkLlamaCpp];

    /// The name in profiles.
    pub fn name(self) -> &'static str {
        match self {
            Self::LlamaCpp => "llama.cpp",
            Self::IkLlamaCpp => "ik_llama.cpp",
        }
    }

    /// The program that serves a model.
    pub fn server(self) -> &'static str {
        match self {
            Self::LlamaCpp | Self::IkLlamaCpp => llama::SERVER,
        }
    }

    /// The path that answers with status 200 as soon as the server is ready.
    pub fn health_path(self) -> &'static str {
        match self {
            Self::LlamaCpp | Self::IkLlamaCpp => llama::HEALTH_PATH,
        }
    }

    /// The start of the names of environment variables that set options.
    pub fn variable_prefix(self) -> &'static str {
        match self {
            Self::LlamaCpp | Self::IkLlamaCpp => llama::VARIABLE_PREFIX,
        }
    }

    /// The environment variables that set API keys, or the file with them.
    pub fn key_variables(self) -> &'static [&'static str] {
        match self {
            Self::LlamaCpp => llama::KEY_VARIABLES,
            Self::IkLlamaCpp => &[],
        }
    }

    /// The environment variables that give the devices of a machine other numbers.
    pub fn device_variables(self) -> impl Iterator<Item = &'static str> {
        llama::dialect::VISIBLE_DEVICES
            .iter()
            .map(|(_, variable)| *variable)
            .chain(["GGML_VK_VISIBLE_DEVICES"])
    }

    /// The environment variables whose value is a secret.
    pub fn secret_variables(self) -> &'static [&'static str] {
        match self {
            Self::LlamaCpp => llama::SECRET_VARIABLES,
            Self::IkLlamaCpp => &["HF_TOKEN"],
        }
    }

    /// The environment variable with the folder of downloaded models, before all other variables.
    pub fn cache_variable(self) -> Option<&'static str> {
        match self {
            Self::LlamaCpp => Some(llama::CACHE_VARIABLE),
            Self::IkLlamaCpp => None,
        }
    }

    /// True if an option or environment variable makes a process set the affinity or priority of its threads.
    pub fn places_threads(self, word: &str) -> bool {
        match self {
            Self::LlamaCpp | Self::IkLlamaCpp => {
                if word.starts_with('-') {
                    llama::options::row_of(word).is_some_and(|row| row.places_threads)
                } else {
                    llama::THREAD_VARIABLES.contains(&word)
                }
            }
        }
    }

    /// The reason why memory, draft pairs and metadata keys are not checked, as a clause. `None` if they are.
    pub fn unknown_facts(self) -> Option<&'static str> {
        match self {
            Self::LlamaCpp => None,
            Self::IkLlamaCpp => Some(
                "of ik_llama.cpp only the options are known, not its memory, draft rules and metadata keys",
            ),
        }
    }
}

impl TryFrom<String> for Family {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::ALL.into_iter().find(|family| family.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(|family| format!("`{}`", family.name())).join(" or ");
            format!("`engine` must be {known}, not `{}`", name.escape_debug())
        })
    }
}

impl From<Family> for &'static str {
    fn from(family: Family) -> Self {
        family.name()
    }
}
