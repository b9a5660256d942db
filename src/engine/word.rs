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
    /// A text of which the port to listen on is a part.
    PortPart(Box<PortPart>),
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

/// A text of which the port to listen on is a part, such as `127.0.0.1:8080` or `--listen=:8080`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PortPart {
    text: Box<str>,
    /// The places of the start and the end of the port.
    start: usize,
    end: usize,
    has_host: bool,
}

impl PortPart {
    /// A port with the texts before and after it.
    pub fn new(before: &str, port: u16, after: &str) -> Self {
        let mut text = format!("{before}{port}");
        let end = text.len();
        text.push_str(after);
        Self { text: text.into(), start: before.len(), end, has_host: false }
    }

    /// The address to listen on with the port. An IPv6 address is in brackets.
    pub fn socket_address(host: &str, port: u16) -> Self {
        Self { has_host: true, ..Self::new(&format!("{}:", Self::bracketed(host)), port, "") }
    }

    /// An address before a port: an IPv6 address in brackets.
    pub fn bracketed(host: &str) -> Cow<'_, str> {
        if host.contains(':') { Cow::Owned(format!("[{host}]")) } else { Cow::Borrowed(host) }
    }

    /// The texts before and after the port.
    pub fn around(&self) -> (&str, &str) {
        let before = self.text.get(..self.start).unwrap_or_default();
        (before, self.text.get(self.end..).unwrap_or_default())
    }

    /// True if it is the address to listen on with the port.
    pub fn has_host(&self) -> bool {
        self.has_host
    }
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
            Self::PortPart(part) => &part.text,
            Self::Prompt => "PROMPT",
            Self::Image => "IMAGE",
        }
    }

    /// The texts before and after the port to listen on. `None` if the word does not have it.
    pub fn around_port(&self) -> Option<(&str, &str)> {
        if let Self::PortPart(part) = self {
            return Some(part.around());
        }
        matches!(self, Self::Port(_)).then_some(("", ""))
    }

    /// The word with another port to listen on. A word without it stays the same.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        if let Self::PortPart(part) = self {
            let (before, after) = part.around();
            let other = PortPart { has_host: part.has_host, ..PortPart::new(before, port, after) };
            return Self::PortPart(other.into());
        }
        if matches!(self, Self::Port(_)) { Self::Port(port.to_string().into()) } else { self.clone() }
    }

    /// True if the word has the address to listen on.
    pub fn has_host(&self) -> bool {
        matches!(self, Self::Host(_)) || matches!(self, Self::PortPart(part) if part.has_host)
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
