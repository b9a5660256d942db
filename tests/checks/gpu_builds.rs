//! Placements on GPUs that a build, a back end or a model cannot have, and expectations about GPUs.

use super::gpus::{assert_role, findings};

#[test]
fn a_split_mode_needs_a_back_end_that_has_it() {
    let cannot = |why: &str| format!("role `r` cannot use `split-mode`: {why}");
    let row = |engine: &str, gpu: &str| {
        format!("model=\"m\" engine=\"{engine}\" {{ placement gpu=\"{gpu}\" split-mode=\"row\" }}")
    };
    for (engine, gpu) in [
        ("spring", "CUDA0,CUDA1"),
        ("spring", "SYCL0,SYCL1"),
        ("e", "SYCL0,SYCL1"),
        ("august", "SYCL0,SYCL1"),
    ] {
        assert_role(&row(engine, gpu), &[]);
    }
    for (engine, build, gpu, back_end, other) in [
        ("e", "b11669", "CUDA0,CUDA1", "CUDA", Some("`llama.cpp-b9093`")),
        ("august", "b10434", "SYCL0,CUDA1", "CUDA", Some("`llama.cpp-b9093`")),
        ("e", "b11669", "Vulkan0,Vulkan1", "Vulkan", None),
        ("spring", "b9093", "CUDA0,Vulkan1", "Vulkan", None),
    ] {
        let message = cannot(&format!("the {back_end} back end of llama.cpp-{build} cannot split by rows"));
        let use_other = other.map(|other| format!("use a build that supports it: {other}"));
        let or = if other.is_some() { "or " } else { "" };
        let remove = format!("{or}remove `split-mode=\"row\"`");
        let help: Vec<&str> = use_other.as_deref().into_iter().chain([&*remove]).collect();
        assert_role(&row(engine, gpu), &[("engine-cannot", &message, &help)]);
    }
    let tensor = |model: &str, rest: &str| {
        format!("model=\"{model}\" {rest} {{ placement gpu=\"CUDA0,CUDA1\" split-mode=\"tensor\" }}")
    };
    assert_role(&tensor("m", ""), &[]);
    let remove: &[&str] = &["remove `split-mode=\"tensor\"`"];
    // Which architectures earlier builds can split is not known, so no other build is suggested.
    let why = "models of architecture `mamba2` cannot be split by tensors: the server would exit at startup";
    assert_role(&tensor("state", ""), &[("engine-cannot", &cannot(why), remove)]);
    assert_role(&tensor("state", "engine=\"august\""), &[]);
    let why = "a split by tensors needs flash attention, which is off";
    assert_role(&tensor("m", "flash-attention=\"off\""), &[("engine-cannot", &cannot(why), remove)]);
    let why = "`--split-mode` of llama.cpp-b11669 accepts none, layer, row, tensor, not `graph`";
    let graph = tensor("m", "").replace("tensor", "graph");
    assert_role(&graph, &[("engine-cannot", &cannot(why), &["remove `split-mode=\"graph\"`"])]);
}

#[test]
fn experts_on_the_host_need_experts() {
    for value in ["4", "\"all\""] {
        let role =
            |model: &str| format!("model=\"{model}\" {{ placement gpu=\"CUDA0\" cpu-experts={value} }}");
        let message = "role `r` cannot use `cpu-experts`: the model has no experts";
        let remove = format!("remove `cpu-experts={value}`");
        assert_role(&role("m"), &[("engine-cannot", message, &[&remove])]);
        assert_role(&role("moe"), &[]);
    }
    assert_role("model=\"m\" { placement gpu=\"CUDA0\" cpu-experts=0 }", &[]);
}

#[test]
fn a_projector_is_on_a_gpu_of_the_host() {
    let model = |gpu: &str| {
        format!(
            "model \"v\" arch=\"qwen2\" size=\"1 GB\" file=\"/srv/v.gguf\" {{ projector \"/srv/p.gguf\" size=\"0.1 GB\" gpu=\"{gpu}\" }}\n"
        )
    };
    let check =
        |gpu: &str, role: &str| findings(&format!("{}role \"r\" model=\"v\" port=9000 {role}", model(gpu)));
    let message = |host: &str| {
        format!("the projector of model `v` is on `CUDA9`, which is no GPU of host `{host}` of role `r`")
    };
    let on_first = "remove `gpu=\"CUDA9\"`: the projector is then on the first GPU of the role";
    assert_eq!(
        check("CUDA9", "{ placement gpu=\"CUDA0\" }"),
        [("unknown-name", message("h"), vec![on_first.to_owned()])]
    );
    for (role, host) in [("", "h"), ("host=\"bare\"", "bare")] {
        let remove = vec!["remove `gpu=\"CUDA9\"`".to_owned()];
        assert_eq!(check("CUDA9", role), [("unknown-name", message(host), remove)]);
        // Such a role keeps the projector on the host.
        assert_eq!(check("CUDA1", role), []);
    }
    assert_eq!(check("CUDA1", "{ placement gpu=\"CUDA0\" }"), []);
    assert_eq!(check("none", "engine=\"august\" { placement gpu=\"CUDA1\" }"), []);
    assert_eq!(check("CUDA0", "engine=\"august\" { placement gpu=\"CUDA1\" }"), []);
    let [(code, message, _)] = &*check("CUDA1", "engine=\"august\" { placement gpu=\"CUDA0\" }") else {
        panic!()
    };
    assert_eq!(*code, "engine-cannot");
    assert!(
        message.ends_with(
            "llama.cpp-b10434 has no `--mmproj-device`: it puts the projector on the first GPU of the machine"
        ),
        "{message}"
    );
}

