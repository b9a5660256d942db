//! The units of llama-swap: its gate, which waits for the models that start at boot, and its keys.

use super::{Units, setting, settings, units_of};
use crate::support::assert_snapshot;

const STACK: &str = include_str!("../llama_swap/stack.kdl");

fn units() -> Units {
    units_of(&STACK.replace("/usr/local/bin/llama-swap", "BIN/llama-server"), 252, "", "")
}

fn units_of_a_user() -> Units {
    let text = STACK.replace("/usr/local/bin/llama-swap", "BIN/llama-server");
    units_of(&text.replace("stack \"home\"", "stack \"home\" scope=\"user\""), 252, "", "")
}

#[test]
fn the_units_match_the_snapshots() {
    let units = units();
    let home = units.dir.path().to_str().unwrap();
    assert_eq!(units.services(), ["home-front.service", "home-keyed.service"]);
    for name in ["home-front.service", "home-keyed.service"] {
        assert_snapshot!("systemd", name, units.text(name).replace(home, "/opt"));
    }
}

#[test]
fn a_unit_has_what_all_its_models_need() {
    let units = units();
    let front = units.text("home-front.service");
    assert_eq!(settings(front, "RequiresMountsFor").len(), 6, "{front}");
    for folder in ["/opt/llama.cpp/bin", "/opt/other/bin", "/opt/speech", "/srv/speech", "/srv/models"] {
        assert!(settings(front, "BindReadOnlyPaths").contains(&folder), "{folder}");
    }
    assert_eq!(setting(front, "SocketBindAllow"), "tcp");
    // A model could not leave the nodes of the unit, so each has `numactl`.
    for name in ["NUMAPolicy", "NUMAMask", "CPUAffinity"] {
        assert!(settings(front, name).is_empty(), "{name}");
    }
    assert!(setting(front, "UnsetEnvironment").contains("LLAMA_ARG_CTX_SIZE"));
    let keyed = units.text("home-keyed.service");
    assert_eq!(settings(keyed, "LoadCredential"), ["key-1:/etc/keys/own", "api-key:/etc/keys/all"]);
    assert!(settings(keyed, "Environment").contains(&"ORCHGEN_KEY_FILE_1=%d/key-1"));
    assert_eq!(
        (setting(keyed, "RuntimeDirectory"), setting(keyed, "RuntimeDirectoryMode")),
        ("home-keyed", "0700")
    );
}

mod tools {
    use super::*;
    use crate::outside::{self, folder, systemd_dump};
    use crate::systemd::assert_no_messages;
    use crate::systemd::gate::{Gate, MainProcess, answer, result, serve};
    use std::fs;
    use std::net::TcpListener;
    use std::process::{Command, Output};

    #[test]
    fn systemd_accepts_the_units_without_messages() {
        assert_no_messages(&units(), "--system");
        assert_no_messages(&units_of_a_user(), "--user");
    }

    /// The command of a unit with this text.
    fn command(gateway: &str, text: &str) -> Vec<String> {
        let units = units();
        let argvs = systemd_dump(&units.folder(), &format!("home-{gateway}.service")).argvs();
        argvs.into_iter().find(|argv| argv.iter().any(|word| word.contains(text))).unwrap()
    }

