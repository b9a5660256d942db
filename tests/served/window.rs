//! The context of each slot of a real server, for slots with separate and shared caches, and for a context that the engine
//! fits.

use super::rig::{Rig, ask, wait};
use orchgen::engine::Profile;
use orchgen::engine::dialect::{ContextSpec, ServerSpec, lower_server};
use std::process::Stdio;

const PORT: u16 = 22433;

/// The contexts of the slots that a server reports.
fn contexts(rig: &Rig, spec: &ServerSpec<'_>) -> Vec<u64> {
    let profile = Profile::built_in("llama.cpp-b11669").unwrap();
    let lowered = lower_server(profile, spec);
    assert!(lowered.errors.is_empty(), "{:?}", lowered.errors);
    let mut command = vec!["llama-server"];
    command.extend(lowered.texts());
    command.push("--no-warmup");
    let mut server = rig
        .chroot(&command)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    wait(60, "the server answers", || {
        ask(PORT, "/health", "", "").is_some_and(|answer| answer.status == 200)
    });
    let slots = ask(PORT, "/slots", "", "").unwrap().json();
    server.kill().unwrap();
    server.wait().unwrap();
    slots.as_array().unwrap().iter().map(|slot| slot["n_ctx"].as_u64().unwrap()).collect()
}

/// The model of the rig was trained for 4096 tokens.
#[test]
fn slots_have_the_declared_context() {
    let rig = Rig::unbooted();
    let base = ServerSpec {
        model: "/srv/models/target.gguf",
        port: PORT,
        threads: Some(1),
        slots: 4,
        ..ServerSpec::default()
    };
    // Almost all memory is kept free, so the engine must cut the context.
    let memory: u64 = std::fs::read_to_string("/proc/meminfo")
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let target = (memory / 1024 - 1).to_string();
    let scarce = &[("fit-target", Some(target.as_str()))];
    for (context, shared, options, expected) in [
        (ContextSpec::Tokens(1024), false, &[][..], 1024),
        (ContextSpec::Tokens(1024), true, &[], 1024),
        // The cache has 8192 tokens, and the engine caps each slot at the trained context.
        (ContextSpec::Tokens(8192), true, &[], 4096),
        (ContextSpec::Trained(Some(4096)), false, &[], 4096),
        (ContextSpec::Trained(None), true, &[], 4096),
        (ContextSpec::Fit(None), false, &[], 4096),
        (ContextSpec::Fit(Some(512)), false, scarce, 512),
        (ContextSpec::Fit(Some(512)), true, scarce, 512),
    ] {
        let spec = ServerSpec { context, shared, options, ..base.clone() };
        let found = contexts(&rig, &spec);
        assert_eq!(found, [expected; 4], "{context:?}, shared: {shared}");
        println!("{context:?}, shared: {shared}: {found:?}");
    }
}
