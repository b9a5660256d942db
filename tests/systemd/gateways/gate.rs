//! The gate of a gateway, which waits for the models that start at boot: run as systemd parses it, with other routers.

mod tools {
    use crate::outside::{self, folder, systemd_dump};
    use crate::systemd::gate::{Gate, MainProcess, answer, result, serve};
    use crate::systemd::gateways::units;
    use std::net::TcpListener;
    use std::process::Command;
    use std::thread;
    use std::time::{Duration, Instant};

    /// A port that nothing listens on at first.
    const CLOSED_PORT: u16 = 18601;

    /// The words of the gate of a gateway: bash, `-c`, the script, the address, the port and the models.
    fn gate(gateway: &str) -> Vec<String> {
        let units = units();
        let argvs = systemd_dump(&units.folder(), &format!("big-stack-{gateway}.service")).argvs();
        argvs.into_iter().find(|argv| argv.iter().any(|word| word.contains("/v1/models"))).unwrap()
    }

    /// The list of models as a router prints it, in its order of members. A state is followed by more members.
    fn models(states: &[(&str, &str)]) -> String {
        let entry = |(name, state): &(&str, &str)| {
            format!(
                r#"{{"id":"{name}","aliases":["x"],"tags":[],"object":"model","status":{{"value":{state},"args":["llama-server","--alias","{name}"],"preset":"[{name}]\n"}},"source":"preset"}}"#
            )
        };
        let entries: Vec<String> = states.iter().map(entry).collect();
        answer("200 OK", &format!(r#"{{"data":[{}],"object":"list"}}"#, entries.join(",")))
    }

    const LOADING: &str = r#""loading""#;
    const LOADED: &str = r#""loaded""#;
    const FAILED: &str = r#""unloaded","exit_code":1,"failed":true"#;

    #[test]
    fn it_waits_until_the_router_answers_and_the_models_are_loaded() {
        let words = gate("front");
        assert_eq!(words[3..], ["127.0.0.1", "8000", "chat", "both"]);
        let main = MainProcess::start();
        let gate = Gate { words: &words, models: &["chat", "both"], key_file: None };
        let running = gate.start(CLOSED_PORT, &main);
        thread::sleep(Duration::from_millis(300));
        let requests = serve(
            TcpListener::bind(("127.0.0.1", CLOSED_PORT)).unwrap(),
            &[
                answer("503 Service Unavailable", r#"{"error":{"message":"Loading model"}}"#),
                // A connection that ends too early.
                String::new(),
                "HTTP/1.1 200 OK\r\n\r\n{\"data\":[".to_owned(),
                models(&[("both", LOADED), ("chat", LOADING), ("mid", r#""unloaded""#)]),
                models(&[("both", LOADING), ("chat", LOADED), ("mid", LOADING)]),
                models(&[("both", LOADED), ("chat", r#""sleeping""#), ("mid", LOADING)]),
            ],
        );
        assert_eq!(result(&running.wait_with_output().unwrap()), (0, String::new()));
        let requests: Vec<String> = requests.try_iter().collect();
        assert_eq!(requests, vec!["GET /v1/models HTTP/1.0\r\n\r\n"; 6]);
    }

    #[test]
    fn a_model_that_fails_is_reported_and_stops_no_other() {
        let words = gate("front");
        let gate = Gate { words: &words, models: &["chat", "both"], key_file: None };
        let failed = |state| models(&[("both", FAILED), ("chat", state)]);
        let (code, text, requests) = gate.run(&[failed(LOADING), failed(LOADED)]);
        assert_eq!((code, &*text, requests.len()), (0, "models that failed to load: both", 2));
        let (code, text, _) = gate.run(&[models(&[("both", FAILED), ("chat", FAILED)])]);
        assert_eq!((code, &*text), (0, "models that failed to load: chat both"));
    }

    #[test]
    fn only_the_models_with_these_names_count() {
        let words = gate("front");
        let run = |names: &[&str], answer: &str| {
            let (code, text, requests) =
                Gate { words: &words, models: names, key_file: None }.run(&[answer.to_owned(), models(&[])]);
            (code, text, requests.len())
        };
        let prefixes = models(&[("a", LOADED), ("ab", LOADING), ("b", FAILED), ("aab", LOADED)]);
        assert_eq!(run(&["a"], &prefixes), (0, String::new(), 1));
        assert_eq!(run(&["aab", "b"], &prefixes), (0, "models that failed to load: b".to_owned(), 1));
        // `ab` is loading, and the next list does not have it.
        let missing = "models that are not in the preset file: ab; install that of this build";
        assert_eq!(run(&["a", "ab"], &prefixes).0, 1);
        assert_eq!(run(&["ab"], &prefixes), (1, missing.to_owned(), 2));
        // An old preset file lacks the model.
        assert_eq!(run(&["abc"], &prefixes).0, 1);
    }

    #[test]
    fn text_within_names_and_arguments_is_no_state() {
        let words = gate("front");
        let gate = Gate { words: &words, models: &["a", "b"], key_file: None };
        // JSON has these texts with escapes.
        let escaped = r#"\"id\":\"a\",\"value\":\"loading\",\"failed\":true"#;
        let text = models(&[("a", LOADED), ("b", LOADED)]);
        let text = text.replace("\"x\"", &format!("\"{escaped}\"")).replace("--alias", escaped);
        let (code, printed, requests) = gate.run(&[text]);
        assert_eq!((code, &*printed, requests.len()), (0, "", 1));
        let glob = models(&[("*", LOADING), ("a", LOADED), ("b", LOADED), ("$(exit 3)", LOADING)]);
        let (code, printed, requests) = gate.run(&[glob]);
        assert_eq!((code, &*printed, requests.len()), (0, "", 1));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the time is limited")]
    fn a_list_of_many_models_is_read_in_seconds() {
        let words = gate("front");
        let names: Vec<String> = (0..200).map(|n| format!("model-{n}")).collect();
        let all: Vec<(&str, &str)> = names.iter().map(|name| (&**name, LOADED)).collect();
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let text = models(&all).replace("llama-server", &"x".repeat(2000));
        assert!(text.len() > 400_000);
        let begin = Instant::now();
        let (code, printed, requests) = Gate { words: &words, models: &names, key_file: None }.run(&[text]);
        assert_eq!((code, &*printed, requests.len()), (0, "", 1));
        assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    }

    #[test]
    fn it_sends_the_first_key_of_the_file() {
        let words = gate("keyed");
        let run = |key_file| {
            let gate = Gate { words: &words, models: &["safe"], key_file };
            gate.run(&[models(&[("safe", LOADED)])])
        };
        for file in ["a-key\n", "a-key", "# a comment\n\n#\na-key\nanother\n"] {
            let (code, text, requests) = run(Some(file));
            assert_eq!((code, &*text), (0, ""), "{file:?}");
            assert_eq!(requests, ["GET /v1/models HTTP/1.0\r\nAuthorization: Bearer a-key\r\n\r\n"]);
        }
        let (_, _, requests) = run(Some(" %s \\n $(id) \n"));
        assert_eq!(requests[0].lines().nth(1), Some("Authorization: Bearer  %s \\n $(id) "));
        // llama-server does not ask for a key if the file has none.
        for file in ["", "\n\n", "# only a comment", "# a comment\n\n"] {
            let (code, text, requests) = run(Some(file));
            let expected = "the key file has no key, so the router would answer all clients";
            assert_eq!((code, &*text, requests.len()), (1, expected, 0), "{file:?}");
        }
        let (code, text, requests) = run(Some("# a comment\r\na-key\r\n"));
        assert!(code == 1 && text.starts_with("the first key has a control character"), "{text}");
        assert!(requests.is_empty());
    }

    #[test]
    fn a_router_that_refuses_the_request_fails_the_start() {
        for gateway in ["keyed", "one"] {
            let words = gate(gateway);
            let gate = Gate { words: &words, models: &[], key_file: Some("a-key\n") };
            let (code, text, requests) =
                gate.run(&[answer("401 Unauthorized", r#"{"error":{"message":"Invalid API Key"}}"#)]);
            let expected = "the router refuses a request for /v1/models: 401";
            assert_eq!((code, &*text, requests.len()), (1, expected, 1));
        }
    }

    #[test]
    fn without_the_key_it_waits_only_for_an_answer() {
        let words = gate("keyed");
        let gate = Gate { words: &words, models: &["safe"], key_file: None };
        let (code, text, requests) =
            gate.run(&[answer("503 Service Unavailable", "{}"), answer("401 Unauthorized", "{}")]);
        assert_eq!((code, &*text), (0, "the router answers, but its models may still be loading"));
        assert_eq!(requests.len(), 2);
        let (code, text, _) = gate.run(&[answer("403 Forbidden", "{}")]);
        assert_eq!((code, &*text), (1, "the router refuses a request for /v1/models: 403"));
    }

    #[test]
    fn without_models_at_boot_it_waits_only_for_an_answer() {
        let words = gate("one");
        assert_eq!(words[3..], ["127.0.0.1", "8002"]);
        let gate = Gate { words: &words, models: &[], key_file: None };
        let (code, text, requests) =
            gate.run(&[answer("503 Service Unavailable", "{}"), models(&[("first", LOADING)])]);
        assert_eq!((code, &*text, requests.len()), (0, "", 2));
    }

    #[test]
    fn the_death_of_the_router_fails_the_start_and_a_stop_ends_the_gate() {
        for (gateway, message) in [
            ("front", "the router exited before its models were loaded"),
            ("one", "the router exited before it was ready"),
        ] {
            let words = gate(gateway);
            let gate = Gate { words: &words, models: &["chat"], key_file: None };
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let requests = serve(listener, &[answer("503 Service Unavailable", "{}")]);
            let mut main = MainProcess::start();
            let running = gate.start(port, &main);
            requests.recv().unwrap();
            main.end();
            assert_eq!(result(&running.wait_with_output().unwrap()), (1, message.to_owned()));

            let main = MainProcess::start();
            let running = gate.start(port, &main);
            requests.recv().unwrap();
            requests.recv().unwrap();
            let stop = Command::new("kill").arg(running.id().to_string()).status().unwrap();
            assert!(stop.success());
            assert_eq!(result(&running.wait_with_output().unwrap()), (0, String::new()));
        }
    }

    #[test]
    fn shellcheck_accepts_it() {
        let dir = folder();
        for gateway in ["front", "keyed", "one"] {
            let path = dir.path().join(gateway);
            outside::write(&path, &format!("#!/bin/bash\n{}\n", gate(gateway)[2]), 0o755);
            assert_eq!(outside::shellcheck([path]), "", "{gateway}");
        }
    }
}
