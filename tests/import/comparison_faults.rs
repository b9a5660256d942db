//! The comparison finds each kind of fault: a correct report and a correct output are changed in one place.

use super::comparison::{Verdict, judge};
use super::emitted::Emitted;
use super::expectation::Case;
use serde_json::{Value, json};

const EXPECT: &str = "
import a.yaml
server first
  from a.yaml:2-5
  words /opt/bin/llama-server -m /srv/a.gguf -c 4096 --temp 0.7 --no-mmap --odd 3
  port 8001
  host 0.0.0.0
  names one
  env X=1
  placement bind 0
  cpus 0-3
  start demand
  idle 60
  apart second
server second
  from a.yaml:6-8
  words /opt/bin/llama-server -m /srv/b.gguf
  port automatic
  start boot
server tool
  from a.yaml:9-9
  program other
  words /opt/tool run --listen {port} --fast
  port automatic
lost a.yaml:4: description
";

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn process(role: &str, line: &str, port: u16) -> Emitted {
    Emitted {
        role: role.to_owned(),
        words: words(line),
        names: [role.to_owned()].into(),
        ports: [port].into(),
        host: "127.0.0.1".to_owned(),
        start: "boot".to_owned(),
        together: Some(["tool".to_owned()].into()),
        ..Emitted::default()
    }
}

fn output() -> Vec<Emitted> {
    let line =
        "/opt/bin/llama-server -m /srv/a.gguf -c 4096 --temp 0.70 --load-mode none -b 2048 --alias first,one";
    let first = Emitted {
        names: ["first", "one"].map(str::to_owned).into(),
        host: "0.0.0.0".to_owned(),
        env: [("X".to_owned(), "1".to_owned()), ("XDG_CONFIG_HOME".to_owned(), "/none".to_owned())].into(),
        memory: Some(("bind".to_owned(), "0".to_owned())),
        cpus: Some("0,1-3".to_owned()),
        start: "on-demand".to_owned(),
        idle: 60,
        ..process("first", line, 8001)
    };
    let second = process("second", "/opt/bin/llama-server -m /srv/b.gguf", 8002);
    let mut tool = process("tool", "/opt/tool run --listen 18000 --fast", 8003);
    tool.together = Some(["first", "second"].map(str::to_owned).into());
    vec![first, second, tool]
}

fn report() -> Value {
    let server = |role: &str, line: u32| json!({"role": role, "from": {"file": "a.yaml", "line": line}, "kept": [], "changed": [], "lost": []});
    let mut first = server("first", 2);
    first["changed"] =
        json!([{"option": "--load-mode", "was": "not set", "is": "none", "why": "new", "line": 3}]);
    first["lost"] = json!([
        {"what": "--no-mmap", "option": "--mmap", "why": "old", "line": 3},
        {"what": "--odd 3", "option": "--odd", "why": "unknown", "line": 3},
        {"what": "description: x", "option": null, "why": "no field", "line": 4},
    ]);
    json!({"servers": [first, server("second", 6), server("tool", 9)], "lost": []})
}

/// The silent settings.
fn silent(report: &Value, output: &[Emitted]) -> Vec<String> {
    let judged = judge(&Case::parse(EXPECT), report, output);
    let all = judged.into_iter().flat_map(|server| server.settings);
    all.filter(|(verdict, _)| *verdict == Verdict::Silent).map(|(_, what)| what).collect()
}

#[test]
fn a_correct_import_has_no_fault() {
    assert_eq!(silent(&report(), &output()), [""; 0]);
    let judged = judge(&Case::parse(EXPECT), &report(), &output());
    let counts = [Verdict::Kept, Verdict::Changed, Verdict::Lost].map(|verdict| judged[0].count(verdict));
    assert_eq!(counts, [14, 1, 2], "{:#?}", judged[0]);
}

