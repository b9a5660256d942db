//! Guesses what a user means by a value in the form of another tool, for the help of its finding.
//!
//! | file | content |
//! |---|---|
//! | `number` | numbers with separators, exponents and suffixes |
//! | `quantity` | sizes, rates, durations and factors with other units |
//! | `list` | lists of CPUs, ranges of ports, NUMA policies, addresses |
//! | `date` | dates in other orders |
//! | `path` | paths that only a shell or another system understands |
//! | `name` | names with other characters |
//! | `word` | words of other tools |

pub(super) mod date;
pub(super) mod list;
pub(super) mod name;
pub(super) mod number;
pub(super) mod path;
pub(super) mod quantity;
pub(super) mod word;

/// The boolean that a word of another language means.
pub(super) fn boolean(word: &str) -> Option<bool> {
    let word = word.trim().to_ascii_lowercase();
    match word.as_str() {
        "yes" | "y" | "on" | "true" | "t" | "1" | "enable" | "enabled" | "#true" => Some(true),
        "no" | "n" | "off" | "false" | "f" | "0" | "disable" | "disabled" | "#false" => Some(false),
        _ => None,
    }
}

/// True if the word means that there is no limit, or that the program decides.
pub(super) fn is_absence(word: &str) -> bool {
    let words = [
        "never",
        "none",
        "no",
        "off",
        "unlimited",
        "infinite",
        "infinity",
        "inf",
        "auto",
        "default",
        "null",
        "nil",
        "undefined",
        "n/a",
        "-",
        "-1",
        "max",
    ];
    words.contains(&word.trim().to_ascii_lowercase().as_str())
}

/// True if the word means that there is none of something.
pub(super) fn is_none(word: &str) -> bool {
    let word = word.trim();
    boolean(word) == Some(false) || ["none", "never"].contains(&word.to_ascii_lowercase().as_str())
}

/// The text with usual dashes, blanks and digits instead of those of other keyboards.
pub(super) fn plain_text(text: &str) -> String {
    let plain = |c: char| match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}' => '-',
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\t' => ' ',
        '\u{ff10}'..='\u{ff19}' => char::from_u32(u32::from(c) - 0xff10 + u32::from('0')).unwrap_or(c),
        '\u{d7}' => 'x',
        '\u{ff1a}' => ':',
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        _ => c,
    };
    let text: String = text.chars().map(plain).collect();
    text.trim().trim_matches(['"', '`']).trim().to_owned()
}
