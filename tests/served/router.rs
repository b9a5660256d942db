//! Gateways: the router of a real llama-server, started by its unit with the generated preset file.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "these tests print the time of each step"
)]

use super::rig::{Answer, Rig, ask, wait};
use crate::support::compile;
use orchgen::engine::{Profile, Switch};
use orchgen::plan::{Models, Plan, plan};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const REGISTRY: &str = include_str!("router.kdl");
const FRONT: u16 = 18500;
const SWAP: u16 = 18501;
const SINGLE: u16 = 18502;
const KEYED: u16 = 18503;
const KEY: &str = "a-key";

/// An option of a command line: its main name, on or off, and its value.
type CanonicalOption = (String, bool, String);

fn profile() -> &'static Profile {
    Profile::built_in("llama.cpp-b11669").unwrap()
}

fn planned() -> Plan {
    plan(compile(&[("stack.kdl", REGISTRY)]).checked().clone())
}

/// The options of a command line, after those that the router itself writes.
#[track_caller]
fn canonical(args: &[String]) -> BTreeSet<CanonicalOption> {
    let mut options = BTreeSet::new();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let (record, _, switch) = profile().find("llama-server", word).unwrap_or_else(|| panic!("{word}"));
        let value = if record.arity() == 1 { words.next().unwrap().clone() } else { String::new() };
        let title = record.title();
        let is_of_router = ["--host", "--port", "--alias"].contains(&title) || title.starts_with("--log-");
        if !is_of_router {
            options.insert((title.to_owned(), switch == Switch::On, value));
        }
    }
    options
}

/// The models of a router by name, as it lists them.
#[track_caller]
fn models(port: u16, key: &str) -> BTreeMap<String, Value> {
    let answer = ask(port, "/v1/models", "", key).unwrap_or_else(|| panic!("{port} does not answer")).json();
    let models = answer["data"].as_array().unwrap().clone();
    models.into_iter().map(|model| (model["id"].as_str().unwrap().to_owned(), model)).collect()
}

fn state(port: u16, name: &str) -> String {
    models(port, "")[name]["status"]["value"].as_str().unwrap().to_owned()
}

fn chat(port: u16, name: &str, tokens: u32) -> Option<Answer> {
    let body =
        json!({"model": name, "messages": [{"role": "user", "content": "hello"}], "max_tokens": tokens});
    ask(port, "/v1/chat/completions", &body.to_string(), "")
}

#[track_caller]
fn assert_chats(port: u16, name: &str) {
    let answer = chat(port, name, 4).unwrap_or_else(|| panic!("`{name}` does not answer")).json();
    assert!(answer["choices"][0]["message"].is_object(), "{answer}");
}

/// The child of a router that serves a model: its process id in the rig.
#[track_caller]
fn child(rig: &Rig, name: &str) -> String {
    rig.output(&["pgrep", "-f", "--", &format!("--alias {name} ")])
}

#[track_caller]
fn start(rig: &Rig, unit: &str) {
    rig.write("/srv/keys/api", &format!("# the key\n\n{KEY}\n"), 0o600);
    rig.install(REGISTRY);
    rig.output(&["systemctl", "daemon-reload"]);
    rig.output(&["systemctl", "start", unit]);
    rig.report(&format!("started {unit}"));
}

