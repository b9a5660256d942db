//! Predicted memory by device, compared with the buffers that a real server reports for each device.
//!
//! The devices are those of a software Vulkan driver. The test prints a table of predicted and reported sizes: one line for
//! each place of each server.

use super::memory::{MIB, ROUNDING, initial_output, is_embedder, models, watch_server, write_models};
use super::rig::Rig;
use orchgen::engine::Profile;
use orchgen::engine::memory::{Amount, MemoryOptions, Owner, Part, PartKind, Place, Process};
use orchgen::engine::memory::{adapter_parts, memory};
use orchgen::facts::Facts;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

/// The number of servers that run at the same time.
const PARALLEL: u16 = 2;
/// The port of the first of them.
const PORT: u16 = 22440;
/// The maximum error of the memory of a device, in percent.
const TOTAL_PERCENT: f64 = 10.0;

/// A server: its model, its devices, and its other options.
#[derive(Clone, Debug)]
struct Case {
    model: String,
    devices: usize,
    options: Vec<String>,
}

/// The kinds of buffers that a server reports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Buffer {
    Weights,
    Adapters,
    Cache,
    State,
    Output,
    Compute,
}

impl Buffer {
    /// The kind by its name in the log (llama-server b11669).
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "model" => Self::Weights,
            "LoRA" => Self::Adapters,
            "KV" => Self::Cache,
            "RS" => Self::State,
            "output" => Self::Output,
            "compute" => Self::Compute,
            _ => return None,
        })
    }

    fn of_part(part: &Part) -> Option<Self> {
        Some(match part.kind {
            PartKind::Mapped | PartKind::Loaded | PartKind::Repacked => Self::Weights,
            PartKind::Adapters => Self::Adapters,
            PartKind::Cache => Self::Cache,
            PartKind::State => Self::State,
            PartKind::Compute => Self::Compute,
            PartKind::Output | PartKind::PromptCache | PartKind::Checkpoints | PartKind::Rest => return None,
        })
    }
}

/// Sizes in MiB by the number of the model (0, or 1 for the draft), the place and the kind, and the number of their lines.
type Sizes = BTreeMap<(usize, String, Buffer), (f64, f64)>;

/// The buffers that a server reports.
#[derive(Default, Debug)]
struct DeviceReport {
    sizes: Sizes,
    models: usize,
    reserved: usize,
    last: Vec<String>,
}

impl DeviceReport {
    /// Reads one line: `load_tensors: Vulkan0 model buffer size = N MiB`, `llama_kv_cache: CPU KV buffer size = N MiB`.
    fn read_line(&mut self, line: &str) {
        self.last.push(line.to_owned());
        if self.last.len() > 4 {
            self.last.remove(0);
        }
        self.models += usize::from(line.contains("loading model tensors"));
        self.reserved += usize::from(line.contains("sched_reserve: reserve took"));
        let Some((before, after)) = line.split_once(" buffer size =") else { return };
        let mut words = before.split_whitespace().rev();
        let Some(buffer) = words.next().and_then(Buffer::of) else { return };
        let place = words.next().filter(|name| is_device(name)).unwrap_or("host").to_owned();
        let mib: f64 = after.split_whitespace().next().unwrap().parse().unwrap();
        let size = self.sizes.entry((self.models.saturating_sub(1), place, buffer)).or_default();
        // A context reserves its compute buffers again after changes.
        if buffer == Buffer::Compute && !before.contains("Vulkan_Host") {
            *size = (mib, 1.0);
        } else if buffer == Buffer::Compute {
            size.0 = mib;
            size.1 += 1.0;
        } else {
            size.0 += mib;
            size.1 += 1.0;
        }
    }
}

/// True for the name of a device, as opposed to buffers of the host: `CPU_Mapped`, `Vulkan_Host`.
fn is_device(name: &str) -> bool {
    name.strip_prefix("Vulkan").is_some_and(|number| number.parse::<u32>().is_ok())
}

/// The predicted sizes, and the reasons why others are not known.
fn predicted(parts: &[Part]) -> (Sizes, Vec<(String, Option<Buffer>, String)>) {
    let (mut sizes, mut unknown) = (Sizes::new(), Vec::new());
    for part in parts {
        let place = match &part.place {
            Place::Host => "host".to_owned(),
            Place::Device(name) => name.to_string(),
        };
        if let Amount::Unknown(why) = &part.amount {
            unknown.push((place, Buffer::of_part(part), why.clone()));
        } else if let Some(buffer) = Buffer::of_part(part) {
            let model = usize::from(part.owner == Owner::Draft);
            let size = sizes.entry((model, place, buffer)).or_default();
            #[expect(clippy::cast_precision_loss, reason = "a printed table")]
            let mib = part.amount.bytes() as f64 / MIB;
            size.0 += mib;
        }
    }
    (sizes, unknown)
}

