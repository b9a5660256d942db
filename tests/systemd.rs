//! Generated units, verified with systemd.

use crate::support::assert_snapshot;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use orchgen::plan::{Plan, Process, Role, Start, Word, plan};
use tempfile::TempDir;

use crate::outside::{self, Dump, systemd_dumps, systemd_verify};
use crate::support::{Compiled, compile};

mod gate;
mod gateways;
mod gpus;
mod llama_swap;
mod paths;

const STACK: &str = include_str!("systemd/stack.kdl");
/// Messages of systemd 252 about values that only newer versions support.
const MESSAGES_ABOUT_NEWER_VALUES: &[&str] =
    &["Failed to parse boolean value, ignoring: disconnected", "ignoring: strict"];

/// Generated units in a temporary folder, and the registry that they come from.
struct Units {
    compiled: Compiled,
    /// Texts by path below `systemd/`. With several hosts, the path starts with the host.
    texts: BTreeMap<String, String>,
    dir: TempDir,
}

impl Units {
    fn plan(&self) -> Plan {
        plan(self.compiled.checked().clone())
    }

    fn folder(&self) -> std::path::PathBuf {
        self.dir.path().join("systemd")
    }

    fn names(&self) -> Vec<&str> {
        self.texts.keys().map(String::as_str).collect()
    }

    fn services(&self) -> Vec<&str> {
        self.names().into_iter().filter(|name| is_service(name)).collect()
    }

    #[track_caller]
    fn text(&self, name: &str) -> &str {
        self.texts.get(name).unwrap_or_else(|| panic!("no {name} in {:#?}", self.names()))
    }

    fn dumps(&self) -> BTreeMap<String, Dump> {
        systemd_dumps(&self.folder(), &self.services())
    }
}

fn is_service(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|kind| kind == "service")
}

/// Compiles the registry with this systemd version, user and additional text, and writes the units. `llama-server` is a
/// stub.
fn units(version: u32, user: &str, more: &str) -> Units {
    units_of(STACK, version, user, more)
}

fn units_of(stack: &str, version: u32, user: &str, more: &str) -> Units {
    let dir = outside::folder();
    let bin = dir.path().join("the bin");
    outside::write(&bin.join("llama-server"), "#!/bin/sh\n", 0o755);
    let text = stack
        .replace("BIN", bin.to_str().unwrap())
        .replace("MODELS", "/srv/models")
        .replace("VERSION", &version.to_string())
        .replace("USER", user);
    let compiled = compile(&[("stack.kdl", &text), ("more.kdl", more)]);
    compiled.write(dir.path());
    let files = compiled.files();
    let texts = files
        .into_iter()
        .filter_map(|(path, (text, _))| Some((path.strip_prefix("systemd/")?.to_owned(), text)))
        .collect();
    Units { compiled, texts, dir }
}

fn default_units() -> Units {
    units(252, "", "")
}

/// All processes, each with its unit and its role.
pub(crate) fn processes(plan: &Plan) -> Vec<(String, &Role, &Process)> {
    let mut found = Vec::new();
    for role in &plan.roles {
        for process in &role.processes {
            let instance = process.instance.map(|n| format!("-{n}")).unwrap_or_default();
            let suffix = if role.start == Start::OnDemand { "-backend" } else { "" };
            found.push((format!("{}-{}{instance}{suffix}.service", plan.stack, role.name), role, process));
        }
    }
    found
}

/// The argv of a process as the dump of systemd has it: systemd expands `$$` to `$` only when it starts the program.
fn expected_argv(unit: &str, role: &Role, process: &Process) -> Vec<String> {
    let words = process.args.iter().map(|word| match (word, word.text()) {
        (Word::KeyFile(_), _) => format!("/run/credentials/{unit}/api-key"),
        (Word::Prompt | Word::Image, _) => unreachable!(),
        (_, text) => text.replace('$', "$$"),
    });
    std::iter::once(role.program.to_string()).chain(words).collect()
}

/// The value of a setting that must exist exactly once.
#[track_caller]
fn setting<'t>(text: &'t str, name: &str) -> &'t str {
    let found = settings(text, name);
    assert_eq!(found.len(), 1, "{name} in\n{text}");
    found[0]
}

