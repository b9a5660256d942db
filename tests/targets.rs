//! One stack for each way to run it: units of systemd, the router, llama-swap, quadlet, compose and scripts. All have the same
//! endpoints, names and command lines.

use crate::containers::facts::{of_compose, of_quadlet};
use crate::llama_swap::words::split;
use crate::outside::{self, split_words};
use crate::scripts::printed_words;
use crate::support::{Compiled, compile};
use orchgen::engine::{Profile, Switch};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// The stack. `ENGINE` and `GATEWAY` are the fields of the engine and its gateway, and `AT` is the address of a role.
const STACK: &str = r#"
stack "home" engine="llama.cpp" { defaults context=4096 }
engine "llama.cpp" profile="llama.cpp-b11669" ENGINE
GATEWAY
host "box" memory="128 GB" cpus="0-15" { gpu "CUDA0" memory="24 GB"; gpu "CUDA1" memory="24 GB" }
store "models" path="/srv/models" speed="2 GB/s"
residency "hot" start="boot"
model "chat" arch="qwen3" size="8 GB" file="chat.gguf" store="models"
model "draft" arch="qwen3" size="1 GB" file="draft.gguf" store="models"
model "vectors" arch="bert" size="1 GB" file="vectors.gguf" store="models"
role "chat" model="chat" residency="hot" AT alias="gpt-4o" slots=2 draft="draft" {
    placement gpu="CUDA0"
    options { temp 0.7; reverse-prompt "it's # a stop; ${x} %h 'q'" }
}
role "helper" shares="chat"
role "second" model="chat" residency="hot" AT cache-type="q8_0" { placement gpu="CUDA1" layers=20 }
role "embed" model="vectors" residency="hot" AT pooling="mean" context=512
role "speech" residency="hot" SPEECH health="/health" memory="4 GB" {
    command "/opt/speech/server" "--port" "{port}" "--host" "{host}" "--name" "it's a"
}
"#;

/// The ports of the roles without a gateway.
const PORTS: [(&str, u16); 4] = [("chat", 8081), ("second", 8082), ("embed", 8083), ("speech", 8084)];

/// The stack with an engine, a gateway, and the roles behind it.
fn stack(engine: &str, gateway: &str, behind: &[&str]) -> Compiled {
    let mut text = STACK.replace("ENGINE", engine).replace("GATEWAY", gateway);
    for (name, port) in PORTS {
        let address =
            if behind.contains(&name) { "gateway=\"front\"".to_owned() } else { format!("port={port}") };
        text = text.replacen(if name == "speech" { "SPEECH" } else { "AT" }, &address, 1);
    }
    // A preset has no comments in values.
    let text = if gateway.contains("router") { text.replace("# a stop; ", "") } else { text };
    let compiled = compile(&[("stack.kdl", &text)]);
    assert!(compiled.codes().iter().all(|code| *code == "caches-over-host"), "{}", compiled.report());
    compiled
}

const BIN: &str = "bin=\"/opt/llama.cpp/bin\"";
const IMAGE: &str = "image=\"ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\"";

/// An option of a command line: its main name, on or off, and its value.
type CanonicalOption = (String, bool, String);

/// A process: its names at the API, and its options without address and names.
#[derive(PartialEq, Debug)]
struct Process {
    names: BTreeSet<String>,
    options: BTreeSet<CanonicalOption>,
}

/// A process of llama-server, from its arguments.
#[track_caller]
fn process(args: &[String]) -> Process {
    let profile = Profile::built_in("llama.cpp-b11669").unwrap();
    let mut found = Process { names: BTreeSet::new(), options: BTreeSet::new() };
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let (record, _, switch) = profile.find("llama-server", word).unwrap_or_else(|| panic!("{word}"));
        let value = if record.arity() == 1 { words.next().unwrap().clone() } else { String::new() };
        match record.title() {
            "--host" | "--port" => {}
            "--alias" => found.names.extend(value.split(',').map(str::to_owned)),
            title => {
                found.options.insert((title.to_owned(), switch == Switch::On, value));
            }
        }
    }
    found
}

/// The command line of the main process of a unit.
#[track_caller]
fn argv_of_unit(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words = split_words(line.trim()).into_iter().filter(|word| !word.is_empty());
    words.map(|word| word.replace("%%", "%").replace("$$", "$")).collect()
}

/// The processes of each way to run the stack, by role.
type Processes = BTreeMap<&'static str, Process>;

const MODELS: [&str; 3] = ["chat", "second", "embed"];

