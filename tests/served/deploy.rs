//! `orchgen plan`, `apply` and `rollback` with a booted systemd and real servers.

use super::rig::{Rig, ask, text, wait};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The estimate of a plan for a stop. The small servers of these tests stop sooner.
const STOP_SECONDS: f64 = 0.3;

const BEFORE: &str = r#"stack "rig" engine="llama.cpp" { defaults { context 512; prompt-cache "100 MB"; placement threads=1 } }
engine "llama.cpp" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="20 GB" systemd=262
store "models" path="/srv/models" speed="2 GB/s"
model "target" file="target.gguf" arch="qwen2" size="737088 B"
model "draft" file="draft.gguf" arch="qwen2" size="289600 B"
model "moe" file="moe.gguf" arch="qwen3moe" size="1032224 B"
role "keep" model="target" port=18080
role "port" model="target" port=18081
role "model" model="target" port=18082
role "draft" model="target" port=18083
role "gone" model="draft" port=18084
role "lazy" model="target" port=18086 residency="warm"
"#;

/// Another port, another model, a draft, other slots, a removed and a new role.
fn after() -> String {
    BEFORE
        .replace("port=18081", "port=18091")
        .replace(r#""model" model="target""#, r#""model" model="moe""#)
        .replace(r#""draft" model="target" port=18083"#, r#""draft" model="target" port=18083 draft="draft""#)
        .replace(r#""gone" model="draft" port=18084"#, r#""new" model="moe" port=18085"#)
        .replace(r#"residency="warm""#, r#"residency="warm" slots=2"#)
}

/// Copies the program and a registry into the rig, and builds.
#[track_caller]
fn build(rig: &Rig, registry: &str) {
    rig.write("/srv/registry/stack.kdl", registry, 0o644);
    let output = orchgen(rig, "build -q");
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// A booted rig on which the first registry is applied.
#[track_caller]
fn applied() -> Rig {
    let rig = Rig::boot();
    install_program(&rig);
    build(&rig, BEFORE);
    succeeds(&rig, "apply --yes");
    rig
}

fn install_program(rig: &Rig) {
    fs::copy(crate::support::orchgen(), rig.root.join("usr/local/bin/orchgen")).unwrap();
}

/// Runs orchgen in `/srv` of the rig.
fn orchgen(rig: &Rig, arguments: &str) -> Output {
    rig.run(&["sh", "-c", &format!("cd /srv && PATH=/usr/local/sbin:$PATH exec orchgen {arguments}")])
}

#[track_caller]
fn succeeds(rig: &Rig, arguments: &str) -> String {
    let output = orchgen(rig, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The roles of a plan that serve at these ports.
fn assert_serves(rig: &Rig, ports: &[u16]) {
    for port in ports {
        let answer = ask(*port, "/completion", r#"{"prompt":"the","n_predict":1}"#, "");
        assert_eq!(
            answer.map(|answer| answer.status),
            Some(200),
            "{port}: {}",
            rig.output(&["systemctl", "list-units", "rig*"])
        );
    }
}

/// The events of units in the journal: `stopping` and `started`, with the time in seconds.
fn journal(rig: &Rig) -> Vec<(String, &'static str, f64)> {
    let lines = rig.output(&["journalctl", "-o", "json", "--no-pager", "_PID=1"]);
    let entry = |line: &str| {
        let entry: Value = serde_json::from_str(line).unwrap();
        let what = match entry["MESSAGE_ID"].as_str()? {
            "39f53479d3a045ac8e11786248231fbf" => "started",
            "de5b426a63be47a7b6ac3eaac82e2f6f" => "stopping",
            _ => return None,
        };
        let time: f64 = entry["__REALTIME_TIMESTAMP"].as_str()?.parse().unwrap();
        Some((entry["UNIT"].as_str()?.to_owned(), what, time / 1e6))
    };
    lines
        .lines()
        .filter_map(entry)
        .filter(|(unit, ..)| unit.starts_with("rig-") && unit.ends_with(".service"))
        .collect()
}

/// Asks a role 20 times per second while something runs. Returns the number of answers; each must be a success.
fn while_asking<T>(port: u16, run: impl FnOnce() -> T) -> (usize, T) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut answers = 0;
            while !done.load(Ordering::Relaxed) {
                let answer = ask(port, "/completion", r#"{"prompt":"the","n_predict":1}"#, "");
                assert_eq!(answer.map(|answer| answer.status), Some(200), "request {answers}");
                answers += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
            answers
        });
        let result = run();
        done.store(true, Ordering::Relaxed);
        (asking.join().unwrap(), result)
    })
}

#[test]
fn a_plan_predicts_what_the_journal_shows() {
    let rig = applied();
    assert_serves(&rig, &[18080, 18081, 18082, 18083, 18084, 18086]);
    rig.report("the first generation serves");
    assert_eq!(succeeds(&rig, "plan --against host"), "no changes against `host`\n");
    build(&rig, &after());
    let plan: Value =
        serde_json::from_str(&succeeds(&rig, "plan --against host --output-format json")).unwrap();
    let host = &plan["hosts"][0];
    let (pid, earlier) = (rig.pid("rig-keep.service"), journal(&rig).len());
    let id = host["id"].as_str().unwrap();
    // A role on demand has clients while it changes: their requests may fail, but must not disturb the change.
    let done = AtomicBool::new(false);
    let (answers, _) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _ = ask(18086, "/health", "", "");
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let result = while_asking(18080, || orchgen(&rig, &format!("apply --yes --plan {id}")));
        done.store(true, Ordering::Relaxed);
        assert_eq!(result.1.status.code(), Some(0), "{}", text(&result.1.stderr));
        result
    });
    rig.report(&format!("the second generation is applied, {answers} answers of the untouched role"));
    assert!(answers >= 20, "{answers} answers");
    assert_eq!(rig.pid("rig-keep.service"), pid, "an untouched role does not restart");
    assert_serves(&rig, &[18080, 18091, 18082, 18083, 18085, 18086]);
    for port in [18081, 18084] {
        assert_eq!(ask(port, "/health", "", ""), None, "{port} is free");
    }
    assert_eq!(rig.show("rig-gone.service", "LoadState"), "not-found");
    let events = journal(&rig).split_off(earlier);
    assert_order(host, &events);
    assert_down(&rig, host, &events);
    assert_eq!(succeeds(&rig, "plan --against host"), "no changes against `host`\n");
    succeeds(&rig, "rollback --yes");
    assert_serves(&rig, &[18080, 18081, 18082, 18083, 18084, 18086]);
    assert_eq!(rig.pid("rig-keep.service"), pid);
    rig.report("rolled back");
}

/// The units start in the order of the steps, and no others.
#[track_caller]
fn assert_order(host: &Value, events: &[(String, &str, f64)]) {
    let steps = host["steps"].as_array().unwrap();
    let is_start = |step: &&Value| ["restart", "start", "load"].contains(&step["action"].as_str().unwrap());
    let units = steps.iter().filter(is_start).flat_map(|step| step["units"].as_array().unwrap().iter());
    let planned: Vec<&str> =
        units.map(|unit| unit.as_str().unwrap()).filter(|unit| unit.ends_with(".service")).collect();
    let started = events.iter().filter(|(_, what, _)| *what == "started").map(|(unit, ..)| &**unit);
    // The proxy of a role on demand starts with its server.
    let started: Vec<&str> = started.filter(|unit| *unit != "rig-lazy.service").collect();
    assert_eq!(started, planned);
    assert_eq!(planned.len(), 5, "{planned:?}");
    let stopped: Vec<&str> =
        events.iter().filter(|(_, what, _)| *what == "stopping").map(|(unit, ..)| &**unit).collect();
    assert!(stopped.contains(&"rig-gone.service") && !stopped.contains(&"rig-keep.service"), "{stopped:?}");
}

/// The time down of each role is what the plan predicts: within a factor of two, and the estimated time of a stop.
#[track_caller]
fn assert_down(rig: &Rig, host: &Value, events: &[(String, &str, f64)]) {
    let mut checked = 0;
    for role in host["roles"].as_array().unwrap().iter().filter(|role| role["change"] == "changed") {
        let name = role["name"].as_str().unwrap();
        let unit = if name == "lazy" {
            "rig-lazy-backend.service".to_owned()
        } else {
            format!("rig-{name}.service")
        };
        let time = |what: &str| events.iter().find(|(own, kind, _)| *own == unit && *kind == what).unwrap().2;
        let (predicted, measured) =
            (role["down_seconds"].as_f64().unwrap(), time("started") - time("stopping"));
        rig.report(&format!("{name}: predicted {predicted:.2} s down, measured {measured:.2} s"));
        assert!(
            predicted <= 2.0 * measured + STOP_SECONDS && measured <= 2.0 * predicted,
            "{name}: {predicted} s, not {measured} s"
        );
        checked += 1;
    }
    assert_eq!(checked, 4);
}

#[test]
fn a_role_that_cannot_load_restores_the_previous_generation() {
    let rig = applied();
    rig.write("/srv/models/bad.gguf", "junk", 0o644);
    let pids: BTreeMap<&str, String> =
        ["rig-keep.service", "rig-draft.service"].into_iter().map(|unit| (unit, rig.pid(unit))).collect();
    let model = "model \"bad\" file=\"bad.gguf\" arch=\"qwen2\" size=\"4 B\"\n";
    for (from, role) in [
        (r#""model" model="target""#, r#""model" model="bad""#),
        (r#""lazy" model="target""#, r#""lazy" model="bad""#),
    ] {
        build(&rig, &(BEFORE.replace("port=18081", "port=18091").replace(from, role) + model));
        let (answers, output) = while_asking(18080, || orchgen(&rig, "apply --yes"));
        let error = text(&output.stderr);
        rig.report(&format!("the run failed and restored, {answers} answers of the untouched role"));
        assert_eq!(output.status.code(), Some(3), "{error}");
        let paragraph = error.lines().last().unwrap();
        assert!(paragraph.starts_with("error: `"), "{paragraph}");
        assert!(paragraph.contains("gguf"), "the reason of the server: {paragraph}");
        assert!(paragraph.ends_with("Generation 1 is restored, and its roles are verified."), "{paragraph}");
        assert_serves(&rig, &[18080, 18081, 18082, 18083, 18084, 18086]);
        for (unit, pid) in &pids {
            assert_eq!(rig.pid(unit), *pid, "{unit} is untouched");
        }
        assert_eq!(ask(18091, "/health", "", ""), None);
        assert_eq!(
            rig.output(&["systemctl", "list-units", "--failed", "--plain", "--no-legend", "rig*"]),
            ""
        );
        let state: Vec<String> = names(&rig, "/var/lib/orchgen/rig");
        assert_eq!(state, ["current", "generations", "lock"], "nothing is left of the run");
    }
}

fn names(rig: &Rig, folder: &str) -> Vec<String> {
    rig.output(&["ls", folder]).lines().map(str::to_owned).collect()
}

/// A program in place of `systemctl` that kills orchgen before or after a command that changes units.
const KILLER: &str = r#"#!/bin/bash
case " $* " in *" show "*) exec /usr/bin/systemctl "$@" ;; esac
n=$(($(cat /srv/calls) - 1))
echo "$n" >/srv/calls
if ((n == 0)); then kill -KILL "$PPID"; exit 1; fi
/usr/bin/systemctl "$@"; code=$?
if ((n == 1)) && [[ -e /srv/late ]]; then echo 0 >/srv/calls; kill -KILL "$PPID"; fi
exit "$code"
"#;

#[test]
fn a_killed_run_is_finished_or_rolled_back_by_the_next_one() {
    let rig = applied();
    let (old, new) = ([18080, 18081, 18082, 18083, 18084, 18086], [18080, 18091, 18082, 18083, 18085, 18086]);
    rig.write("/usr/local/sbin/systemctl", KILLER, 0o755);
    let mut is_old = true;
    for call in 1.. {
        build(&rig, &if is_old { after() } else { BEFORE.to_owned() });
        rig.write("/srv/calls", &format!("{call}\n"), 0o644);
        let late = rig.root.join("srv/late");
        if call % 2 == 0 {
            fs::write(&late, "").unwrap();
        } else {
            let _ = fs::remove_file(&late);
        }
        let output = orchgen(&rig, "apply --yes");
        rig.write("/srv/calls", "1000000\n", 0o644);
        if output.status.success() {
            assert!(call > 8, "{call} calls");
            break;
        }
        assert_eq!(output.status.code(), Some(128 + 9), "it was killed: {}", text(&output.stderr));
        // Every third time the next run returns to the generation before.
        let output = orchgen(&rig, if call % 3 == 0 { "rollback --yes" } else { "apply --yes" });
        assert_eq!(output.status.code(), Some(0), "{call}: {}", text(&output.stderr));
        is_old = if call % 3 == 0 { is_old } else { !is_old };
        assert_serves(&rig, if is_old { &old } else { &new });
        assert_eq!(names(&rig, "/var/lib/orchgen/rig"), ["current", "generations", "lock"]);
        assert_eq!(
            plan_of(&rig, &if is_old { BEFORE.to_owned() } else { after() }),
            "no changes against `host`\n",
            "{call}"
        );
        rig.report(&format!("killed at command {call}, and repaired"));
    }
    fs::remove_file(rig.root.join("usr/local/sbin/systemctl")).unwrap();
}

/// The plan of the registry that should be installed.
#[track_caller]
fn plan_of(rig: &Rig, registry: &str) -> String {
    build(rig, registry);
    succeeds(rig, "plan --against host")
}

#[test]
fn two_runs_wait_for_each_other_and_a_full_disk_changes_nothing() {
    let rig = applied();
    build(&rig, &after());
    let both = "cd /srv; orchgen apply --yes & orchgen apply --yes; first=$?; wait $!; echo $first $?";
    let output = rig.run(&["sh", "-c", both]);
    assert_eq!(text(&output.stdout), "0 0\n", "{}", text(&output.stderr));
    let error = text(&output.stderr);
    assert!(error.contains("waiting for another `orchgen apply` of this stack"), "{error}");
    assert!(error.contains("the host is up to date"), "{error}");
    assert_serves(&rig, &[18080, 18091, 18082, 18083, 18085, 18086]);
    rig.report("one of two runs waited");

    // A small file system for the generations, which is full.
    let state = "/var/lib/orchgen/rig";
    let small = format!(
        "cp -a {state} /srv/state && mount -t tmpfs -o size=400k small {state} && cp -a /srv/state/. {state}/ && \
        dd if=/dev/zero of={state}/fill bs=1k status=none; true"
    );
    rig.output(&["sh", "-c", &small]);
    build(&rig, BEFORE);
    let output = orchgen(&rig, "apply --yes");
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("No space left on device"), "{error}");
    assert_serves(&rig, &[18080, 18091, 18082, 18083, 18085, 18086]);
    rig.output(&["rm", &format!("{state}/fill")]);
    rig.output(&["sh", "-c", &format!("mount -o remount,size=4m {state}")]);
    succeeds(&rig, "apply --yes");
    assert_serves(&rig, &[18080, 18081, 18082, 18083, 18084, 18086]);
    rig.report("a full disk changed nothing");
}

#[test]
fn a_gateway_whose_file_changed_restarts_and_drop_ins_stay() {
    let rig = Rig::boot();
    install_program(&rig);
    let registry = |context: u32| {
        format!(
            r#"stack "rig" engine="llama.cpp" {{ defaults {{ context {context}; prompt-cache "100 MB"; placement threads=1; gateway "front" }} }}
engine "llama.cpp" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="20 GB" systemd=262
gateway "front" port=18100
store "models" path="/srv/models" speed="2 GB/s"
model "target" file="target.gguf" arch="qwen2" size="737088 B"
role "chat" model="target"
"#
        )
    };
    build(&rig, &registry(512));
    succeeds(&rig, "apply --yes");
    let context = || {
        let answer = ask(18100, "/props?model=chat", "", "").unwrap().json();
        answer["default_generation_settings"]["n_ctx"].as_u64()
    };
    wait(20, "the model is loaded", || {
        ask(18100, "/props?model=chat", "", "").is_some_and(|answer| answer.status == 200)
    });
    assert_eq!(context(), Some(512));
    rig.write("/etc/systemd/system/rig-front.service.d/mine.conf", "[Service]\nEnvironment=MINE=1\n", 0o644);
    build(&rig, &registry(1024));
    let plan: Value =
        serde_json::from_str(&succeeds(&rig, "plan --against host --output-format json")).unwrap();
    let roles = plan["hosts"][0]["roles"].as_array().unwrap();
    let changes: Vec<(&Value, &Value)> = roles.iter().map(|role| (&role["name"], &role["change"])).collect();
    assert_eq!(changes, [(&json!("chat"), &json!("changed")), (&json!("front"), &json!("restarted"))]);
    assert!(roles[0]["down_seconds"].as_f64() > Some(0.0), "the role is down with its gateway");
    let output = orchgen(&rig, "apply --yes");
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(error.contains("/etc/systemd/system/rig-front.service.d/mine.conf,"), "{error}");
    wait(20, "the model is loaded", || {
        ask(18100, "/props?model=chat", "", "").is_some_and(|answer| answer.status == 200)
    });
    assert_eq!(context(), Some(1024));
    assert!(rig.proc("rig-front.service", "environ").contains("MINE=1"));
}