    /// The list of models as llama-swap prints it.
    fn running(states: &[(&str, &str)]) -> String {
        let entry = |(name, state): &(&str, &str)| {
            format!(
                r#"{{"model":"{name}","state":"{state}","cmd":"/bin/x\n--alias {name}","proxy":"http://127.0.0.1:5800","ttl":0,"name":"\"state\":\"ready\"","description":""}}"#
            )
        };
        let entries: Vec<String> = states.iter().map(entry).collect();
        answer("200 OK", &format!(r#"{{"running":[{}]}}"#, entries.join(",")))
    }

    #[test]
    fn it_waits_until_the_models_are_ready() {
        let words = command("front", "/running");
        assert_eq!(words[3..], ["127.0.0.1", "8000", "chat", "embed"]);
        let gate = Gate { words: &words, models: &["chat", "embed"], key_file: None };
        let (code, text, requests) = gate.run(&[
            running(&[]),
            running(&[("chat", "starting")]),
            running(&[("chat", "ready")]),
            running(&[("chat", "ready"), ("embed", "starting")]),
            running(&[("chat", "ready"), ("code", "starting"), ("embed", "ready")]),
        ]);
        assert_eq!((code, &*text), (0, ""));
        assert_eq!(requests, vec!["GET /running HTTP/1.0\r\n\r\n"; 5]);
    }

    /// llama-swap loads the models one after the other, and does not list one that failed.
    #[test]
    fn a_model_that_fails_is_reported_and_stops_no_other() {
        let words = command("front", "/running");
        let gate = Gate { words: &words, models: &["chat", "embed"], key_file: None };
        let (code, text, requests) =
            gate.run(&[running(&[("chat", "starting")]), running(&[("embed", "ready")])]);
        assert_eq!((code, &*text), (0, "models that failed to load: chat"));
        assert!(requests.len() > 8, "{}", requests.len());
    }

    #[test]
    fn without_models_at_boot_it_waits_only_for_an_answer() {
        let words = command("keyed", "GET /health");
        assert_eq!(words[3..], ["127.0.0.1", "8100"]);
        let gate = Gate { words: &words, models: &[], key_file: Some("# all\n\na-key\nother\n") };
        let (code, text, requests) = gate.run(&[answer("200 OK", "OK")]);
        assert_eq!((code, &*text), (0, ""));
        assert_eq!(requests, ["GET /health HTTP/1.0\r\nAuthorization: Bearer a-key\r\n\r\n"]);
    }

    #[test]
    fn without_the_key_it_waits_only_for_an_answer() {
        let text = STACK.replace(
            "residency \"spare\" start=\"on-demand\" idle=\"1 h\"",
            "residency \"spare\" start=\"boot\"",
        );
        let units = units_of(&text, 252, "", "");
        let argvs = systemd_dump(&units.folder(), "home-keyed.service").argvs();
        let words = argvs.into_iter().find(|argv| argv.iter().any(|word| word.contains("/running"))).unwrap();
        assert_eq!(words[5..], ["locked", "own-key"]);
        let gate = Gate { words: &words, models: &["locked"], key_file: None };
        let (code, text, requests) = gate.run(&[answer("401 Unauthorized", "{}")]);
        assert_eq!((code, &*text), (0, "llama-swap answers, but its models may still be loading"));
        assert_eq!(requests.len(), 1);
        let gate = Gate { key_file: Some("a-key"), ..gate };
        let (code, text, _) = gate.run(&[answer("401 Unauthorized", "{}")]);
        assert_eq!((code, &*text), (1, "llama-swap refuses a request for its state: 401"));
    }

    #[test]
    fn a_refusal_and_the_death_of_llama_swap_fail_the_start() {
        let words = command("front", "/running");
        let gate = Gate { words: &words, models: &["chat"], key_file: None };
        let (code, text, _) = gate.run(&[answer("401 Unauthorized", "{}")]);
        assert_eq!((code, &*text), (1, "llama-swap refuses a request for its state: 401"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = serve(listener, &[running(&[("chat", "starting")])]);
        let mut main = MainProcess::start();
        let gate = gate.start(port, &main);
        requests.recv().unwrap();
        main.end();
        let expected = "llama-swap exited before its models were loaded";
        assert_eq!(result(&gate.wait_with_output().unwrap()), (1, expected.to_owned()));
    }

    /// Runs the command that writes the keys into a copy of the configuration.
    fn write_keys(keys: &str) -> (Output, String) {
        let units = units();
        let dir = folder();
        let words = command("keyed", "llama-swap would replace");
        outside::write(&dir.path().join("api-key"), keys, 0o600);
        let config = units.compiled.files().remove("llama-swap/keyed.yaml").unwrap().0;
        outside::write(&dir.path().join("from"), &config, 0o644);
        let mut command = Command::new(&words[0]);
        assert_eq!(words[3], "- \"${env.ORCHGEN_API_KEY}\"");
        assert_eq!(words[4], "/etc/orchgen/home/keyed.yaml");
        command.args(&words[1..4]).arg(dir.path().join("from")).arg(dir.path().join("to"));
        let output = command.env("CREDENTIALS_DIRECTORY", dir.path()).output().unwrap();
        (output, fs::read_to_string(dir.path().join("to")).unwrap_or_default())
    }

    #[test]
    fn all_keys_of_the_file_are_in_the_copy() {
        for (file, keys) in [
            ("one\n", &["one"][..]),
            ("# all\n\none\ntwo", &["one", "two"]),
            (
                "it's\n\\x41 %s \"q\": #\n$(id) $HOME `id`\n",
                &["it's", "\\x41 %s \"q\": #", "$(id) $HOME `id`"],
            ),
        ] {
            let (output, text) = write_keys(file);
            assert!(
                output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(),
                "{output:?}"
            );
            let config: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
            let found: Vec<&str> =
                config["apiKeys"].as_sequence().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
            assert_eq!(found, keys);
            let original = units().compiled.files().remove("llama-swap/keyed.yaml").unwrap().0;
            let rest = |text: &str| text.split_once("models:").unwrap().1.to_owned();
            assert_eq!(rest(&text), rest(&original));
        }
    }

    #[test]
    fn a_file_without_a_usable_key_fails_the_start() {
        for (file, message) in [
            ("", "the key file has no key, so llama-swap would answer all clients"),
            ("# none\n\n", "the key file has no key, so llama-swap would answer all clients"),
            (
                "a-key\r\n",
                "a key has a control character, for example of a Windows line end, so no client can send it",
            ),
            ("a${PORT}\n", "a key contains a dollar sign and a brace, which llama-swap would replace"),
        ] {
            let (output, _) = write_keys(file);
            assert_eq!(output.status.code(), Some(1), "{file:?}");
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), message);
        }
    }

    #[test]
    fn shellcheck_accepts_the_commands() {
        let dir = folder();
        for (gateway, text) in
            [("front", "/running"), ("keyed", "GET /health"), ("keyed", "llama-swap would replace")]
        {
            let path = dir.path().join(gateway);
            outside::write(&path, &format!("#!/bin/bash\n{}\n", command(gateway, text)[2]), 0o755);
            assert_eq!(outside::shellcheck([path]), "", "{gateway} {text}");
        }
    }
}
