//! The placement of layers, weights and caches on devices. `served::devices` compares it with a real server.

use super::profile;
use orchgen::engine::memory::{
    Amount, MemoryOptions, Owner, Part, PartKind, Place, Process, adapter_parts, memory,
};
use orchgen::engine::offload::Offload;
use orchgen::facts::{Facts, LayerTensors, Parameter, Tensors};

fn memory_options(line: &str) -> MemoryOptions {
    crate::memory_options::memory_options(profile("b11669"), &[], line.split_whitespace())
}

/// A model with 6 layers of 100 bytes, of which layers 2 to 5 have experts of 1000 bytes, 50 bytes of token embeddings, and 30
/// bytes of an output matrix.
fn model() -> Facts {
    let mut facts = Facts { architecture: Some("qwen3moe".into()), ..Facts::default() };
    let keys = [
        ("block_count", 6),
        ("context_length", 8192),
        ("embedding_length", 256),
        ("feed_forward_length", 512),
        ("attention.head_count", 4),
        ("attention.head_count_kv", 2),
        ("attention.key_length", 64),
        ("attention.value_length", 64),
    ];
    facts.parameters = keys.iter().map(|(key, n)| ((*key).into(), Parameter::Number(*n))).collect();
    let layers = [[2, 100, 0], [4, 100, 1000]].map(LayerTensors::from);
    facts.tensors = Tensors {
        bytes: [("q8_0".into(), 50 + 6 * 100 + 4 * 1000 + 30)].into(),
        token_embd: [("q8_0".into(), 50)].into(),
        output: [("q8_0".into(), 30)].into(),
        layers: layers.into(),
        input: 50,
        ..Tensors::default()
    };
    facts
}

fn offload(line: &str, owner: Owner) -> Result<Offload, String> {
    memory_options(line).offload(&model(), owner)
}

/// The device of each layer and of the output matrix as one character each: `-` for the host.
fn placed(line: &str, owner: Owner) -> String {
    let offload = match offload(line, owner) {
        Ok(offload) if offload.devices.is_empty() => return "host".to_owned(),
        Ok(offload) => offload,
        Err(why) => return why,
    };
    let places = offload.layers.iter().chain([&offload.output]);
    places.map(|place| place.map_or("-".to_owned(), |device| device.to_string())).collect()
}

fn parts(line: &str, model: &Facts) -> Vec<Part> {
    let options = memory_options(line);
    memory(&Process { profile: profile("b11669"), options: &options, model, draft: None, projector: None })
}

/// Bytes of some kinds of parts by place: the host, `A` and `B`.
fn sums(parts: &[Part], kinds: &[PartKind]) -> [u64; 3] {
    let places = [Place::Host, Place::Device("A".into()), Place::Device("B".into())];
    let of = |part: &&Part, place: &Place| part.place == *place && kinds.contains(&part.kind);
    places.map(|place| parts.iter().filter(|part| of(part, &place)).map(|part| part.amount.bytes()).sum())
}

const WEIGHTS: &[PartKind] = &[PartKind::Mapped, PartKind::Loaded, PartKind::Repacked];

/// The expected places were read from the log of llama-server b11669.
#[test]
fn layers_are_placed_like_in_the_engine() {
    for (line, expected) in [
        ("--device A -ngl all", "0000000"),
        ("--device A -ngl -1", "0000000"),
        ("--device A -ngl 99", "0000000"),
        ("--device A -ngl 0", "-------"),
        ("--device A -ngl 1", "------0"),
        ("--device A -ngl 3", "----000"),
        ("--device A --fit off", "0000000"),
        ("--device A -ngl auto --fit off", "0000000"),
        ("--device A,B -ngl all -ts 1,1", "0000111"),
        ("--device A,B -ngl all -ts 3,1", "0000001"),
        ("--device A,B -ngl all -ts 3/1", "0000001"),
        ("--device A,B -ngl all -ts 1,3", "0011111"),
        ("--device A,B -ngl 5 -ts 1,3", "--00111"),
        ("--device A,B -ngl all -ts 1", "0000000"),
        ("--device A,B -ngl all -ts 0,1,7", "1111111"),
        ("--device A,B -ngl all -sm none", "0000000"),
        ("--device A,B -ngl all -sm none -mg -1", "host"),
        ("--device none -ngl all", "host"),
        ("-ngl all", "host"),
    ] {
        assert_eq!(placed(line, Owner::Model), expected, "{line}");
    }
    assert_eq!(*offload("--device A,B -ngl all -sm none -mg 1", Owner::Model).unwrap().devices, ["B".into()]);
}

