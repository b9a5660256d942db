//! Predicted memory of roles, compared with the buffers that a real server reports.
//!
//! For each model and each setting, the test lowers a command line as for a unit, predicts the memory from the model header and
//! the command line, and starts a server with the same command line at `-lv 4`. It prints a table of both.

use super::rig::{Rig, ask as http, wait};
use crate::outside::python;
use orchgen::engine::dialect::{ContextSpec, DraftSpec, OverrideValue, ServerSpec, lower_server};
use orchgen::engine::memory::{Amount, MemoryOptions, Owner, Part, PartKind, Process, memory};
use orchgen::engine::options::Owner as FieldOwner;
use orchgen::engine::{Profile, compute, layers};
use orchgen::facts::{Facts, ModelHeaders, VocabularyDetail};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

pub(super) const MIB: f64 = 1_048_576.0;
/// The rounding error of MiB with two decimals.
pub(super) const ROUNDING: f64 = 0.011;

/// How a server is started.
#[derive(Clone, Copy)]
struct Setting {
    context: u32,
    slots: u32,
    cache: Option<&'static str>,
    flash: &'static str,
    options: &'static [(&'static str, Option<&'static str>)],
}

const PLAIN: Setting =
    Setting { context: 4096, slots: 1, cache: None, flash: "auto", options: &[("no-repack", None)] };

/// Several contexts, numbers of slots, cache types and options, with and without flash attention.
const SETTINGS: &[Setting] = &[
    PLAIN,
    Setting { slots: 4, ..PLAIN },
    Setting { context: 32768, ..PLAIN },
    Setting { context: 1000, slots: 3, ..PLAIN },
    Setting { context: 300, ..PLAIN },
    Setting { context: 16384, slots: 2, cache: Some("q8_0"), ..PLAIN },
    Setting { slots: 2, cache: Some("q4_0"), ..PLAIN },
    Setting { slots: 2, flash: "off", ..PLAIN },
    Setting { options: &[("no-repack", None), ("ubatch-size", Some("128"))], ..PLAIN },
    Setting { slots: 4, options: &[("no-repack", None), ("swa-full", None)], ..PLAIN },
    Setting { slots: 2, options: &[("no-repack", None), ("spec-default", None)], ..PLAIN },
    Setting { slots: 2, options: &[("no-repack", None), ("backend-sampling", None)], ..PLAIN },
    Setting { options: &[], ..PLAIN },
];

/// The buffers of one context that a server reports, in MiB.
#[derive(Default, Debug)]
pub(super) struct ContextBuffers {
    pub(super) cache: f64,
    pub(super) state: f64,
    compute: f64,
    output: f64,
}

/// The buffers that a server reports.
#[derive(Default, Debug)]
pub(super) struct ServerReport {
    /// Weights by the name of their buffer, in MiB.
    pub(super) weights: BTreeMap<String, f64>,
    /// The number of these buffers. Each size has two decimals.
    pub(super) buffers: f64,
    pub(super) contexts: Vec<ContextBuffers>,
    /// The last lines, printed if the server did not start.
    last: Vec<String>,
    is_ready: bool,
}

impl ServerReport {
    /// Reads one line of `-lv 4` (b11669): `load_tensors: CPU_Mapped model buffer size = N MiB`, `llama_kv_cache: size = N MiB`,
    /// `llama_memory_recurrent: size = N MiB`, `sched_reserve: CPU compute buffer size = N MiB`, `CPU output buffer size = N MiB`.
    pub(super) fn read_line(&mut self, line: &str) {
        self.last.push(line.to_owned());
        if self.last.len() > 12 {
            self.last.remove(0);
        }
        if line.contains("constructing llama_context") {
            self.contexts.push(ContextBuffers::default());
        }
        let size = |before: &str| -> Option<f64> {
            let rest = line.split_once(before)?.1.trim_start().strip_prefix("= ")?;
            rest.split_whitespace().next()?.parse().ok()
        };
        if let Some(mib) = size("model buffer size") {
            self.buffers += 1.0;
            let buffer =
                line.split(" model buffer size").next().and_then(|rest| rest.split_whitespace().last());
            *self.weights.entry(buffer.unwrap_or_default().to_owned()).or_default() += mib;
        }
        let Some(context) = self.contexts.last_mut() else { return };
        if let Some(mib) = size("compute buffer size") {
            context.compute += mib;
        } else if let Some(mib) = size("output buffer size") {
            context.output = mib;
        } else if let (true, Some(mib)) =
            (line.contains("llama_kv_cache: size"), size("llama_kv_cache: size"))
        {
            context.cache += mib;
        } else if let Some(mib) = size("llama_memory_recurrent: size") {
            context.state += mib;
        }
    }
}

