//! The import of processes that were started by hand: the registry gives them the same command lines.

use super::rig::{Rig, ask, wait};
use orchgen::engine::{Profile, Switch};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// The commands, as an administrator would type them. Each has the name of its unit, its variables and its words.
const COMMANDS: &[(&str, &[&str], &str)] = &[
    (
        "hand-chat",
        &[],
        "/usr/bin/llama-server -m /srv/models/target.gguf --alias chat,assistant --host 127.0.0.1 --port 18080 \
         -c 1024 -np 2 -t 1 --temp 0.5 --chat-template-kwargs {\"lang\":\"de\"} --no-warmup",
    ),
    (
        "hand-draft",
        &["LLAMA_ARG_CTX_SIZE=512", "GGML_NO_BACKTRACE=1"],
        "/usr/bin/llama-server --model /srv/models/target.gguf -md /srv/models/draft.gguf --spec-type draft-simple \
         --spec-draft-n-max 4 --port 18081 --parallel 1 -ctk f32 -fa on --metrics",
    ),
];

/// The options of a command line by their main names, with the values. Switches are `on` or `off`.
fn options(profile: &Profile, words: &[String]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let (record, _, switch) = profile.find(profile.server(), word).unwrap_or_else(|| panic!("{word}"));
        let values: Vec<&str> = words.by_ref().take(record.arity()).map(String::as_str).collect();
        let value = match (record.arity(), switch) {
            (0, Switch::On) => "on".to_owned(),
            (0, Switch::Off) => "off".to_owned(),
            _ => values.join(" "),
        };
        found.insert(record.title().to_owned(), value);
    }
    found
}

#[test]
fn running_servers_are_imported_with_their_command_lines() {
    let rig = Rig::boot();
    for (unit, env, command) in COMMANDS {
        let mut words = vec!["systemd-run".to_owned(), format!("--unit={unit}")];
        words.extend(env.iter().map(|variable| format!("--setenv={variable}")));
        words.extend(command.split(' ').map(str::to_owned));
        rig.output(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }
    for port in [18080, 18081] {
        wait(60, "the server loads its model", || {
            ask(port, "/health", "", "").is_some_and(|answer| answer.status == 200)
        });
    }
    rig.report("both servers are ready");
    fs::copy(crate::support::orchgen(), rig.root.join("srv/orchgen")).unwrap();
    let import = "cd /srv && ./orchgen import --running --profile b11669 --report json";
    let report: serde_json::Value = serde_json::from_str(&rig.output(&["sh", "-c", import])).unwrap();
    let servers = report["servers"].as_array().unwrap();
    let lost: Vec<_> = servers.iter().flat_map(|server| server["lost"].as_array().unwrap()).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let build = Command::new(crate::support::orchgen())
        .args(["build", "srv/registry", "--out", "srv/built"])
        .current_dir(&rig.root)
        .output()
        .unwrap();
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    let profile = Profile::built_in("llama.cpp-b11669").unwrap();
    for (unit, env, command) in COMMANDS {
        let mut running: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        for variable in env.iter().filter(|variable| variable.starts_with("LLAMA_ARG_CTX_SIZE=")) {
            running.extend(["-c".to_owned(), variable.split_once('=').unwrap().1.to_owned()]);
        }
        let script = rig.root.join("srv/built/bin").join(unit);
        let printed = Command::new(script).args(["--dry-run", "--print0"]).output().unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        let emitted: Vec<String> = printed.split_terminator('\0').map(str::to_owned).collect();
        assert_eq!(emitted.first(), running.first(), "{unit}");
        let emitted = options(profile, &emitted);
        for (option, value) in options(profile, &running) {
            let now = emitted.get(&option).unwrap_or_else(|| panic!("{unit} lacks {option}"));
            if option == "--alias" {
                assert!(now.split(',').any(|name| name == "assistant" || name == *unit), "{now}");
            } else {
                assert_eq!(now.parse::<f64>().ok(), value.parse::<f64>().ok(), "{unit} {option}");
                assert!(*now == value || value.parse::<f64>().is_ok(), "{unit} {option} {now}");
            }
        }
    }
}
