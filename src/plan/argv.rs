//! The arguments of a process, packed into one string: a large stack has hundreds of thousands of arguments.

/// The arguments of a process after the program, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Argv(Box<str>);

/// One argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word<'p> {
    /// A literal argument.
    Text(&'p str),
    /// The key file of the role: the path in a script, a credential in a unit.
    KeyFile,
    /// The user's prompt of a one-shot command.
    Prompt,
    /// The user's image of a one-shot command.
    Image,
}

/// The end of each word. Process arguments cannot contain NUL.
const END: char = '\0';

impl<'p> FromIterator<Word<'p>> for Argv {
    /// Packs words. The first character of each is its kind, and a NUL ends it.
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

    /// An iterator over the words.
    pub fn iter(&self) -> impl Iterator<Item = Word<'_>> {
        self.0.split_terminator(END).map(unpack)
    }

    /// True if there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn unpack(word: &str) -> Word<'_> {
    match (word.get(..1), word.get(1..)) {
        (Some("t"), Some(text)) => Word::Text(text),
        (Some("k"), _) => Word::KeyFile,
        (Some("i"), _) => Word::Image,
        _ => Word::Prompt,
    }
}

impl<'p> Word<'p> {
    /// The text of a literal argument, else an empty string.
    pub fn text(self) -> &'p str {
        match self {
            Self::Text(text) => text,
            Self::KeyFile | Self::Prompt | Self::Image => "",
        }
    }
}