/// Starts a server with these environment variables at the log level 4, and passes each line of its log to `read`, until that
/// returns true. Then it ends the server. Returns false if the server ended first.
pub(super) fn watch_server(
    rig: &Rig,
    variables: &[(&str, &str)],
    args: &[String],
    mut read: impl FnMut(&str) -> bool,
) -> bool {
    let mut command = vec!["llama-server"];
    command.extend(args.iter().map(String::as_str));
    command.extend(["-lv", "4", "--no-warmup"]);
    let mut server = rig
        .chroot(&command)
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).split(b'\n');
    let is_ready = lines.any(|line| read(&String::from_utf8_lossy(&line.unwrap())));
    server.kill().unwrap();
    server.wait().unwrap();
    is_ready
}

/// Starts a server, waits until it is ready, and returns the buffers that it reports.
fn run_server(rig: &Rig, args: &[String]) -> ServerReport {
    let mut report = ServerReport::default();
    report.is_ready = watch_server(rig, &[], args, |line| {
        report.read_line(line);
        line.contains("server is listening") || line.contains("model loaded")
    });
    report
}

/// A row of the table: predicted and reported sizes, in MiB.
struct Row {
    name: String,
    /// Weights, cache, state, compute, total.
    pairs: [(f64, f64); 5],
    /// The error margin of the compute buffers.
    margin_percent: u8,
    wrong: Vec<String>,
}

pub(super) fn mib(parts: &[Part], kinds: &[PartKind], owner: Option<Owner>) -> f64 {
    let counted = parts
        .iter()
        .filter(|part| kinds.contains(&part.kind) && owner.is_none_or(|owner| owner == part.owner));
    #[expect(clippy::cast_precision_loss, reason = "a printed table")]
    counted.map(|part| part.amount.bytes() as f64 / MIB).sum()
}

/// The deviation of a prediction in percent, or 0 within the rounding error.
fn deviation(predicted: f64, reported: f64) -> f64 {
    let difference = predicted - reported;
    if difference.abs() <= ROUNDING { 0.0 } else { difference / reported.max(0.01) * 100.0 }
}

/// The output buffer for one token per slot: its size before the first request.
#[expect(clippy::cast_precision_loss, reason = "a printed table")]
pub(super) fn initial_output(facts: &Facts, options: &MemoryOptions, owner: Owner, parts: &[Part]) -> f64 {
    let sizes =
        orchgen::engine::memory::context_params(options, facts, &layers::layers(facts).unwrap(), owner);
    if owner == Owner::Model && sizes.outputs <= sizes.slots {
        return mib(parts, &[PartKind::Output], Some(owner));
    }
    compute::output_buffer(facts, &sizes) as f64 / MIB
}

pub(super) fn is_embedder(facts: &Facts) -> bool {
    facts.number("pooling_type").is_some_and(|kind| kind > 0)
}

struct Model<'m> {
    name: &'m str,
    facts: &'m Facts,
    draft: Option<(&'m str, &'m Facts)>,
}

