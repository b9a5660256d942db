//! Quoting of values in units, verified with systemd.

use std::fmt::Write;
use std::path::Path;

use orchgen::render::quote::{
    systemd_assignment, systemd_path, systemd_program, systemd_value, systemd_word,
};
use proptest::prelude::*;

use super::{NASTY, cases, words};
use crate::outside::{self, systemd_dump, systemd_dumps, systemd_verify};

fn nasty_words() -> Vec<String> {
    NASTY.iter().map(|&word| word.to_owned()).collect()
}

/// A word as the dump of systemd has it: systemd expands `$$` to `$` only when it starts the program.
fn with_doubled_dollars(word: &str) -> String {
    word.replace('$', "$$")
}

/// Writes a service with these lines in `[Unit]` and `[Service]`, and lets systemd parse it.
fn parse_unit(dir: &Path, unit: &str, service: &str) -> outside::Dump {
    let stub = outside::stub(dir);
    let text = format!("[Unit]\n{unit}\n[Service]\nExecStart={}\n{service}\n", stub.display());
    outside::write(&dir.join("x.service"), &text, 0o644);
    let messages = systemd_verify(dir, "--system", &["x.service"]);
    assert!(messages.is_empty(), "{messages}\n{text}");
    systemd_dump(dir, "x.service")
}