fn settings<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let start = format!("{name}=");
    text.lines().filter_map(|line| line.strip_prefix(&start)).collect()
}

/// Asserts that `systemd-analyze verify` prints nothing about the units.
#[track_caller]
fn assert_no_messages(units: &Units, mode: &str) {
    let messages = systemd_verify(&units.folder(), mode, &units.names());
    assert!(messages.is_empty(), "{messages}");
}

/// Asserts that the exposure of each service that `systemd-analyze security` computes is at most the threshold of the service,
/// in tenths. Services without a threshold have no sandbox.
#[track_caller]
fn assert_exposure(units: &Units, threshold: impl Fn(&str) -> Option<u32>) {
    for name in units.services() {
        let Some(threshold) = threshold(name) else { continue };
        let output = Command::new("systemd-analyze")
            .args(["security", "--no-pager", "--offline=yes", &format!("--threshold={threshold}")])
            .arg(units.folder().join(name))
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{name}: {}", stdout.lines().last().unwrap_or_default());
    }
}

#[test]
fn the_names_of_the_units_match_the_snapshot() {
    let units = default_units();
    let names = units.names().join("\n");
    assert_snapshot!("systemd", "names", names);
}

#[test]
fn placement_uses_settings_of_systemd_and_no_wrapper() {
    let units = default_units();
    let at = |name: &str| {
        let text = units.text(&format!("big-stack-{name}.service"));
        let one = |key| settings(text, key).join("|");
        (one("NUMAPolicy"), one("NUMAMask"), one("CPUAffinity"))
    };
    let place = |policy: &str, mask: &str, cpus: &str| (policy.to_owned(), mask.to_owned(), cpus.to_owned());
    assert_eq!(at("coder"), place("", "", ""));
    assert_eq!(at("worker"), place("interleave", "all", ""));
    assert_eq!(at("strict-numa"), place("interleave", "0,1", ""));
    assert_eq!(at("embedder-0"), place("bind", "0", "0-7,16-23"));
    assert_eq!(at("embedder-1"), place("bind", "1", "numa"));
    assert_eq!(at("odd"), place("", "", "2-3"));
    assert_eq!(at("thinker-backend"), place("bind", "0", "0-7,16-23"));
    for (unit, role, _) in processes(&units.plan()) {
        let start = setting(units.text(&unit), "ExecStart");
        assert!(start.trim_matches('"').starts_with(&*role.program), "{start}");
    }
    // A server that pins its own threads needs these system calls.
    let filter = |name: &str| settings(units.text(name), "SystemCallFilter").join(" ");
    assert!(filter("big-stack-strict.service").contains("@resources"));
    assert!(!filter("big-stack-strict-numa.service").contains("@resources"));
}

#[test]
fn slices_limit_memory_to_the_budget_and_protect_resident_memory() {
    let units = default_units();
    let resident = units.plan().hosts[0].groups[0].load.unwrap().0.to_string();
    let always = units.text("big_stack-always_on.slice");
    // The registry states the budget, but not the prompt caches that the engine may add.
    let limit = |group: usize, budget: u64| {
        let growth = units.plan().hosts[0].groups[group].growth.0;
        assert!(growth > 0 && growth.is_multiple_of(8192 << 20), "{growth}");
        (budget + growth).to_string()
    };
    assert_eq!(setting(always, "MemoryMax"), limit(0, 40_000_000_000));
    assert_eq!((setting(always, "MemoryLow"), setting(always, "MemorySwapMax")), (&*resident, "0"));
    let warm = units.text("big_stack-warm.slice");
    assert_eq!(
        (setting(warm, "MemoryMax"), settings(warm, "MemoryLow").len()),
        (&*limit(1, 640_000_000_000), 0)
    );
    let whole = units.text("big_stack.slice");
    assert_eq!((setting(whole, "MemoryLow"), settings(whole, "MemoryMax").len()), (&*resident, 0));
    for name in units.services() {
        assert!(setting(units.text(name), "Slice").starts_with("big_stack-"), "{name}");
        assert!(settings(units.text(name), "MemoryMax").is_empty(), "{name}");
    }
}