#[test]
fn an_unknown_placement_has_a_reason() {
    for (line, expected) in [
        ("--device A", "the engine fits the layers to the free memory of the device"),
        ("--device A -ngl auto --fit on", "the engine fits the layers to the free memory of the device"),
        ("--device A -ngl many", "`n-gpu-layers` `many` is no number"),
        ("--device A,B -ngl all", "the engine splits the layers by the free memory of the devices"),
        ("--device A,B -ngl all -ts 0,0", "the engine splits the layers by the free memory of the devices"),
        ("--device A,B -ngl all -ts 1,x", "`tensor-split` `1,x` is no list of numbers"),
        ("--device A,B -ngl all -ts 1,-1", "`tensor-split` `1,-1` has a negative number"),
        ("--device A,B -ngl all -sm row", "how `split-mode` `row` splits tensors is not known"),
        ("--device A,B -ngl all -sm none -mg 2", "`main-gpu` is 2, and the server has 2 devices"),
    ] {
        assert_eq!(placed(line, Owner::Model), expected, "{line}");
        let parts = parts(line, &model());
        let unknown = |part: &&Part| matches!(&part.amount, Amount::Unknown(why) if why == expected);
        let places: Vec<&Place> = parts.iter().filter(unknown).map(|part| &part.place).collect();
        assert!(
            places.contains(&&Place::Host) && places.contains(&&Place::Device("A".into())),
            "{line}: {parts:?}"
        );
        // The input layer is always on the host.
        assert_eq!(sums(&parts, WEIGHTS), [50, 0, 0], "{line}");
    }
}

/// A draft has the devices and the split of its target, but its own number of layers.
#[test]
fn a_draft_inherits_devices() {
    for (line, expected) in [
        ("--device A,B -ngl 0 -ts 1,1 -ngld all", "0000111"),
        ("--device A,B -ngl 0 -ts 1,1", "0000111"),
        ("--device A,B -ngl all -ts 1,1 -ngld 0", "-------"),
        ("--device A,B -ngl all -ts 1,1 -devd B", "0000000"),
        ("--device A,B -ngl all -ts 1,1 -devd none", "host"),
        ("--device none -ngl all", "host"),
    ] {
        assert_eq!(placed(line, Owner::Draft), expected, "{line}");
    }
}

#[test]
fn weights_follow_their_layers() {
    for (line, expected) in [
        ("--device A -ngl all", [50, 4630, 0]),
        ("--device A -ngl 0", [4680, 0, 0]),
        ("--device A -ngl 3", [50 + 200 + 2200, 2230, 0]),
        ("--device A,B -ngl all -ts 1,1", [50, 2400, 2230]),
        ("--device A -ngl all --cpu-moe", [4050, 630, 0]),
        ("--device A -ngl all --n-cpu-moe 3", [1050, 3630, 0]),
        ("--device A -ngl all --n-cpu-moe 3 --n-cpu-moe 1", [1050, 3630, 0]),
        ("--device A,B -ngl all -ts 1,1 --n-cpu-moe 5", [3050, 400, 1230]),
        ("--device none", [4680, 0, 0]),
    ] {
        assert_eq!(
            sums(&parts(&format!("{line} -c 256 --no-repack"), &model()), WEIGHTS),
            expected,
            "{line}"
        );
    }
    // Tied embeddings have a copy on the device of the output matrix.
    let mut tied = model();
    tied.tensors.output.clear();
    assert_eq!(sums(&parts("--device A -ngl all", &tied), WEIGHTS), [50, 4680, 0]);
    assert_eq!(sums(&parts("--device A -ngl 0", &tied), WEIGHTS), [4680, 0, 0]);
}

#[test]
fn caches_follow_their_layers() {
    // 512 tokens of 2 heads with 64 keys and values of 2 bytes.
    let layer = 512 * 2 * 2 * 64 * 2;
    for (line, expected) in [
        ("--device A -ngl all", [0, 6, 0]),
        ("--device A -ngl 3", [4, 2, 0]),
        ("--device A,B -ngl all -ts 1,1", [0, 4, 2]),
        ("--device A -ngl all --no-kv-offload", [6, 0, 0]),
        ("--device A -ngl all --cpu-moe", [0, 6, 0]),
    ] {
        let parts = parts(&format!("{line} -c 512 -np 1"), &model());
        assert_eq!(sums(&parts, &[PartKind::Cache]), expected.map(|layers| layers * layer), "{line}");
    }
}