#[test]
fn the_router_serves_all_roles_with_the_options_of_the_plan() {
    let rig = Rig::boot();
    start(&rig, "rig.target");
    assert_options();
    rig.report("the options of all models are those of the plan");

    // The gate waited for the models that start at boot. One has no file: it fails alone.
    assert_eq!(rig.state("rig-front.service"), "active", "{}", rig.journal("rig-front.service"));
    for name in ["chat", "mixture", "vectors"] {
        assert_eq!(state(FRONT, name), "loaded", "{name}");
    }
    assert!(rig.journal("rig-front.service").contains("models that failed to load: gone"));
    assert_eq!(models(FRONT, "")["gone"]["status"]["failed"], json!(true));
    assert_eq!(chat(FRONT, "gone", 1).unwrap().status, 500);

    for name in ["chat", "helper", "org/name:7b", "any thing", "mixture", "lazy"] {
        assert_chats(FRONT, name);
    }
    let body = json!({"model": "vectors", "input": "hello"}).to_string();
    let answer = ask(FRONT, "/v1/embeddings", &body, "").unwrap().json();
    assert!(answer["data"][0]["embedding"].as_array().map(Vec::len) > Some(8), "{answer}");
    let body = json!({"model": "ranks", "query": "a", "documents": ["a b", "c"]}).to_string();
    let answer = ask(FRONT, "/v1/rerank", &body, "").unwrap().json();
    assert_eq!(answer["results"].as_array().map(Vec::len), Some(2), "{answer}");
    assert_eq!(chat(FRONT, "nobody", 1).unwrap().status, 400);
    assert_eq!(ask(FRONT, "/metrics?model=chat", "", "").unwrap().status, 200);
    rig.report("every role answered under each of its names");

    assert_key(&rig);
    assert_sleep(&rig);
    assert_limit(&rig);
    assert_crashes(&rig);
    rig.output(&["systemctl", "stop", "rig.target"]);
    wait(30, "no server is left", || !rig.run(&["pgrep", "llama-server"]).status.success());
    rig.report("stopped, no process is left");
}