#[test]
fn the_target_starts_and_stops_all_units() {
    let units = default_units();
    let whole = settings(units.text("big-stack.target"), "Wants");
    for (unit, role, _) in processes(&units.plan()) {
        let (unit, group) = match role.start {
            Start::Boot => (unit, "big-stack-always-on.target"),
            Start::OnDemand => (unit.replace("-backend.service", ".socket"), "big-stack-warm.target"),
        };
        assert!(whole.contains(&&*unit) && whole.contains(&group), "{unit}");
        assert!(settings(units.text(group), "Wants").contains(&&*unit), "{unit}");
    }
    for (name, text) in units.texts.iter().filter(|(name, _)| !name.starts_with("big_stack")) {
        let above = settings(text, "PartOf");
        match &**name {
            "big-stack.target" => assert!(above.is_empty()),
            "big-stack-warm.target" | "big-stack-always-on.target" => assert_eq!(above, ["big-stack.target"]),
            _ => assert!(above.len() == 1 && above[0].ends_with(".target"), "{name}"),
        }
        assert_eq!(text.contains("WantedBy="), name == "big-stack.target", "{name}");
    }
}

#[test]
fn the_health_check_uses_an_address_that_the_host_can_reach() {
    let units = default_units();
    for (name, place) in [
        ("coder", "127.0.0.1 8080"),
        ("lan", "127.0.0.1 8086"),
        ("wan", "192.0.2.7 8087"),
        ("thinker-backend", "127.0.0.1 18100"),
    ] {
        let text = units.text(&format!("big-stack-{name}.service"));
        assert_eq!(text.matches(&format!("' {place}\n")).count(), 2, "{text}");
    }
    let socket = units.text("big-stack-thinker.socket");
    assert_eq!(settings(socket, "ListenStream"), ["192.0.2.7:8100", "[::1]:8100"]);
}

/// `TimeoutStartSec=` of a role of a small stack with two stores.
fn start_timeout(roles: &str, role: &str) -> String {
    let text = format!(
        r#"
stack "s" engine="e" {{ defaults {{ tier "t"; context 512 }} }}
engine "e" profile="llama.cpp-b11669" bin="/e"
host "h" memory="64 GB" smt=2 {{ numa 0 cpus="0-7" memory="32 GB"; numa 1 cpus="8-15" memory="32 GB" }}
store "fast" path="/fast" speed="1 GB/s"
store "slow" path="/slow"
tier "t" title="T"
residency "boot" title="boot" start="boot"
residency "later" title="later" start="on-demand"
family "f" arch="qwen3"
model "five" family="f" title="Five" quant="Q8_0" size="5 GB" store="fast" file="five.gguf"
model "seven" family="f" title="Seven" quant="Q8_0" size="7 GB" store="fast" file="seven.gguf"
model "other" family="f" title="Other" quant="Q8_0" size="3 GB" store="slow" file="other.gguf"
{roles}
"#
    );
    let files = compile(&[("stack.kdl", &text)]).files();
    let unit = [format!("systemd/s-{role}.service"), format!("systemd/s-{role}-backend.service")];
    let unit = unit.into_iter().rev().find_map(|path| files.get(&path)).unwrap();
    setting(&unit.0, "TimeoutStartSec").to_owned()
}

#[test]
fn the_start_timeout_follows_from_file_sizes_and_disk_speed() {
    let one = "role \"a\" model=\"five\" residency=\"boot\" port=9000\n";
    assert_eq!(start_timeout(one, "a"), "65s");
    assert_eq!(start_timeout(&one.replace("five", "other"), "a"), "infinity");
    // A second role reads the same file, and the pages of it are shared.
    let same = one.to_owned() + "role \"b\" model=\"five\" residency=\"boot\" port=9001\n";
    assert_eq!(start_timeout(&same, "b"), "65s");
}

