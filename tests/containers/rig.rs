//! The files of containers with podman 5.4, a newer podman, systemd and docker-compose. They need root and the root folders of
//! `bash tests/podman create`.
//!
//! No test of this file starts a container: a machine whose cgroups have no controllers cannot limit one.
//! `served::containers` starts one without limits.

use super::facts::{Facts, of_script, of_service};
use super::scripts::words_of_scripts;
use super::{HOSTILE, PLAIN, facts_of_quadlet, files, stack};
use crate::outside::{self, systemd_dumps, systemd_verify};
use crate::support::{Compiled, repository};
use orchgen::plan::Word;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The Debian releases: their versions of podman are 5.4.2 and a newer one.
const SUITES: [&str; 2] = ["trixie", "sid"];

const QUADLET: &str = "/usr/libexec/podman/quadlet";

/// Makes the image and the secrets.
const PREPARE: &str = r#"
head -c 10240 /dev/zero >/tmp/image.tar
podman import -q --change 'ENTRYPOINT ["/app/llama-server"]' /tmp/image.tar localhost/image:1 >/dev/null
for name in code drafted; do printf key | podman secret create "big-stack-$name-api-key" - >/dev/null; done
"#;

/// Runs a script in a root. The folder is at `/mnt`.
fn inside(suite: &str, folder: &Path, script: &str) -> Output {
    let mut command = Command::new(repository().join("tests/podman"));
    command.args(["run", suite]).arg(folder).arg(script);
    outside::run(&mut command, "util-linux")
}

