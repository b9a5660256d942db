//! The units of gateways and their preset files, and the gate that waits for the models of a router.

use super::{Units, processes, setting, settings, units_of};
use crate::support::{assert_snapshot, compile};

mod gate;

const STACK: &str = include_str!("gateways.kdl");

fn units() -> Units {
    units_of(STACK, 252, "", "")
}

/// Units of a user, who cannot listen on a low port.
fn units_of_a_user() -> Units {
    let text = STACK.replace("stack \"big-stack\"", "stack \"big-stack\" scope=\"user\"");
    units_of(&text.replace("port=80 ", "port=8004 "), 252, "", "")
}

fn unit<'u>(units: &'u Units, gateway: &str) -> &'u str {
    units.text(&format!("big-stack-{gateway}.service"))
}

/// The preset file of a gateway.
fn preset(units: &Units, gateway: &str) -> String {
    units.compiled.files().remove(&format!("router/{gateway}.ini")).unwrap().0
}

#[test]
fn the_unit_and_the_preset_file_match_the_snapshots() {
    let units = units();
    let home = units.dir.path().to_str().unwrap();
    for gateway in ["front", "keyed", "one"] {
        let name = format!("big-stack-{gateway}.service");
        assert_snapshot!("systemd", &*name, units.text(&name).replace(home, "/opt"));
    }
    assert_snapshot!("systemd", "front.ini", preset(&units, "front"));
}

#[test]
fn a_role_behind_a_gateway_has_no_unit() {
    let units = units();
    let expected = ["alone", "bare", "cards", "front", "keyed", "low", "one", "unknown"];
    let expected = expected.map(|name| format!("big-stack-{name}.service"));
    assert_eq!(units.services(), expected);
    assert!(!units.names().iter().any(|name| name.ends_with(".socket")));
}

#[test]
fn a_residency_without_units_has_no_target_and_no_slice() {
    let units = units();
    let groups: Vec<&str> = units.names().into_iter().filter(|name| !name.ends_with(".service")).collect();
    let expected = [
        "big-stack-always-on.target",
        "big-stack-swap.target",
        "big-stack.target",
        "big_stack-always_on.slice",
        "big_stack-swap.slice",
        "big_stack.slice",
    ];
    assert_eq!(groups, expected);
    // The roles of `later` and `fixed` are in the unit of `front`.
    for (name, text) in &units.texts {
        assert!(!text.contains("later") && !text.contains("fixed"), "{name}: {text}");
    }
    assert_eq!(setting(unit(&units, "front"), "Slice"), "big_stack-always_on.slice");
    assert_eq!(setting(unit(&units, "front"), "PartOf"), "big-stack-always-on.target");
    assert_eq!(setting(unit(&units, "one"), "Slice"), "big_stack-swap.slice");
    for (gateway, target) in [("front", "always-on"), ("one", "swap")] {
        let service = format!("big-stack-{gateway}.service");
        for target in ["big-stack.target".to_owned(), format!("big-stack-{target}.target")] {
            assert!(settings(units.text(&target), "Wants").contains(&&*service), "{target}");
        }
    }
    // With another unit, `later` has a target again.
    let with_unit = units_of(STACK, 252, "", "role \"late\" model=\"m\" residency=\"later\" port=8081\n");
    assert_eq!(
        settings(with_unit.text("big-stack-later.target"), "Wants"),
        ["big-stack-late.socket"],
        "`front` stays in its slice"
    );
}

#[test]
fn the_slice_of_a_gateway_protects_all_its_models_that_start_at_boot() {
    let low = |more: &str| {
        let units = units_of(STACK, 252, "", more);
        let text = |name: &str| settings(units.text(name), "MemoryLow").concat().parse::<u64>().unwrap();
        (text("big_stack-always_on.slice"), text("big_stack.slice"))
    };
    let role = |residency: &str| {
        format!(
            "model \"more\" arch=\"qwen2\" size=\"3 GB\" file=\"more.gguf\"\n\
             role \"more\" model=\"more\" residency=\"{residency}\" gateway=\"front\"\n"
        )
    };
    let (one, whole) = low("");
    assert_eq!(one, whole);
    // Its residency has no slice.
    assert_eq!(low(&role("fixed")), (one + 3_000_000_000, whole + 3_000_000_000));
    // A model that starts with a request is not protected.
    assert_eq!(low(&role("later")), (one, whole));
    // The slice of a residency protects only models of its units.
    let fixed = role("fixed") + "role \"own\" model=\"n\" residency=\"fixed\" port=8081\n";
    let units = units_of(STACK, 252, "", &fixed);
    assert_eq!(setting(units.text("big_stack-fixed.slice"), "MemoryLow"), "5000000000");
}

