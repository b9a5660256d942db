//! The differential test: what is accepted here is accepted by the real programs of b11669, and what is refused here is
//! refused by them, or is one of the cases, listed by name, that they take without a word.

use super::{profile, servers};
use crate::support::{compile_folder, rig_root, without_rig};
use orchgen::check::Ground;
use orchgen::engine::OptionRecord;
use orchgen::engine::dialect::{Draft, Fault, Lowered, Prompt, Serve, prompt, serve};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const BUILD: &str = "b11669";

/// The programs of the rig, with a folder below its root that holds the files that options name.
struct Programs {
    root: PathBuf,
    files: tempfile::TempDir,
}

impl Programs {
    /// None where they are not there, which is said in a line; that fails where the environment asks for them.
    #[track_caller]
    fn find(test: &str) -> Option<Self> {
        let root = rig_root(test)?;
        let files = tempfile::tempdir_in(root.join("var/tmp"));
        let works = |files: tempfile::TempDir| {
            let programs = Self { root: root.clone(), files };
            programs.accepts("llama-server", &["--version".to_owned()]).then_some(programs)
        };
        let found = files.ok().and_then(works);
        if found.is_none() {
            without_rig(test, &format!("no programs of {BUILD} can be run below {}", root.display()));
        }
        let found = found?;
        std::fs::write(found.files.path().join("object.json"), "{}").unwrap();
        Some(found)
    }

    /// A path as the programs see it.
    fn path(&self, name: &str) -> String {
        let below = self.files.path().strip_prefix(&self.root).unwrap();
        Path::new("/").join(below).join(name).to_string_lossy().into_owned()
    }