/// Asserts that systemd parses every quoted word unchanged, next to other words and after the `=` of an option.
fn assert_words_survive(all: &[String]) {
    let dir = outside::folder();
    let stub = outside::stub(dir.path());
    let names: Vec<String> = (0..all.len().div_ceil(16)).map(|i| format!("w{i}.service")).collect();
    for (name, words) in names.iter().zip(all.chunks(16)) {
        let mut text = format!("[Service]\nExecStart={} --x={}", stub.display(), systemd_word(&all[0]));
        for word in words {
            write!(text, " \\\n    {}", systemd_word(word)).unwrap();
        }
        text.push_str("\nRestartSec=77\n");
        outside::write(&dir.path().join(name), &text, 0o644);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let dumps = systemd_dumps(dir.path(), &names);
    for (name, words) in names.iter().zip(all.chunks(16)) {
        let argv = dumps[*name].argvs().remove(0);
        let mut expected =
            vec![stub.to_str().unwrap().to_owned(), format!("--x={}", with_doubled_dollars(&all[0]))];
        expected.extend(words.iter().map(|word| with_doubled_dollars(word)));
        assert_eq!(argv, expected);
        assert_eq!(dumps[*name].all("RestartSec"), ["1min 17s"], "the next line became part of the command");
    }
}

#[test]
fn every_dollar_is_doubled_and_plain_words_are_not_quoted() {
    assert_eq!(systemd_word("$x"), "\"$$x\"");
    assert_eq!(systemd_word("$${x}"), "\"$$$${x}\"");
    assert_eq!(systemd_word("--port=8080"), "--port=8080");
}

/// Asserts that systemd parses the values of all environment variables unchanged.
fn assert_variables_survive(values: &[String]) {
    let dir = outside::folder();
    let mut text = String::new();
    for (i, value) in values.iter().enumerate() {
        writeln!(text, "Environment={}", systemd_assignment(&format!("A{i}"), value)).unwrap();
    }
    let both = [systemd_assignment("B", "b c"), systemd_assignment("C", "$x")].join(" ");
    writeln!(text, "Environment={both}").unwrap();
    let dump = parse_unit(dir.path(), "", &text);
    for (i, value) in values.iter().enumerate() {
        assert!(dump.has_environment(&format!("A{i}"), value), "{value:?} of\n{text}\n{}", dump.raw);
    }
    assert!(dump.has_environment("B", "b c") && dump.has_environment("C", "$x"));
}

/// Asserts that systemd parses every path unchanged, in each kind of setting that lists paths.
fn assert_paths_survive(words: &[String]) {
    let dir = outside::folder();
    let paths: Vec<String> = words
        .iter()
        .filter(|word| {
            !word.is_empty() && !word.contains(['\n', '\r', '/']) && !matches!(word.as_str(), "." | "..")
        })
        .map(|word| format!("/srv/{word}/x"))
        .collect();
    let (mut mounts, mut binds) = (String::new(), String::new());
    for path in &paths {
        let quoted = systemd_path(path);
        writeln!(mounts, "RequiresMountsFor=/a {quoted}").unwrap();
        writeln!(binds, "BindReadOnlyPaths={quoted} {quoted}:{quoted} {quoted}:/to:rbind").unwrap();
    }
    let dump = parse_unit(dir.path(), &mounts, &binds);
    for path in &paths {
        assert!(
            dump.raw.contains(&format!("\t\tRequiresMountsFor: {path} (origin-file)\n")),
            "{path:?} in\n{mounts}"
        );
        let same = format!("\t\tBindReadOnlyPaths: {path}:{path}:rbind\n");
        assert!(dump.raw.matches(&same).count() >= 2, "{path:?} in\n{binds}");
        assert!(
            dump.raw.contains(&format!("\t\tBindReadOnlyPaths: {path}:/to:rbind\n")),
            "{path:?} in\n{binds}"
        );
    }
}

/// A text as an unquoted setting can contain it: control characters become spaces, and spaces at the ends are removed.
fn as_description(text: &str) -> String {
    text.replace(char::is_control, " ").trim_matches(' ').to_owned()
}

/// Asserts that systemd parses every text as a `Description=` that ends at the end of its line.
fn assert_descriptions_survive(texts: &[String]) {
    let dir = outside::folder();
    let stub = outside::stub(dir.path());
    let texts: Vec<&String> = texts.iter().filter(|text| !as_description(text).is_empty()).collect();
    let names: Vec<String> = (0..texts.len()).map(|i| format!("d{i}.service")).collect();
    for (name, text) in names.iter().zip(&texts) {
        let text = format!(
            "[Unit]\nDescription={}\nAfter=x.target\n[Service]\nExecStart={}\n",
            systemd_value(text),
            stub.display()
        );
        outside::write(&dir.path().join(name), &text, 0o644);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let dumps = systemd_dumps(dir.path(), &names);
    for (name, text) in names.iter().zip(texts) {
        assert_eq!(dumps[*name].all("Description"), [as_description(text)], "{text:?}");
        assert!(dumps[*name].all("After").contains(&"x.target (origin-file)"), "{text:?}");
    }
}

mod tools {
    use super::*;

    #[test]
    fn systemd_parses_nasty_words_unchanged() {
        assert_words_survive(&nasty_words());
    }

    proptest! {
        #![proptest_config(cases(24))]
        #[test]
        fn systemd_parses_any_words_unchanged(words in words()) {
            assert_words_survive(&words);
        }
    }

    #[test]
    fn systemd_finds_programs_with_special_characters_in_their_path() {
        let dir = outside::folder();
        for name in [
            "a", "a b", "a$b", "a$$b", "${x}", "a%n", "%%", "é 🦀", "a;b", ";", "a#b", "-a", "@a",
            "a\u{a0}b", "a,b:c",
        ] {
            let path = dir.path().join(name).join("stub");
            outside::write(&path, "#!/bin/sh\n", 0o755);
            let text = format!("[Service]\nExecStart={} x\n", systemd_program(path.to_str().unwrap()));
            outside::write(&dir.path().join("x.service"), &text, 0o644);
            let messages = systemd_verify(dir.path(), "--system", &["x.service"]);
            assert!(messages.is_empty(), "{messages}\n{text}");
            let argv = systemd_dump(dir.path(), "x.service").argvs().remove(0);
            assert_eq!(argv, [path.to_str().unwrap(), "x"]);
        }
        assert_eq!(
            systemd_program("/opt/llama.cpp/build/bin/llama-server"),
            "/opt/llama.cpp/build/bin/llama-server"
        );
    }

    #[test]
    fn systemd_rejects_programs_with_quotes_backslashes_or_control_characters_in_their_path() {
        let dir = outside::folder();
        for name in ["a\"b", "a'b", "a\\b", "a\tb", "a\nb"] {
            let path = dir.path().join(name).join("stub");
            outside::write(&path, "#!/bin/sh\n", 0o755);
            let text = format!("[Service]\nExecStart={} x\n", systemd_program(path.to_str().unwrap()));
            outside::write(&dir.path().join("x.service"), &text, 0o644);
            assert!(
                systemd_verify(dir.path(), "--system", &["x.service"]).contains("special characters"),
                "{name}"
            );
        }
    }

    #[test]
    fn systemd_parses_nasty_variables_unchanged() {
        assert_variables_survive(&nasty_words());
    }

    proptest! {
        #![proptest_config(cases(12))]
        #[test]
        fn systemd_parses_any_variables_unchanged(values in words()) {
            assert_variables_survive(&values);
        }
    }

    #[test]
    fn systemd_parses_nasty_paths_unchanged() {
        assert_paths_survive(&nasty_words());
    }

    proptest! {
        #![proptest_config(cases(12))]
        #[test]
        fn systemd_parses_any_paths_unchanged(words in words()) {
            assert_paths_survive(&words);
        }
    }

    #[test]
    fn systemd_parses_nasty_descriptions_unchanged() {
        assert_descriptions_survive(&nasty_words());
    }

    proptest! {
        #![proptest_config(cases(6))]
        #[test]
        fn systemd_parses_any_descriptions_unchanged(texts in words()) {
            assert_descriptions_survive(&texts);
        }
    }

    /// The dump does not list credentials. But systemd rejects a quoted path as not valid, so quotes are part of the
    /// path.
    #[test]
    fn the_path_of_a_credential_is_not_quoted() {
        let dir = outside::folder();
        for path in ["/etc/keys/a b", "/etc/\"x\" y%n", "/etc/a\\", "/etc/a:b"] {
            parse_unit(
                dir.path(),
                "",
                &format!("LoadCredential=api-key:{}\nRestartSec=7", systemd_value(path)),
            );
        }
        let text = "[Service]\nExecStart=/bin/true\nLoadCredential=api-key:\"/etc/keys/a b\"\n";
        outside::write(&dir.path().join("y.service"), text, 0o644);
        assert!(systemd_verify(dir.path(), "--system", &["y.service"]).contains("not valid"));
    }
}
