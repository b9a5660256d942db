//! Predicted compute buffers of servers with devices, compared with the sizes that a real server prints: llama-server b11669
//! with `-lv 4 --fit off --no-warmup` on Vulkan with a software driver, `GGML_VK_VISIBLE_DEVICES=0` (one device) or `0,0`
//! (two). `devices.json` has the facts of the models and the printed sizes (`Vulkan0 compute buffer size`, ...) in MiB.

use crate::memory_options::memory_options;
use orchgen::engine::compute::{ComputeBuffers, ContextParams, DeviceOptions, compute_buffers};
use orchgen::engine::layers::layers;
use orchgen::engine::memory::{MemoryOptions, Owner, context_params};
use orchgen::engine::offload::Offload;
use orchgen::facts::Facts;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Recorded {
    models: BTreeMap<String, Facts>,
    servers: Vec<Server>,
}

#[derive(Deserialize)]
struct Server {
    model: String,
    args: String,
    devices: Vec<f64>,
    host: f64,
}

impl Server {
    fn value(&self, option: &str) -> Option<&str> {
        self.args.split(' ').skip_while(|word| *word != option).nth(1)
    }

    fn has(&self, option: &str) -> bool {
        self.args.split(' ').any(|word| word == option)
    }

    fn options(&self) -> MemoryOptions {
        memory_options(super::profile("b11669"), &[], self.args.split(' '))
    }

    /// The placement of layers: the last ones are on devices, in shares of `-ts` (`load_tensors` of `src/llama-model.cpp`).
    fn offload(&self, layers: u32, name: &str) -> Offload {
        let on_devices: u32 = self.value("-ngl").unwrap().parse().unwrap();
        let on_devices = on_devices.min(layers + 1);
        let first = layers + 1 - on_devices;
        let shares: Vec<f64> = self.value("-ts").map_or(vec![1.0; self.devices.len()], |shares| {
            shares.split(',').map(|share| share.parse().unwrap()).collect()
        });
        let device_of = |layer: u32| {
            let share = f64::from(layer.checked_sub(first)?) / f64::from(on_devices);
            let sums = (1..=shares.len()).map(|count| shares[..count].iter().sum::<f64>());
            let total = shares.iter().sum::<f64>();
            (share < 1.0).then(|| sums.take_while(|sum| *sum / total <= share).count())
        };
        let host_experts = if self.has("--cpu-moe") { u64::MAX } else { 0 };
        let host_experts = self.value("--n-cpu-moe").map_or(host_experts, |count| count.parse().unwrap());
        Offload {
            devices: (0..self.devices.len()).map(|at| format!("{name}{at}").into()).collect(),
            layers: (0..layers).map(device_of).collect(),
            output: device_of(layers),
            host_experts,
            cache_on_host: self.has("-nkvo"),
        }
    }

    fn device_options(&self) -> DeviceOptions {
        let options = self.options();
        DeviceOptions {
            cache_types: [options.cache_type_k, options.cache_type_v],
            op_offload: !self.has("--no-op-offload"),
            auto_flash_attention: true,
            // The limit of the software driver.
            max_vulkan_tensor: 128 << 20,
        }
    }

    fn params(&self, facts: &Facts) -> ContextParams {
        context_params(&self.options(), facts, &layers(facts).unwrap(), Owner::Model)
    }

    fn buffers(&self, facts: &Facts, device: &str) -> Result<ComputeBuffers, String> {
        let layers = u32::try_from(facts.number("block_count").unwrap()).unwrap();
        let offload = self.offload(layers, device);
        compute_buffers(facts, &self.params(facts), &offload, &self.device_options())
    }
}

fn recorded() -> Recorded {
    serde_json::from_str(include_str!("devices.json")).unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "some MiB")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The difference in percent, or 0 within the rounding error of two decimals.
fn deviation(predicted: f64, printed: f64) -> f64 {
    if (predicted - printed).abs() <= 0.011 { 0.0 } else { (predicted - printed) / printed * 100.0 }
}