    /// Whether a program takes a command line: it reads all of it before it prints its help, and loads nothing.
    fn accepts(&self, tool: &str, args: &[String]) -> bool {
        // Some numbers keep it busy for good, which is no acceptance.
        Command::new("timeout")
            .args(["--signal=KILL", "20", "chroot"])
            .arg(&self.root)
            .arg(format!("/usr/bin/{tool}"))
            .args(args)
            .arg("--help")
            .env_clear()
            .envs([
                ("PATH", "/usr/sbin:/usr/bin"),
                ("HOME", "/nonexistent"),
                ("XDG_CONFIG_HOME", "/nonexistent"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    fn takes(&self, lowered: &Lowered) -> bool {
        let args: Vec<String> = lowered.args.iter().map(ToString::to_string).collect();
        self.accepts(lowered.tool, &args)
    }
}

/// One option of the registry.
#[derive(Clone, Debug)]
struct Said {
    name: String,
    value: Option<String>,
}

impl Said {
    fn new(name: &str, value: Option<&str>) -> Self {
        Self { name: name.to_owned(), value: value.map(str::to_owned) }
    }

    /// The words that it would be on a command line that nobody has looked at.
    fn raw(&self) -> Vec<String> {
        let values = self.value.iter().flat_map(|value| {
            // Two arguments are written with a blank between them.
            let two = self.name == "--control-vector-layer-range";
            if two { value.split(' ').map(str::to_owned).collect() } else { vec![value.clone()] }
        });
        std::iter::once(self.name.clone()).chain(values).collect()
    }
}

fn with(options: &[Said]) -> Lowered {
    let options: Vec<(&str, Option<&str>)> =
        options.iter().map(|said| (said.name.as_str(), said.value.as_deref())).collect();
    let wanted = Serve {
        model: "/m.gguf",
        port: 8080,
        context: 4096,
        slots: 1,
        options: &options,
        ..Serve::default()
    };
    serve(profile(BUILD), &wanted)
}

/// The options of llama-server, without those that answer for the machine instead of for the command line: whether a device or
/// another server is there.
fn options() -> Vec<&'static OptionRecord> {
    let build = profile(BUILD);
    let of_machine = ["--rpc", "--device", "--spec-draft-device", "--mmproj-device"];
    let all = build.options().iter().filter(|option| build.takes("llama-server", option));
    all.filter(|option| !of_machine.contains(&option.title())).collect()
}

/// Values that an option may be given, good ones and bad ones.
fn values(option: &OptionRecord, programs: &Programs) -> Vec<String> {
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let (file, folder, log) = (programs.path("object.json"), programs.path(""), programs.path("log"));
    if option.title() == "--log-file" {
        return vec![log];
    }
    if ["--slot-save-path", "--media-path", "--path", "--models-dir"].contains(&option.title()) {
        return vec![folder, String::new()];
    }
    let mut values = match option.value.as_deref().unwrap_or_default() {
        "FNAME" | "PATH" | "FILE" | "DIR" | "JINJA_TEMPLATE_FILE" => vec![file, String::new()],
        "FNAME:SCALE,..." => {
            vec![format!("{file}:0.5"), format!("{file}:0.5,{file}:1"), file, ":1".to_owned()]
        }
        "START END" => list(&["1 2", "1", "a b"]),
        "JSON" | "SCHEMA" => list(&["{}", "{\"type\":\"object\"}", "[]", "{", "x"]),
        "JINJA_TEMPLATE" => list(&["chatml", "{{ messages }}", "llama3", "x"]),
        "TOKEN_ID(+/-)BIAS" => list(&["15043+1", "15043-0.5", "15043", "x", "1+x"]),
        "lo-hi" => list(&["0-7", "3-3", "5-2", "0-512", "x", "0-", "-7"]),
        "M" => list(&["ff", "0xFF", "zz", ""]),
        "<tensor name pattern>=<buffer type>,..." => {
            list(&["exps=CPU", "a=CPU,b=CPU", "exps", "exps=", "=CPU"])
        }
        "N0,N1,N2,..." => list(&["3,1", "3/1", "0.5", "a", ""]),
        "P0,P1,..." => list(&["0.5", "0.5,0.1", "x"]),
        "MiB0,MiB1,MiB2,..." => list(&["1024", "10,20", "a", "10,a"]),
        "KEY=TYPE:VALUE,..." => list(&["a.b=int:1", "a.b=int", "a"]),
        "SAMPLERS" => list(&["top_k;temperature"]),
        "STRING" if option.title() == "--chat-template-kwargs" => list(&["{}", "{", "[]"]),
        "STRING"
        | "PREFIX"
        | "TOKEN"
        | "KEY"
        | "URL"
        | "MODEL_URL"
        | "MESSAGE"
        | "LEVEL"
        | "HEADERS"
        | "METHODS"
        | "ORIGINS"
        | "GRAMMAR"
        | "PROMPT"
        | "SEQUENCE"
        | "HOST"
        | "TOOL1,TOOL2,..."
        | "OPTION"
        | "<user>/<model>[:quant]"
        | "[<repo>/]<model>[:quant]" => list(&["x"]),
        _ => list(&["0", "1", "-1", "-2", "101", "513", "1025", "8k", "1e5", "0.5", "x", "", "99999999999"]),
    };
    values.extend(option.choices.iter().chain(&option.accepts).cloned());
    values.extend(option.choices.first().map(|word| format!("{word},{word}")));
    values
}

/// Every option alone: as a switch, with each value, with one too many, and each spelling that switches it off.
fn singles(programs: &Programs) -> Vec<Said> {
    let mut all = Vec::new();
    for option in options() {
        let title = option.title();
        if option.arity() == 0 {
            let spellings = option.spellings().map(|(name, _)| Said::new(name, None));
            all.extend(spellings);
            all.push(Said::new(title, Some("true")));
        } else {
            all.push(Said::new(title, None));
            all.extend(values(option, programs).iter().map(|value| Said::new(title, Some(value))));
        }
    }
    // Of other programs, of other builds, of none.
    for name in [
        "--image",
        "--mlock",
        "--no-mmap",
        "--draft-max",
        "--nonsense",
        "--ctx-size-draft",
        "--verbose-prompt",
    ] {
        all.push(Said::new(name, None));
        all.push(Said::new(name, Some("1")));
    }
    all
}

/// What the engine takes without a word and is refused here, by name: the placeholder or the first long name of an option, the
/// values, and what the engine makes of them.
const SILENT: &[(&[&str], &[&str], &str)] = &[
    (&["N", "P", "INDEX", "SECONDS", "SIMILARITY", "SEED", "L", "<0...100>"], &["8k"], "8"),
    (&["N", "INDEX", "SECONDS", "SEED", "<0...100>"], &["1e5", "0.5"], "the digits in front"),
    (&["SEED", "<0...100>"], &["-2", "99999999999"], "its lower 32 bits"),
    (&["<0...100>"], &["-1", "101", "513", "1025"], "itself, whatever it means"),
    (&["<0|1>"], &["-1", "-2", "101", "513", "1025", "8k", "1e5", "0.5", "99999999999", "0,0"], "a number"),
    (
        &["--n-cpu-ffn", "--n-cpu-moe", "--spec-draft-n-cpu-moe"],
        &["513", "1025"],
        "more layers than a model has",
    ),
    (&["--defrag-thold"], &["x", ""], "nothing: it is not read any more"),
    (&["lo-hi"], &["5-2", "0-", "-7"], "no CPU, or all from or to one"),
    (&["M"], &[""], "no CPU"),
    (&["FNAME", "PATH", "FILE", "DIR"], &[""], "no file"),
    (&["L"], &["-2"], "itself, whatever it means"),
    (&["FNAME:SCALE,..."], &[":1"], "a file without a name"),
    (&["<tensor name pattern>=<buffer type>,..."], &["=CPU"], "every tensor"),
    (&["--chat-template"], &["llama3", "x"], "the word as every prompt"),
    (&["--chat-template-kwargs"], &["[]"], "nothing"),
    (&["JSON"], &["[]", "{", "x"], "an error that comes later, or none"),
    (&["[on|off|auto]"], &["0", "1", "-1"], "off, on and auto, which the help does not say"),
];

fn is_silent(said: &Said, lowered: &Lowered) -> bool {
    let fault = lowered.cannot[0].fault;
    let option = profile(BUILD).option("llama-server", &said.name);
    let placeholder = option.and_then(|option| option.value.as_deref()).unwrap_or_default();
    let title = option.map(OptionRecord::title).unwrap_or_default();
    let value = said.value.as_deref().unwrap_or_default();
    let is_listed = |(of, values, _): &&(&[&str], &[&str], &str)| {
        (of.contains(&placeholder) || of.contains(&title)) && values.contains(&value)
    };
    // What a field says, or what ends the server or hides it, is the registry's to refuse and no fault of the line; what does
    // nothing alone is none either.
    matches!(fault, Fault::Owned | Fault::Alone) || SILENT.iter().any(|case| is_listed(&case))
}

#[test]
fn the_property_of_being_accepted_is_the_same_there_option_by_option() {
    let Some(programs) = Programs::find("options one by one") else { return };
    let singles = singles(&programs);
    assert!(singles.len() > 1200, "{}", singles.len());
    let wrong: Vec<String> = singles
        .par_iter()
        .filter_map(|said| {
            let lowered = with(std::slice::from_ref(said));
            if lowered.cannot.is_empty() {
                return (!programs.takes(&lowered))
                    .then(|| format!("accepted here, refused there: {said:?}"));
            }
            let wrong = !is_silent(said, &lowered) && programs.accepts("llama-server", &said.raw());
            wrong.then(|| format!("refused here, accepted there: {said:?} {}", lowered.cannot[0].why))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), singles.len(), wrong.join("\n"));
}

#[test]
fn the_property_of_being_accepted_is_the_same_there_for_sets() {
    let Some(programs) = Programs::find("sets of options") else { return };
    // What follows one of these is not read any more.
    let ends = [
        "-h",
        "--help",
        "--usage",
        "--version",
        "--list-devices",
        "-cl",
        "--cache-list",
        "--completion-bash",
    ];
    let mut all = singles(&programs);
    all.retain(|said| !ends.contains(&said.name.as_str()));
    let sets = prop::collection::vec(prop::sample::select(all), 1..6);
    let rng = TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let mut runner =
        TestRunner::new_with_rng(Config { cases: 400, failure_persistence: None, ..Config::default() }, rng);
    let mut counts = (0, 0);
    let counted = std::cell::RefCell::new(&mut counts);
    runner
        .run(&sets, |set| {
            let lowered = with(&set);
            if lowered.cannot.is_empty() {
                counted.borrow_mut().0 += 1;
                prop_assert!(programs.takes(&lowered), "accepted here, refused there: {:?}", lowered.args);
                return Ok(());
            }
            counted.borrow_mut().1 += 1;
            let raw: Vec<String> = set.iter().flat_map(Said::raw).collect();
            let alone = set.iter().map(|said| (said, with(std::slice::from_ref(said))));
            let of_set = alone.filter(|(_, lowered)| !lowered.cannot.is_empty());
            let silent = of_set.clone().all(|(said, lowered)| is_silent(said, &lowered));
            prop_assert!(
                silent || !programs.accepts("llama-server", &raw),
                "refused here, accepted there: {raw:?}"
            );
            Ok(())
        })
        .unwrap();
    assert!(counts.0 > 20 && counts.1 > 100, "{counts:?}");
}

#[test]
fn every_command_line_of_a_registry_is_accepted() {
    let Some(programs) = Programs::find("command lines of a registry") else { return };
    let ours = compile_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("registry"));
    let old = "llama.cpp-2026-03-fork";
    let registry = orchgen::compile::lower(&ours.loaded, &mut orchgen::diag::Diagnostics::default());
    let ground = Ground::new(registry, &[], orchgen::facts::Lock::default()).under(old, profile(BUILD));
    let mut tools = BTreeSet::new();
    let mut run = |lowered: &Lowered| {
        assert_eq!(lowered.cannot, []);
        assert!(programs.takes(lowered), "{} {:?}", lowered.tool, lowered.args);
        tools.insert(lowered.tool);
    };
    for (_, serving) in ground.registry().served() {
        for n in 0..serving.ports.len() {
            run(&ground.serve(serving, n).unwrap());
        }
        if serving.pooling.is_none() {
            run(&ground.prompt(serving.model.value, serving, ("prompt", "image.png")).unwrap());
        }
    }
    let keys = programs.path("object.json");
    for mut wanted in servers().into_iter().step_by(23) {
        wanted.key_file = wanted.key_file.map(|_| keys.as_str());
        run(&serve(profile(BUILD), &wanted));
    }
    for bits in 0..16_u32 {
        let has = |n: u32| bits & (1 << n) != 0;
        let draft = Draft { path: "/d.gguf", arch: "qwen2", max: Some(8), min: Some(1), p_min: Some(0.5) };
        let wanted = Prompt {
            model: "/m.gguf",
            projector: has(0).then_some("/p.gguf"),
            draft: has(1).then_some(draft),
            lookup: has(2).then_some(3),
            experts: has(3).then_some(("qwen3moe", 4)),
            context: Some(4096),
            threads: Some(2),
            prompt: "p",
            image: "/i.png",
            ..Prompt::default()
        };
        run(&prompt(profile(BUILD), &wanted));
    }
    assert_eq!(tools.into_iter().collect::<Vec<_>>(), ["llama-cli", "llama-server", "llama-speculative"]);
}