#[test]
fn faults_of_the_output_are_found() {
    type Spoil = fn(&mut Vec<Emitted>);
    let faults: &[(&str, Spoil)] = &[
        ("--ctx-size 4096", |all| all[0].words.retain(|word| word != "-c" && word != "4096")),
        ("--ctx-size 4096 (is 8192)", |all| all[0].words[4] = "8192".to_owned()),
        ("--temp 0.7 (is 0.8)", |all| all[0].words[6] = "0.8".to_owned()),
        ("--load-mode dio, added (is dio)", |all| all[0].words[8] = "dio".to_owned()),
        ("--batch-size 512, added (is 512)", |all| all[0].words[10] = "512".to_owned()),
        ("--fit off, added (is off)", |all| all[0].words.extend(words("--fit off"))),
        ("--numa numactl, added (is numactl)", |all| all[1].words.extend(words("--numa numactl"))),
        ("program /opt/bin/llama-server (is llama-server)", |all| {
            "llama-server".clone_into(&mut all[1].words[0]);
        }),
        ("port 8001 (is 8009)", |all| all[0].ports = [8009].into()),
        ("host 0.0.0.0 (is 127.0.0.1)", |all| "127.0.0.1".clone_into(&mut all[0].host)),
        ("name one", |all| all[0].names.retain(|name| name != "one")),
        ("variable X", |all| all[0].env.retain(|name, _| name != "X")),
        ("variable Y, added", |all| all[1].env = [("Y".to_owned(), String::new())].into()),
        ("placement bind 0", |all| all[0].memory = None),
        ("CPUs 0-3", |all| all[0].cpus = Some("0-4".to_owned())),
        ("start on-demand", |all| "boot".clone_into(&mut all[0].start)),
        ("idle 60", |all| all[0].idle = 0),
        ("apart from {\"second\"}, is {}", |all| {
            all[0].together.as_mut().unwrap().insert("second".to_owned());
        }),
        ("apart from {\"second\"}, is {\"second\", \"tool\"}", |all| all[0].together = Some([].into())),
        ("--fast", |all| all[2].words.truncate(4)),
        (" run", |all| all[2].words.retain(|word| word != "run")),
        ("--slow, added", |all| all[2].words.push("--slow".to_owned())),
        ("role other is of no server", |all| all.push(process("other", "x", 1))),
        ("server second", |all| all.retain(|process| process.role != "second")),
    ];
    for (expected, spoil) in faults {
        let mut all = output();
        spoil(&mut all);
        let found = silent(&report(), &all);
        assert!(found.iter().any(|fault| fault == expected), "{expected}: {found:?}");
    }
}

#[test]
fn faults_of_the_report_are_found() {
    type Spoil = fn(&mut Value);
    let faults: &[(&str, Spoil)] = &[
        ("--mmap off", |report| {
            report["servers"][0]["lost"].as_array_mut().unwrap().remove(0);
        }),
        ("--odd 3", |report| {
            report["servers"][0]["lost"].as_array_mut().unwrap().remove(1);
            report["servers"][0]["kept"] = json!(["--odd"]);
        }),
        ("a.yaml:4: description", |report| report["servers"][0]["lost"][2]["line"] = json!(5)),
        ("--load-mode none, added (is none)", |report| {
            report["servers"][0]["changed"][0]["is"] = json!("mmap");
        }),
        ("--load-mode none, added (is none)", |report| {
            report["servers"][1]["changed"] = report["servers"][0]["changed"].take();
            report["servers"][0]["changed"] = json!([]);
        }),
        ("server first", |report| report["servers"][0]["from"]["line"] = json!(20)),
        ("--load-mode none, added (is none)", |report| {
            report["servers"][0]["changed"][0]["form_only"] = json!(true);
        }),
        ("name second", |report| report["servers"][1]["role"] = json!("tool")),
    ];
    for (expected, spoil) in faults {
        let mut report = report();
        spoil(&mut report);
        let found = silent(&report, &output());
        assert!(found.iter().any(|fault| fault == expected), "{expected}: {found:?}");
    }
}

/// A lost server is no fault if the report names it.
#[test]
fn a_lost_server_needs_an_entry() {
    let mut report = report();
    report["servers"][1]["role"] = Value::Null;
    let without: Vec<Emitted> = output().into_iter().filter(|process| process.role != "second").collect();
    let mut report_with = report.clone();
    report_with["servers"][1]["lost"] = json!([{"what": "cmd", "option": null, "why": "dynamic", "line": 7}]);
    assert!(silent(&report, &without).contains(&"server second".to_owned()));
    let found = silent(&report_with, &without);
    assert!(!found.contains(&"server second".to_owned()), "{found:?}");
}
