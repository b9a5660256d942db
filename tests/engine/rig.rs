//! Differential tests with the real programs of b11669: they accept each command line that orchgen accepts. They reject each
//! command line that orchgen rejects, except the cases of `SILENT`, which they accept silently.

use super::upgrade::{derived, lines};
use super::{profile, servers};
use crate::support::{compile_folder, rig_root};
use orchgen::engine::dialect::{
    ContextSpec, DraftSpec, FaultKind, LookupSpec, Lowered, PromptSpec, ServerSpec, lower_prompt,
    lower_server,
};
use orchgen::engine::libraries::{LIBRARIES, read_lists};
use orchgen::engine::{ClosedList, OptionRecord};
use orchgen::source::libraries;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const BUILD: &str = "b11669";

/// The programs of the rig, with a folder below its root for the files that options name.
struct Programs {
    root: PathBuf,
    files: tempfile::TempDir,
}

impl Programs {
    #[track_caller]
    fn find() -> Self {
        let root = rig_root();
        let files = tempfile::tempdir_in(root.join("var/tmp")).unwrap();
        std::fs::write(files.path().join("object.json"), "{}").unwrap();
        let programs = Self { root, files };
        assert!(
            programs.accepts("llama-server", &["--version".to_owned()]),
            "llama-server does not run in the rig"
        );
        programs
    }

    /// A path as the programs see it.
    fn path(&self, name: &str) -> String {
        let below = self.files.path().strip_prefix(&self.root).unwrap();
        Path::new("/").join(below).join(name).to_string_lossy().into_owned()
    }

    /// True if a program accepts a command line. With `--help`, it parses all arguments before it prints the help, and loads no
    /// model.
    fn accepts(&self, tool: &str, args: &[String]) -> bool {
        // With some numbers the program never ends. This does not count as accepted.
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

    fn accepts_lowered(&self, lowered: &Lowered) -> bool {
        let args: Vec<String> = lowered.args.iter().map(|word| word.text().to_owned()).collect();
        self.accepts(lowered.tool, &args)
    }
}

/// One option of the registry.
#[derive(Clone, Debug)]
struct GivenOption {
    name: String,
    value: Option<String>,
}

impl GivenOption {
    fn new(name: &str, value: Option<&str>) -> Self {
        Self { name: name.to_owned(), value: value.map(str::to_owned) }
    }

    /// The unchecked arguments of the command line.
    fn raw(&self) -> Vec<String> {
        let values = self.value.iter().flat_map(|value| {
            // The registry has both arguments in one string.
            let two = self.name == "--control-vector-layer-range";
            if two { value.split(' ').map(str::to_owned).collect() } else { vec![value.clone()] }
        });
        std::iter::once(self.name.clone()).chain(values).collect()
    }
}

fn lower_with(options: &[GivenOption]) -> Lowered {
    let options: Vec<(&str, Option<&str>)> =
        options.iter().map(|option| (option.name.as_str(), option.value.as_deref())).collect();
    let spec = ServerSpec {
        model: "/m.gguf",
        port: 8080,
        context: ContextSpec::Tokens(4096),
        slots: 1,
        options: &options,
        ..ServerSpec::default()
    };
    lower_server(profile(BUILD), &spec)
}

/// The options of llama-server, except those whose values depend on the machine: devices, and other servers.
fn options() -> Vec<&'static OptionRecord> {
    let build = profile(BUILD);
    let machine_options = ["--rpc", "--device", "--spec-draft-device", "--mmproj-device"];
    let all = build.options().iter().filter(|option| build.tool_accepts("llama-server", option));
    all.filter(|option| !machine_options.contains(&option.title())).collect()
}

/// Valid and invalid values for an option.
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