fn row(rig: &Rig, model: &Model<'_>, setting: &Setting) -> Option<Row> {
    let profile = Profile::built_in("llama.cpp-b11669").unwrap();
    let is_embedder = is_embedder(model.facts);
    let path = |name: &str| format!("/srv/models/{name}.gguf");
    let (own, draft) = (path(model.name), model.draft.map(|(name, _)| path(name)));
    let mut settings = vec![(FieldOwner::of("flash-attention"), OverrideValue::Str(setting.flash))];
    settings.extend(setting.cache.map(|cache| (FieldOwner::of("cache-type"), OverrideValue::Str(cache))));
    let spec = ServerSpec {
        model: &own,
        port: 22431,
        context: ContextSpec::Tokens(if is_embedder { setting.context.min(512) } else { setting.context }),
        slots: setting.slots,
        settings: &settings,
        draft: draft.as_deref().map(|path| DraftSpec { path, max: Some(7), ..DraftSpec::default() }),
        is_embedder,
        threads: Some(1),
        options: setting.options,
        ..ServerSpec::default()
    };
    let lowered = lower_server(profile, &spec);
    assert!(lowered.errors.is_empty(), "{}: {:?}", model.name, lowered.errors);
    let args: Vec<String> = lowered.args.iter().map(|word| word.text().to_owned()).collect();
    let memory_options = crate::memory_options::memory_options(profile, &[], args.iter().map(String::as_str));
    let draft = model.draft.map(|(_, facts)| facts);
    let process = Process { profile, options: &memory_options, model: model.facts, draft, projector: None };
    let parts = memory(&process);
    let unknown = parts.iter().find_map(|part| match &part.amount {
        Amount::Unknown(why) => Some(why.clone()),
        Amount::Within { .. } | Amount::AtMost(_) | Amount::MayGrow(_) => None,
    });
    let report = run_server(rig, &args);
    let cache = setting.cache.unwrap_or("f16");
    let options =
        setting.options.iter().map(|(name, value)| [" ", name, " ", value.unwrap_or_default()].concat());
    let options: Vec<String> = options.collect();
    let name = format!(
        "{}{} {} x {} {cache}{}{}",
        model.name,
        if draft.is_some() { " + draft" } else { "" },
        setting.slots,
        setting.context,
        if setting.flash == "off" { " fa off" } else { "" },
        options.concat()
    );
    if !report.is_ready {
        // If the server does not start, the prediction must be unknown.
        let wrong = if unknown.is_some() {
            Vec::new()
        } else {
            vec![format!("the server did not start: {:?}", report.last)]
        };
        return (!wrong.is_empty()).then_some(Row { name, pairs: [(0.0, 0.0); 5], margin_percent: 0, wrong });
    }
    let mut row = compare(&name, &parts, &report, model, &memory_options);
    row.wrong.extend(unknown);
    Some(row)
}

/// The error margin of the compute buffer in percent.
fn compute_margin(parts: &[Part], owner: Owner) -> u8 {
    let compute = parts.iter().filter(|part| part.owner == owner && part.kind == PartKind::Compute);
    let margins = compute.map(|part| match part.amount {
        Amount::Within { percent, .. } => percent,
        Amount::AtMost(_) | Amount::MayGrow(_) | Amount::Unknown(_) => 0,
    });
    margins.max().unwrap_or(0)
}