/// A server with its predicted and reported sizes.
struct Row {
    name: String,
    predicted: Sizes,
    reported: Sizes,
    knows_compute: bool,
    /// The error margin of the prediction by place, in MiB.
    margins: BTreeMap<String, f64>,
    /// The devices whose memory as a whole deviates by more than `TOTAL_PERCENT`, but not by more than the margin.
    imprecise: Vec<String>,
    wrong: Vec<String>,
}

/// The error margins of some parts by place, in MiB.
fn margins(parts: &[Part]) -> BTreeMap<String, f64> {
    let mut margins = BTreeMap::new();
    for part in parts {
        if let (Amount::Within { bytes, percent }, Place::Device(name)) = (&part.amount, &part.place) {
            #[expect(clippy::cast_precision_loss, reason = "a printed table")]
            let mib = *bytes as f64 / MIB * f64::from(*percent) / 100.0;
            *margins.entry(name.to_string()).or_default() += mib;
        }
    }
    margins
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Runs a server and compares its report with the prediction.
fn run(rig: &Rig, all: &BTreeMap<String, Facts>, case: &Case, port: u16) -> Row {
    let profile = Profile::built_in("llama.cpp-b11669").unwrap();
    let devices: Vec<String> = (0..case.devices).map(|number| format!("Vulkan{number}")).collect();
    let mut args = words(&format!("-m /srv/models/{}.gguf --host 127.0.0.1 --port {port}", case.model));
    args.extend(words(&format!("-t 1 --fit off --device {}", devices.join(","))));
    args.extend(case.options.iter().cloned());
    let options = crate::memory_options::memory_options(profile, &[], args.iter().map(String::as_str));
    let parts = parts_of(all, case, profile, &options);
    let (mut predicted, unknown) = predicted(&parts);
    let model = &all[&case.model];
    for (number, owner, facts) in
        [(0, Owner::Model, Some(model)), (1, Owner::Draft, file_after(all, case, "-md"))]
    {
        let output = facts.map(|facts| initial_output(facts, &options, owner, &parts));
        predicted.extend(output.map(|mib| ((number, "host".to_owned(), Buffer::Output), (mib, 0.0))));
    }
    let contexts = 1 + usize::from(case.options.iter().any(|word| word == "-md"));
    let has_adapter = case.options.iter().any(|word| word == "--lora");
    let visible = vec!["0"; case.devices].join(",");
    let mut report = DeviceReport::default();
    let is_ready = watch_server(rig, &[("GGML_VK_VISIBLE_DEVICES", &visible)], &args, |line| {
        report.read_line(line);
        // Compiling shaders, which follows, would take a second. An adapter reserves buffers again.
        (report.reserved == contexts && !has_adapter) || line.contains("model loaded")
    });
    let is_compute = |(_, buffer, _): &(String, Option<Buffer>, String)| *buffer == Some(Buffer::Compute);
    let knows_compute = !unknown.iter().any(is_compute);
    let mut wrong: Vec<String> = unknown
        .into_iter()
        .filter(|one| !is_compute(one))
        .map(|(place, _, why)| format!("{place}: {why}"))
        .collect();
    if !is_ready {
        wrong.push(format!("the server did not start: {:?}", report.last));
    }
    let name = format!("{} {}", case.model, case.options.join(" ").replace("/srv/models/", ""));
    let (margins, imprecise) = (margins(&parts), Vec::new());
    let mut row = Row { name, predicted, reported: report.sizes, knows_compute, margins, imprecise, wrong };
    row.compare();
    row
}

/// The facts of the file that an option names.
fn file_after<'a>(all: &'a BTreeMap<String, Facts>, case: &Case, option: &str) -> Option<&'a Facts> {
    let at = case.options.iter().position(|word| word == option)?;
    let path = case.options.get(at + 1)?;
    all.get(path.strip_prefix("/srv/models/")?.strip_suffix(".gguf")?)
}

/// The predicted parts of a server and of its adapters.
fn parts_of(
    all: &BTreeMap<String, Facts>,
    case: &Case,
    profile: &Profile,
    options: &MemoryOptions,
) -> Vec<Part> {
    let (model, draft) = (&all[&case.model], file_after(all, case, "-md"));
    let mut parts = memory(&Process { profile, options, model, draft, projector: None });
    parts.extend(
        file_after(all, case, "--lora")
            .into_iter()
            .flat_map(|adapter| adapter_parts(options, model, adapter)),
    );
    parts
}