#[test]
fn the_start_limits_follow_from_the_models_at_boot() {
    let units = units();
    let limits = |gateway: &str| {
        let text = unit(&units, gateway);
        (setting(text, "StartLimitIntervalSec"), setting(text, "TimeoutStartSec"))
    };
    assert_eq!(limits("front"), ("375s", "63s"));
    assert_eq!(limits("one"), ("360s", "1min"));
    assert_eq!(limits("unknown"), ("1h", "infinity"));
    assert!(unit(&units, "one").contains("# One minute, because no model starts at boot.\n"));
    assert!(unit(&units, "front").contains("# One minute, plus the time to load the models"));
    assert!(unit(&units, "unknown").contains("# No limit, because the store declares no `speed`"));
    for gateway in ["front", "one", "unknown"] {
        assert_eq!(setting(unit(&units, gateway), "StartLimitBurst"), "5");
        assert_eq!(setting(unit(&units, gateway), "OOMPolicy"), "continue");
    }
    assert!(settings(unit(&units, "alone"), "OOMPolicy").is_empty());
}

#[test]
fn the_router_may_bind_the_ports_of_its_models() {
    let units = units();
    for gateway in ["front", "low", "cards"] {
        assert_eq!(settings(unit(&units, gateway), "SocketBindAllow"), ["tcp"], "{gateway}");
    }
    assert!(settings(unit(&units, "bare"), "SocketBindAllow").is_empty());
    assert_eq!(settings(unit(&units, "alone"), "SocketBindAllow"), ["tcp:8080"]);
    let low = unit(&units, "low");
    assert_eq!(settings(low, "AmbientCapabilities"), ["CAP_NET_BIND_SERVICE"]);
    assert!(settings(low, "PrivateUsers").is_empty() && low.contains("network-online.target"));
    assert!(low.contains("' 192.0.2.7 80 edge\n"), "{low}");
}

#[test]
fn a_gateway_passes_its_key_as_a_credential_and_its_gate_sends_it() {
    let units = units();
    let keyed = unit(&units, "keyed");
    assert_eq!(setting(keyed, "LoadCredential"), "api-key:/etc/keys/a b%%n");
    assert!(keyed.contains("    --api-key-file %d/api-key\n") && keyed.matches("/etc/keys").count() == 1);
    assert!(keyed.contains("Authorization: Bearer") && keyed.contains("' 127.0.0.1 8001 safe\n"));
    let front = unit(&units, "front");
    assert!(!front.contains("Authorization") && settings(front, "LoadCredential").is_empty());
    for gateway in ["front", "keyed"] {
        assert!(!preset(&units, gateway).contains("api-key"));
    }
}

#[test]
fn a_gateway_has_the_placement_of_its_models_and_the_devices_of_their_gpus() {
    let units = units();
    let keyed = unit(&units, "keyed");
    let of = |key: &str| setting(keyed, key);
    assert_eq!((of("NUMAPolicy"), of("NUMAMask"), of("CPUAffinity")), ("bind", "0", "0-3"));
    let cards = unit(&units, "cards");
    let devices = ["char-nvidia* rw", "char-drm rw", "/dev/kfd rw"];
    assert_eq!(settings(cards, "DeviceAllow"), devices);
    assert_eq!(setting(cards, "Description"), "cards: cuda, rocm on CUDA0, ROCm0");
    assert!(settings(cards, "Wants").contains(&"modprobe@nvidia_uvm.service"));
    assert_eq!(settings(unit(&units, "front"), "PrivateDevices"), ["yes"]);
    // Only newer builds can keep memory of GPUs free.
    let newer = units_of(&STACK.replace("b11669", "b12032"), 252, "", "");
    assert!(
        unit(&newer, "cards").contains("    --models-memory-margin 1024 \\\n"),
        "{}",
        unit(&newer, "cards")
    );
    assert!(!unit(&newer, "front").contains("--models-memory-margin"));
    assert!(!cards.contains("--models-memory-margin"));
}

#[test]
fn comments_are_about_the_gateway() {
    let units = units();
    for gateway in ["front", "keyed", "one", "cards", "low", "bare", "unknown"] {
        let text = unit(&units, gateway);
        let comments: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        assert!(!comments.iter().any(|line| line.contains("role")), "{gateway}: {comments:#?}");
    }
    assert!(unit(&units, "front").contains("give the gateway the `hardening` level"));
    assert!(unit(&units, "alone").contains("give the role the `hardening` level"));
    assert!(unit(&units, "bare").contains("# Hardening is off for this gateway."));
}