#[track_caller]
fn succeeds(suite: &str, folder: &Path, script: &str) -> String {
    let output = inside(suite, folder, script);
    assert!(output.status.success(), "{suite}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Texts with a NUL after each.
fn lines<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    let mut all = String::new();
    for text in texts {
        all.push_str(text);
        all.push('\0');
    }
    all
}

/// Writes the container units of a stack into `units` of a new folder.
fn units(compiled: &Compiled) -> tempfile::TempDir {
    let folder = outside::folder();
    for (name, text) in files(compiled, "quadlet") {
        outside::write(&folder.path().join("units").join(name), &text, 0o644);
    }
    folder
}

/// The `podman run` commands of the services that podman makes, as arguments of `podman create`.
fn commands(folder: &Path, suite: &str) -> BTreeMap<String, Vec<String>> {
    succeeds(
        suite,
        folder,
        &format!("mkdir /mnt/{suite}; QUADLET_UNIT_DIRS=/mnt/units {QUADLET} /mnt/{suite}"),
    );
    let made = folder.join(suite);
    let names = fs::read_dir(&made).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let services: Vec<String> = names.filter(|name| name.ends_with(".service")).collect();
    let dumps = systemd_dumps(&made, &services.iter().map(String::as_str).collect::<Vec<_>>());
    let create = |(name, dump): (String, outside::Dump)| {
        let argvs = dump.argvs().into_iter();
        let mut run = argvs.filter(|argv| argv.get(1).is_some_and(|word| word == "run"));
        let argv = run.next().unwrap_or_else(|| panic!("{name} runs nothing"));
        // `podman create` has all options of `podman run` except that for the background.
        let rest = argv.into_iter().skip(2).filter(|word| word != "-d").map(|word| word.replace("$$", "$"));
        (name.replace(".service", ""), rest.collect())
    };
    dumps.into_iter().map(create).collect()
}

/// Creates the containers, with the files of the host that they mount. Returns what podman has of each.
fn create(
    folder: &Path,
    suite: &str,
    all: &BTreeMap<String, Facts>,
    argvs: &BTreeMap<String, Vec<String>>,
) -> BTreeMap<String, Value> {
    let lists = |name: &str| folder.join(format!("{name}.{suite}"));
    let mounts = all.values().flat_map(|facts| facts.mounts.keys());
    fs::write(lists("mounts"), lines(mounts)).unwrap();
    for (name, argv) in argvs {
        fs::write(lists(name), lines(argv)).unwrap();
    }
    let names: Vec<&str> = argvs.keys().map(String::as_str).collect();
    let script = format!(
        "{PREPARE}\nmapfile -d '' -t mounts </mnt/mounts.{suite}\nmkdir -p \"${{mounts[@]}}\" /etc/keys\n\
         touch /etc/keys/{{code,drafted}}\n\
         for name in {names}; do\nmapfile -d '' -t argv <\"/mnt/$name.{suite}\"\n\
         podman create \"${{argv[@]}}\" >/dev/null\ndone\npodman inspect {names}",
        names = names.join(" ")
    );
    let inspected: Vec<Value> = serde_json::from_str(&succeeds(suite, folder, &script)).unwrap();
    names.into_iter().map(str::to_owned).zip(inspected).collect()
}

#[test]
fn both_versions_accept_all_units() {
    for texts in [&PLAIN, &HOSTILE] {
        let folder = units(&stack(texts, ""));
        for suite in SUITES {
            let made =
                succeeds(suite, folder.path(), &format!("QUADLET_UNIT_DIRS=/mnt/units {QUADLET} -dryrun"));
            assert_eq!(made.matches("---big-stack-").count(), 7, "{made}");
        }
    }
}

/// The units of a user have other settings.
#[test]
fn both_versions_accept_units_of_a_user() {
    let registry = "stack \"s\" scope=\"user\"\n\
        engine \"e\" profile=\"llama.cpp-b11669\" image=\"localhost/image:1\"\n\
        host \"h\" memory=\"64 GB\" cpus=\"0-3\" { gpu \"Vulkan0\" memory=\"8 GB\" title=\"AMD\" }\n\
        model \"m\" file=\"/srv/models/m.gguf\"\n\
        role \"a\" model=\"m\" port=8080 context=4096 { placement gpu=\"Vulkan0\" cpus=\"0-1\" }\n";
    let folder = units(&crate::support::compile(&[("a.kdl", registry)]));
    for suite in SUITES {
        let made =
            succeeds(suite, folder.path(), &format!("QUADLET_UNIT_DIRS=/mnt/units {QUADLET} -user -dryrun"));
        assert!(made.contains("--group-add keep-groups") && made.contains("Slice=s-hot.slice"), "{made}");
    }
}

/// The checkers refuse bad units: first quadlet, then `podman create`.
#[test]
fn bad_units_are_refused() {
    let refused = |suite: &str, stage: &str| match (stage, suite) {
        ("quadlet", "trixie") => vec!["badkey", "badmem", "missingvol", "noimage"],
        ("quadlet", _) => vec!["badkey", "missingvol", "noimage"],
        _ => vec!["badmem", "badnotify", "badport"],
    };
    let folder = outside::folder();
    let units = repository().join("tests/containers/refused");
    for suite in SUITES {
        for entry in fs::read_dir(&units).unwrap().map(|entry| entry.unwrap()) {
            let name = entry.file_name().into_string().unwrap().replace(".container", "");
            let path = folder.path().join(&name).join(entry.file_name());
            outside::write(&path, &fs::read_to_string(entry.path()).unwrap(), 0o644);
            let quadlet = format!("QUADLET_UNIT_DIRS=/mnt/{name} {QUADLET} -dryrun");
            let is_refused = !inside(suite, folder.path(), &quadlet).status.success();
            assert_eq!(is_refused, refused(suite, "quadlet").contains(&&*name), "{suite}: {name}");
        }
    }
    let made = folder.path().join("made");
    fs::create_dir(&made).unwrap();
    for name in refused("sid", "podman") {
        let script =
            format!("mkdir /mnt/made/{name}; QUADLET_UNIT_DIRS=/mnt/{name} {QUADLET} /mnt/made/{name}");
        succeeds("sid", folder.path(), &script);
        let service = format!("{name}.service");
        let dump = systemd_dumps(&made.join(name), &[&service]).remove(&service).unwrap();
        let argvs = dump.argvs();
        let argv = argvs.iter().find(|argv| argv.get(1).is_some_and(|word| word == "run")).unwrap();
        let words = argv.iter().skip(2).filter(|word| *word != "-d");
        fs::write(folder.path().join("argv"), lines(words)).unwrap();
        let create = format!(
            "{PREPARE}\nmapfile -d '' -t argv </mnt/argv\nset +e\npodman create \"${{argv[@]}}\"\nprintf '%s' $?"
        );
        let code = succeeds("sid", folder.path(), &create);
        let is_sdnotify = name == "badnotify";
        // An unknown word of `Notify=` is like `no`.
        assert_eq!(code.ends_with("125"), !is_sdnotify, "{name}: {code}");
    }
}

/// systemd verifies the services that podman makes, together with the units of the stack.
#[test]
fn systemd_accepts_the_services() {
    let compiled = stack(&HOSTILE, "");
    let folder = units(&compiled);
    for suite in SUITES {
        // `podman` is not on this machine.
        let script = format!(
            "mkdir /mnt/{suite}; PODMAN=/bin/true QUADLET_UNIT_DIRS=/mnt/units {QUADLET} /mnt/{suite}"
        );
        succeeds(suite, folder.path(), &script);
        let made = folder.path().join(suite);
        for (name, text) in files(&compiled, "systemd").iter().filter(|(name, _)| !name.ends_with(".service"))
        {
            outside::write(&made.join(name), text, 0o644);
        }
        let wants = made.join("big-stack-always.target.wants");
        assert!(wants.join("big-stack-code.service").is_symlink());
        let names: Vec<String> = fs::read_dir(&wants)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names.len(), 7);
        let units: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(systemd_verify(&made, "--system", &units), "");
    }
}