fn compare(
    name: &str,
    parts: &[Part],
    report: &ServerReport,
    model: &Model<'_>,
    options: &MemoryOptions,
) -> Row {
    let mut wrong = Vec::new();
    let contexts = [Some((Owner::Model, model.facts)), model.draft.map(|(_, facts)| (Owner::Draft, facts))];
    let mut totals = [(0.0, 0.0); 5];
    let repacked = mib(parts, &[PartKind::Repacked], None);
    let reported_repacked = report.weights.get("CPU_REPACK").copied().unwrap_or(0.0);
    let other_buffers = report.weights.iter().filter(|(name, _)| *name != "CPU_REPACK");
    let reported_weights: f64 = other_buffers.map(|(_, mib)| mib).sum();
    let weights = mib(parts, &[PartKind::Mapped, PartKind::Loaded], None);
    if deviation(repacked, reported_repacked).abs() > 1.0 {
        wrong.push(format!("repacked {repacked:.2}, reported {reported_repacked:.2}"));
    }
    let bound = reported_weights * 0.01 + ROUNDING * report.buffers;
    if (weights - reported_weights).abs() > bound {
        wrong.push(format!("weights {weights:.2}, reported {reported_weights:.2}"));
    }
    totals[0] = (weights + repacked, reported_weights + reported_repacked);
    if report.contexts.len() != contexts.iter().flatten().count() {
        wrong.push(format!("{} contexts", report.contexts.len()));
    }
    let mut margin_percent = 0;
    for ((owner, facts), buffers) in contexts.into_iter().flatten().zip(&report.contexts) {
        for (at, kind, reported, bound) in [
            (1, PartKind::Cache, buffers.cache, 1.0),
            (2, PartKind::State, buffers.state, 1.0),
            (3, PartKind::Compute, buffers.compute, f64::INFINITY),
        ] {
            let predicted = mib(parts, &[kind], Some(owner));
            totals[at].0 += predicted;
            totals[at].1 += reported;
            if deviation(predicted, reported).abs() > bound {
                wrong.push(format!("{kind:?} {predicted:.2}, reported {reported:.2}"));
            }
        }
        let output = initial_output(facts, options, owner, parts);
        if deviation(output, buffers.output).abs() > 1.0 {
            wrong.push(format!("output {output:.2}, reported {:.2}", buffers.output));
        }
        totals[4].0 += output;
        totals[4].1 += buffers.output;
        margin_percent = margin_percent.max(compute_margin(parts, owner));
        let predicted = mib(parts, &[PartKind::Compute], Some(owner));
        if deviation(predicted, buffers.compute).abs() > f64::from(margin_percent) {
            wrong.push(format!(
                "compute {predicted:.2} +- {margin_percent} %, reported {:.2}",
                buffers.compute
            ));
        }
    }
    totals[4].0 += totals[..4].iter().map(|(predicted, _)| predicted).sum::<f64>();
    totals[4].1 += totals[..4].iter().map(|(_, reported)| reported).sum::<f64>();
    if deviation(totals[4].0, totals[4].1).abs() > 10.0 {
        wrong.push("the total differs by more than 10 %".to_owned());
    }
    Row { name: name.to_owned(), pairs: totals, margin_percent, wrong }
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let mut out = format!(
        "{:width$} {:>17} {:>17} {:>13} {:>17}  {:>19}\n",
        "MiB: predicted/reported", "weights", "cache", "state", "compute", "total"
    );
    for Row { name, pairs, margin_percent, wrong } in rows {
        let [weights, cache, state, compute, total] =
            pairs.map(|(predicted, reported)| format!("{predicted:.2}/{reported:.2}"));
        let (compute_deviation, total_deviation) =
            (deviation(pairs[3].0, pairs[3].1), deviation(pairs[4].0, pairs[4].1));
        let _ = writeln!(
            out,
            "{name:width$} {weights:>17} {cache:>17} {state:>13} {compute:>17} {compute_deviation:>+6.1}% (margin {margin_percent}) {total:>19} {total_deviation:>+6.1}%{}",
            if wrong.is_empty() { String::new() } else { format!("  WRONG: {}", wrong.join("; ")) }
        );
    }
    out
}

fn facts(file: &Path) -> Facts {
    let parts = ModelHeaders::read(file, VocabularyDetail::Digests).unwrap();
    Facts::from_headers(&file.to_string_lossy(), &parts)
}

/// All models by name: the tiny models, and those of `shapes.py`.
pub(super) fn models(rig: &Rig) -> BTreeMap<String, Facts> {
    write_models(rig, "shapes.py")
}

/// All models by name, after a script of this folder wrote more of them.
pub(super) fn write_models(rig: &Rig, script: &str) -> BTreeMap<String, Facts> {
    let folder = rig.root.join("srv/models");
    let script = crate::support::repository().join("tests/served").join(script);
    let output = python().arg(script).arg(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (file.file_stem().unwrap().to_string_lossy().into_owned(), facts(&file))).collect()
}

