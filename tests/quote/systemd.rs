//! Values of units, as systemd understands them.

use std::fmt::Write;
use std::path::Path;

use orchgen::render::quote::{
    systemd_assignment, systemd_path, systemd_program, systemd_value, systemd_word,
};
use proptest::prelude::*;

use super::{NASTY, cases, words};
use crate::outside::{self, systemd_dump, systemd_dumps, systemd_verify};

fn nasty() -> Vec<String> {
    NASTY.iter().map(|&word| word.to_owned()).collect()
}

/// A word as systemd keeps it until the program starts: only then does `$$` become `$`.
fn kept(word: &str) -> String {
    word.replace('$', "$$")
}

/// A unit with these lines beside a command, and what systemd understood of it.
fn unit(dir: &Path, unit: &str, service: &str) -> outside::Dump {
    let stub = outside::stub(dir);
    let text = format!("[Unit]\n{unit}\n[Service]\nExecStart={}\n{service}\n", stub.display());
    outside::write(&dir.join("x.service"), &text, 0o644);
    let said = systemd_verify(dir, &["x.service"]);
    assert!(said.is_empty(), "{said}\n{text}");
    systemd_dump(dir, "x.service")
}

/// Every word comes back: with its neighbours, after an option's `=`, and alone.
fn words_come_back(all: &[String]) {
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
        let mut wanted = vec![stub.to_str().unwrap().to_owned(), format!("--x={}", kept(&all[0]))];
        wanted.extend(words.iter().map(|word| kept(word)));
        assert_eq!(argv, wanted);
        assert_eq!(dumps[*name].all("RestartSec"), ["1min 17s"], "the line after was swallowed");
    }
}

#[test]
fn nasty_words_come_back() {
    words_come_back(&nasty());
}

#[test]
fn a_dollar_is_doubled_and_nothing_else_of_it_is_left() {
    assert_eq!(systemd_word("$x"), "\"$$x\"");
    assert_eq!(systemd_word("$${x}"), "\"$$$${x}\"");
    assert_eq!(systemd_word("--port=8080"), "--port=8080");
}

proptest! {
    #![proptest_config(cases(24))]
    #[test]
    fn any_words_come_back(words in words()) {
        words_come_back(&words);
    }
}

#[test]
fn a_program_is_found_by_its_own_name() {
    let dir = outside::folder();
    for name in [
        "a", "a b", "a$b", "a$$b", "${x}", "a%n", "%%", "é 🦀", "a;b", ";", "a#b", "-a", "@a", "a\u{a0}b",
        "a,b:c",
    ] {
        let path = dir.path().join(name).join("stub");
        outside::write(&path, "#!/bin/sh\n", 0o755);
        let text = format!("[Service]\nExecStart={} x\n", systemd_program(path.to_str().unwrap()));
        outside::write(&dir.path().join("x.service"), &text, 0o644);
        let said = systemd_verify(dir.path(), &["x.service"]);
        assert!(said.is_empty(), "{said}\n{text}");
        let argv = systemd_dump(dir.path(), "x.service").argvs().remove(0);
        assert_eq!(argv, [path.to_str().unwrap(), "x"]);
    }
    assert_eq!(
        systemd_program("/opt/llama.cpp/build/bin/llama-server"),
        "/opt/llama.cpp/build/bin/llama-server"
    );
}

#[test]
fn systemd_refuses_some_programs_however_they_are_written() {
    let dir = outside::folder();
    for name in ["a\"b", "a'b", "a\\b", "a\tb", "a\nb"] {
        let path = dir.path().join(name).join("stub");
        outside::write(&path, "#!/bin/sh\n", 0o755);
        let text = format!("[Service]\nExecStart={} x\n", systemd_program(path.to_str().unwrap()));
        outside::write(&dir.path().join("x.service"), &text, 0o644);
        assert!(systemd_verify(dir.path(), &["x.service"]).contains("special characters"), "{name}");
    }
}

/// Every variable comes back, each with its neighbours.
fn variables_come_back(values: &[String]) {
    let dir = outside::folder();
    let mut text = String::new();
    for (i, value) in values.iter().enumerate() {
        writeln!(text, "Environment={}", systemd_assignment(&format!("A{i}"), value)).unwrap();
    }
    let both = [systemd_assignment("B", "b c"), systemd_assignment("C", "$x")].join(" ");
    writeln!(text, "Environment={both}").unwrap();
    let dump = unit(dir.path(), "", &text);
    for (i, value) in values.iter().enumerate() {
        assert!(dump.has_environment(&format!("A{i}"), value), "{value:?} of\n{text}\n{}", dump.raw);
    }
    assert!(dump.has_environment("B", "b c") && dump.has_environment("C", "$x"));
}

#[test]
fn nasty_variables_come_back() {
    variables_come_back(&nasty());
}

proptest! {
    #![proptest_config(cases(12))]
    #[test]
    fn any_variables_come_back(values in words()) {
        variables_come_back(&values);
    }
}

/// Every path comes back from each kind of setting that lists paths.
fn paths_come_back(words: &[String]) {
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
    let dump = unit(dir.path(), &mounts, &binds);
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

#[test]
fn nasty_paths_come_back() {
    paths_come_back(&nasty());
}

proptest! {
    #![proptest_config(cases(12))]
    #[test]
    fn any_paths_come_back(words in words()) {
        paths_come_back(&words);
    }
}

/// What a plain setting can hold of a text.
fn held(text: &str) -> String {
    text.replace(char::is_control, " ").trim_matches(' ').to_owned()
}

/// Every text comes back as the description of a unit, and takes nothing in from the line after it.
fn descriptions_come_back(texts: &[String]) {
    let dir = outside::folder();
    let stub = outside::stub(dir.path());
    let texts: Vec<&String> = texts.iter().filter(|text| !held(text).is_empty()).collect();
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
        assert_eq!(dumps[*name].all("Description"), [held(text)], "{text:?}");
        assert!(dumps[*name].all("After").contains(&"x.target (origin-file)"), "{text:?}");
    }
}

#[test]
fn nasty_descriptions_come_back() {
    descriptions_come_back(&nasty());
}

proptest! {
    #![proptest_config(cases(6))]
    #[test]
    fn any_descriptions_come_back(texts in words()) {
        descriptions_come_back(&texts);
    }
}

/// The dump has no credentials; but of a quoted path systemd says that it is none, so quotes are part of it.
#[test]
fn a_credential_has_its_path_as_it_stands() {
    let dir = outside::folder();
    for path in ["/etc/keys/a b", "/etc/\"x\" y%n", "/etc/a\\", "/etc/a:b"] {
        unit(dir.path(), "", &format!("LoadCredential=api-key:{}\nRestartSec=7", systemd_value(path)));
    }
    let text = "[Service]\nExecStart=/bin/true\nLoadCredential=api-key:\"/etc/keys/a b\"\n";
    outside::write(&dir.path().join("y.service"), text, 0o644);
    assert!(systemd_verify(dir.path(), &["y.service"]).contains("not valid"));
}
