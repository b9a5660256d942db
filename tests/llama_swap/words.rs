//! Commands as llama-swap splits them.

use super::{config, texts};
use crate::support::compile;
use orchgen::engine::llama_swap::has_macro;
use orchgen::render::quote::llama_swap_word;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Splits a command as the documentation of llama-swap describes it: macros are replaced first; lines that start with `#` are
/// comments; a `\` at the end of a line continues it; then the quotes of a POSIX shell apply, without expansions.
pub(crate) fn split(command: &str, macros: &[(&str, &str)]) -> Vec<String> {
    let without_comments = |text: &str| {
        let lines = text.split('\n').filter(|line| !line.trim().starts_with('#'));
        lines.collect::<Vec<_>>().join("\n")
    };
    let mut text = without_comments(command);
    for (name, value) in macros {
        text = text.replace(&format!("${{{name}}}"), value);
    }
    assert!(!has_macro(&text), "an unknown macro in {text:?}");
    let joined = without_comments(&text).split('\n').fold(String::new(), |text, line| {
        match line.trim().strip_suffix('\\') {
            Some(line) => text + line + " \n",
            None => text + line + "\n",
        }
    });
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = joined.trim_end_matches('\n').chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => {
                let inside: String = rest.by_ref().take_while(|c| *c != '\'').collect();
                word.get_or_insert_default().push_str(&inside);
            }
            '"' => {
                let word = word.get_or_insert_default();
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    match (c, rest.peek()) {
                        ('\\', Some('$' | '`' | '"' | '\\')) => word.extend(rest.next()),
                        _ => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(rest.next().filter(|c| *c != '\n')),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Texts with the characters that have a meaning for llama-swap.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("$"),
        Just("{"),
        Just("}"),
        Just("${PORT}"),
        Just("${MODEL_ID}"),
        Just("${env.HOME}"),
        Just("#"),
        Just("\\"),
        Just("\n"),
        Just("\n#"),
        Just("\\\n"),
        Just("\r"),
        Just("'"),
        Just("''"),
        Just("\""),
        Just(" "),
        Just("\t"),
        Just("a"),
        Just("-"),
        Just("é"),
        Just("\u{2028}"),
        Just("\u{feff}"),
        Just("\u{85}"),
        Just(":"),
        Just("`"),
        Just("*"),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_quoted_word_is_one_word_with_the_same_text(text in hostile(), other in hostile()) {
        let command = format!("/bin/x\n{} {}", llama_swap_word(&text), llama_swap_word(&other));
        prop_assert_eq!(split(&command, &[("PORT", "5800"), ("MODEL_ID", "m")]), ["/bin/x".to_owned(), text, other]);
    }

    /// A text has a macro if and only if the regular expressions of llama-swap find one.
    #[test]
    fn macros_are_found(text in hostile()) {
        let name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        let starts = text.match_indices("${").map(|(at, _)| &text[at + 2..]);
        let found = starts.filter_map(|rest| rest.split_once('}')).any(|(inside, _)| {
            name(inside) || inside.strip_prefix("env.").is_some_and(name)
        });
        prop_assert_eq!(has_macro(&text), found);
    }
}

/// Paths, arguments and values with characters that other programs would change arrive byte for byte.
#[test]
fn hostile_values_arrive() {
    for path in ["/srv/a b.gguf", "/srv/it's \"q\".gguf", "/srv/#\\.gguf", "/srv/ü/é%20.gguf", "/srv/#.gguf"]
    {
        let quoted = path.replace('\\', "\\\\").replace('"', "\\\"");
        let text = format!(
            "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\nhost \"h\" memory=\"9 GB\" cpus=\"0-1\"\n\
             gateway \"g\" port=8000 kind=\"llama-swap\" bin=\"/b/swap\"\nmodel \"m\" arch=\"qwen3\" size=\"1 GB\" file=\"{quoted}\"\n\
             role \"r\" model=\"m\" residency=\"hot\" gateway=\"g\" context=512 {{ env {{ X \"$x 'y' {{z}}\" }} }}\n\
             role \"c\" residency=\"hot\" gateway=\"g\" health=\"/\" {{ command \"/bin/x\" \"{{port}}\" \"{quoted}\" \"a\\n#b\\\\\\nc\" \"${{PORT}}$\" }}\n"
        );
        let compiled = compile(&[("a.kdl", &text)]);
        let (_, config) = config(&compiled, "g");
        let command = |role: &str| {
            let command = config["models"][role]["cmd"].as_str().unwrap();
            split(command, &[("PORT", "18000")])
        };
        assert_eq!(command("r")[..3], ["/b/llama-server", "-m", path]);
        assert_eq!(command("c"), ["/bin/x", "18000", path, "a\n#b\\\nc", "${PORT}$"]);
        assert_eq!(texts(&config["models"]["r"]["env"]), ["XDG_CONFIG_HOME=/nonexistent", "X=$x 'y' {z}"]);
    }
}

/// The parser of llama-swap has types that the writer does not know, and reads each of these as another one.
#[test]
fn texts_that_look_like_other_types_are_in_quotes() {
    let words = ["1_000", "0b101", "0x1_f", "2024_01", "2024-01-31", "2024-1-3", "on", "null", "1.5", "7"];
    let aliases = words.map(|word| format!("\"{word}\"")).join(" ");
    let compiled = compile(&[(
        "a.kdl",
        &format!(
            "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\n\
             gateway \"g\" port=8000 kind=\"llama-swap\" bin=\"/b/swap\"\nmodel \"m\" file=\"/m.gguf\"\n\
             role \"r\" model=\"m\" gateway=\"g\" context=512 {{ alias {aliases} }}\n"
        ),
    )]);
    let (text, config) = config(&compiled, "g");
    for word in words {
        assert!(text.contains(&format!("    - \"{word}\"\n")), "{text}");
    }
    let read: BTreeSet<String> = texts(&config["models"]["r"]["aliases"]).into_iter().collect();
    assert_eq!(read, words.map(str::to_owned).into());
}
