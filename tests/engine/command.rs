//! Other programs as engines.

use orchgen::engine::command::{Command, CommandSpec, lower};
use orchgen::engine::dialect::Intent;
use orchgen::engine::{Access, Word};
use proptest::prelude::*;

const SPEECH: CommandSpec<'_> = CommandSpec {
    words: &[
        "/opt/speech/bin/serve",
        "--listen",
        "{host}",
        "--port",
        "{port}",
        "--voices",
        "/srv/voices",
        "{x}",
    ],
    host: "127.0.0.1",
    port: 9100,
    health: Some("/ready"),
    memory: Some(3 << 30),
    reads: &["/srv/voices"],
    writes: &["/var/lib/speech"],
    env: &[("PORT", "{port}"), ("CACHE", "/var/lib/speech"), ("MODE", "{port}s")],
};

fn texts<'c>(command: &'c Command<'_>) -> Vec<&'c str> {
    command.args.iter().map(Word::text).collect()
}

#[test]
fn words_and_variables_have_their_meaning() {
    let command = lower(&SPEECH);
    assert_eq!(command.errors, []);
    assert_eq!(command.program, "/opt/speech/bin/serve");
    assert_eq!(texts(&command).join(" "), "--listen 127.0.0.1 --port 9100 --voices /srv/voices {x}");
    let path = Word::path;
    assert_eq!(command.args[1], Word::Host("127.0.0.1".into()));
    assert_eq!(command.args[5], path("/srv/voices", Access::Read));
    assert_eq!(command.env[0], ("PORT", Word::Port("9100".into())));
    assert_eq!(command.env[1], ("CACHE", path("/var/lib/speech", Access::Write)));
    assert_eq!(command.env[2], ("MODE", Word::from("{port}s")));
    assert_eq!((command.memory, command.health), (Some(3 << 30), Some("/ready")));
    assert_eq!(command.files, [("/srv/voices", Access::Read), ("/var/lib/speech", Access::Write)]);
}

#[test]
fn a_command_that_cannot_serve_has_faults() {
    let intents =
        |spec: CommandSpec<'_>| lower(&spec).errors.iter().map(|fault| fault.intent).collect::<Vec<_>>();
    assert_eq!(intents(CommandSpec { words: &[], env: &[], ..SPEECH }), [Intent::Tool, Intent::Port]);
    assert_eq!(intents(CommandSpec { words: &["serve", "{port}"], ..SPEECH }), [Intent::Tool]);
    assert_eq!(intents(CommandSpec { words: &["/a", "{port}", "\0"], ..SPEECH }), [Intent::Tool]);
    assert_eq!(intents(CommandSpec { health: Some("ready"), ..SPEECH }), [Intent::Tool]);
    assert_eq!(intents(CommandSpec { port: 0, ..SPEECH }), [Intent::Port]);
    assert_eq!(intents(CommandSpec { words: &["/a", "port={port}"], env: &[], ..SPEECH }), [Intent::Port]);
}

proptest! {
    /// Only the two exact words are replaced. All others keep their text and their place.
    #[test]
    fn other_words_keep_their_text(words in proptest::collection::vec("[a-z{}]{0,8}|\\{port\\}|\\{host\\}", 0..12)) {
        let all: Vec<&str> = std::iter::once("/bin/x").chain(words.iter().map(String::as_str)).collect();
        let command = lower(&CommandSpec { words: &all, ..SPEECH });
        let expected: Vec<&str> = words
            .iter()
            .map(|word| match word.as_str() {
                "{port}" => "9100",
                "{host}" => "127.0.0.1",
                other => other,
            })
            .collect();
        prop_assert_eq!(texts(&command), expected);
    }
}