/// Each option alone: without a value, with each value, and flags also with a superfluous value and with each spelling.
fn singles(programs: &Programs) -> Vec<GivenOption> {
    let mut all = Vec::new();
    for option in options() {
        let title = option.title();
        if option.arity() == 0 {
            let spellings = option.spellings().map(|(name, _)| GivenOption::new(name, None));
            all.extend(spellings);
            all.push(GivenOption::new(title, Some("true")));
        } else {
            all.push(GivenOption::new(title, None));
            all.extend(values(option, programs).iter().map(|value| GivenOption::new(title, Some(value))));
        }
    }
    // Options of other programs, of other builds, and of no program.
    for name in [
        "--image",
        "--mlock",
        "--no-mmap",
        "--draft-max",
        "--nonsense",
        "--ctx-size-draft",
        "--verbose-prompt",
    ] {
        all.push(GivenOption::new(name, None));
        all.push(GivenOption::new(name, Some("1")));
    }
    all
}

/// Cases that the engine accepts silently and orchgen rejects: placeholders or first long names of options, values, and how the
/// engine interprets them.
const SILENT: &[(&[&str], &[&str], &str)] = &[
    (&["N", "P", "INDEX", "SECONDS", "SIMILARITY", "SEED", "L", "<0...100>"], &["8k"], "8"),
    (&["N", "INDEX", "SECONDS", "SEED", "<0...100>"], &["1e5", "0.5"], "the leading digits"),
    (&["SEED", "<0...100>"], &["-2", "99999999999"], "its lower 32 bits"),
    (&["<0...100>"], &["-1", "101", "513", "1025"], "itself"),
    (&["<0|1>"], &["-1", "-2", "101", "513", "1025", "8k", "1e5", "0.5", "99999999999", "0,0"], "a number"),
    (
        &["--n-cpu-ffn", "--n-cpu-moe", "--spec-draft-n-cpu-moe"],
        &["513", "1025"],
        "more layers than a model has",
    ),
    (&["--defrag-thold"], &["x", ""], "ignored: the option has no effect"),
    (&["lo-hi"], &["5-2", "0-", "-7"], "no CPU, or an open range"),
    (&["M"], &[""], "no CPU"),
    (&["FNAME", "PATH", "FILE", "DIR"], &[""], "no file"),
    (&["L"], &["-2"], "itself"),
    (&["FNAME:SCALE,..."], &[":1"], "a file without a name"),
    (&["<tensor name pattern>=<buffer type>,..."], &["=CPU"], "every tensor"),
    (&["--chat-template"], &["llama3", "x"], "this word replaces every prompt"),
    (&["--chat-template-kwargs"], &["[]"], "nothing"),
    (&["JSON"], &["[]", "{", "x"], "a later error, or none"),
    (&["[on|off|auto]"], &["0", "1", "-1"], "off, on and auto, which the help does not list"),
];

/// True if the engine accepts silently what orchgen rejects.
fn is_silent(given: &GivenOption, lowered: &Lowered) -> bool {
    let fault = lowered.errors[0].kind;
    let option = profile(BUILD).option("llama-server", &given.name);
    let placeholder = option.and_then(|option| option.value.as_deref()).unwrap_or_default();
    let title = option.map(OptionRecord::title).unwrap_or_default();
    let value = given.value.as_deref().unwrap_or_default();
    let is_listed = |(names, values, _): &&(&[&str], &[&str], &str)| {
        (names.contains(&placeholder) || names.contains(&title)) && values.contains(&value)
    };
    // orchgen also rejects options that a field sets, that stop or hide the server, or that have no effect alone. They are no
    // errors of the command line.
    matches!(fault, FaultKind::OwnedByField | FaultKind::Incomplete)
        || SILENT.iter().any(|case| is_listed(&case))
}