impl Row {
    /// Compares weights, caches and states one by one, and the memory of each device as a whole.
    fn compare(&mut self) {
        let keys: Vec<_> = self.predicted.keys().chain(self.reported.keys()).cloned().collect();
        for key in keys.into_iter().collect::<std::collections::BTreeSet<_>>() {
            if key.2 == Buffer::Compute {
                continue;
            }
            let predicted = self.predicted.get(&key).map_or(0.0, |size| size.0);
            let (reported, lines) = self.reported.get(&key).copied().unwrap_or_default();
            if (predicted - reported).abs() > (reported * 0.01).max(ROUNDING * lines.max(1.0)) {
                let (model, place, buffer) = key;
                self.wrong.push(format!("{model} {place} {buffer:?} {predicted:.3}, reported {reported:.2}"));
            }
        }
        for place in self.places().into_iter().filter(|place| place != "host" && self.knows_compute) {
            let (predicted, reported) = (total(&self.predicted, &place), total(&self.reported, &place));
            if deviation(predicted, reported).abs() > TOTAL_PERCENT {
                let is_within =
                    (predicted - reported).abs() <= self.margins.get(&place).copied().unwrap_or(0.0);
                let list = if is_within { &mut self.imprecise } else { &mut self.wrong };
                list.push(format!("{place}: {predicted:.2}, reported {reported:.2}"));
            }
        }
    }

    fn places(&self) -> Vec<String> {
        let places = self.predicted.keys().chain(self.reported.keys()).map(|(_, place, _)| place.clone());
        places.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}

fn total(sizes: &Sizes, place: &str) -> f64 {
    sizes.iter().filter(|((_, of, _), _)| of == place).fold(0.0, |sum, (_, (mib, _))| sum + mib)
}

fn sum(sizes: &Sizes, place: &str, buffers: &[Buffer]) -> f64 {
    let of = sizes.iter().filter(|((_, of, buffer), _)| of == place && buffers.contains(buffer));
    of.fold(0.0, |sum, (_, (mib, _))| sum + mib)
}

/// The deviation of a prediction in percent, or 0 within the rounding error.
fn deviation(predicted: f64, reported: f64) -> f64 {
    let difference = predicted - reported;
    if difference.abs() <= 3.0 * ROUNDING { 0.0 } else { difference / reported.max(0.01) * 100.0 }
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let mut out = format!(
        "{:width$} {:8} {:>19} {:>17} {:>17} {:>19}\n",
        "MiB: predicted/reported", "place", "weights", "cache, state", "compute", "total"
    );
    for row in rows {
        for place in row.places() {
            let pair = |buffers: &[Buffer]| {
                (sum(&row.predicted, &place, buffers), sum(&row.reported, &place, buffers))
            };
            let text = |(predicted, reported): (f64, f64)| format!("{predicted:.2}/{reported:.2}");
            let weights = text(pair(&[Buffer::Weights, Buffer::Adapters]));
            let cache = text(pair(&[Buffer::Cache, Buffer::State]));
            let compute = text(pair(&[Buffer::Compute]));
            let whole = (total(&row.predicted, &place), total(&row.reported, &place));
            let _ = writeln!(
                out,
                "{:width$} {place:8} {weights:>19} {cache:>17} {compute:>17} {:>19} {:>+6.1}%",
                row.name,
                text(whole),
                deviation(whole.0, whole.1)
            );
        }
        if !row.wrong.is_empty() {
            let _ = writeln!(out, "{:width$} WRONG: {}", "", row.wrong.join("; "));
        }
        if !row.imprecise.is_empty() {
            let _ = writeln!(out, "{:width$} only within the margin: {}", "", row.imprecise.join("; "));
        }
    }
    out
}

/// The models whose output matrix the driver cannot compute with: the result of a batch has more than 128 MiB.
fn is_too_wide(facts: &Facts) -> bool {
    facts.vocabulary.as_ref().is_some_and(|vocabulary| vocabulary.size > 65_536)
}

/// Each architecture on one and two devices, with no, some and all layers there.
fn cases_of_all(all: &BTreeMap<String, Facts>) -> Vec<Case> {
    let splits = ["1,1", "3,1", "1,3"];
    let mut cases = Vec::new();
    for (number, (name, facts)) in all.iter().enumerate() {
        if name == "adapter" || name.starts_with("big-") || is_too_wide(facts) {
            continue;
        }
        let context = if is_embedder(facts) { "-c 512 --embeddings -b 512 -ub 512" } else { "-c 4096" };
        let split = splits[number % splits.len()];
        for (devices, line) in [
            (1, "-np 1 -ngl all".to_owned()),
            (1, "-np 1 -ngl 3 --load-mode none".to_owned()),
            (1, "-np 2 -ngl 0 --load-mode none".to_owned()),
            (2, format!("-np 1 -ngl all -ts {split}")),
        ] {
            let options = words(&format!("{context} {line}"));
            cases.push(Case { model: name.clone(), devices, options });
        }
    }
    cases
}

/// Settings that change the placement or the size of caches, for some models.
fn cases_of_settings() -> Vec<Case> {
    let case = |model: &str, devices: usize, line: &str| Case {
        model: model.to_owned(),
        devices,
        options: words(line),
    };
    let mut cases = Vec::new();
    for model in
        ["llama-q8_0", "qwen3moe", "gemma3", "falcon-h1", "qwen35moe", "deepseek2", "gpt-oss", "llama-tied"]
    {
        for (devices, line) in [
            (1, "-c 4096 -np 1 -ngl all -nkvo"),
            (1, "-c 4096 -np 2 -ngl all -fa off"),
            (1, "-c 4096 -np 4 -ngl 99 -ctk q8_0 -ctv q8_0"),
            (1, "-c 32768 -np 1 -ngl all -ub 128"),
            (1, "-c 4096 -np 1 -ngl -1 --no-op-offload"),
            (2, "-c 4096 -np 3 -ngl 5 -ts 1,3 --load-mode none"),
            (2, "-c 4096 -np 1 -ngl all -ts 1,1 -sm none -mg 1"),
        ] {
            cases.push(case(model, devices, line));
        }
    }
    for model in ["qwen3moe", "gpt-oss", "deepseek2", "moe", "glm4moe", "qwen35moe", "llama4", "jamba"] {
        cases.push(case(model, 1, "-c 4096 -np 1 -ngl all --cpu-moe --load-mode none"));
        cases.push(case(model, 1, "-c 4096 -np 1 -ngl all --n-cpu-moe 3"));
        cases.push(case(model, 2, "-c 4096 -np 1 -ngl all --n-cpu-moe 2 -ts 1,1 --load-mode none"));
    }
    let draft = "-c 4096 -np 1 -ngl all -md /srv/models/draft.gguf --spec-type draft-simple";
    for line in
        ["-ts 1,0 -devd Vulkan1 -ngld all", "-ts 1,1 -devd Vulkan1 -ngld 0", "-ts 3,1", "-ts 1,1 -devd none"]
    {
        cases.push(case("target", 2, &format!("{draft} {line}")));
    }
    for layers in ["all", "2", "0"] {
        cases.push(case(
            "target",
            1,
            &format!("-c 4096 -np 1 -ngl {layers} --lora /srv/models/adapter.gguf"),
        ));
    }
    cases
}

/// Models of up to 10 GB. They run one after the other, because device memory is host memory here.
fn cases_of_big_models() -> Vec<Case> {
    let case = |model: &str, devices: usize, line: &str| Case {
        model: model.to_owned(),
        devices,
        options: words(line),
    };
    vec![
        case("big-llama", 2, "-c 8192 -np 2 -ngl all -ts 3,1"),
        case("big-llama", 1, "-c 8192 -np 1 -ngl 10"),
        case("big-qwen3moe", 2, "-c 8192 -np 1 -ngl all -ts 1,1 --n-cpu-moe 6 --load-mode none"),
        case("big-qwen3moe", 1, "-c 8192 -np 1 -ngl all --cpu-moe"),
    ]
}

fn run_all(rig: &Rig, all: &BTreeMap<String, Facts>, cases: &[Case], parallel: u16) -> Vec<Row> {
    let (next, rows) = (Mutex::new(cases.iter().enumerate()), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for worker in 0..parallel {
            let (next, rows) = (&next, &rows);
            scope.spawn(move || {
                loop {
                    let Some((number, case)) = next.lock().unwrap().next() else { break };
                    let row = run(rig, all, case, PORT + worker);
                    rows.lock().unwrap().insert(number, row);
                }
            });
        }
    });
    rows.into_inner().unwrap().into_values().collect()
}

