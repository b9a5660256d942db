//! The sets of models that may be in memory at the same time, compared with brute force.

use super::{config, mapping};
use crate::support::compile;
use orchgen::derive::swap_sets::{MAX_SETS, maximal_sets, numbers};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Sizes of roles in some places, and the room of each place.
#[derive(Clone, Debug)]
struct Sizes {
    roles: Vec<Vec<u64>>,
    room: Vec<u64>,
}

impl Sizes {
    fn fits(&self, set: u64) -> bool {
        let total = |place: usize| numbers(set).map(|role| self.roles[role][place]).sum::<u64>();
        self.room.iter().enumerate().all(|(place, room)| total(place) <= *room)
    }

    /// All sets that fit and to which no role can be added.
    fn maximal(&self) -> BTreeSet<u64> {
        let sets = (0..1_u64 << self.roles.len()).filter(|set| self.fits(*set));
        let can_grow = |set: &u64| {
            (0..self.roles.len()).any(|role| {
                let larger = set | 1 << role;
                larger != *set && self.fits(larger)
            })
        };
        sets.filter(|set| !can_grow(set)).collect()
    }
}

fn sizes(places: usize, roles: usize) -> impl Strategy<Value = Sizes> {
    let role = prop::collection::vec(0..12_u64, places);
    let room = prop::collection::vec(1..40_u64, places);
    (prop::collection::vec(role, 0..=roles), room).prop_map(|(roles, room)| Sizes { roles, room })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn all_maximal_sets_are_found_and_no_other(sizes in sizes(3, 12)) {
        let mut calls = usize::MAX;
        let found = maximal_sets(sizes.roles.len(), &mut calls, |set| sizes.fits(set));
        let expected = sizes.maximal();
        match found {
            Some(found) => {
                prop_assert_eq!(found.len(), found.iter().collect::<BTreeSet<_>>().len());
                prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
            }
            None => prop_assert!(expected.len() > MAX_SETS, "{} sets", expected.len()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The matrix of a registry: its roles are in RAM on one of two nodes, or on one of two cards.
    #[test]
    fn the_matrix_has_the_maximal_sets(
        roles in prop::collection::vec((1..9_u64, 0..4_usize), 1..=12),
        node in 8..24_u64,
        card in 8..24_u64,
        at_boot in 0..4_usize,
    ) {
        let mut text = format!(
            "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\n\
             host \"h\" memory=\"{} GB\" reserve=\"{} GB\" {{\n numa 0 cpus=\"0-3\" memory=\"{node} GB\"\n numa 1 cpus=\"4-7\" memory=\"{node} GB\"\n\
             gpu \"CUDA0\" memory=\"{card} GB\" reserve=\"0 GB\"\n gpu \"CUDA1\" memory=\"{card} GB\" reserve=\"0 GB\"\n}}\n\
             gateway \"g\" port=8000 kind=\"llama-swap\" bin=\"/b/swap\"\n\
             residency \"hot\" start=\"boot\"\nresidency \"warm\" start=\"on-demand\" at-once=64\n",
            2 * node,
            node / 2,
        );
        for (n, (size, place)) in roles.iter().enumerate() {
            let residency = if n < at_boot { "hot" } else { "warm" };
            let place = ["numa=\"bind 0\"", "numa=\"bind 1\"", "gpu=\"CUDA0\"", "gpu=\"CUDA1\""][*place];
            writeln!(text, "model \"m{n}\" arch=\"qwen3\" size=\"{size} GB\" file=\"/m{n}.gguf\"").unwrap();
            writeln!(text, "role \"r{n}\" model=\"m{n}\" residency=\"{residency}\" gateway=\"g\" context=512 {{ placement {place} threads=1 }}").unwrap();
        }
        let of = |n: usize| {
            let (size, place) = roles[n];
            let ram = if place < 2 { size } else { 0 };
            let mut each = vec![ram];
            each.extend((0..4).map(|one| if one == place { size } else { 0 }));
            each
        };
        let room = vec![2 * node - node / 2, node, node, card, card];
        let all = Sizes { roles: (0..roles.len()).map(of).collect(), room };
        let boot = (1_u64 << at_boot.min(roles.len())) - 1;
        let compiled = compile(&[("a.kdl", &text)]);
        let fits_alone = (0..roles.len()).all(|n| all.fits(boot | 1 << n));
        if !all.fits(boot) || !fits_alone {
            // A role that does not fit together with those that are always in memory is an error.
            prop_assert!(compiled.checked.is_none(), "{text}");
            return Ok(());
        }
        let (_, config) = config(&compiled, "g");
        let expected: BTreeSet<BTreeSet<String>> = all
            .maximal()
            .into_iter()
            .filter(|set| set & boot == boot)
            .map(|set| numbers(set).map(|n| format!("r{n}")).collect())
            .collect();
        if config["matrix"].is_null() {
            prop_assert!(expected.len() > MAX_SETS, "{config:?}");
            return Ok(());
        }
        let sets = mapping(&config, &["matrix", "sets"]).values();
        let sets = sets.map(|set| set.as_str().unwrap().split(" & ").map(str::to_owned).collect::<BTreeSet<_>>());
        prop_assert_eq!(sets.collect::<BTreeSet<_>>(), expected, "{}", text);
    }
}

/// The file has the reason why a role is alone.
#[test]
fn roles_with_unknown_memory_are_alone() {
    let text = |host: &str, at_once: &str| {
        format!(
            "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\nhost \"h\" {host}\n\
             gateway \"g\" port=8000 kind=\"llama-swap\" bin=\"/b/swap\"\n\
             residency \"warm\" start=\"on-demand\" {at_once}\nmodel \"m\" file=\"/m.gguf\"\n\
             role \"a\" model=\"m\" residency=\"warm\" gateway=\"g\" context=512\n\
             role \"c\" residency=\"warm\" gateway=\"g\" memory=\"1 GB\" health=\"/\" {{ command \"/b/c\" \"{{port}}\" }}\n\
             role \"d\" residency=\"warm\" gateway=\"g\" memory=\"1 GB\" health=\"/\" {{ command \"/b/d\" \"{{port}}\" }}\n"
        )
    };
    let of = |host: &str, at_once: &str| {
        let (text, config) = config(&compile(&[("a.kdl", &text(host, at_once))]), "g");
        let sets: Vec<String> = mapping(&config, &["matrix", "sets"])
            .values()
            .map(|set| set.as_str().unwrap().to_owned())
            .collect();
        let note = text.lines().find_map(|line| line.strip_prefix("# Each of these runs without the others that start on demand, because not all memory of the host is known (see orchgen memory): "));
        (sets, note.map(str::to_owned))
    };
    let sets = |sets: &[&str]| sets.iter().map(|set| (*set).to_owned()).collect::<Vec<_>>();
    let memory = "memory=\"64 GB\" cpus=\"0-3\"";
    assert_eq!(of(memory, ""), (sets(&["a", "c & d"]), Some("a".to_owned())));
    assert_eq!(of("", ""), (sets(&["a", "c", "d"]), Some("a, c, d".to_owned())));
    assert_eq!(of(memory, "at-once=2"), (sets(&["a & c", "a & d", "c & d"]), None));
    // The unknown memory of a role that is always there leaves an unknown rest.
    let always = "64 GB\" cpus=\"0-3\"\nresidency \"hot\" start=\"boot\"\n\
         role \"b\" residency=\"hot\" port=8001 { command \"/b/b\" \"{port}\" } //";
    let (all, note) = of(&format!("memory=\"{always}"), "");
    assert_eq!((all, note.as_deref()), (sets(&["a", "c", "d"]), Some("a, c, d")));
}

/// A role on a GPU of unknown memory is alone. A role on another GPU is not.
#[test]
fn roles_on_a_gpu_of_unknown_memory_are_alone() {
    let sets = |gpus: &str| {
        let roles = ["a", "b", "c"].map(|name| {
            let gpu = if name == "a" { "CUDA0" } else { "CUDA1" };
            format!("role \"{name}\" model=\"dense\" residency=\"warm\" gateway=\"g\" context=512 {{ placement gpu=\"{gpu}\" }}\n")
        });
        let text = format!(
            "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\n\
             host \"h\" memory=\"64 GB\" cpus=\"0-3\" {{ {gpus} }}\n\
             gateway \"g\" port=8000 kind=\"llama-swap\" bin=\"/b/swap\"\n\
             residency \"warm\" start=\"on-demand\"\nmodel \"dense\" arch=\"qwen3\" file=\"/m/dense.gguf\"\n{}",
            roles.concat()
        );
        let lock = ("registry.lock", crate::checks::gpu_memory::LOCK);
        let compiled = compile(&[("a.kdl", &text), lock]);
        let of = &compiled.checked().derived().swap_sets[0];
        (of.sets.iter().map(BTreeSet::len).collect::<Vec<_>>(), of.alone.len())
    };
    assert_eq!(sets("gpu \"CUDA0\" memory=\"24 GB\"; gpu \"CUDA1\" memory=\"24 GB\""), (vec![3], 0));
    assert_eq!(sets("gpu \"CUDA0\"; gpu \"CUDA1\" memory=\"24 GB\""), (vec![1, 2], 1));
}

/// One role at a time is what the registry states, even for more roles than a search has.
#[test]
fn one_role_at_a_time_needs_no_groups() {
    let mut text = String::from(
        "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\n\
         host \"h\" memory=\"10 GB\" cpus=\"0-3\"\ngateway \"g\" port=8000 kind=\"llama-swap\" bin=\"/b/swap\"\n\
         residency \"warm\" start=\"on-demand\" at-once=1\nmodel \"m\" size=\"1 GB\" file=\"/m.gguf\"\n",
    );
    for n in 0..70 {
        writeln!(text, "role \"r{n}\" model=\"m\" residency=\"warm\" gateway=\"g\" context=512").unwrap();
    }
    let (_, config) = config(&compile(&[("a.kdl", &text)]), "g");
    assert_eq!(mapping(&config, &["matrix", "sets"]).len(), 70);
}

/// The sums of a host count a file once in each set: `c & d` takes more than `a & b`, which read the same file.
#[test]
fn the_largest_set_counts_a_shared_file_once() {
    let model =
        |name: &str, size: u64| format!("model \"{name}\" size=\"{size} GB\" file=\"/{name}.gguf\"\n");
    let role = |name: &str, model: &str, gateway: &str| {
        format!("role \"{name}\" model=\"{model}\" residency=\"warm\" gateway=\"{gateway}\" context=512\n")
    };
    let text = |memory: u64| {
        format!(
            "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\n\
             host \"h\" memory=\"{memory} GB\" reserve=\"0 GB\" cpus=\"0-3\"\n\
             gateway \"g\" port=8000 kind=\"llama-swap\" bin=\"/b/swap\"\ngateway \"f\" port=8001 kind=\"llama-swap\" bin=\"/b/swap\" backend=19000\n\
             residency \"warm\" start=\"on-demand\" at-once=8\n"
        ) + &model("shared", 9)
            + &model("c", 7)
            + &model("d", 8)
            + &model("e", 3)
            + &role("a", "shared", "g")
            + &role("b", "shared", "g")
            + &role("c", "c", "g")
            + &role("d", "d", "g")
            + &role("e", "e", "f")
            + &role("e2", "e", "f")
    };
    let sets_of = |memory: u64, gateway: &str| {
        let (_, config) = config(&compile(&[("a.kdl", &text(memory))]), gateway);
        mapping(&config, &["matrix", "sets"])
            .values()
            .map(|set| set.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // `e` and `e2` together take 3 GB, and the largest set of the other gateway at most 16 GB.
    assert_eq!(sets_of(19, "g"), ["a & b & c", "c & d"]);
    assert_eq!(sets_of(19, "f"), ["e & e2"]);
}

/// Thirty roles of which any five fit have more sets than a matrix can have.
#[test]
fn too_many_sets_become_stricter_groups() {
    let mut text = String::from(
        "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\n\
         host \"h\" memory=\"10 GB\" reserve=\"0 GB\" cpus=\"0-3\"\n\
         gateway \"g\" port=8000 kind=\"llama-swap\" bin=\"/b/swap\"\n\
         residency \"hot\" start=\"boot\"\nresidency \"warm\" start=\"on-demand\" at-once=30\n\
         model \"base\" arch=\"qwen3\" size=\"1 GB\" file=\"/base.gguf\"\n\
         role \"base\" model=\"base\" residency=\"hot\" gateway=\"g\" context=512\n",
    );
    for n in 0..30 {
        writeln!(text, "model \"m{n}\" arch=\"qwen3\" size=\"1.6 GB\" file=\"/m{n}.gguf\"").unwrap();
        writeln!(text, "role \"r{n}\" model=\"m{n}\" residency=\"warm\" gateway=\"g\" context=512").unwrap();
    }
    let compiled = compile(&[("a.kdl", &text)]);
    let (text, config) = config(&compiled, "g");
    assert!(
        text.contains("# There are too many models, or too many sets of models that fit into memory."),
        "{text}"
    );
    assert!(config["matrix"].is_null());
    let groups = mapping(&config, &["groups"]);
    assert_eq!(
        groups.keys().map(|name| name.as_str().unwrap()).collect::<Vec<_>>(),
        ["at-boot", "on-demand"]
    );
    assert_eq!(super::texts(&groups["at-boot"]["members"]), ["base"]);
    assert_eq!(groups["on-demand"]["members"].as_sequence().unwrap().len(), 30);
    // A model on demand unloads only those of its group.
    let flags =
        |name: &str| ["swap", "exclusive", "persistent"].map(|key| groups[name][key].as_bool().unwrap());
    assert_eq!((flags("at-boot"), flags("on-demand")), ([false, false, true], [true, false, false]));
}