#[test]
fn roles_that_start_at_boot_share_the_speed_of_a_store() {
    let two = "role \"a\" model=\"five\" residency=\"boot\" port=9000\nrole \"b\" model=\"seven\" residency=\"boot\" port=9001\n";
    assert_eq!((start_timeout(two, "a"), start_timeout(two, "b")), ("72s".into(), "72s".into()));
    let later = two.replacen("boot", "later", 1);
    assert_eq!((start_timeout(&later, "a"), start_timeout(&later, "b")), ("72s".into(), "67s".into()));
    let other = two.to_owned() + "role \"c\" model=\"other\" residency=\"boot\" port=9002\n";
    assert_eq!((start_timeout(&other, "a"), start_timeout(&other, "c")), ("72s".into(), "infinity".into()));
}

#[test]
fn a_file_that_is_mapped_on_several_nodes_has_no_start_timeout() {
    let role = |rest: &str| format!("role \"a\" model=\"five\" residency=\"boot\" port=9000 {{ {rest} }}\n");
    assert_eq!(start_timeout(&role("placement numa=\"interleave\" threads=8"), "a"), "infinity");
    assert_eq!(start_timeout(&role("placement numa=\"bind 0\" threads=8"), "a"), "65s");
    assert_eq!(start_timeout(&role("placement numa=\"distribute\" threads=8"), "a"), "infinity");
    // Without a mapped file the engine reads in sequence.
    let unmapped = "option \"load-mode\" value=\"none\"; placement numa=\"interleave\" threads=8";
    assert_eq!(start_timeout(&role(unmapped), "a"), "65s");
    // The random reads of one role slow down the others.
    let both = role("placement numa=\"interleave\" threads=8")
        + "role \"b\" model=\"seven\" residency=\"boot\" port=9001\n";
    assert_eq!(start_timeout(&both, "b"), "infinity");
}

#[test]
fn a_port_below_1024_gets_the_capability_to_bind_it() {
    let unit = |hardening: &str, port: &str| {
        let text = format!(
            "stack \"s\" engine=\"e\" hardening=\"{hardening}\" {{ defaults {{ context 512 }} }}\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/e\"\nhost \"h\" memory=\"64 GB\" cpus=\"0-7\" smt=1\nstore \"m\" path=\"/m\"\ntier \"t\" title=\"T\"\nresidency \"boot\" title=\"boot\" start=\"boot\"\nfamily \"f\" arch=\"qwen3\"\nmodel \"a\" family=\"f\" title=\"A\" quant=\"Q8_0\" size=\"5 GB\" file=\"a.gguf\"\nrole \"r\" model=\"a\" port={port} residency=\"boot\" tier=\"t\"\n"
        );
        compile(&[("stack.kdl", &text)]).files()["systemd/s-r.service"].0.clone()
    };
    let capability = ["CAP_NET_BIND_SERVICE"];
    for hardening in ["default", "strict", "gpu", "off"] {
        let low = unit(hardening, "80");
        assert_eq!(settings(&low, "AmbientCapabilities"), capability, "{hardening}");
        assert!(settings(&low, "PrivateUsers").is_empty(), "{hardening}: {low}");
        if hardening != "off" {
            assert_eq!(settings(&low, "CapabilityBoundingSet"), capability);
            assert_eq!(settings(&low, "SocketBindAllow"), ["tcp:80"]);
        }
        assert!(!unit(hardening, "1024").contains("CAP_NET_BIND_SERVICE"));
    }
    assert_eq!(settings(&unit("strict", "1024"), "PrivateUsers"), ["yes"]);
}

#[test]
fn keys_are_passed_as_credentials_only() {
    let units = default_units();
    let lan = units.text("big-stack-lan.service");
    assert_eq!(setting(lan, "LoadCredential"), "api-key:/etc/keys/a b%%n");
    assert!(lan.contains("    --api-key-file %d/api-key"));
    assert_eq!(lan.matches("/etc/keys").count(), 1);
    assert!(
        settings(units.text("big-stack-thinker.service"), "LoadCredential").is_empty(),
        "the socket proxy needs no key"
    );
}

#[test]
fn variables_that_set_options_are_unset_except_those_of_the_role() {
    let units = default_units();
    let unset = |name: &str| setting(units.text(name), "UnsetEnvironment").split(' ').collect::<Vec<_>>();
    let coder = unset("big-stack-coder.service");
    assert!(coder.contains(&"LLAMA_ARG_CTX_SIZE") && coder.contains(&"LLAMA_ARG_THREADS_HTTP"));
    let odd = unset("big-stack-odd.service");
    assert!(odd.contains(&"LLAMA_ARG_CTX_SIZE") && !odd.contains(&"LLAMA_ARG_THREADS_HTTP"));
    assert_eq!(odd.len() + 1, coder.len());
}