/// Weights, caches and states of each device are as predicted. The memory of each device as a whole is within 10 %, for one
/// server of 50 within the margin of the prediction.
#[test]
fn devices_have_the_predicted_memory() {
    let rig = Rig::unbooted();
    models(&rig);
    let all = write_models(&rig, "offloaded.py");
    let mut cases = cases_of_all(&all);
    cases.extend(cases_of_settings());
    let mut rows = run_all(&rig, &all, &cases, PARALLEL);
    rig.report("small models");
    rows.extend(run_all(&rig, &all, &cases_of_big_models(), 1));
    rig.report("big models");
    println!("{}", table(&rows));
    let wrong: Vec<&str> =
        rows.iter().filter(|row| !row.wrong.is_empty()).map(|row| row.name.as_str()).collect();
    println!("{} servers, {} wrong", rows.len(), wrong.len());
    assert!(rows.len() >= 200, "{}", rows.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Tiny models with recurrent layers, or with almost nothing on the device, can be less precise: the margin includes this.
    let imprecise: Vec<&str> =
        rows.iter().filter(|row| !row.imprecise.is_empty()).map(|row| row.name.as_str()).collect();
    println!("{} servers only within the margin: {imprecise:#?}", imprecise.len());
    assert!(imprecise.len() <= rows.len() / 50, "{imprecise:#?}");
}
