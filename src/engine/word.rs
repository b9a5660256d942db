//! The words of a command line, with their meaning. So no other code has to recognize a word by its text.

use std::borrow::Cow;

/// One word of a command line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Word {
    /// A literal word: an option, or a value without another meaning.
    Text(Cow<'static, str>),
    /// The file of the model.
    ModelFile(String),
    /// The file of the draft model.
    DraftFile(String),
    /// The file of the projector.
    ProjectorFile(String),
    /// The file with API keys. A unit passes it as a credential.
    KeyFile(String),
    /// The addresses to listen on.
    Host(String),
    /// The port to listen on.
    Port(String),
    /// Another file or folder.
    Path {
        /// The path as the program gets it.
        text: String,
        /// The use of it.
        access: Access,
    },
    /// The user's prompt of a one-shot command.
    Prompt,
    /// The path of the user's image of a one-shot command.
    Image,
}

/// The use of a file or a folder by a program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Access {
    /// It reads it.
    Read,
    /// It reads, creates and changes it.
    Write,
}

impl Word {
    /// The text of the word, or a placeholder for what the user gives.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::ModelFile(text)
            | Self::DraftFile(text)
            | Self::ProjectorFile(text)
            | Self::KeyFile(text)
            | Self::Host(text)
            | Self::Port(text)
            | Self::Path { text, .. } => text,
            Self::Prompt => "PROMPT",
            Self::Image => "IMAGE",
        }
    }
}

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        self.text()
    }
}

impl From<&'static str> for Word {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}
