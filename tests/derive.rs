//! Everything that follows from a registry: what instances share, and what a reported engine leaves out.

use crate::support::compile;
use orchgen::derive::Derived;
use orchgen::diag::Diagnostics;
use orchgen::engine::Word;

const HEAD: &str = "stack \"s\" engine=\"e\"\n\
    host \"h\" memory=\"9 TB\" { numa 0 cpus=\"0-3\"; numa 1 cpus=\"4-9\" }\n\
    tier \"A\" title=\"a\"\nresidency \"warm\" title=\"w\" start=\"on-demand\" idle=\"5 min\"\n\
    family \"f\" arch=\"qwen3\"\n\
    model \"m\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"/m.gguf\"\n\
    role \"r\" tier=\"A\" residency=\"warm\" model=\"m\" ports=\"9000-9004\" context=4096 { placement numa=\"spread\" }\n";

fn derived(profile: &str) -> Derived {
    let engine = format!("engine \"e\" profile=\"{profile}\" bin=\"/b/\"\n");
    let compiled = compile(&[("a.kdl", &format!("{HEAD}{engine}"))]);
    let findings = &mut Diagnostics::default();
    orchgen::compile::lower(&compiled.loaded, findings).derive(None, findings)
}

#[test]
fn instances_with_the_same_placement_differ_only_in_their_port() {
    let derived = derived("llama.cpp-b11669");
    let (_, role, command) = derived.commands().next().unwrap();
    let line = |n| command.line(&role.endpoint, n);
    let port = |n: usize| Word::Port((19_000 + n).to_string().into());
    for n in 0..5 {
        assert!(line(n).contains(&port(n)), "{:?}", line(n));
        let moved: Vec<Word> =
            line(n).iter().map(|word| if *word == port(n) { port(n % 2) } else { word.clone() }).collect();
        assert_eq!(*moved, *line(n % 2));
        assert_eq!(role.placement.get(n), role.placement.get(n % 2));
    }
    assert_ne!(role.placement.get(0), role.placement.get(1));
    assert_eq!((command.program(), role.endpoint.port(4)), ("/b/llama-server".to_owned(), 9004));
}

#[test]
fn a_role_of_an_engine_without_profile_has_a_proof_and_its_declared_files() {
    let derived = derived("unknown");
    assert!(derived.profiles.iter().all(Result::is_err));
    let role = &derived.roles[0];
    assert!(role.command.is_err() && role.draft.is_none());
    assert_eq!(role.memory.counted.iter().map(|part| part.bytes.0).sum::<u64>(), 1_000_000_000);
    assert_eq!(derived.commands().count(), 0);
}
