//! The options of a placement on GPUs in the command line of each build.

use super::assert_accepts;
use crate::support::assert_snapshot;
use orchgen::engine::Profile;
use orchgen::engine::dialect::{
    ContextSpec, Devices, DraftGpuSpec, DraftSpec, GpuSpec, HostExperts, Intent, LayersSpec, ServerSpec,
    lower_server,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// All layers on one device.
const ONE: GpuSpec<'_> = GpuSpec {
    devices: Devices::Named(&["CUDA0"]),
    layers: LayersSpec::All,
    shares: &[],
    split_mode: None,
    host_experts: HostExperts::Count(0),
    cache_on_host: false,
    margins: &[],
    projector: Devices::Named(&["CUDA0"]),
    draft: None,
};
const TWO: GpuSpec<'_> = GpuSpec { devices: Devices::Named(&["CUDA0", "CUDA1"]), shares: &[2, 1], ..ONE };
const OFF: GpuSpec<'_> = GpuSpec { devices: Devices::Host, projector: Devices::Host, ..ONE };
const FOUND: GpuSpec<'_> = GpuSpec { devices: Devices::Found, projector: Devices::Found, ..ONE };
const FOLLOWS: DraftGpuSpec<'_> =
    DraftGpuSpec { devices: None, layers: LayersSpec::All, host_experts: HostExperts::Count(0) };

fn profiles() -> impl Iterator<Item = &'static Profile> {
    Profile::built_in_names().iter().filter_map(|name| Profile::built_in(name))
}

/// A server without GPUs.
fn server() -> ServerSpec<'static> {
    ServerSpec {
        model: "/m.gguf",
        port: 8080,
        context: ContextSpec::Tokens(4096),
        slots: 1,
        ..ServerSpec::default()
    }
}

fn with_draft() -> ServerSpec<'static> {
    let draft = DraftSpec { path: "/d.gguf", arch: "qwen2", max: Some(8), ..DraftSpec::default() };
    ServerSpec { draft: Some(draft), ..server() }
}

fn with_projector() -> ServerSpec<'static> {
    ServerSpec { projector: Some("/p.gguf"), ..server() }
}

/// The options that a placement adds to a command line or changes, or the reason why the build cannot have it.
fn added(profile: &Profile, spec: &ServerSpec<'_>, gpu: GpuSpec<'_>) -> String {
    let lowered = lower_server(profile, &ServerSpec { gpu: Some(gpu), ..spec.clone() });
    let is_of_gpu = |intent| matches!(intent, Intent::Gpu(_) | Intent::Projector);
    let name = profile.name();
    if let Some(error) = lowered.errors.iter().find(|error| is_of_gpu(error.intent)) {
        return format!("not possible: {}", error.why.replace(name, "the build"));
    }
    let before = lower_server(profile, spec);
    if before.errors.is_empty() {
        assert_accepts(profile, lowered.tool, &lowered.args);
    }
    let (old, new) = (before.texts(), lowered.texts());
    let start = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(one, other)| one == other).count();
    let end = end.min(new.len().saturating_sub(start));
    new[start..new.len() - end].join(" ")
}