/// All sizes are within 2 %, or within 5 % for kinds of models with a large margin.
#[test]
fn compute_buffers_by_device_match_a_server() {
    let Recorded { models, servers } = recorded();
    assert!(servers.len() > 30);
    for server in &servers {
        let found = server.buffers(&models[&server.model], "Vulkan").unwrap();
        let printed = server.devices.iter().chain([&server.host]);
        for (bytes, printed) in found.devices.iter().chain([&found.host]).zip(printed) {
            let (predicted, name) = (mib(*bytes), format!("{} {}", server.model, server.args));
            let bound = if found.margin_percent < 25 { 2.0 } else { 5.0 };
            let deviation = deviation(predicted, *printed).abs();
            assert!(
                deviation <= bound,
                "{name}: predicted {predicted:.2} MiB, but the server prints {printed}"
            );
        }
    }
}

#[test]
fn a_device_that_cannot_run_flash_attention_turns_it_off() {
    let Recorded { models, servers } = recorded();
    let server = servers.iter().find(|server| server.model == "jamba" && server.has("-nkvo")).unwrap();
    assert!(!server.buffers(&models["jamba"], "Vulkan").unwrap().flash_attention);
    let quantized = Server {
        args: format!("{} -ctk q8_0 -ctv q8_0", server.args),
        devices: vec![0.0],
        ..recorded().servers.remove(0)
    };
    let error = quantized.buffers(&models["jamba"], "Vulkan").unwrap_err();
    assert_eq!(error, "quantized values need flash attention, which a device does not support");
}

#[test]
fn cuda_converts_a_quantized_cache_and_unknown_devices_are_reported() {
    let Recorded { models, servers } = recorded();
    let facts = &models["llama-q8_0"];
    let server = servers.iter().find(|server| server.has("-ctk")).unwrap();
    let sizes = ["Vulkan", "CUDA", "ROCm"].map(|name| server.buffers(facts, name).unwrap());
    // Keys and values of 16384 cells with 4 heads of 64 elements, as f16.
    let copies = 2 * 16384 * 4 * 64 * 2;
    assert!(sizes[1].devices[0] >= sizes[0].devices[0] + copies / 2);
    assert_eq!(sizes[1], sizes[2]);
    assert!(sizes[1].margin_percent > sizes[0].margin_percent);
    let error = server.buffers(facts, "MTL").unwrap_err();
    assert_eq!(error, "the compute buffers of the device `MTL0` are not known");
}

/// Copies of weights need the sizes of tensors, which old locks do not have.
#[test]
fn host_weights_need_tensor_sizes() {
    let Recorded { mut models, servers } = recorded();
    let facts = models.get_mut("llama-q8_0").unwrap();
    facts.tensors.bytes.clear();
    let all =
        servers.iter().find(|server| server.model == "llama-q8_0" && server.value("-ngl") == Some("99"));
    assert!(all.unwrap().buffers(facts, "Vulkan").is_ok());
    let some =
        servers.iter().find(|server| server.model == "llama-q8_0" && server.value("-ngl") == Some("4"));
    assert_eq!(some.unwrap().buffers(facts, "Vulkan").unwrap_err(), "the lock has no tensor sizes");
}

/// A header can contain any numbers.
#[test]
fn extreme_numbers_in_headers_do_not_panic() {
    let Recorded { models, servers } = recorded();
    for server in
        servers.iter().filter(|server| server.devices.len() > 1 || server.value("-ngl") == Some("4"))
    {
        let facts = &models[&server.model];
        let offload = server.offload(8, "CUDA");
        let (params, options) = (server.params(facts), server.device_options());
        for key in facts.parameters.keys().filter(|key| key.as_ref() != "block_count") {
            for number in [0, 1, 1 << 31, i64::MAX] {
                let mut changed = facts.clone();
                changed.parameters.insert(key.clone(), orchgen::facts::Parameter::Number(number));
                let _ = compute_buffers(&changed, &params, &offload, &options);
            }
        }
    }
}
