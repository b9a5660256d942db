//! Quoting of words in bash scripts, verified with bash and shellcheck.

use std::path::Path;

use orchgen::render::quote::{line, shell};
use proptest::prelude::*;

use super::{NASTY, cases, words};
use crate::outside;

/// Writes a script like the generated ones. It passes the words to a stub.
fn write_script(dir: &Path, words: &[String]) -> std::path::PathBuf {
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

/// Asserts that bash passes the words to the program byte for byte.
fn assert_words_survive(words: &[String]) {
    let dir = outside::folder();
    let mut expected = vec![words[0].clone(), format!("--x={}", words[0])];
    expected.extend_from_slice(words);
    expected.push("last one".to_owned());
    let got = outside::run_bash_argv(&write_script(dir.path(), words), &["last one"]);
    for (got, expected) in got.iter().zip(&expected) {
        assert_eq!(got, expected.as_bytes(), "{expected:?} became {:?}", String::from_utf8_lossy(got));
    }
    assert_eq!(got.len(), expected.len());
}

/// Asserts that shellcheck has no findings in the script.
fn assert_no_findings(words: &[String]) {
    let dir = outside::folder();
    let path = write_script(dir.path(), words);
    let findings = outside::shellcheck([&path]);
    assert!(findings.is_empty(), "{findings}\n{}", std::fs::read_to_string(path).unwrap());
}

proptest! {
    #![proptest_config(cases(48))]
    #[test]
    fn bash_passes_any_words_unchanged(words in words()) {
        assert_words_survive(&words);
    }
}

#[test]
fn each_word_has_the_simplest_quotes_that_it_allows() {
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
fn a_quoted_word_has_no_control_characters() {
    for word in NASTY {
        assert!(!shell(word).contains(char::is_control));
        assert!(!line(word).contains(char::is_control));
    }
}

mod tools {
    use super::*;

    #[test]
    fn bash_passes_nasty_words_unchanged() {
        let words: Vec<String> = NASTY.iter().map(|&word| word.to_owned()).collect();
        assert_words_survive(&words);
        assert_no_findings(&words);
        for word in words {
            assert_words_survive(std::slice::from_ref(&word));
        }
    }

    #[test]
    fn shellcheck_accepts_each_character_alone_and_next_to_others() {
        let odd = (1..0x300).chain(0x2000..0x2070).chain([0x3000, 0xfeff, 0xff02, 0xff07, 0x1_f980]);
        let odd = odd.filter_map(char::from_u32);
        let words: Vec<String> =
            odd.flat_map(|c| [c.to_string(), format!("a{c}"), format!("{c}b"), format!("a{c}b")]).collect();
        assert_words_survive(&words);
        assert_no_findings(&words);
    }

    #[test]
    fn shellcheck_accepts_every_short_word_of_unquoted_characters() {
        let mut words = vec![String::new()];
        for _ in 0..4 {
            let longer = |word: &String| "a1-/@+=".chars().map(|c| format!("{word}{c}")).collect::<Vec<_>>();
            words = words.iter().flat_map(longer).collect();
        }
        assert_no_findings(&words);
    }

    proptest! {
        #![proptest_config(cases(12))]
        #[test]
        fn shellcheck_accepts_any_words(words in words()) {
            assert_no_findings(&words);
        }
    }
}