#[test]
fn each_of_several_hosts_has_a_folder() {
    let more = "host \"other\" memory=\"64 GB\" systemd=262\nrole \"far\" tier=\"A\" residency=\"warm\" host=\"other\" model=\"small\" port=8080\n";
    let dir = outside::folder();
    let text = STACK
        .replace("BIN", "/usr/bin")
        .replace("MODELS", "/srv/models")
        .replace("VERSION", "252")
        .replace("USER", "")
        .replace("defaults {", "defaults { host \"box\";");
    let compiled = compile(&[("stack.kdl", &text), ("more.kdl", more)]);
    compiled.write(dir.path());
    let files = compiled.files();
    let other: Vec<_> = files.keys().filter_map(|path| path.strip_prefix("systemd/other/")).collect();
    assert_eq!(
        other,
        [
            "big-stack-far-backend.service",
            "big-stack-far.service",
            "big-stack-far.socket",
            "big-stack-warm.target",
            "big-stack.target",
            "big_stack-warm.slice",
            "big_stack.slice"
        ]
    );
    assert!(files.contains_key("systemd/box/big-stack-coder.service"));
    assert!(!files["systemd/box/big-stack.target"].0.contains("far"));
    let others: Vec<&String> = files.keys().filter(|path| path.matches('/').count() != 2).collect();
    assert_eq!(others, ["deploy.json"]);
}

#[test]
fn units_match_the_snapshots() {
    let units = default_units();
    let home = units.dir.path().to_str().unwrap();
    for name in [
        "big-stack.target",
        "big_stack-always_on.slice",
        "big-stack-coder.service",
        "big-stack-thinker.socket",
        "big-stack-thinker.service",
        "big-stack-thinker-backend.service",
    ] {
        assert_snapshot!("systemd", name, units.text(name).replace(home, "/opt"));
    }
}

/// Units of a user, from the registry of all kinds of processes without the settings that need root.
fn units_of_a_user(version: u32) -> Units {
    let stack = STACK.replace("stack \"big-stack\"", "stack \"big-stack\" scope=\"user\"");
    units_of(&stack.replace("lock=#true", ""), version, "", "")
}

#[test]
fn units_of_a_user_have_only_settings_that_need_no_root() {
    let units = units_of_a_user(262);
    let of_root = "User Group DynamicUser SupplementaryGroups CapabilityBoundingSet AmbientCapabilities IPAddressDeny IPAddressAllow SocketBindDeny SocketBindAllow DevicePolicy DeviceAllow ProtectProc ProcSubset RemoveIPC LimitMEMLOCK MemoryLow StateDirectory CacheDirectory LogsDirectory RuntimeDirectory";
    for name in units.names() {
        let text = units.text(name);
        for setting in of_root.split(' ') {
            assert!(settings(text, setting).is_empty(), "{name}: {setting}");
        }
        assert!(!text.contains("systemctl ") || text.contains("systemctl --user "), "{name}");
        assert!(!text.contains("network-online.target") && !text.contains("multi-user.target"), "{name}");
    }
    assert_eq!(setting(units.text("big-stack.target"), "WantedBy"), "default.target");
    for name in units.services().into_iter().filter(|name| !name.contains("-bare")) {
        assert_eq!(setting(units.text(name), "PrivateUsers"), "yes", "{name}");
        assert_eq!(setting(units.text(name), "ProtectHome"), "tmpfs", "{name}");
    }
    let on_the_network = units.text("big-stack-wan.service");
    assert_eq!(setting(on_the_network, "RestartSec"), "10");
    assert!(settings(on_the_network, "RestartPreventExitStatus").is_empty());
    assert_eq!(setting(units.text("big-stack-coder.service"), "RestartPreventExitStatus"), "1");
}

mod tools {
    use super::*;