fn of_systemd() -> (Compiled, Processes) {
    let compiled = stack(BIN, "", &[]);
    let files = compiled.files();
    let of = |name| process(&argv_of_unit(&files[&format!("systemd/home-{name}.service")].0)[1..]);
    let processes = MODELS.map(|name| (name, of(name))).into();
    (compiled, processes)
}

/// The processes of the scripts of roles on the host.
fn of_scripts() -> Processes {
    let folder = outside::folder();
    stack(BIN, "", &[]).write(folder.path());
    MODELS.map(|name| (name, process(&words_of_script(folder.path(), name, &["--print0"])[1..]))).into()
}

fn of_router() -> (Compiled, Processes) {
    let compiled = stack(BIN, "gateway \"front\" port=8000 kind=\"router\"", &MODELS);
    let preset = compiled.files().remove("router/front.ini").unwrap().0;
    let of = |name: &'static str| {
        let section = preset.split(&format!("\n[{name}]\n")).nth(1).unwrap().split("\n[").next().unwrap();
        let profile = Profile::built_in("llama.cpp-b11669").unwrap();
        let entries =
            section.lines().filter(|line| !line.starts_with(';')).filter_map(|line| line.split_once(" = "));
        // Only presets have these keys.
        let entries = entries.filter(|(key, _)| !["load-on-startup", "stop-timeout"].contains(key));
        let args = entries.flat_map(|(key, value)| {
            let option = format!("--{key}");
            let (record, ..) = profile.find("llama-server", &option).unwrap();
            match (record.arity(), value) {
                (0, "true") => vec![option],
                (0, _) => vec![record.negative[0].clone()],
                _ => vec![option, value.to_owned()],
            }
        });
        let mut process = process(&args.collect::<Vec<_>>());
        // The section has the first name.
        process.names.insert(name.to_owned());
        process
    };
    let processes = MODELS.map(|name| (name, of(name))).into();
    (compiled, processes)
}

fn of_llama_swap() -> (Compiled, Processes) {
    let gateway = "gateway \"front\" port=8000 kind=\"llama-swap\" bin=\"/usr/local/bin/llama-swap\"";
    let compiled = stack(BIN, gateway, &["chat", "second", "embed", "speech"]);
    let config: serde_yaml::Value =
        serde_yaml::from_str(&compiled.files()["llama-swap/front.yaml"].0).unwrap();
    let command = |name: &str| split(config["models"][name]["cmd"].as_str().unwrap(), &[("PORT", "18000")]);
    // The other program has the command of its unit, with the port of the gateway.
    let own = argv_of_unit(&of_systemd().0.files()["systemd/home-speech.service"].0);
    let own: Vec<String> =
        own.into_iter().map(|word| if word == "8084" { "18000".to_owned() } else { word }).collect();
    assert_eq!(command("speech"), own);
    let of = |name| {
        let process = process(&command(name)[1..]);
        let aliases = config["models"][name]["aliases"].as_sequence().into_iter().flatten();
        let names = aliases.map(|name| name.as_str().unwrap().to_owned()).chain([name.to_owned()]);
        assert_eq!(names.collect::<BTreeSet<_>>(), process.names, "{name}");
        process
    };
    let processes = MODELS.map(|name| (name, of(name))).into();
    (compiled, processes)
}

/// The processes of quadlet, those of compose, and those of the scripts.
fn of_containers() -> (Compiled, [Processes; 3]) {
    let compiled = stack(IMAGE, "", &[]);
    let files = compiled.files();
    let compose = of_compose(&files["compose/compose.yaml"].0);
    let quadlet = |name: &str| of_quadlet(&files[&format!("quadlet/home-{name}.container")].0);
    // The second role has only the second GPU, which is the first one inside.
    let on_host = |mut process: Process| {
        let device = ("--device".to_owned(), true, "CUDA0".to_owned());
        assert!(process.options.remove(&device), "{process:?}");
        process.options.insert(("--device".to_owned(), true, "CUDA1".to_owned()));
        process
    };
    assert_eq!(quadlet("second").devices, ["nvidia.com/gpu=1"]);
    let of = |args: &[String], name| if name == "second" { on_host(process(args)) } else { process(args) };
    let folder = outside::folder();
    compiled.write(folder.path());
    let processes = |args: &dyn Fn(&str) -> Vec<String>| -> Processes {
        MODELS.map(|name| (name, of(&args(name), name))).into()
    };
    let processes = [
        processes(&|name| quadlet(name).args),
        processes(&|name| compose[&format!("home-{name}")].args.clone()),
        processes(&|name| words_of_script(folder.path(), name, &["--print0"])[1..].to_vec()),
    ];
    (compiled, processes)
}