/// podman has of each container what the plan has, byte for byte.
#[test]
fn podman_creates_the_containers_of_the_plan() {
    for texts in [&PLAIN, &HOSTILE] {
        let compiled = stack(texts, "");
        let (folder, all) = (units(&compiled), facts_of_quadlet(&compiled));
        let plan = orchgen::plan::plan(compiled.checked().clone());
        for suite in SUITES {
            let inspected = create(folder.path(), suite, &all, &commands(folder.path(), suite));
            assert_eq!(inspected.len(), 7);
            for (name, found) in &inspected {
                assert_eq!(found["Name"], **name);
                assert_container(&all[name], found);
            }
            for (name, role, process) in crate::systemd::processes(&plan) {
                let Some(found) = inspected.get(&name.replace(".service", "")) else {
                    assert!(role.container.is_none(), "{name}");
                    continue;
                };
                let is_key = |word: &Word| matches!(word, Word::KeyFile(_));
                let words = process.args.iter();
                let words = words.map(|word| if is_key(word) { "/run/secrets/api-key" } else { word.text() });
                assert_eq!(texts_of(&found["Args"]), words.collect::<Vec<_>>(), "{suite}: {name}");
            }
            let odd = &inspected["big-stack-odd"];
            let path = format!("{}/{}.gguf", texts.folder, texts.file);
            assert_eq!(odd["Args"][1], *path);
            assert!(texts_of(&odd["Config"]["Env"]).contains(&format!("ODD={}", texts.word)), "{odd}");
        }
    }
}

/// The options of scripts have the same results as the units.
#[test]
fn podman_creates_the_containers_of_scripts() {
    for texts in [&PLAIN, &HOSTILE] {
        let compiled = stack(texts, "");
        let (folder, all) = (outside::folder(), words_of_scripts(&compiled));
        let facts: BTreeMap<String, Facts> = all.iter().map(|words| of_script(words)).collect();
        assert_eq!(facts.len(), 7);
        let argvs = all.iter().map(|words| (of_script(words).0, words[2..].to_vec())).collect();
        for suite in SUITES {
            for (name, found) in &create(folder.path(), suite, &facts, &argvs) {
                assert_eq!(found["Name"], **name);
                assert_eq!(found["HostConfig"]["AutoRemove"], true);
                assert_container(&facts[name], found);
            }
        }
    }
}

