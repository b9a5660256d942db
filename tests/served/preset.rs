//! Values of the preset of a router, compared with the command lines of a real router and its children.
//!
//! The router lists the command line of each model in `status.args` of `/v1/models`, also of models that it has not loaded. So one
//! start of the router tests hundreds of values.

use super::rig::{Rig, ask, wait};
use crate::quote::NASTY;
use orchgen::engine::dialect::{PresetValue, UncarriedText};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::process::{Child, Stdio};

const PORT: u16 = 22434;
const FILE: &str = "/srv/preset.ini";
/// An option whose value is any text. The router does not read it.
const KEY: &str = "chat-template";

/// A router in the foreground. Its children end with it, because it has the other end of their standard input.
struct Router(Child);

impl Router {
    /// Starts a router, and waits until it answers. Returns `None` if it ends, for example because it cannot parse the preset.
    fn start(rig: &Rig, preset: &str) -> Option<Self> {
        rig.write(FILE, preset, 0o644);
        let port = PORT.to_string();
        let command =
            ["llama-server", "--models-preset", FILE, "--host", "127.0.0.1", "--port", &port, "--offline"];
        let mut server = rig
            .chroot(&command)
            .env("LLAMA_CACHE", "/nonexistent")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut has_ended = false;
        wait(20, "the router answers or ends", || {
            has_ended = server.try_wait().unwrap().is_some();
            has_ended || ask(PORT, "/health", "", "").is_some_and(|answer| answer.status == 200)
        });
        (!has_ended).then_some(Self(server))
    }

    /// The command line of each model.
    fn command_lines() -> BTreeMap<String, Vec<String>> {
        let models = ask(PORT, "/v1/models", "", "").unwrap().json();
        let texts = |args: &Value| serde_json::from_value(args.clone()).unwrap();
        let models = models["data"].as_array().unwrap().iter();
        models
            .map(|model| (model["id"].as_str().unwrap().to_owned(), texts(&model["status"]["args"])))
            .collect()
    }