#[test]
fn the_engine_decides_if_a_router_offers_downloaded_models() {
    let comment = "# LLAMA_CACHE hides downloaded models";
    let units = units();
    assert!(unit(&units, "front").contains(comment) && !unit(&units, "alone").contains("LLAMA_CACHE="));
    let own = STACK.replace("bin=\"BIN\"", "bin=\"BIN\" { env LLAMA_CACHE=\"/srv/cache\"; }");
    let own = units_of(&own, 252, "", "");
    assert_eq!(settings(unit(&own, "front"), "Environment")[0], "\"LLAMA_CACHE=/srv/cache\"");
    assert!(!unit(&own, "front").contains(comment));
}

#[test]
fn the_preset_file_of_a_user_is_in_the_folder_for_configuration() {
    let units = units_of_a_user();
    let front = unit(&units, "front");
    assert!(front.contains("    --models-preset %E/orchgen/big-stack/front.ini \\\n"), "{front}");
    assert!(settings(front, "BindReadOnlyPaths").contains(&"%E/orchgen/big-stack"));
    assert!(!preset(&units, "front").contains("/etc/"));
    assert!(settings(unit(&units, "bare"), "BindReadOnlyPaths").is_empty());
    assert!(settings(front, "SocketBindAllow").is_empty());
}

#[test]
fn each_host_has_the_units_of_its_gateways() {
    let text = r#"
stack "s" engine="e" { targets "systemd"; defaults { context 512; store "m"; residency "hot" } }
engine "e" profile="llama.cpp-b11669" bin="/e"
host "left" memory="64 GB" cpus="0-7"
host "right" memory="64 GB" cpus="0-7"
store "m" path="/m"
residency "hot" start="boot"
residency "warm" start="on-demand"
gateway "a" port=8000 host="left"
gateway "b" port=8000 host="right"
model "m" arch="qwen3" size="1 GB" file="m.gguf"
role "one" model="m" gateway="a" host="left"
role "two" model="m" gateway="b" host="right" residency="warm"
"#;
    let files = compile(&[("stack.kdl", text)]).files();
    let units = |host: &str| {
        let start = format!("systemd/{host}/");
        files.keys().filter_map(|path| path.strip_prefix(&start)).collect::<Vec<_>>()
    };
    assert_eq!(units("left"), ["s-a.service", "s-hot.target", "s-hot.slice", "s.slice", "s.target"].sorted());
    assert_eq!(
        units("right"),
        ["s-b.service", "s-warm.target", "s-warm.slice", "s.slice", "s.target"].sorted()
    );
    // Units need their preset files, so that is one target more.
    assert!(files.contains_key("router/a.ini") && files.contains_key("router/b.ini"));
}

trait Sorted {
    fn sorted(self) -> Self;
}

impl<const N: usize> Sorted for [&str; N] {
    fn sorted(mut self) -> Self {
        self.sort_unstable();
        self
    }
}

mod tools {
    use super::*;
    use crate::systemd::{assert_exposure, assert_no_messages, expected_argv};

    #[test]
    fn systemd_accepts_the_units_without_messages() {
        assert_no_messages(&units(), "--system");
        assert_no_messages(&units_of_a_user(), "--user");
    }

    #[test]
    fn every_gateway_runs_the_argv_of_the_plan() {
        let units = units();
        let (plan, dumps) = (units.plan(), units.dumps());
        let processes = processes(&plan);
        assert_eq!(processes.len(), 8);
        for (unit, role, process) in &processes {
            let argvs = dumps[unit].argvs();
            let expected = expected_argv(unit, role, process);
            assert!(argvs.contains(&expected), "{unit}: {expected:#?} is not among {argvs:#?}");
            assert_eq!(argvs.len(), 3, "{argvs:#?}");
        }
        let front = &dumps["big-stack-front.service"];
        assert!(front.has_environment("LLAMA_CACHE", "/nonexistent"), "{}", front.raw);
    }

    #[test]
    fn the_exposure_of_gateways_is_limited() {
        assert_exposure(&units(), |name| match name {
            "big-stack-bare.service" => None,
            "big-stack-cards.service" => Some(20),
            "big-stack-keyed.service" | "big-stack-low.service" => Some(16),
            _ => Some(15),
        });
    }
}