/// The sizes of the context checkpoints that a server creates for a prompt, in MiB.
fn checkpoints(rig: &Rig, args: &[String], port: u16) -> Vec<f64> {
    let mut command = vec!["llama-server"];
    command.extend(args.iter().map(String::as_str));
    command.extend(["-lv", "4", "--no-warmup"]);
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut server = rig
        .chroot(&command)
        .stdout(Stdio::null())
        .stderr(log.reopen().unwrap())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    wait(60, "the server answers", || {
        http(port, "/health", "", "").is_some_and(|answer| answer.status == 200)
    });
    let tokens: Vec<usize> = (0..1200).map(|n| 7 * n % 250).collect();
    let answer =
        http(port, "/completion", &format!("{{\"prompt\": {tokens:?}, \"n_predict\": 4}}"), "").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    server.kill().unwrap();
    server.wait().unwrap();
    let text = std::fs::read_to_string(log.path()).unwrap();
    let created = text.lines().filter(|line| line.contains("created context checkpoint"));
    let sizes =
        created.filter_map(|line| line.split_once(", size = ")?.1.strip_suffix(" MiB)")?.parse().ok());
    sizes.collect()
}

/// All checkpoints together are at most as large as predicted, and not much smaller.
#[test]
fn checkpoints_are_as_large_as_predicted() {
    let rig = Rig::unbooted();
    let all = models(&rig);
    let profile = Profile::built_in("llama.cpp-b11669").unwrap();
    for name in ["gemma3", "gpt-oss", "mamba", "falcon-h1"] {
        let (model, port) = (format!("/srv/models/{name}.gguf"), 22432);
        let spec = ServerSpec {
            model: &model,
            port,
            context: ContextSpec::Tokens(8192),
            slots: 1,
            threads: Some(1),
            settings: &[(FieldOwner::of("checkpoints"), OverrideValue::Int(4))],
            ..ServerSpec::default()
        };
        let args: Vec<String> = lower_server(profile, &spec).texts().into_iter().map(str::to_owned).collect();
        let options = crate::memory_options::memory_options(profile, &[], args.iter().map(String::as_str));
        let process = Process { profile, options: &options, model: &all[name], draft: None, projector: None };
        let predicted = mib(&memory(&process), &[PartKind::Checkpoints], None);
        let sizes = checkpoints(&rig, &args, port);
        assert!(!sizes.is_empty(), "{name}");
        for size in sizes {
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let all = size * options.checkpoints as f64;
            println!(
                "{name}: {} checkpoints of {size:.3} MiB, predicted {predicted:.3}",
                options.checkpoints
            );
            assert!(
                all <= predicted + 0.01 && predicted <= all * 1.05 + 0.05,
                "{name}: {all} of {predicted}"
            );
        }
    }
}

#[test]
fn predictions_agree_with_the_server() {
    let rig = Rig::unbooted();
    let all = models(&rig);
    let mut rows = Vec::new();
    for (name, facts) in &all {
        let has_window = layers::layers(facts).is_ok_and(|layers| layers.window > 0);
        for setting in SETTINGS {
            let has = |name: &str| setting.options.iter().any(|(other, _)| *other == name);
            let has_idle_option = has("swa-full") && !has_window;
            // orchgen sets the batch of embedders, and encoders have no KV cache.
            let sets_batch = ["ubatch-size", "spec-default", "backend-sampling"].into_iter().any(has);
            let has_owned_option = (sets_batch || setting.cache.is_some()) && is_embedder(facts);
            if !has_idle_option && !has_owned_option {
                rows.extend(row(&rig, &Model { name, facts, draft: None }, setting));
            }
        }
    }
    for setting in SETTINGS.iter().take(6) {
        let model = Model { name: "target", facts: &all["target"], draft: Some(("draft", &all["draft"])) };
        rows.extend(row(&rig, &model, setting));
    }
    println!("{}", table(&rows));
    let worst = |at: usize| {
        rows.iter().map(|row| deviation(row.pairs[at].0, row.pairs[at].1).abs()).fold(0.0, f64::max)
    };
    println!(
        "{} servers of {} models: weights within {:.2} %, caches {:.2}, state {:.2}, compute {:.2}, totals {:.2}",
        rows.len(),
        all.len(),
        worst(0),
        worst(1),
        worst(2),
        worst(3),
        worst(4)
    );
    assert!(rows.len() > 100);
    let wrong: Vec<&str> =
        rows.iter().filter(|row| !row.wrong.is_empty()).map(|row| row.name.as_str()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