/// The words that the script of a role prints.
fn words_of_script(out: &Path, role: &str, args: &[&str]) -> Vec<String> {
    let mut command = Command::new(out.join("bin").join(role));
    printed_words(&outside::run(command.args(args), "bash"))
}

#[test]
fn all_targets_run_the_same_processes() {
    let ((_, systemd), (_, router), (_, swap), (_, [quadlet, compose, scripts])) =
        (of_systemd(), of_router(), of_llama_swap(), of_containers());
    assert_eq!(systemd["chat"].names, ["chat", "helper", "gpt-4o"].map(str::to_owned).into());
    assert!(systemd["chat"].options.len() > 15, "{systemd:#?}");
    let others = [
        ("scripts of hosts", of_scripts()),
        ("llama-swap", swap),
        ("quadlet", quadlet),
        ("compose", compose),
        ("scripts of containers", scripts),
    ];
    for (what, other) in others {
        assert_eq!(systemd, other, "{what}");
    }
    // The router cannot have one of the words.
    let stop = |process: &Process| {
        let value = process.options.iter().find(|option| option.0 == "--reverse-prompt");
        value.map(|option| option.2.replace("# a stop; ", ""))
    };
    for (name, process) in &systemd {
        let without = |process: &Process| {
            let options = process.options.iter().filter(|option| option.0 != "--reverse-prompt");
            options.cloned().collect::<BTreeSet<_>>()
        };
        assert_eq!(
            (&process.names, without(process)),
            (&router[name].names, without(&router[name])),
            "{name}"
        );
        assert_eq!(stop(process), stop(&router[name]), "{name}");
    }
}

/// The endpoints and names of all roles, from `stack.json`.
fn endpoints(compiled: &Compiled) -> BTreeMap<String, (Vec<String>, BTreeSet<String>)> {
    let stack: Value = serde_json::from_str(&compiled.files()["stack.json"].0).unwrap();
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let roles = stack["roles"].as_array().unwrap().iter();
    let entry = |role: &Value| {
        let names = texts(&role["names"]).into_iter().collect();
        (role["name"].as_str().unwrap().to_owned(), (texts(&role["endpoints"]), names))
    };
    roles.map(entry).collect()
}

#[test]
fn all_targets_have_the_same_endpoints_and_names() {
    let all = [of_systemd().0, of_router().0, of_llama_swap().0, of_containers().0];
    let [systemd, router, swap, containers] = all.each_ref().map(endpoints);
    assert_eq!(systemd, containers);
    let own =
        |name: &str| format!("http://127.0.0.1:{}", PORTS.iter().find(|(own, _)| *own == name).unwrap().1);
    let (front, names) =
        ("http://127.0.0.1:8000".to_owned(), ["chat", "helper", "gpt-4o"].map(str::to_owned).into());
    for role in ["chat", "helper"] {
        assert_eq!(systemd[role], (vec![own("chat")], BTreeSet::clone(&names)));
        assert_eq!(router[role], (vec![front.clone()], BTreeSet::clone(&names)));
        assert_eq!(swap[role], (vec![front.clone()], BTreeSet::clone(&names)));
    }
    for role in ["second", "embed"] {
        assert_eq!(systemd[role].0, [own(role)]);
        assert_eq!(
            (&router[role], &swap[role]),
            (&(vec![front.clone()], systemd[role].1.clone()), &router[role])
        );
    }
    // A router runs no other program. Only behind llama-swap, it has a name.
    assert_eq!((&systemd["speech"].0[..], &systemd["speech"]), (&[own("speech")][..], &router["speech"]));
    assert_eq!(swap["speech"], (vec![front], BTreeSet::from(["speech".to_owned()])));
    // The published ports are those of the endpoints.
    let (files, folder) = (all[3].files(), outside::folder());
    all[3].write(folder.path());
    let compose = of_compose(&files["compose/compose.yaml"].0);
    for role in MODELS {
        let published = own(role).replace("http://", "");
        let port = published.rsplit(':').next().unwrap();
        let expected = vec![format!("{published}:{port}")];
        assert_eq!(of_quadlet(&files[&format!("quadlet/home-{role}.container")].0).ports, expected);
        assert_eq!(compose[&format!("home-{role}")].ports, expected);
        let words = words_of_script(folder.path(), role, &["--print0", "--outer"]);
        assert!(words.contains(&format!("--publish={}", expected[0])), "{words:?}");
    }
}
