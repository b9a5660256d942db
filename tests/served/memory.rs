//! What a role is said to take, held against the buffers that a real server prints.
//!
//! For each model and each way to serve it, the command line is lowered as for a unit, its memory is worked out from the header and
//! that line, and the same line is given to a server at `-lv 4`. Prints a table; times nothing.

use super::rig::{Rig, ask as get, wait};
use crate::support::python;
use orchgen::engine::dialect::{Draft, FlashAttention, Serve, serve};
use orchgen::engine::memory::{Amount, Asked, Kind, Part, Process, Whose, memory};
use orchgen::engine::{Profile, compute, layers};
use orchgen::facts::{Facts, Keep, Parts};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

const MIB: f64 = 1_048_576.0;
/// What two decimals of a MiB leave open.
const ROUNDING: f64 = 0.011;

/// One way to serve a model.
#[derive(Clone, Copy)]
struct Way {
    context: u32,
    slots: u32,
    cache: Option<&'static str>,
    flash: FlashAttention,
    options: &'static [(&'static str, Option<&'static str>)],
}

const PLAIN: Way = Way {
    context: 4096,
    slots: 1,
    cache: None,
    flash: FlashAttention::Auto,
    options: &[("no-repack", None)],
};

/// Contexts, slots, types of cache, with and without flash attention, another batch, one cache for all.
const WAYS: &[Way] = &[
    PLAIN,
    Way { slots: 4, ..PLAIN },
    Way { context: 32768, ..PLAIN },
    Way { context: 1000, slots: 3, ..PLAIN },
    Way { context: 300, ..PLAIN },
    Way { context: 16384, slots: 2, cache: Some("q8_0"), ..PLAIN },
    Way { slots: 2, cache: Some("q4_0"), ..PLAIN },
    Way { slots: 2, flash: FlashAttention::Off, ..PLAIN },
    Way { options: &[("no-repack", None), ("ubatch-size", Some("128"))], ..PLAIN },
    Way { slots: 4, options: &[("no-repack", None), ("swa-full", None)], ..PLAIN },
    Way { slots: 2, options: &[("no-repack", None), ("spec-default", None)], ..PLAIN },
    Way { slots: 2, options: &[("no-repack", None), ("backend-sampling", None)], ..PLAIN },
    Way { options: &[], ..PLAIN },
];

/// What a server said of one of its contexts, in MiB.
#[derive(Default, Debug)]
struct Context {
    cache: f64,
    state: f64,
    compute: f64,
    output: f64,
}

/// What a server said.
#[derive(Default, Debug)]
struct Said {
    /// Weights by the name of their buffer, in MiB.
    weights: BTreeMap<String, f64>,
    /// How many such buffers, each with a size of two decimals.
    buffers: f64,
    contexts: Vec<Context>,
    /// The last lines, for where it did not start.
    last: Vec<String>,
    is_ready: bool,
}

