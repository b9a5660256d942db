//! The arguments of a process, packed: a large stack has hundreds of thousands of them.

/// The arguments of a process after the program, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Argv(Box<str>);

/// One argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word<'p> {
    /// As it stands.
    Text(&'p str),
    /// The role's key file: its path in a script, a credential in a unit.
    KeyFile,
    /// What a person asks, of a one-shot command.
    Prompt,
    /// The image that a person asks about.
    Image,
}

/// What ends each word: no argument can hold one.
const END: char = '\0';

impl<'p> FromIterator<Word<'p>> for Argv {
    /// Packs words: the first character says what each is, and a NUL follows.
    fn from_iter<I: IntoIterator<Item = Word<'p>>>(words: I) -> Self {
        let mut packed = String::with_capacity(512);
        for word in words {
            match word {
                Word::Text(text) => packed.extend(["t", text]),
                Word::KeyFile => packed.push('k'),
                Word::Prompt => packed.push('p'),
                Word::Image => packed.push('i'),
            }
            packed.push(END);
        }
        Self(packed.into())
    }
}

impl Argv {
    /// The words, in order.
    pub fn words(&self) -> Vec<Word<'_>> {
        self.iter().collect()
    }

    /// The words, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = Word<'_>> {
        self.0.split_terminator(END).map(unpacked)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn unpacked(word: &str) -> Word<'_> {
    match (word.get(..1), word.get(1..)) {
        (Some("t"), Some(text)) => Word::Text(text),
        (Some("k"), _) => Word::KeyFile,
        (Some("i"), _) => Word::Image,
        _ => Word::Prompt,
    }
}

impl<'p> Word<'p> {
    /// The text, where it is one; else nothing.
    pub fn text(self) -> &'p str {
        match self {
            Self::Text(text) => text,
            Self::KeyFile | Self::Prompt | Self::Image => "",
        }
    }
}