/// Compares what podman has with the file.
#[track_caller]
fn assert_container(facts: &Facts, found: &Value) {
    let (host, config) = (&found["HostConfig"], &found["Config"]);
    assert_eq!(found["Path"], "/app/llama-server");
    assert_eq!(texts_of(&found["Args"]), facts.args);
    for (name, value) in &facts.env {
        assert!(texts_of(&config["Env"]).contains(&format!("{name}={value}")), "{name}: {config}");
    }
    let mounts = found["Mounts"].as_array().unwrap().iter();
    // Scripts mount the key file.
    let (keys, mounts): (Vec<&Value>, Vec<&Value>) =
        mounts.partition(|mount| mount["Destination"] == "/run/secrets/api-key");
    let mounts = mounts.into_iter().map(|mount| {
        assert_eq!(mount["Source"], mount["Destination"]);
        (mount["Source"].as_str().unwrap().to_owned(), !mount["RW"].as_bool().unwrap())
    });
    assert_eq!(mounts.collect::<BTreeMap<_, _>>(), facts.mounts);
    let ports = host["PortBindings"].as_object().unwrap().iter().flat_map(|(inside, bound)| {
        let inside = inside.replace("/tcp", "");
        let text = move |one: &Value| {
            format!("{}:{}:{inside}", one["HostIp"].as_str().unwrap(), one["HostPort"].as_str().unwrap())
        };
        bound.as_array().unwrap().iter().map(text)
    });
    assert_eq!(ports.collect::<BTreeSet<_>>(), facts.ports.iter().cloned().collect());
    let memory =
        facts.memory.as_ref().map_or(0, |size| size.trim_end_matches('g').parse::<u64>().unwrap() << 30);
    assert_eq!(host["Memory"], memory);
    assert_eq!(host["CpusetCpus"], *facts.cpus.as_deref().unwrap_or_default());
    assert_eq!((&host["ReadonlyRootfs"], &found["EffectiveCaps"]), (&true.into(), &Value::Null));
    assert_eq!(texts_of(&host["SecurityOpt"]), ["no-new-privileges"]);
    assert!(host["Tmpfs"].as_object().unwrap().contains_key("/tmp"), "{host}");
    let limits = host["Ulimits"].as_array().unwrap().iter().map(|limit| {
        let name = limit["Name"].as_str().unwrap().trim_start_matches("RLIMIT_").to_lowercase();
        format!("{name}={}", limit["Soft"])
    });
    let limits: Vec<String> = limits.collect();
    assert!(facts.ulimits.iter().all(|limit| limits.contains(limit)), "{limits:?} {:?}", facts.ulimits);
    let test = texts_of(&config["Healthcheck"]["Test"]);
    if facts.health.is_empty() {
        assert_eq!(test, ["NONE"]);
        assert!(keys.iter().all(|key| key["RW"] == false), "{keys:?}");
    } else {
        assert_eq!(test[1..], facts.health[..4]);
        assert_eq!((&config["sdNotifyMode"], keys.len()), (&"healthy".into(), 0));
    }
    let secrets = config["Secrets"].as_array().map_or(0, Vec::len) + keys.len();
    assert_eq!(secrets, usize::from(facts.secret.is_some()));
    // Names of CDI are resolved at the start.
    let command = texts_of(&config["CreateCommand"]);
    let options: Vec<&String> = command.iter().take_while(|word| **word != facts.image).collect();
    let pairs = options.windows(2).filter(|pair| pair[0] == "--device").map(|pair| pair[1].clone());
    let words = options.iter().filter_map(|word| word.strip_prefix("--device=").map(str::to_owned));
    assert_eq!(pairs.chain(words).collect::<Vec<_>>(), facts.devices);
}

fn texts_of(list: &Value) -> Vec<String> {
    let texts = list.as_array().unwrap_or_else(|| panic!("{list}")).iter();
    texts.map(|text| text.as_str().unwrap_or_else(|| panic!("{list}")).to_owned()).collect()
}

/// docker-compose reads the file without a warning, and has of each service what the units have.
#[test]
fn docker_compose_has_the_same_containers() {
    for texts in [&PLAIN, &HOSTILE] {
        let compiled = stack(texts, "");
        let folder = outside::folder();
        outside::write(
            &folder.path().join("compose.yaml"),
            &files(&compiled, "compose")["compose.yaml"],
            0o644,
        );
        let output = inside("sid", folder.path(), "docker-compose -f /mnt/compose.yaml config -q");
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && messages.is_empty(), "{messages}");
        let config =
            succeeds("sid", folder.path(), "docker-compose -f /mnt/compose.yaml config --format json");
        let config: Value = serde_json::from_str(&config).unwrap();
        let expected = facts_of_quadlet(&compiled);
        let services = config["services"].as_object().unwrap();
        assert_eq!(services.len(), expected.len());
        for (name, service) in services {
            let mut facts = of_service(service);
            // docker-compose prints sizes in bytes, and times in its own form.
            facts.memory = facts.memory.map(|bytes| format!("{}g", bytes.parse::<u64>().unwrap() >> 30));
            let own = &expected[&format!("big-stack-{name}")];
            facts.health.truncate(4);
            let own = Facts { health: own.health[..4].to_vec(), ..own.clone() };
            assert_eq!(facts, own, "{name}");
        }
        assert_eq!(config["secrets"]["big-stack-code-api-key"]["file"], "/etc/keys/code");
    }
}