#[test]
fn an_adapter_is_on_the_devices_of_its_tensors() {
    let adapter = Facts {
        tensors: Tensors {
            bytes: [("f32".into(), 60)].into(),
            layers: vec![[6, 10, 0].into()],
            ..Tensors::default()
        },
        ..Facts::default()
    };
    for (line, expected) in [("--device A -ngl 3", [40, 20, 0]), ("-ngl 3", [60, 0, 0])] {
        let parts = adapter_parts(&memory_options(line), &model(), &adapter);
        assert_eq!(sums(&parts, &[PartKind::Adapters]), expected, "{line}");
    }
}

/// A lock of an earlier version has no sizes by layer, and a damaged one may have any.
#[test]
fn a_lock_may_have_no_layers_or_too_many() {
    let mut old = model();
    let text = serde_json::to_string(&old.tensors).unwrap();
    assert!(text.contains("\"layers\":[[2,100,0],[4,100,1000]],\"input\":50"), "{text}");
    assert_eq!(serde_json::from_str::<Tensors>(&text).unwrap(), old.tensors);
    old.tensors = serde_json::from_str("{\"bytes\": {\"q8_0\": 4680}, \"count\": 9}").unwrap();
    let parts_of_old = parts("--device A -ngl all", &old);
    let asks = |part: &&Part| matches!(&part.amount, Amount::Unknown(why) if why.contains("`orchgen lock`"));
    assert_eq!(parts_of_old.iter().filter(asks).count(), 2);
    assert_eq!(sums(&parts("--device none --no-repack", &old), WEIGHTS), [4680, 0, 0]);
    let mut damaged = model();
    damaged.tensors.layers = vec![[u64::MAX, u64::MAX, 1].into(); 2];
    assert_eq!(sums(&parts("--device A -ngl all", &damaged), WEIGHTS)[1], u64::MAX);
    damaged.parameters.insert("block_count".into(), Parameter::Number(i64::MAX));
    assert!(offload_error(&damaged).contains("layers"));
}

fn offload_error(facts: &Facts) -> String {
    memory_options("--device A -ngl all").offload(facts, Owner::Model).unwrap_err()
}

/// A projector follows the devices of the model, unless an option places it.
#[test]
fn a_projector_is_on_one_device() {
    let model = model();
    let projector = Facts {
        tensors: Tensors { bytes: [("f16".into(), 70)].into(), ..Tensors::default() },
        ..Facts::default()
    };
    for (line, expected) in [
        ("--device A,B -ngl 0", [0, 70, 0]),
        ("--device A,B -ngl 0 --mmproj-device B", [0, 0, 70]),
        ("--device A,B -ngl 0 --no-mmproj-offload", [70, 0, 0]),
        ("--device none", [70, 0, 0]),
        ("", [70, 0, 0]),
    ] {
        let options = memory_options(line);
        let process = Process {
            profile: profile("b11669"),
            options: &options,
            model: &model,
            draft: None,
            projector: Some(&projector),
        };
        let parts: Vec<Part> =
            memory(&process).into_iter().filter(|part| part.owner == Owner::Projector).collect();
        assert_eq!(sums(&parts, &[PartKind::Loaded]), expected, "{line}");
    }
}

/// The engine locks a file from its start to the last tensor of the host.
#[test]
fn locked_weights_of_devices_are_unknown() {
    let unknown = |line: &str| {
        let is_lock = |part: &Part| matches!(&part.amount, Amount::Unknown(why) if why.contains("`mlock`"));
        parts(line, &model()).iter().filter(|part| is_lock(part)).count()
    };
    assert_eq!(unknown("--device A -ngl all --load-mode mmap+mlock"), 1);
    assert_eq!(unknown("--device A -ngl all --load-mode mlock"), 0);
    assert_eq!(unknown("--device none --load-mode mmap+mlock"), 0);
}

/// Options whose effect is not modeled make each device and the host unknown, if the command line has devices.
#[test]
fn options_that_are_not_modeled_are_unknown_by_place() {
    for option in ["--override-tensor x=CPU", "--moe-cache-mib 5", "--n-cpu-ffn 2"] {
        let with = parts(&format!("--device A -ngl all {option}"), &model());
        for place in [Place::Host, Place::Device("A".into())] {
            let is_unknown = |part: &Part| {
                part.place == place
                    && matches!(&part.amount, Amount::Unknown(why) if why.contains("may move weights"))
            };
            assert!(with.iter().any(is_unknown), "{option}: {with:?}");
        }
    }
}