/// The cases: a title, the server, and its placement.
fn cases() -> Vec<(&'static str, ServerSpec<'static>, GpuSpec<'static>)> {
    let fit = |gpu| GpuSpec { layers: LayersSpec::Fit, ..gpu };
    let draft = |draft| GpuSpec { draft: Some(draft), ..ONE };
    let on = |devices| draft(DraftGpuSpec { devices: Some(devices), ..FOLLOWS });
    vec![
        ("one device", server(), ONE),
        ("two devices", server(), TWO),
        ("two devices, 40 layers", server(), GpuSpec { layers: LayersSpec::Count(40), ..TWO }),
        ("no layer", server(), GpuSpec { layers: LayersSpec::Count(0), ..ONE }),
        ("split by tensors", server(), GpuSpec { split_mode: Some("tensor"), ..TWO }),
        ("split by the graph", server(), GpuSpec { split_mode: Some("graph"), ..TWO }),
        ("layers that fit", server(), GpuSpec { margins: &[1024], ..fit(ONE) }),
        (
            "layers that fit two devices",
            server(),
            GpuSpec { margins: &[1024, 2048], ..fit(GpuSpec { shares: &[], ..TWO }) },
        ),
        (
            "layers and context that fit",
            ServerSpec { context: ContextSpec::Fit(Some(4096)), ..server() },
            GpuSpec { margins: &[1024], ..fit(ONE) },
        ),
        (
            "experts of 20 layers on the host",
            server(),
            GpuSpec { host_experts: HostExperts::Count(20), ..ONE },
        ),
        ("all experts on the host", server(), GpuSpec { host_experts: HostExperts::All, ..ONE }),
        ("KV cache on the host", server(), GpuSpec { cache_on_host: true, ..ONE }),
        ("a draft that follows", with_draft(), draft(FOLLOWS)),
        ("a draft on another device", with_draft(), on(Devices::Named(&["CUDA1"]))),
        ("a draft on no device", with_draft(), on(Devices::Host)),
        (
            "12 layers of a draft with its experts on the host",
            with_draft(),
            draft(DraftGpuSpec { layers: LayersSpec::Count(12), host_experts: HostExperts::All, ..FOLLOWS }),
        ),
        ("a draft of a role without devices", with_draft(), GpuSpec { draft: Some(FOLLOWS), ..OFF }),
        (
            "a draft on a device, of a role without devices",
            with_draft(),
            GpuSpec { draft: on(Devices::Named(&["CUDA1"])).draft, ..OFF },
        ),
        ("a projector", with_projector(), ONE),
        (
            "a projector on another device",
            with_projector(),
            GpuSpec { projector: Devices::Named(&["CUDA1"]), ..ONE },
        ),
        ("a projector on the host", with_projector(), GpuSpec { projector: Devices::Host, ..ONE }),
        ("a projector of a role without devices", with_projector(), OFF),
        ("no device", server(), OFF),
    ]
}

/// The cases of a process on all devices that the engine finds.
fn cases_of_found_devices() -> Vec<(&'static str, ServerSpec<'static>, GpuSpec<'static>)> {
    let draft = DraftGpuSpec { devices: Some(Devices::Host), ..FOLLOWS };
    vec![
        ("all devices", server(), FOUND),
        ("all devices, two shares", server(), GpuSpec { shares: &[3, 2], ..FOUND }),
        ("all devices, layers that fit", server(), GpuSpec { layers: LayersSpec::Fit, ..FOUND }),
        ("one of all devices", server(), GpuSpec { split_mode: Some("none"), ..FOUND }),
        ("all devices, a draft that follows", with_draft(), GpuSpec { draft: Some(FOLLOWS), ..FOUND }),
        ("all devices, a draft on no device", with_draft(), GpuSpec { draft: Some(draft), ..FOUND }),
        ("all devices, a projector", with_projector(), FOUND),
        (
            "all devices, a projector on the host",
            with_projector(),
            GpuSpec { projector: Devices::Host, ..FOUND },
        ),
    ]
}

#[test]
fn placements_become_options_of_each_build() {
    let mut text = String::new();
    for (title, spec, gpu) in cases().into_iter().chain(cases_of_found_devices()) {
        let mut lines: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for profile in profiles() {
            let short = profile.name().trim_start_matches("llama.cpp-");
            lines.entry(added(profile, &spec, gpu)).or_default().push(short);
        }
        writeln!(text, "{title}").unwrap();
        for (line, builds) in lines {
            writeln!(text, "  {line}\n    {}", builds.join(" ")).unwrap();
        }
    }
    assert_snapshot!("engine", "gpu", text);
}

/// A host without GPUs has no placement, and its command lines have no option about devices.
#[test]
fn a_host_without_gpus_has_no_options_about_them() {
    for profile in profiles() {
        for spec in [server(), with_draft(), with_projector()] {
            let line = lower_server(profile, &spec).texts().join(" ");
            for word in
                ["--device", "-dev", "-ngl", "-ts", "-sm", "-ncmoe", "-nkvo", "mmproj-offload", "--fit on"]
            {
                assert!(!line.contains(word), "{}: {line}", profile.name());
            }
        }
    }
}
