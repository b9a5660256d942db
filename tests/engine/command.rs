//! Other programs as engines.

use orchgen::engine::command::{Command, CommandFault, CommandSpec, lower};
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
    assert_eq!(command.faults, []);
    assert_eq!(command.program, "/opt/speech/bin/serve");
    assert_eq!(texts(&command).join(" "), "--listen 127.0.0.1 --port 9100 --voices /srv/voices {x}");
    let path = Word::path;
    assert_eq!(command.args[1], Word::Host("127.0.0.1".into()));
    assert_eq!(command.args[5], path("/srv/voices", Access::Read));
    assert_eq!(command.env[0], ("PORT", Word::Port("9100".into())));
    assert_eq!(command.env[1], ("CACHE", path("/var/lib/speech", Access::Write)));
    assert_eq!(command.env[2], ("MODE", Word::from("{port}s")));
}

#[test]
fn a_command_that_cannot_serve_has_faults() {
    let faults = |spec: CommandSpec<'_>| lower(&spec).faults;
    let (program, port) = (CommandFault::Program, CommandFault::NoPort);
    assert_eq!(faults(CommandSpec { words: &[], env: &[], ..SPEECH }), [program, port]);
    for relative in ["serve", "./serve", "/opt/", "/opt/a\"b"] {
        assert_eq!(faults(CommandSpec { words: &[relative, "{port}"], ..SPEECH }), [program], "{relative}");
    }
    for path in ["ready", "/a b", "/\n", "/ä"] {
        assert_eq!(
            faults(CommandSpec { health: Some(path), ..SPEECH }),
            [CommandFault::HealthPath],
            "{path}"
        );
    }
    assert_eq!(faults(CommandSpec { words: &["/a", "port={port}"], env: &[], ..SPEECH }), [port]);
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