    /// Loads a model. Returns false if the router cannot start its process.
    fn load(model: &str) -> bool {
        let body = serde_json::json!({ "model": model }).to_string();
        let is_started = ask(PORT, "/models/load", &body, "").unwrap().status == 200;
        if is_started {
            let body = serde_json::json!({ "model": model, "prompt": "the", "n_predict": 1 }).to_string();
            let answer = ask(PORT, "/v1/completions", &body, "").unwrap();
            assert_eq!(answer.status, 200, "{model}: {}", answer.body);
        }
        is_started
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A preset with a model for each value: `v0`, `v1` and so on.
fn preset(values: &[impl AsRef<str>]) -> String {
    let mut text = "version = 1\n".to_owned();
    for (n, value) in values.iter().enumerate() {
        let value = value.as_ref();
        write!(text, "\n[v{n}]\nmodel = /srv/models/target.gguf\nctx-size = 256\n{KEY} = {value}\n").unwrap();
    }
    text
}

/// The value of the option in a command line.
fn value_in(args: &[String]) -> Option<&str> {
    let at = args.iter().position(|arg| *arg == format!("--{KEY}"))?;
    Some(&args[at + 1])
}

/// The values that a router has for these values, written as they are. `None` if the router does not start.
fn received(rig: &Rig, values: &[&str]) -> Option<Vec<Option<String>>> {
    let _router = Router::start(rig, &preset(values))?;
    let lines = Router::command_lines();
    let value = |n: usize| value_in(lines.get(&format!("v{n}"))?).map(ToOwned::to_owned);
    Some((0..values.len()).map(value).collect())
}

/// True if a process has exactly this command line.
fn is_running(args: &[String]) -> bool {
    let expected: Vec<u8> = args.iter().flat_map(|arg| [arg.as_bytes(), b"\0"].concat()).collect();
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cmdline"));
    processes.into_iter().any(|path| fs::read(path).is_ok_and(|line| line == expected))
}

/// Values with all characters that are special in an INI file, a shell or a unit, and with any other character.
fn values() -> Vec<String> {
    let special = "[a-c \\t\\\\\"'=\\[\\]{}%$,:*~`&|<>!()/.-]{1,12}";
    let refused = "[a-b \\t\\\\=]{0,3}[#;\\r\\n \\t][a-b \\t\\\\=\\[\\]]{0,3}";
    let any = prop_oneof![
        special,
        special,
        refused,
        any::<String>(),
        "\\PC{1,8}",
        "[\\x01-\\x1f\\x7f-\\x{a0}]{1,4}"
    ];
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let random = (0..600).map(|_| any.new_tree(&mut runner).unwrap().current());
    NASTY.iter().map(|&text| text.to_owned()).chain(random).collect()
}

#[test]
fn accepted_values_arrive_and_refused_values_do_not() {
    let rig = Rig::unbooted();
    let all = values();
    let long = "é".repeat(65535) + "e";
    let (mut accepted, mut in_one_line, mut other) = (vec![&*long], Vec::new(), Vec::new());
    for text in &all {
        let has_line_break = text.contains(['\n', '\r']);
        match PresetValue::new(text) {
            Ok(_) => accepted.push(text),
            // The parser keeps a NUL. The test below loads such a model.
            Err(UncarriedText::Nul) => {}
            Err(_) if has_line_break => other.push(&**text),
            Err(_) => in_one_line.push(&**text),
        }
    }
    assert!(accepted.len() > 300 && in_one_line.len() > 30 && other.len() > 20);
    let received_values = received(&rig, &accepted).unwrap();
    for (value, text) in received_values.iter().zip(&accepted) {
        assert_eq!(value.as_deref(), Some(*text));
    }
    rig.report(&format!("{} accepted values arrived", accepted.len()));
    let received_values = received(&rig, &in_one_line).unwrap();
    for (value, text) in received_values.iter().zip(&in_one_line) {
        assert_ne!(value.as_deref(), Some(*text));
    }
    rig.report(&format!("{} refused values in one line did not arrive", in_one_line.len()));
    // A value with a line break can make the whole preset invalid.
    other.truncate(40);
    let values = other.iter().map(|text| received(&rig, &[text]).and_then(|mut values| values.remove(0)));
    for (value, text) in values.zip(&other) {
        assert_ne!(value.as_deref(), Some(*text));
    }
    rig.report(&format!("{} refused values with line breaks did not arrive", other.len()));
}

#[test]
fn the_process_of_a_model_has_the_listed_command_line() {
    let rig = Rig::unbooted();
    let models = rig.root.join("srv/models");
    let mut text = String::new();
    let names = [
        "a b",
        "\"a' `b`",
        "back\\slash\\",
        "k=v",
        "%h $HOME ${HOME}",
        "[a]{b}(c),d:e*?!&|<>~",
        "é 日本 😀\u{85}\u{2028}",
    ];
    for (n, name) in names.iter().enumerate() {
        let path = PresetValue::new(&format!("/srv/models/{name}/{name}.gguf")).unwrap();
        fs::create_dir(models.join(name)).unwrap();
        fs::copy(models.join("target.gguf"), rig.root.join(&path.as_str()[1..])).unwrap();
        writeln!(text, "[m{n}]\nmodel = {path}\nctx-size = 256").unwrap();
    }
    {
        let _router = Router::start(&rig, &text).unwrap();
        for (n, name) in names.iter().enumerate() {
            assert!(Router::load(&format!("m{n}")), "{name}");
            let args = &Router::command_lines()[&format!("m{n}")];
            assert!(args.contains(&format!("/srv/models/{name}/{name}.gguf")), "{args:?}");
            assert!(is_running(args), "{args:?}");
        }
        rig.report("models with special characters in their paths are loaded");
    }

    // The router lists these values, but no process receives the last two.
    let (longest, too_long) = ("a".repeat(131_071), "a".repeat(131_072));
    let values = ["", &*longest, "a\0b", &*too_long];
    assert_eq!(
        values.map(|text| PresetValue::new(text).map(|_| ())),
        [Ok(()), Ok(()), Err(UncarriedText::Nul), Err(UncarriedText::TooLong)]
    );
    let _router = Router::start(&rig, &preset(&values)).unwrap();
    let is_started = [0, 1, 2, 3].map(|n| Router::load(&format!("v{n}")));
    assert_eq!(is_started, [true, true, true, false]);
    let lines = Router::command_lines();
    for (n, is_carried) in [true, true, false, false].into_iter().enumerate() {
        let args = &lines[&format!("v{n}")];
        assert_eq!(value_in(args), Some(values[n]));
        assert_eq!(is_running(args), is_carried, "v{n}");
    }
    rig.report("the longest value arrived");
}