#[test]
fn a_gpu_has_the_name_of_a_device() {
    let host =
        |name: &str| findings(&format!("host \"x\" memory=\"8 GB\" {{ gpu \"{name}\" memory=\"4 GB\" }}"));
    let codes = |name: &str| host(name).iter().map(|(code, ..)| *code).collect::<Vec<_>>();
    for name in ["CUDA0", "CUDA12", "ROCm0", "Vulkan1", "SYCL0"] {
        assert!(!codes(name).contains(&"unknown-device"), "{name}");
    }
    for name in ["rtx", "cuda0", "CUDA", "CUDA0,CUDA1", "RTX4090", "none", "CUDAx", "RPC0", "WebGPU"] {
        assert!(codes(name).contains(&"unknown-device"), "{name}");
    }
}

#[test]
fn some_cache_types_are_computed_by_the_cpu() {
    let on_cuda = |engine: &str, cache: &str| {
        format!("model=\"m\" engine=\"{engine}\" {{ cache-type {cache}; placement gpu=\"CUDA0\" }}")
    };
    let warning = |what: &str| {
        format!("role `r` has the cache type {what}, with which `CUDA0` does not compute attention")
    };
    for (engine, cache, what, nearest) in [
        ("august", "\"q5_1\"", "`q5_1`", "q4_0"),
        ("spring", "\"q4_1\"", "`q4_1`", "q4_0"),
        ("august", "k=\"q8_0\" v=\"f16\"", "`q8_0` for keys and `f16` for values", "q8_0"),
        ("august", "k=\"q8_0\"", "`q8_0` for keys and `f16` for values", "q8_0"),
        ("august", "k=\"q8_0\" v=\"q4_0\"", "`q8_0` for keys and `q4_0` for values", "q8_0"),
        ("e", "\"iq4_nl\"", "`iq4_nl`", "q4_0"),
        ("e", "k=\"iq4_nl\"", "`iq4_nl` for keys and `f16` for values", "q4_0"),
    ] {
        let help = format!("write `cache-type \"{nearest}\"`, or `f16` for the best quality");
        assert_role(&on_cuda(engine, cache), &[("slow-cache-type", &warning(what), &[&help])]);
        // Attention of a cache on the host is on the host anyway.
        let role = on_cuda(engine, cache);
        assert_role(&role.replace("gpu=\"CUDA0\"", "gpu=\"CUDA0\" kv=\"host\""), &[]);
        assert_role(&role.replace("gpu=\"CUDA0\"", "gpu=\"Vulkan0\""), &[]);
        assert_role(&role.replace("; placement gpu=\"CUDA0\"", ""), &[]);
    }
    for (engine, cache) in
        [("e", "\"q5_1\""), ("e", "k=\"q8_0\" v=\"q5_1\""), ("august", "\"q8_0\""), ("august", "\"bf16\"")]
    {
        assert_role(&on_cuda(engine, cache), &[]);
    }
}

#[test]
fn an_expectation_can_be_about_a_gpu() {
    let check = |expect: &str| {
        let role = "role \"r\" model=\"m\" port=9000 residency=\"hot\" { placement gpu=\"CUDA0\" }\n";
        findings(&format!("{role}expect \"e\" {expect}"))
    };
    for expect in [
        "residency=\"hot\" gpu=\"CUDA0\" fits=\"1 GB\"",
        "residency=\"hot\" gpu=\"CUDA1\" fits=\"1 MB\"",
        "residency=\"hot\" fits=\"1 MB\"",
    ] {
        assert_eq!(check(expect), [], "{expect}");
    }
    let [(code, message, help)] = &*check("residency=\"hot\" gpu=\"CUDA0\" fits=\"0.2 GB\"") else {
        panic!()
    };
    assert_eq!(
        (*code, &**message),
        (
            "failed-expectation",
            "expectation `e` failed: residency `hot` needs 1 GB on GPU `CUDA0`, more than 0.2 GB"
        )
    );
    assert_eq!(*help, ["write `fits=\"1 GB\"`", "or move roles to another GPU"]);
    let [(code, message, _)] = &*check("residency=\"hot\" gpu=\"CUDA9\" fits=\"1 GB\"") else { panic!() };
    assert_eq!(
        (*code, &**message),
        ("unknown-name", "expectation `e` is about `CUDA9`, which is no GPU of the hosts of its roles")
    );
    let [(code, message, help)] = &*check("role=\"r\" gpu=\"CUDA0\" port=9000") else { panic!() };
    assert_eq!((*code, &**message), ("conflicting-fields", "expect `e` has a GPU and a role"));
    assert_eq!(*help, ["remove `gpu=\"CUDA0\"`"]);
}
