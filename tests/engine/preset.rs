//! Values of the preset of a router. `served::preset` compares them with a real server.

use orchgen::engine::dialect::{PresetValue, UncarriedText};
use proptest::prelude::*;

#[track_caller]
fn assert_carried(text: &str) {
    let value = PresetValue::new(text).unwrap_or_else(|why| panic!("{text:?}: {}", why.describe()));
    assert_eq!(value.as_str(), text);
    assert_eq!(value.to_string(), text);
}

#[track_caller]
fn reason(text: &str) -> String {
    PresetValue::new(text).unwrap_err().describe()
}

#[test]
fn values_have_neither_quotes_nor_escapes() {
    for text in [
        "",
        "/srv/models/a b.gguf",
        "\"a b",
        "'a'",
        "a\\",
        "\\n",
        "key = value",
        "[name]",
        "]",
        "%h $HOME ${HOME}",
        "--port",
        "a,b",
        "true",
    ] {
        assert_carried(text);
    }
}

#[test]
fn only_spaces_and_tabs_are_blanks() {
    for text in
        ["\u{b}", "\u{c}a", "a\u{85}", "\u{a0}", "a\u{2028}", "\u{3000}a", "\u{1}", "\u{1b}[0m", "\u{feff}a"]
    {
        assert_carried(text);
    }
    assert_carried("a \t b");
    for text in [" ", "\t", " a", "a ", "\ta", "a\t"] {
        assert_eq!(PresetValue::new(text), Err(UncarriedText::OuterBlanks), "{text:?}");
    }
}

#[test]
fn a_refused_text_has_a_reason() {
    assert_eq!(reason("/srv/c#/a.gguf"), "`#` starts a comment");
    assert_eq!(reason("a;b"), "`;` starts a comment");
    assert_eq!(reason("a\\;b"), "`;` starts a comment");
    for text in ["a\nb", "a\rb", "a\r\n", "\n", "a\\\nb"] {
        assert_eq!(reason(text), "a line break ends the value", "{text:?}");
    }
    assert_eq!(reason("a\0b"), "a NUL character ends the argument");
    assert_eq!(reason(" a"), "spaces and tabs at its start and end are removed");
    assert_eq!(reason(" a\nb"), "a line break ends the value");
}

#[test]
fn a_value_has_at_most_the_bytes_of_an_argument() {
    let longest = "é".repeat(65535) + "e";
    assert_carried(&longest);
    assert_eq!(reason(&(longest + "e")), "an argument has at most 131071 bytes");
}

proptest! {
    /// A text is refused exactly if it has one of the listed characters, or blanks at an end.
    #[test]
    fn other_characters_are_carried(text in any::<String>()) {
        let is_carried = !text.contains(['#', ';', '\n', '\r', '\0']) && text.trim_matches([' ', '\t']) == text;
        prop_assert_eq!(PresetValue::new(&text).is_ok(), is_carried);
    }
}