#[test]
fn each_option_alone_is_accepted_like_in_llama_server() {
    let programs = Programs::find();
    let singles = singles(&programs);
    assert!(singles.len() > 1200, "{}", singles.len());
    let wrong: Vec<String> = singles
        .par_iter()
        .filter_map(|given| {
            let lowered = lower_with(std::slice::from_ref(given));
            if lowered.errors.is_empty() {
                return (!programs.accepts_lowered(&lowered))
                    .then(|| format!("orchgen accepts, llama-server rejects: {given:?}"));
            }
            let wrong = !is_silent(given, &lowered) && programs.accepts("llama-server", &given.raw());
            wrong.then(|| {
                format!("orchgen rejects, llama-server accepts: {given:?} {}", lowered.errors[0].why)
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), singles.len(), wrong.join("\n"));
}

#[test]
fn sets_of_options_are_accepted_like_in_llama_server() {
    let programs = Programs::find();
    // llama-server does not parse arguments after one of these.
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
    all.retain(|given| !ends.contains(&given.name.as_str()));
    let sets = prop::collection::vec(prop::sample::select(all), 1..6);
    let rng = TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let mut runner =
        TestRunner::new_with_rng(Config { cases: 400, failure_persistence: None, ..Config::default() }, rng);
    let mut counts = (0, 0);
    let counted = std::cell::RefCell::new(&mut counts);
    runner
        .run(&sets, |set| {
            let lowered = lower_with(&set);
            if lowered.errors.is_empty() {
                counted.borrow_mut().0 += 1;
                prop_assert!(
                    programs.accepts_lowered(&lowered),
                    "orchgen accepts, llama-server rejects: {:?}",
                    lowered.args
                );
                return Ok(());
            }
            counted.borrow_mut().1 += 1;
            let raw: Vec<String> = set.iter().flat_map(GivenOption::raw).collect();
            let alone = set.iter().map(|given| (given, lower_with(std::slice::from_ref(given))));
            let rejected = alone.filter(|(_, lowered)| !lowered.errors.is_empty());
            let silent = rejected.clone().all(|(given, lowered)| is_silent(given, &lowered));
            prop_assert!(
                silent || !programs.accepts("llama-server", &raw),
                "orchgen rejects, llama-server accepts: {raw:?}"
            );
            Ok(())
        })
        .unwrap();
    assert!(counts.0 > 20 && counts.1 > 100, "{counts:?}");
}

#[test]
fn every_command_line_of_a_registry_is_accepted() {
    let programs = Programs::find();
    let project = compile_folder(&crate::support::repository().join("registry"));
    let old = "llama.cpp-2026-03-fork";
    let derived = derived(&project, Some((old, profile(BUILD))));
    let mut tools = BTreeSet::new();
    let mut run = |lowered: &Lowered| {
        assert_eq!(*lowered.errors, []);
        assert!(programs.accepts_lowered(lowered), "{} {:?}", lowered.tool, lowered.args);
        tools.insert(lowered.tool);
    };
    for line in lines(&derived) {
        run(&line);
    }
    let keys = programs.path("object.json");
    for mut spec in servers().into_iter().step_by(23) {
        spec.key_file = spec.key_file.map(|_| keys.as_str());
        run(&lower_server(profile(BUILD), &spec));
    }
    for bits in 0..16_u32 {
        let has = |n: u32| bits & (1 << n) != 0;
        let draft = DraftSpec {
            path: "/d.gguf",
            arch: "qwen2",
            kind: None,
            max: Some(8),
            min: Some(1),
            p_min: Some(0.5),
        };
        let spec = PromptSpec {
            model: "/m.gguf",
            projector: has(0).then_some("/p.gguf"),
            draft: has(1).then_some(draft),
            lookup: has(2).then_some(LookupSpec::of(3)),
            experts: has(3).then_some(("qwen3moe", 4)),
            context: ContextSpec::Tokens(4096),
            threads: Some(2),
            ..PromptSpec::default()
        };
        run(&lower_prompt(profile(BUILD), &spec));
    }
    assert_eq!(tools.into_iter().collect::<Vec<_>>(), ["llama-cli", "llama-server", "llama-speculative"]);
}

/// The libraries of the real build have the lists of its built-in profile. Only strings can be too many.
#[test]
fn probing_reads_the_lists_of_the_build() {
    let program = rig_root().join("usr/bin/llama-server");
    let lists = read_lists(&libraries(&program, LIBRARIES));
    let expected = profile(BUILD).lists();
    assert_eq!(lists.architectures, expected.architectures);
    assert_eq!(lists.tensor_types, expected.tensor_types);
    for list in [ClosedList::PreTokenizers, ClosedList::ProjectorTypes] {
        let missing: Vec<&String> =
            expected.get(list).unwrap().iter().filter(|word| lists.has(list, word) != Some(true)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
