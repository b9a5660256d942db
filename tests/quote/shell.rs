//! Words of bash, as a program gets them.

use std::path::Path;

use orchgen::render::quote::{line, shell};
use proptest::prelude::*;

use super::{NASTY, cases, words};
use crate::outside;

/// A script in the form of the generated ones that hands the words to a stub.
fn script(dir: &Path, words: &[String]) -> std::path::PathBuf {
    let stub = outside::stub(dir);
    let quoted: String = words.iter().flat_map(|word| ["  ".into(), shell(word), "\n".into()]).collect();
    let first = shell(&words[0]);
    let text = format!(
        "#!/usr/bin/env bash\n# {first}\nset -euo pipefail\nreadonly first={first}\n\
         cmd=(\n{quoted})\nreadonly cmd\n[[ -n \"$first\" ]] || :\nexec {} {first} --x={first} \"${{cmd[@]}}\" \"$@\"\n",
        stub.display()
    );
    let path = dir.join("script");
    outside::write(&path, &text, 0o755);
    path
}

/// Bash gives the words back byte for byte.
fn round_trip(words: &[String]) {
    let dir = outside::folder();
    let mut wanted = vec![words[0].clone(), format!("--x={}", words[0])];
    wanted.extend_from_slice(words);
    wanted.push("last one".to_owned());
    let got = outside::run_bash_argv(&script(dir.path(), words), &["last one"]);
    for (got, wanted) in got.iter().zip(&wanted) {
        assert_eq!(got, wanted.as_bytes(), "{wanted:?} became {:?}", String::from_utf8_lossy(got));
    }
    assert_eq!(got.len(), wanted.len());
}

fn clean(words: &[String]) {
    let dir = outside::folder();
    let path = script(dir.path(), words);
    let said = outside::shellcheck([&path]);
    assert!(said.is_empty(), "{said}\n{}", std::fs::read_to_string(path).unwrap());
}

#[test]
fn nasty_words_come_back() {
    let words: Vec<String> = NASTY.iter().map(|&word| word.to_owned()).collect();
    round_trip(&words);
    clean(&words);
    for word in words {
        round_trip(std::slice::from_ref(&word));
    }
}

#[test]
fn every_character_alone_and_between_others_is_clean() {
    let odd = (1..0x300).chain(0x2000..0x2070).chain([0x3000, 0xfeff, 0xff02, 0xff07, 0x1_f980]);
    let odd = odd.filter_map(char::from_u32);
    let words: Vec<String> =
        odd.flat_map(|c| [c.to_string(), format!("a{c}"), format!("{c}b"), format!("a{c}b")]).collect();
    round_trip(&words);
    clean(&words);
}

#[test]
fn every_short_word_of_bare_characters_is_clean() {
    let mut words = vec![String::new()];
    for _ in 0..4 {
        let longer = |word: &String| "a1-/@+=".chars().map(|c| format!("{word}{c}")).collect::<Vec<_>>();
        words = words.iter().flat_map(longer).collect();
    }
    clean(&words);
}

proptest! {
    #![proptest_config(cases(48))]
    #[test]
    fn any_words_come_back(words in words()) {
        round_trip(&words);
    }
}

proptest! {
    #![proptest_config(cases(12))]
    #[test]
    fn any_words_are_clean(words in words()) {
        clean(&words);
    }
}

#[test]
fn quotes_are_as_plain_as_the_word_allows() {
    for (word, quoted) in [
        ("--override-kv", "--override-kv"),
        ("qwen3moe.expert_used_count=int:4", "qwen3moe.expert_used_count=int:4"),
        ("/mnt/raid0/a.gguf", "/mnt/raid0/a.gguf"),
        ("0,1", "'0,1'"),
        ("a b", "'a b'"),
        ("A=b", "'A=b'"),
        ("done", "'done'"),
        ("", "''"),
        ("{\"a\": 1}", "'{\"a\": 1}'"),
        ("it's", "\"it's\""),
        ("$x", "\"\\$x\""),
        ("~/x", "$'~/x'"),
        ("a\nb'", "$'a\\nb\\''"),
    ] {
        assert_eq!(shell(word), quoted);
    }
}

#[test]
fn no_quoted_word_spans_lines() {
    for word in NASTY {
        assert!(!shell(word).contains(char::is_control));
        assert!(!line(word).contains(char::is_control));
    }
}
