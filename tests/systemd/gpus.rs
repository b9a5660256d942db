//! The sandbox of roles with GPUs: each role gets the devices of its GPUs, and no others.

use super::{Units, setting, settings, units_of};

const STACK: &str = include_str!("gpus.kdl");

fn units() -> Units {
    units_of(STACK, 252, "", "")
}

/// Units of a stack with another beginning.
fn units_with(stack: &str) -> Units {
    let text = STACK.replace("stack \"big-stack\"", &format!("stack \"big-stack\" {stack}"));
    units_of(&text, 252, "", "")
}

fn unit<'u>(units: &'u Units, role: &str) -> &'u str {
    units.text(&format!("big-stack-{role}.service"))
}

/// The allowed devices of a role, without the rights.
fn devices(units: &Units, role: &str) -> Vec<String> {
    let allowed = settings(unit(units, role), "DeviceAllow");
    allowed.iter().map(|value| value.strip_suffix(" rw").unwrap().to_owned()).collect()
}

#[track_caller]
fn assert_closed(units: &Units, role: &str) {
    let text = unit(units, role);
    assert_eq!(settings(text, "PrivateDevices"), ["yes"], "{role}");
    for name in ["DeviceAllow", "DevicePolicy", "SupplementaryGroups"] {
        assert!(settings(text, name).is_empty(), "{role}: {name}");
    }
}

#[test]
fn each_role_gets_the_devices_of_its_gpus() {
    let units = units();
    for (role, expected, has_groups) in [
        ("cuda", &["char-nvidia*"][..], false),
        ("two", &["char-nvidia*"], false),
        ("rocm", &["char-drm", "/dev/kfd"], true),
        ("vulkan", &["char-nvidia*", "char-drm"], true),
        ("radeon", &["char-drm"], true),
        ("sycl", &["char-drm"], true),
        ("mixed", &["char-nvidia*", "char-drm"], true),
        // The devices of this back end are not known.
        ("draft", &["char-drm", "/dev/kfd"], true),
        ("asked", &["char-nvidia*"], false),
        ("lazy-backend", &["char-nvidia*"], false),
        ("speech", &["char-nvidia*"], false),
    ] {
        assert_eq!(devices(&units, role), expected, "{role}");
        let text = unit(&units, role);
        assert_eq!(setting(text, "DevicePolicy"), "closed");
        assert_eq!(settings(text, "SupplementaryGroups") == ["video render"], has_groups, "{role}");
        // Drivers compile their programs at run time.
        for name in ["PrivateDevices", "MemoryDenyWriteExecute", "PrivateUsers", "ProcSubset"] {
            assert!(settings(text, name).is_empty(), "{role}: {name}");
        }
    }
}

#[test]
fn a_role_without_a_gpu_has_no_devices() {
    let units = units();
    for role in ["plain", "quiet", "lazy"] {
        assert_closed(&units, role);
    }
    assert!(!unit(&units, "bare").contains("Protect"));
    // The level of the stack is for roles with GPUs and for programs whose devices are not known.
    let units = units_with("hardening=\"gpu\"");
    assert_closed(&units, "plain");
    assert_eq!(devices(&units, "cuda"), ["char-nvidia*"]);
    assert_eq!(devices(&units, "quiet"), ["char-nvidia*", "char-drm", "/dev/kfd"]);
    let units = units_with("hardening=\"off\"");
    assert!(!unit(&units, "cuda").contains("Device") && !unit(&units, "plain").contains("Device"));
}

#[test]
fn the_driver_of_nvidia_is_loaded_before_the_start() {
    let units = units();
    let loads = |role: &str| settings(unit(&units, role), "Wants").contains(&"modprobe@nvidia_uvm.service");
    assert!(loads("cuda") && loads("mixed") && loads("lazy-backend") && loads("speech"));
    assert!(!loads("rocm") && !loads("plain") && !loads("lazy") && !loads("quiet"));
}

#[test]
fn titles_name_the_gpus() {
    let units = units();
    assert_eq!(setting(unit(&units, "two"), "Description"), "two: x on CUDA0, CUDA1");
    assert_eq!(setting(unit(&units, "draft"), "Description"), "draft: Small-0.5B on ROCm0");
    assert_eq!(setting(unit(&units, "plain"), "Description"), "plain: Small-0.5B");
}

#[test]
fn units_of_a_user_do_not_limit_devices() {
    let units = units_with("scope=\"user\"");
    for role in ["cuda", "rocm", "speech"] {
        let text = unit(&units, role);
        for name in ["DevicePolicy", "DeviceAllow", "SupplementaryGroups", "PrivateDevices"] {
            assert!(settings(text, name).is_empty(), "{role}: {name}");
        }
        assert!(settings(text, "MemoryDenyWriteExecute").is_empty());
        assert!(!text.contains("modprobe@"), "{text}");
    }
    assert!(unit(&units, "rocm").contains("groups video and render"));
    assert!(!unit(&units, "cuda").contains("groups video and render"));
    assert_eq!(setting(unit(&units, "plain"), "PrivateDevices"), "yes");
}

/// A role on all GPUs may open the devices of all drivers.
#[test]
fn all_gpus_have_the_devices_of_all_drivers() {
    let (before, after) = STACK.split_once("    gpu \"CUDA0\"").unwrap();
    let (_, roles) = after.split_once("}\n").unwrap();
    let roles = roles.lines().filter(|line| !line.starts_with("role ") || line.starts_with("role \"plain\""));
    let roles = roles.collect::<Vec<_>>().join("\n");
    let all = "role \"all\" model=\"m\" port=8080 { placement gpu=\"auto\" layers=99 split=\"3:2\" }";
    let stack = format!("{before}    gpu \"auto\"\n}}\n{roles}\n{all}\n");
    let units = units_of(&stack, 252, "", "");
    assert_eq!(devices(&units, "all"), ["char-nvidia*", "char-drm", "/dev/kfd"]);
    assert_closed(&units, "plain");
    let text = unit(&units, "all");
    assert_eq!(setting(text, "Description"), "all: Small-0.5B on all GPUs");
    assert_eq!(settings(text, "SupplementaryGroups"), ["video render"]);
    assert!(settings(text, "Wants").contains(&"modprobe@nvidia_uvm.service"));
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(
        words.windows(2).any(|pair| pair == ["--tensor-split", "3,2"]) && !text.contains("--device"),
        "{text}"
    );
    assert!(unit(&units, "plain").contains("--device none"));
}

mod tools {
    use super::*;
    use crate::systemd::{assert_exposure, assert_no_messages};

    #[test]
    fn systemd_accepts_the_units_without_messages() {
        for (stack, mode) in [("", "--system"), ("scope=\"user\"", "--user")] {
            assert_no_messages(&units_with(stack), mode);
        }
    }

    #[test]
    fn the_exposure_of_roles_with_gpus_is_at_most_two() {
        let units = units();
        assert_exposure(&units, |name| {
            let has_gpu = !settings(units.text(name), "DeviceAllow").is_empty();
            (name != "big-stack-bare.service").then_some(if has_gpu { 20 } else { 15 })
        });
    }
}
