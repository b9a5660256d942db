//! Other programs as engines.

use orchgen::engine::command::{Command, CommandFault, CommandSpec, lower};
use orchgen::engine::{Access, PortPart, Word};
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
    for word in ["x{port}y", "{portal}", "port:{port}s", "{\"port\": 1}", "${port}", "/run/{port}"] {
        assert_eq!(faults(CommandSpec { words: &["/a", word], env: &[], ..SPEECH }), [port], "{word}");
    }
    for word in ["port={port}", ":{port}", "{host}:{port}", "a,{port}/b"] {
        assert_eq!(faults(CommandSpec { words: &["/a", word], env: &[], ..SPEECH }), [], "{word}");
    }
}

#[test]
fn the_port_replaces_parts_of_words() {
    let word = |text: &str| lower(&CommandSpec { words: &["/a", text], ..SPEECH }).args.remove(0);
    for (text, before, after) in [
        ("{port}", "", ""),
        ("127.0.0.1:{port}", "127.0.0.1:", ""),
        ("--listen=:{port}", "--listen=:", ""),
        ("{port}:8080", "", ":8080"),
        ("127.0.0.1:{port}:8080/tcp", "127.0.0.1:", ":8080/tcp"),
        ("http://127.0.0.1:{port}/v1", "http://127.0.0.1:", "/v1"),
        ("a={port},b={port}", "a=", ",b={port}"),
        ("{port}s:{port}", "{port}s:", ""),
        ("{host},{port}", "{host},", ""),
    ] {
        let word = word(text);
        assert_eq!(word.around_port(), Some((before, after)), "{text}");
        assert_eq!(word.text(), format!("{before}9100{after}"));
        assert_eq!(word.with_port(7).text(), format!("{before}7{after}"));
        assert_eq!(word.with_port(7).with_port(9100), word);
        assert!(!word.has_host());
    }
    let both = word("{host}:{port}");
    assert_eq!((both.text(), both.with_port(7).text()), ("127.0.0.1:9100", "127.0.0.1:7"));
    assert!(both.has_host() && both.with_port(7).has_host());
    assert_eq!(Word::PortPart(PortPart::socket_address("::1", 80).into()).text(), "[::1]:80");
    // A path that the program uses stays a path.
    let path = lower(&CommandSpec { words: &["/a", "/x:{port}"], reads: &["/x:{port}"], ..SPEECH });
    assert_eq!(path.args[0], Word::path("/x:{port}", Access::Read));
    let env =
        lower(&CommandSpec { env: &[("URL", "http://h:{port}/"), ("AT", "{host}:{port}")], ..SPEECH }).env;
    assert_eq!([env[0].1.text(), env[1].1.text()], ["http://h:9100/", "127.0.0.1:9100"]);
}

proptest! {
    /// The exact words are replaced. Words in which no `{port}` is at the place of a value keep their text. All words keep their
    /// place.
    #[test]
    fn other_words_keep_their_text(words in proptest::collection::vec("[a-z{}]{0,8}|[a-z:]?\\{port\\}[a-z./]{0,2}|\\{host\\}(:\\{port\\})?", 0..12)) {
        let all: Vec<&str> = std::iter::once("/bin/x").chain(words.iter().map(String::as_str)).collect();
        let command = lower(&CommandSpec { words: &all, ..SPEECH });
        let is_place = |word: &str| word.trim_start_matches(':').strip_prefix("{port}").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let expected: Vec<String> = words
            .iter()
            .map(|word| match word.as_str() {
                "{host}" => "127.0.0.1".to_owned(),
                "{host}:{port}" => "127.0.0.1:9100".to_owned(),
                other if is_place(other) => other.replacen("{port}", "9100", 1),
                other => other.to_owned(),
            })
            .collect();
        prop_assert_eq!(texts(&command), expected);
    }
}
