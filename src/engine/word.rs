//! The words of a command line, with their meaning. So no other code has to recognize a word by its text.

use std::borrow::Cow;

/// One word of a command line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Word {
    /// A literal word: an option, or a value without another meaning.
    Text(Cow<'static, str>),
    /// The file of the model.
    ModelFile(Box<str>),
    /// The file of the draft model.
    DraftFile(Box<str>),
    /// The file of the projector.
    ProjectorFile(Box<str>),
    /// The file with API keys. A unit passes it as a credential.
    KeyFile(Box<str>),
    /// The preset file of a router.
    PresetFile(Box<str>),
    /// The addresses to listen on.
    Host(Box<str>),
    /// The port to listen on.
    Port(Box<str>),
    /// Another file or folder, which the program reads.
    ReadPath(Box<str>),
    /// Another file or folder, which the program reads, creates and changes.
    WritePath(Box<str>),
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
    /// A file or folder with the use of it.
    pub fn path(text: &str, access: Access) -> Self {
        match access {
            Access::Read => Self::ReadPath(text.into()),
            Access::Write => Self::WritePath(text.into()),
        }
    }

    /// The text of the word, or a placeholder for what the user gives.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::ModelFile(text)
            | Self::DraftFile(text)
            | Self::ProjectorFile(text)
            | Self::KeyFile(text)
            | Self::PresetFile(text)
            | Self::Host(text)
            | Self::Port(text)
            | Self::ReadPath(text)
            | Self::WritePath(text) => text,
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

/// Frequent values, which need no allocation.
const FREQUENT: &[&str] = &["0", "1", "2", "4", "8", "16", "512", "2048", "4096", "8192", "16384", "32768"];

impl From<String> for Word {
    fn from(text: String) -> Self {
        let frequent = FREQUENT.iter().find(|known| **known == text);
        Self::Text(frequent.map_or(Cow::Owned(text), |known| Cow::Borrowed(known)))
    }
}

// A large stack has half a million words in memory.
const _: () = assert!(std::mem::size_of::<Word>() == 24);