    #[test]
    fn systemd_accepts_the_units_of_a_user_without_messages() {
        let units = units_of_a_user(252);
        assert_no_messages(&units, "--user");
    }

    #[test]
    fn systemd_accepts_all_units_without_messages() {
        for user in ["", "user=\"daemon\"", "user=\"daemon\" group=\"daemon\"", "group=\"daemon\""] {
            let units = units(252, user, "");
            assert_no_messages(&units, "--system");
        }
    }

    #[test]
    fn systemd_accepts_the_units_of_the_rig() {
        let dir = outside::folder();
        let bin = dir.path().join("bin");
        outside::write(&bin.join("llama-server"), "#!/bin/sh\n", 0o755);
        let text =
            include_str!("served/stack.kdl").replace("/usr/bin", bin.to_str().unwrap()).replace("262", "252");
        let compiled = compile(&[("rig.kdl", &text)]);
        compiled.write(dir.path());
        let files = compiled.files();
        let names: Vec<&str> = files.keys().filter_map(|path| path.strip_prefix("systemd/")).collect();
        let messages = systemd_verify(&dir.path().join("systemd"), "--system", &names);
        assert!(messages.is_empty(), "{messages}");
    }

    #[test]
    fn settings_that_systemd_252_does_not_support_are_written_only_for_newer_versions() {
        let units = units(262, "", "");
        let messages = systemd_verify(&units.folder(), "--system", &units.names());
        let unknown: Vec<_> = messages
            .lines()
            .filter(|line| !MESSAGES_ABOUT_NEWER_VALUES.iter().any(|known| line.contains(known)))
            .collect();
        assert!(unknown.is_empty(), "{unknown:#?}");
        let strict = units.text("big-stack-strict.service");
        assert_eq!(setting(strict, "PrivateTmp"), "disconnected");
        assert_eq!(setting(strict, "ProtectControlGroups"), "strict");
        assert_eq!(setting(default_units().text("big-stack-strict.service"), "PrivateTmp"), "yes");
    }

    #[test]
    fn every_service_runs_the_argv_of_the_plan() {
        let units = default_units();
        let (plan, dumps) = (units.plan(), units.dumps());
        let processes = processes(&plan);
        assert_eq!(processes.len(), 17);
        for (unit, role, process) in &processes {
            let argvs = dumps[unit].argvs();
            let expected_argv = expected_argv(unit, role, process);
            assert!(argvs.contains(&expected_argv), "{unit}: {expected_argv:#?} is not among {argvs:#?}");
            assert_eq!(
                argvs.len(),
                3,
                "a pre-start check, the server, and the wait until it is ready: {argvs:#?}"
            );
        }
    }

    #[test]
    fn systemd_parses_a_hostile_path_and_variable_unchanged() {
        let units = default_units();
        let dump = units.dumps().remove("big-stack-odd.service").unwrap();
        let folder = "/srv/models/it's odd $1 $$ `id` %n;é,c:d\\e";
        assert!(
            dump.raw.contains(&format!("\t\tBindReadOnlyPaths: {folder}:{folder}:rbind\n")),
            "{}",
            dump.raw
        );
        assert!(
            dump.raw.contains(&format!("\t\tRequiresMountsFor: {folder} (origin-file)\n")),
            "{}",
            dump.raw
        );
        let file = format!("{folder}/a \"b\" 'c' ;\nd.gguf").replace('$', "$$");
        assert!(dump.argvs().iter().any(|argv| argv.get(2) == Some(&file)), "{:#?}", dump.argvs());
        assert!(dump.has_environment("GGML_X", "a $b 100% \"q\""), "{}", dump.raw);
        assert_eq!(dump.all("Description"), ["odd: Odd %n $(id) \\"]);
    }

    #[test]
    fn systemd_analyze_security_is_below_the_threshold_of_each_hardening_profile() {
        for user in ["", "user=\"daemon\""] {
            assert_exposure(&units(252, user, ""), |name| match name {
                "big-stack-bare.service" => None,
                "big-stack-gpu.service" => Some(20),
                "big-stack-lan.service" | "big-stack-wan.service" | "big-stack-thinker.service" => Some(16),
                _ => Some(15),
            });
        }
    }
}