impl Said {
    /// Takes one line of `-lv 4` (b11669): `load_tensors: CPU_Mapped model buffer size = N MiB`, `llama_kv_cache: size = N MiB`,
    /// `llama_memory_recurrent: size = N MiB`, `sched_reserve: CPU compute buffer size = N MiB`, `CPU output buffer size = N MiB`.
    fn take(&mut self, line: &str) {
        self.last.push(line.to_owned());
        if self.last.len() > 12 {
            self.last.remove(0);
        }
        if line.contains("constructing llama_context") {
            self.contexts.push(Context::default());
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

/// Starts a server with a command line until it is ready, and says what it said.
fn ask(rig: &Rig, args: &[String]) -> Said {
    let mut command = vec!["llama-server"];
    command.extend(args.iter().map(String::as_str));
    command.extend(["-lv", "4", "--no-warmup"]);
    let mut server = rig
        .chroot(&command)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = Said::default();
    let lines = BufReader::new(server.stderr.take().unwrap()).split(b'\n');
    for line in lines {
        let line = String::from_utf8_lossy(&line.unwrap()).into_owned();
        said.take(&line);
        if line.contains("server is listening") || line.contains("model loaded") {
            said.is_ready = true;
            break;
        }
    }
    server.kill().unwrap();
    server.wait().unwrap();
    said
}

/// A row of the table: what was worked out and what was said, in MiB.
struct Row {
    name: String,
    /// Weights, cache, state, compute, total.
    pairs: [(f64, f64); 5],
    within: u8,
    wrong: Vec<String>,
}

fn mib(parts: &[Part], kinds: &[Kind], of: Option<Whose>) -> f64 {
    let counted = parts.iter().filter(|part| kinds.contains(&part.kind) && of.is_none_or(|of| of == part.of));
    #[expect(clippy::cast_precision_loss, reason = "a table for people")]
    counted.map(|part| part.amount.bytes() as f64 / MIB).sum()
}

fn off(ours: f64, said: f64) -> f64 {
    if (ours - said).abs() <= ROUNDING { 0.0 } else { (ours - said) / said.max(0.01) * 100.0 }
}

/// The buffer that puts out one token a slot, as it is before the first request.
#[expect(clippy::cast_precision_loss, reason = "a table for people")]
fn first_output(facts: &Facts, asked: &Asked, of: Whose, parts: &[Part]) -> f64 {
    let sizes = orchgen::engine::memory::sizes_of(asked, facts, &layers::layers(facts).unwrap(), of);
    if of == Whose::Model && sizes.outputs <= sizes.slots {
        return mib(parts, &[Kind::Output], Some(of));
    }
    compute::output(facts, &sizes) as f64 / MIB
}

fn is_embedder(facts: &Facts) -> bool {
    facts.number("pooling_type").is_some_and(|kind| kind > 0)
}

struct Model<'m> {
    name: &'m str,
    facts: &'m Facts,
    draft: Option<(&'m str, &'m Facts)>,
}

fn row(rig: &Rig, model: &Model<'_>, way: &Way) -> Option<Row> {
    let profile = Profile::built_in("llama.cpp-b11669").unwrap();
    let is_embedder = is_embedder(model.facts);
    let path = |name: &str| format!("/srv/models/{name}.gguf");
    let (own, draft) = (path(model.name), model.draft.map(|(name, _)| path(name)));
    let wanted = Serve {
        model: &own,
        port: 22431,
        context: if is_embedder { way.context.min(512) } else { way.context },
        slots: way.slots,
        cache_type: way.cache,
        flash_attention: Some(way.flash),
        draft: draft.as_deref().map(|path| Draft { path, max: Some(7), ..Draft::default() }),
        is_embedder,
        threads: Some(1),
        options: way.options,
        ..Serve::default()
    };
    let lowered = serve(profile, &wanted);
    assert!(lowered.cannot.is_empty(), "{}: {:?}", model.name, lowered.cannot);
    let args: Vec<String> = lowered.args.iter().map(ToString::to_string).collect();
    let asked = Asked::read(profile, &[], args.iter().map(String::as_str));
    let draft = model.draft.map(|(_, facts)| facts);
    let process = Process { profile, asked: &asked, model: model.facts, draft, projector: None };
    let parts = memory(&process);
    let unknown = parts.iter().find_map(|part| match &part.amount {
        Amount::Unknown(why) => Some(why.clone()),
        Amount::Within { .. } | Amount::AtMost(_) => None,
    });
    let said = ask(rig, &args);
    let cache = way.cache.unwrap_or("f16");
    let options =
        way.options.iter().map(|(name, value)| [" ", name, " ", value.unwrap_or_default()].concat());
    let options: Vec<String> = options.collect();
    let name = format!(
        "{}{} {} x {} {cache}{}{}",
        model.name,
        if draft.is_some() { " + draft" } else { "" },
        way.slots,
        way.context,
        if way.flash == FlashAttention::Off { " fa off" } else { "" },
        options.concat()
    );
    if !said.is_ready {
        // What the server refuses must not have been worked out.
        let wrong = if unknown.is_some() { Vec::new() } else { vec![format!("not served: {:?}", said.last)] };
        return (!wrong.is_empty()).then_some(Row { name, pairs: [(0.0, 0.0); 5], within: 0, wrong });
    }
    let mut row = compared(&name, &parts, &said, model, &asked);
    row.wrong.extend(unknown);
    Some(row)
}

fn compared(name: &str, parts: &[Part], said: &Said, model: &Model<'_>, asked: &Asked) -> Row {
    let mut wrong = Vec::new();
    let contexts = [Some((Whose::Model, model.facts)), model.draft.map(|(_, facts)| (Whose::Draft, facts))];
    let mut totals = [(0.0, 0.0); 5];
    let repacked = mib(parts, &[Kind::Repacked], None);
    let copied = said.weights.get("CPU_REPACK").copied().unwrap_or(0.0);
    let whole: f64 = said.weights.iter().filter(|(name, _)| *name != "CPU_REPACK").map(|(_, mib)| mib).sum();
    let kept = mib(parts, &[Kind::Mapped, Kind::Loaded], None);
    if off(repacked, copied).abs() > 1.0 {
        wrong.push(format!("repacked {repacked:.2}, said {copied:.2}"));
    }
    let is_kept = (kept - whole).abs() <= whole * 0.01 + ROUNDING * said.buffers;
    if !is_kept {
        wrong.push(format!("weights {kept:.2}, said {whole:.2}"));
    }
    totals[0] = (kept + repacked, whole + copied);
    if said.contexts.len() != contexts.iter().flatten().count() {
        wrong.push(format!("{} contexts", said.contexts.len()));
    }
    let mut within = 0;
    for ((of, facts), real) in contexts.into_iter().flatten().zip(&said.contexts) {
        for (at, kind, real, bound) in [
            (1, Kind::Cache, real.cache, 1.0),
            (2, Kind::State, real.state, 1.0),
            (3, Kind::Compute, real.compute, f64::INFINITY),
        ] {
            let ours = mib(parts, &[kind], Some(of));
            totals[at].0 += ours;
            totals[at].1 += real;
            if off(ours, real).abs() > bound {
                wrong.push(format!("{kind:?} {ours:.2}, said {real:.2}"));
            }
        }
        let output = first_output(facts, asked, of, parts);
        if off(output, real.output).abs() > 1.0 {
            wrong.push(format!("output {output:.2}, said {:.2}", real.output));
        }
        totals[4].0 += output;
        totals[4].1 += real.output;
        let most = parts.iter().filter(|part| part.of == of && part.kind == Kind::Compute).map(|part| {
            match part.amount {
                Amount::Within { percent, .. } => percent,
                Amount::AtMost(_) | Amount::Unknown(_) => 0,
            }
        });
        within = within.max(most.max().unwrap_or(0));
        let ours = mib(parts, &[Kind::Compute], Some(of));
        if off(ours, real.compute).abs() > f64::from(within) {
            wrong.push(format!("compute {ours:.2} within {within} %, said {:.2}", real.compute));
        }
    }
    totals[4].0 += totals[..4].iter().map(|(ours, _)| ours).sum::<f64>();
    totals[4].1 += totals[..4].iter().map(|(_, said)| said).sum::<f64>();
    if off(totals[4].0, totals[4].1).abs() > 10.0 {
        wrong.push("the total".to_owned());
    }
    Row { name: name.to_owned(), pairs: totals, within, wrong }
}

fn drawn(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let mut out = format!(
        "{:width$} {:>17} {:>17} {:>13} {:>17}  {:>19}\n",
        "MiB: ours/said", "weights", "cache", "state", "compute", "total"
    );
    for Row { name, pairs, within, wrong } in rows {
        let [weights, cache, state, compute, total] =
            pairs.map(|(ours, said)| format!("{ours:.2}/{said:.2}"));
        let (of_compute, of_total) = (off(pairs[3].0, pairs[3].1), off(pairs[4].0, pairs[4].1));
        let _ = writeln!(
            out,
            "{name:width$} {weights:>17} {cache:>17} {state:>13} {compute:>17} {of_compute:>+6.1}% (within {within}) {total:>19} {of_total:>+6.1}%{}",
            if wrong.is_empty() { String::new() } else { format!("  WRONG: {}", wrong.join("; ")) }
        );
    }
    out
}

fn facts(file: &Path) -> Facts {
    let parts = Parts::read(file, Keep::Digests).unwrap();
    Facts::of(&file.to_string_lossy(), &parts)
}

/// All models by name: the tiny ones, and those that are made for this.
fn models(rig: &Rig) -> BTreeMap<String, Facts> {
    let folder = rig.root.join("srv/models");
    let shapes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/served/shapes.py");
    let made = std::process::Command::new(python()).arg(shapes).arg(&folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (file.file_stem().unwrap().to_string_lossy().into_owned(), facts(&file))).collect()
}

/// The sizes of the context checkpoints that a server makes of a prompt, in MiB.
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
    wait(60, "a server that answers", || {
        get(port, "/health", "", "").is_some_and(|answer| answer.status == 200)
    });
    let tokens: Vec<usize> = (0..1200).map(|n| 7 * n % 250).collect();
    let answer =
        get(port, "/completion", &format!("{{\"prompt\": {tokens:?}, \"n_predict\": 4}}"), "").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    server.kill().unwrap();
    server.wait().unwrap();
    let said = std::fs::read_to_string(log.path()).unwrap();
    let made = said.lines().filter(|line| line.contains("created context checkpoint"));
    let sizes = made.filter_map(|line| line.split_once(", size = ")?.1.strip_suffix(" MiB)")?.parse().ok());
    sizes.collect()
}

/// A checkpoint is no larger than is said, and not much smaller.
#[test]
fn checkpoints_are_bounded() {
    let Some(rig) = Rig::unbooted("served::memory") else { return };
    let all = models(&rig);
    let profile = Profile::built_in("llama.cpp-b11669").unwrap();
    for name in ["gemma3", "gpt-oss", "mamba", "falcon-h1"] {
        let (model, port) = (format!("/srv/models/{name}.gguf"), 22432);
        let wanted =
            Serve { model: &model, port, context: 8192, slots: 1, threads: Some(1), ..Serve::default() };
        let args: Vec<String> = serve(profile, &wanted).args.iter().map(ToString::to_string).collect();
        let asked = Asked::read(profile, &[], args.iter().map(String::as_str));
        let process = Process { profile, asked: &asked, model: &all[name], draft: None, projector: None };
        let most = mib(&memory(&process), &[Kind::Checkpoints], None);
        let made = checkpoints(&rig, &args, port);
        assert!(!made.is_empty(), "{name}");
        for size in made {
            #[expect(clippy::cast_precision_loss, reason = "four of them")]
            let all = size * asked.checkpoints as f64;
            println!("{name}: {} checkpoints of {size:.3} MiB, at most {most:.3}", asked.checkpoints);
            assert!(all <= most + 0.01 && most <= all * 1.05 + 0.05, "{name}: {all} of {most}");
        }
    }
}

#[test]
fn estimates_agree_with_the_server() {
    let Some(rig) = Rig::unbooted("served::memory") else { return };
    let all = models(&rig);
    let mut rows = Vec::new();
    for (name, facts) in &all {
        let has_window = layers::layers(facts).is_ok_and(|layers| layers.window > 0);
        for way in WAYS {
            let has = |name: &str| way.options.iter().any(|(other, _)| *other == name);
            let is_idle = has("swa-full") && !has_window;
            // The batch of an embedder follows from its context, and an encoder has no cache.
            let writes = ["ubatch-size", "spec-default", "backend-sampling"].into_iter().any(has);
            let is_owned = (writes || way.cache.is_some()) && is_embedder(facts);
            if !is_idle && !is_owned {
                rows.extend(row(&rig, &Model { name, facts, draft: None }, way));
            }
        }
    }
    for way in WAYS.iter().take(6) {
        let model = Model { name: "target", facts: &all["target"], draft: Some(("draft", &all["draft"])) };
        rows.extend(row(&rig, &model, way));
    }
    println!("{}", drawn(&rows));
    let worst =
        |at: usize| rows.iter().map(|row| off(row.pairs[at].0, row.pairs[at].1).abs()).fold(0.0, f64::max);
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