/// `GET /v1/models` prints the command line of each model: its options are those of the plan, no more and no less.
#[track_caller]
fn assert_options() {
    let plan = planned();
    for gateway in &plan.gateways {
        let server = &plan.roles[gateway.server];
        let key = if server.key_file.is_some() { KEY } else { "" };
        let listed = models(server.ports.first, key);
        let Models::Router(models) = &gateway.models else { panic!("{} is no router", gateway.name) };
        assert_eq!(listed.len(), models.len(), "{listed:#?}");
        for (role, options) in models {
            let role = &plan.roles[*role];
            let words = |value: &Value| {
                let all = value.as_array().unwrap().iter();
                all.map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            let listed = &listed[&*role.name];
            let args = words(&listed["status"]["args"]);
            let expected = options.iter().filter(|option| &*option.key != "alias").map(|option| {
                let (record, ..) = profile().find("llama-server", &option.key).unwrap();
                let (title, value) = (record.title().to_owned(), option.value.to_string());
                if record.arity() == 0 {
                    (title, value == "true", String::new())
                } else {
                    (title, true, value)
                }
            });
            assert_eq!(canonical(&args[1..]), expected.collect(), "{}: {args:?}", role.name);
            let names: BTreeSet<String> =
                words(&listed["aliases"]).into_iter().chain([role.name.to_string()]).collect();
            assert_eq!(names, role.names.iter().map(ToString::to_string).collect(), "{}", role.name);
        }
    }
}

/// The gate of a gateway with a key sends it. Clients need it too, and the models run on the CPUs of the gateway.
#[track_caller]
fn assert_key(rig: &Rig) {
    assert_eq!(rig.state("rig-keyed.service"), "active", "{}", rig.journal("rig-keyed.service"));
    assert_eq!(models(KEYED, KEY)["locked"]["status"]["value"], json!("loaded"));
    assert_eq!(ask(KEYED, "/v1/models", "", "").unwrap().status, 401);
    assert_eq!(chat(KEYED, "locked", 1).unwrap().status, 401);
    let body = json!({"model": "locked", "prompt": "hello", "max_tokens": 1}).to_string();
    assert_eq!(ask(KEYED, "/v1/completions", &body, KEY).unwrap().status, 200);
    let cpus = rig.output(&["grep", "Cpus_allowed_list", &format!("/proc/{}/status", child(rig, "locked"))]);
    assert_eq!(cpus.split_whitespace().last(), Some("1"));
    rig.report("the gateway with a key asks for it");
}

/// A model that is idle frees its memory, and the next request loads it again.
#[track_caller]
fn assert_sleep(rig: &Rig) {
    assert_chats(FRONT, "lazy");
    let pid = child(rig, "lazy");
    let resident = || {
        let status = rig.output(&["cat", &format!("/proc/{pid}/status")]);
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let awake = resident();
    wait(15, "the model sleeps", || state(FRONT, "lazy") == "sleeping");
    assert!(resident() < awake, "{} of {awake} KiB", resident());
    assert_chats(FRONT, "lazy");
    assert_eq!(state(FRONT, "lazy"), "loaded");
    assert_eq!(child(rig, "lazy"), pid, "the same process");
    rig.report("an idle model slept and woke");
}

/// With more models than the limit, the one that was used least recently leaves.
#[track_caller]
fn assert_limit(rig: &Rig) {
    let loaded = || {
        let all = models(SWAP, "");
        let loaded = all.iter().filter(|(_, model)| model["status"]["value"] == "loaded");
        loaded.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    for name in ["one", "two", "one", "three"] {
        let begin = Instant::now();
        assert_chats(SWAP, name);
        println!("          `{name}` answered after {:.2} s", begin.elapsed().as_secs_f64());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(loaded(), ["one", "three"]);
    assert_chats(SWAP, "two");
    assert_eq!(loaded(), ["three", "two"]);
    rig.report("the model that was used least recently left");
}

/// A model that is killed is loaded again by the next request. A router that is killed takes its models along, and systemd
/// starts it again.
#[track_caller]
fn assert_crashes(rig: &Rig) {
    let pid = child(rig, "chat");
    rig.output(&["kill", "-KILL", &pid]);
    wait(10, "the router noticed", || state(FRONT, "chat") != "loaded");
    assert_chats(FRONT, "mixture");
    assert_chats(FRONT, "chat");
    assert_ne!(child(rig, "chat"), pid);
    rig.report("a model was killed: the others answered, and the next request loaded it again");

    let (router, mixture) = (rig.pid("rig-front.service"), child(rig, "mixture"));
    rig.output(&["kill", "-KILL", &router]);
    wait(10, "its models end", || !rig.run(&["kill", "-0", &mixture]).status.success());
    wait(30, "the router runs again", || {
        rig.state("rig-front.service") == "active" && rig.pid("rig-front.service") != router
    });
    assert_eq!(state(FRONT, "mixture"), "loaded", "the gate waited");
    assert_chats(FRONT, "chat");
    rig.report("the router was killed and started again");
}

/// Two clients ask two roles of which only one fits, without a pause. One of them reads long streams. Every request is
/// answered completely.
#[test]
fn two_clients_of_exclusive_roles_get_every_answer() {
    const SECONDS: u64 = 120;
    let rig = Rig::boot();
    start(&rig, "rig-single.service");
    let end = Instant::now() + Duration::from_secs(SECONDS);
    let client = |name: &'static str, stream: bool| {
        let mut times = Vec::new();
        let mut lost = Vec::new();
        while Instant::now() < end {
            let tokens = if stream { 1500 } else { 8 };
            let body = json!({
                "model": name, "messages": [{"role": "user", "content": "hello"}],
                "max_tokens": tokens, "ignore_eos": stream, "stream": stream,
            });
            let begin = Instant::now();
            let answer = ask(SINGLE, "/v1/chat/completions", &body.to_string(), "");
            let is_complete = |answer: &Answer| {
                let ends =
                    if stream { answer.body.contains("data: [DONE]") } else { answer.body.ends_with('}') };
                answer.status == 200 && ends
            };
            match answer {
                Some(answer) if is_complete(&answer) => times.push(begin.elapsed()),
                other => lost.push(
                    other.map(|answer| (answer.status, answer.body.chars().take(200).collect::<String>())),
                ),
            }
        }
        (times, lost)
    };
    let (first, second) = std::thread::scope(|scope| {
        let one = scope.spawn(|| client("first", true));
        let two = scope.spawn(|| client("second", false));
        (one.join().unwrap(), two.join().unwrap())
    });
    for (name, (times, lost)) in [("first", &first), ("second", &second)] {
        let longest = times.iter().max().unwrap().as_secs_f64();
        println!("          `{name}`: {} answers, longest {longest:.2} s, lost: {lost:?}", times.len());
    }
    let log = rig.journal("rig-single.service");
    let swaps = log.matches("spawning server instance with name").count();
    println!("          {swaps} loads in {SECONDS} s");
    assert!(first.1.is_empty() && second.1.is_empty(), "{:?} {:?}", first.1, second.1);
    assert!(swaps > 10, "{log}");
    rig.report("every request was answered");
}
