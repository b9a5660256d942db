//! Launch scripts, one-shot commands and placement wrappers, run for real; `stack.json`.

use crate::outside;
use crate::quote::{cases, words};
use crate::support::{Compiled, compile};
use orchgen::plan::{Plan, Process, Role, Word, plan};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const KITCHEN: &str = include_str!("scripts/kitchen.kdl");
const TWO_NODES: &str = include_str!("scripts/two-nodes.kdl");

/// A program that prints its name and its arguments, a NUL after each, and its environment to where it is asked to.
const STUB: &str = "#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\"\n\
    [ -z \"$STUB_ENV\" ] || env -0 >\"$STUB_ENV\"\n[ -z \"$STUB_NUMA\" ] || numactl --show >\"$STUB_NUMA\"\n";

/// A stack whose programs and files are there.
struct Rig {
    dir: TempDir,
    plan: Plan,
}

impl Rig {
    /// The kitchen, with its text changed before it is compiled.
    fn new(change: impl Fn(String) -> String) -> Self {
        let dir = outside::folder();
        let text = change(KITCHEN.replace("/rig", dir.path().to_str().unwrap()));
        Self::of(dir, &compile(&[("kitchen.kdl", &text)]))
    }

    fn of(dir: TempDir, compiled: &Compiled) -> Self {
        compiled.write(&dir.path().join("out"));
        let plan = plan(compiled.checked());
        let tools = plan.prompts.iter().map(|prompt| format!("{}/{}", prompt.bin, prompt.tool));
        for program in tools.chain(plan.roles.iter().map(|role| role.program.to_string())) {
            outside::write(Path::new(&program), STUB, 0o755);
        }
        for role in &plan.roles {
            for file in role.files.iter().map(|file| &**file).chain(role.key_file.as_deref()) {
                outside::write(Path::new(file), "", 0o644);
            }
        }
        Self { dir, plan }
    }

    fn out(&self, path: &str) -> PathBuf {
        self.dir.path().join("out").join(path)
    }

    fn role(&self, name: &str) -> &Role {
        self.plan.roles.iter().find(|role| *role.name == *name).unwrap()
    }

    fn run(&self, path: &str, args: &[&str]) -> Output {
        outside::run(Command::new(self.out(path)).args(args), "numactl")
    }

    /// What it prints, after it has gone well in silence.
    #[track_caller]
    fn words(&self, path: &str, args: &[&str]) -> Vec<String> {
        words_of(&self.run(path, args))
    }

    /// It ends with this code before the program runs, and says why in one line.
    #[track_caller]
    fn refuses(&self, path: &str, args: &[&str], code: i32, why: &str) {
        refused(&self.run(path, args), code, why);
    }
}

#[track_caller]
fn refused(output: &Output, code: i32, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(why) && said.lines().count() == 1, "{said}");
    assert!(output.stdout.is_empty());
}

#[track_caller]
fn words_of(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut words: Vec<String> = text.split('\0').map(str::to_owned).collect();
    assert_eq!(words.pop().as_deref(), Some(""));
    words
}

/// The argv of a process, as a script has it.
fn argv(role: &Role, process: &Process) -> Vec<String> {
    let word = |word: Word| match word {
        Word::Text(text) => text.to_owned(),
        Word::KeyFile => role.key_file.clone().unwrap().into(),
        Word::Prompt | Word::Image => unreachable!("a role asks nothing"),
    };
    std::iter::once(role.program.to_string()).chain(process.args.words().into_iter().map(word)).collect()
}

/// The words of a line, as bash reads them.
fn read_by_bash(line: &[u8]) -> Vec<String> {
    let line = std::str::from_utf8(line).unwrap().strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{line}");
    let script = format!("printf '%s\\0' {line}");
    words_of(&outside::run(Command::new("bash").args(["-c", &script]), "bash"))
}

#[test]
fn every_script_is_clean() {
    for text in [KITCHEN, TWO_NODES] {
        let compiled = compile(&[("stack.kdl", text)]);
        let dir = outside::folder();
        compiled.write(dir.path());
        let files = compiled.files().into_iter();
        let scripts: Vec<PathBuf> = files
            .filter(|(path, _)| path.starts_with("bin/") || path.starts_with("numactl/"))
            .map(|(path, (text, executable))| {
                assert!(executable && text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
                dir.path().join(path)
            })
            .collect();
        assert!(scripts.len() > 7, "{scripts:?}");
        for script in &scripts {
            let said = outside::run(Command::new("bash").arg("-n").arg(script), "bash");
            assert!(said.status.success() && said.stderr.is_empty(), "{}", script.display());
        }
        assert_eq!(outside::shellcheck(&scripts), "");
    }
}

#[test]
fn what_is_written() {
    let files = compile(&[("kitchen.kdl", KITCHEN)]).files();
    for (name, path) in [
        ("role", "bin/front"),
        ("role_with_instances", "bin/embed"),
        ("prompt", "bin/prompt/seer"),
        ("wrapper", "numactl/interleave-0"),
        ("stack_json", "stack.json"),
    ] {
        insta::assert_snapshot!(name, files[path].0);
    }
    let files = compile(&[("two-nodes.kdl", TWO_NODES)]).files();
    insta::assert_snapshot!("two_nodes_stack_json", files["stack.json"].0);
    let many = &files["bin/many"].0;
    let arms: Vec<&str> = many.lines().filter(|line| line.contains(") port=")).collect();
    insta::assert_snapshot!("two_nodes_instances", arms.join("\n"));
}

#[test]
fn a_dry_run_prints_the_argv_of_the_unit() {
    for text in [KITCHEN, TWO_NODES] {
        let compiled = compile(&[("stack.kdl", text)]);
        let dir = outside::folder();
        compiled.write(dir.path());
        let plan = plan(compiled.checked());
        let mut processes = 0;
        for role in &plan.roles {
            let script = dir.path().join("bin").join(&*role.name);
            for (n, process) in role.processes.iter().enumerate() {
                let run = |option: &[&str]| {
                    let mut command = Command::new(&script);
                    outside::run(command.args(option).arg(n.to_string()), "bash")
                };
                let wanted = argv(role, process);
                assert_eq!(words_of(&run(&["--dry-run", "--print0"])), wanted);
                let line = run(&["--dry-run"]);
                assert!(line.stderr.is_empty());
                assert_eq!(read_by_bash(&line.stdout), wanted);
                processes += 1;
            }
        }
        assert!(processes >= 6, "{processes}");
    }
}

#[test]
fn the_program_gets_the_argv_of_the_plan_and_what_is_added() {
    let rig = Rig::new(|text| text);
    for role in &rig.plan.roles {
        let path = format!("bin/{}", role.name);
        for (n, process) in role.processes.iter().enumerate() {
            let mut wanted = argv(role, process);
            assert_eq!(rig.words(&path, &[&n.to_string()]), wanted);
            wanted.extend(["-v", "--", "", "it's $(id)\n"].map(str::to_owned));
            assert_eq!(rig.words(&path, &[&n.to_string(), "--", "-v", "--", "", "it's $(id)\n"]), wanted);
        }
        assert_eq!(rig.words(&path, &[]), argv(role, &role.processes[0]));
    }
}

#[test]
fn one_placement_one_environment_and_nothing_of_the_caller() {
    let rig = Rig::new(|text| text);
    let (env, numa) = (rig.dir.path().join("env"), rig.dir.path().join("numa"));
    let mut command = Command::new(rig.out("bin/front"));
    command.envs([("STUB_ENV", &env), ("STUB_NUMA", &numa)]);
    command.envs([
        ("LLAMA_ARG_X", "1"),
        ("LLAMA_ARG_DRAFT_MAX", "2"),
        ("LLAMA_API_KEY", "k"),
        ("XDG_CONFIG_HOME", "/tmp"),
    ]);
    words_of(&outside::run(&mut command, "numactl"));
    let env = fs::read_to_string(env).unwrap();
    let env: Vec<&str> = env.split('\0').collect();
    for entry in [
        "OMP_NUM_THREADS=1",
        "GREETING=it's $HOME; a=b",
        "PATH=/usr/bin:/bin",
        "XDG_CONFIG_HOME=/nonexistent",
    ] {
        assert!(env.contains(&entry), "{entry}: {env:?}");
    }
    assert!(!env.iter().any(|entry| entry.starts_with("LLAMA_")), "{env:?}");
    let shown = fs::read_to_string(&numa).unwrap();
    assert!(shown.contains("policy: interleave"), "{shown}");

    let mut command = Command::new(rig.out("bin/eye"));
    words_of(&outside::run(command.env("STUB_NUMA", &numa), "numactl"));
    let shown = fs::read_to_string(numa).unwrap();
    assert!(shown.contains("policy: bind") && shown.contains("physcpubind: 0 \n"), "{shown}");
}

#[test]
fn what_is_missing_has_a_code_of_its_own() {
    // Ports of its own: other tests start the same scripts meanwhile, which look whether theirs are free.
    let rig = Rig::new(|text| text.replace("2108", "2208").replace("2109", "2209"));
    let models = rig.dir.path().join("models");
    rig.refuses("bin/front", &["--nothing"], 64, "'--nothing'");
    rig.refuses("bin/front", &["1"], 64, "no instance '1'");
    for instance in ["3", "-1", "00", "port", "0 ", "18446744073709551616", "$(id)", ""] {
        rig.refuses("bin/embed", &[instance], 64, "");
    }
    rig.refuses("bin/embed", &["0", "-v"], 64, "follow --");
    rig.refuses("bin/embed", &["0", "1"], 64, "follow --");

    let busy = TcpListener::bind("127.0.0.1:22091").unwrap();
    rig.refuses("bin/embed", &["1"], 75, "port 22091 at 127.0.0.1 is taken");
    assert_eq!(rig.words("bin/embed", &["2"]), argv(rig.role("embed"), &rig.role("embed").processes[2]));
    drop(busy);
    let _busy = TcpListener::bind("127.0.0.1:32082").unwrap();
    rig.refuses("bin/eye", &[], 75, "port 32082 at 127.0.0.1 is taken");
    let _busy = TcpListener::bind("0.0.0.0:22081").unwrap();
    rig.refuses("bin/guarded", &[], 75, "port 22081 at 127.0.0.1 is taken");

    fs::remove_file(rig.dir.path().join("keys")).unwrap();
    rig.refuses("bin/guarded", &[], 66, "keys' is missing or cannot be read");
    fs::remove_file(models.join("tiny.gguf")).unwrap();
    rig.refuses("bin/front", &[], 66, "tiny.gguf' is missing or cannot be read");
    fs::create_dir(models.join("tiny.gguf")).unwrap();
    rig.refuses("bin/front", &[], 66, "tiny.gguf' is missing or cannot be read");
    fs::remove_file(rig.out("numactl/bind-0-cpus-0")).unwrap();
    rig.refuses("bin/embed", &[], 69, "numactl/bind-0-cpus-0' is missing");
    fs::remove_file(rig.dir.path().join("bin/llama-server")).unwrap();
    rig.refuses("bin/front", &[], 69, "llama-server' is missing or cannot be executed");
    assert_eq!(
        rig.words("bin/front", &["--print0"]),
        argv(rig.role("front"), &rig.role("front").processes[0])
    );
}

#[test]
fn a_limit_on_locked_memory_is_seen() {
    let rig = Rig::new(|text| text);
    let who = outside::run(Command::new("id").arg("-u"), "coreutils").stdout;
    let drop = if who == b"0\n" { "setpriv --reuid 65534 --clear-groups --" } else { "" };
    let script = format!("ulimit -l 1; exec {drop} \"$1\"");
    let run = |role: &str| {
        let mut command = Command::new("bash");
        outside::run(command.args(["-c", &script, "bash"]).arg(rig.out(role)), "util-linux")
    };
    refused(&run("bin/front"), 77, "2000 B are to be locked in memory, and the limit is 1 KiB");
    assert_eq!(words_of(&run("bin/eye")), argv(rig.role("eye"), &rig.role("eye").processes[0]));
}

/// A folder with a few programs and no others.
fn path_with(dir: &Path, programs: &[&str]) -> PathBuf {
    let path = dir.join("path");
    fs::create_dir(&path).unwrap();
    for program in programs {
        let found =
            outside::run(Command::new("bash").args(["-c", "type -P \"$1\"", "bash", program]), "bash");
        let found = String::from_utf8(found.stdout).unwrap();
        std::os::unix::fs::symlink(found.trim(), path.join(program)).unwrap();
    }
    path
}

#[test]
fn a_machine_without_numactl_says_so() {
    let rig = Rig::new(|text| text);
    let path = path_with(rig.dir.path(), &["bash", "readlink", "env"]);
    let run = |script: &str, args: &[&str]| {
        let mut command = Command::new(rig.out(script));
        command.args(args).env("PATH", &path).output().unwrap()
    };
    refused(&run("bin/front", &[]), 69, "numactl is missing");
    refused(&run("numactl/interleave-0", &["true"]), 69, "in the package numactl");
    assert_eq!(run("numactl/interleave-0", &["--dry-run", "true"]).status.code(), Some(0));
    let bare = run("bin/guarded", &[]);
    assert_eq!(words_of(&bare), argv(rig.role("guarded"), &rig.role("guarded").processes[0]));
}

#[test]
fn a_link_and_another_folder_make_no_difference() {
    let rig = Rig::new(|text| text);
    let elsewhere = rig.dir.path().join("else where");
    fs::create_dir(&elsewhere).unwrap();
    let link = elsewhere.join("serve it");
    std::os::unix::fs::symlink("../out/bin/front", &link).unwrap();
    let wanted = argv(rig.role("front"), &rig.role("front").processes[0]);
    assert_eq!(words_of(&outside::run(Command::new(&link).current_dir("/"), "numactl")), wanted);
    let mut by_name = Command::new("bash");
    by_name.args(["-c", "exec 'serve it'"]).current_dir("/");
    by_name.env("PATH", format!("{}:/usr/bin:/bin", elsewhere.display()));
    assert_eq!(words_of(&outside::run(&mut by_name, "numactl")), wanted);
    let mut relative = Command::new("bash");
    relative.args(["front"]).current_dir(rig.out("bin"));
    assert_eq!(words_of(&outside::run(&mut relative, "numactl")), wanted);
    let mut prompt = Command::new("bash");
    prompt.args(["prompt/dense", "x"]).current_dir(rig.out("bin"));
    assert!(words_of(&outside::run(&mut prompt, "numactl")).contains(&"x".to_owned()));
}

#[test]
fn a_model_is_asked_once() {
    let rig = Rig::new(|text| text);
    let image = rig.dir.path().join("an image.png");
    let image = image.to_str().unwrap();
    let (text, more) = ("it's $(id) and \"`x`\"\n", ["--", "--temp", "0"]);
    for prompt in &rig.plan.prompts {
        let path = format!("bin/prompt/{}", prompt.model);
        let looks = prompt.args.words().contains(&Word::Image);
        let given: &[&str] = if looks { &[text, image] } else { &[text] };
        if looks {
            rig.refuses(&path, given, 66, "an image.png' is missing");
            fs::write(image, "").unwrap();
        }
        let word = |word: Word| match word {
            Word::Text(text) => text.to_owned(),
            Word::Prompt => text.to_owned(),
            Word::Image => image.to_owned(),
            Word::KeyFile => unreachable!("a person shows no key"),
        };
        let mut wanted = vec![format!("{}/{}", prompt.bin, prompt.tool)];
        wanted.extend(prompt.args.words().into_iter().map(word));
        assert_eq!(rig.words(&path, given), wanted);
        assert_eq!(rig.words(&path, &[&["--print0"], given].concat()), wanted);
        assert_eq!(read_by_bash(&rig.run(&path, &[&["--dry-run"], given].concat()).stdout), wanted);
        wanted.extend(["--temp", "0"].map(str::to_owned));
        assert_eq!(rig.words(&path, &[given, &more].concat()), wanted);
        rig.refuses(&path, &[], 64, "it takes");
        rig.refuses(&path, &["a", "b", "c"], 64, "it takes");
        rig.refuses(&path, &["--dryrun", "a"], 64, "no option '--dryrun'");
        fs::remove_file(&*prompt.files[0]).unwrap();
        rig.refuses(&path, given, 66, "gguf' is missing");
    }
    assert_eq!(rig.plan.prompts.len(), 3);
}

#[test]
fn help_says_what_it_needs() {
    let rig = Rig::new(|text| text);
    for (path, words) in [
        ("bin/front", &["Dense-7B", "127.0.0.1 port 21080", "numactl/interleave-0", "OMP_NUM_THREADS=1"][..]),
        ("bin/eye", &["127.0.0.1 port 31082", "behind the socket"]),
        ("bin/embed", &["instance 2 at 127.0.0.1 port 21092"]),
        ("bin/prompt/seer", &["TEXT IMAGE", "Seer-VL-7B", "role eye"]),
        ("numactl/bind-0-cpus-0", &["numactl --membind=0 --physcpubind=0"]),
    ] {
        for option in ["--help", "-h"] {
            let output = rig.run(path, &[option]);
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success() && output.stderr.is_empty());
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
            assert!(said.contains("Exit codes of its own: 64 wrong usage"), "{said}");
        }
    }
    let traced = outside::run(Command::new(rig.out("bin/eye")).arg("-h").env("ORCHGEN_TRACE", "1"), "bash");
    assert!(String::from_utf8(traced.stderr).unwrap().contains("+ usage"));
}

#[test]
fn a_wrapper_places_any_command() {
    let rig = Rig::new(|text| text);
    let wrapper = "numactl/interleave-0";
    let stub = rig.dir.path().join("bin/llama-server");
    let stub = stub.to_str().unwrap();
    let hostile = ["--", "-x", "it's", "$(id)", "", "a\nb"];
    let wanted = [&[stub], &hostile[..]].concat();
    assert_eq!(rig.words(wrapper, &wanted), wanted);
    assert_eq!(rig.words(wrapper, &[&["--"], &wanted[..]].concat()), wanted);
    let line = rig.run(wrapper, &[&["--dry-run"], &wanted[..]].concat()).stdout;
    assert_eq!(read_by_bash(&line), [&["numactl", "--interleave=0", "--"], &wanted[..]].concat());
    rig.refuses(wrapper, &[], 64, "a command is missing");
    rig.refuses(wrapper, &["--"], 64, "a command is missing");
    rig.refuses(wrapper, &["--membind=0", "true"], 64, "no option '--membind=0'");
    let placements = compile(&[("two-nodes.kdl", TWO_NODES)]);
    let placements = plan(placements.checked()).placements;
    let options: Vec<String> = placements
        .iter()
        .map(|placement| format!("{}: {}", placement.name, placement.numactl().join(" ")))
        .collect();
    insta::assert_snapshot!("options_of_numactl", options.join("\n"));
}

#[test]
fn scripts_bring_their_wrappers() {
    let text = KITCHEN.replace("engine=\"fork\"\n", "engine=\"fork\" { targets \"bin\"; }\n");
    let files = compile(&[("kitchen.kdl", &text)]).files();
    assert!(files.contains_key("numactl/interleave-0") && !files.contains_key("stack.json"));
}

/// A name of a file that can be: no `/`, no NUL, not too long, and not a folder.
fn as_file(word: &str, n: usize) -> String {
    let name: String = word.replace('/', "_").chars().take(60).collect();
    let lead = if n.is_multiple_of(2) { "-" } else { "" };
    format!("{lead}{name}{n}")
}

/// A string of YAML.
fn quoted(text: &str) -> String {
    let plain = |c: char| c == ' ' || c.is_ascii_graphic() && c != '"' && c != '\\';
    let one = |c: char| if plain(c) { c.to_string() } else { format!("\\U{:08x}", u32::from(c)) };
    format!("\"{}\"", text.chars().map(one).collect::<String>())
}

/// YAML of a stack in which everything that a registry may say freely is hostile.
fn hostile(dir: &Path, words: &[String]) -> String {
    let folder = |word: &str| quoted(&format!("{}/{}", dir.display(), as_file(word, 1)));
    let mut text = format!(
        "stack: {{name: hostile, engine: e, targets: [bin, numactl]}}\nengines: {{e: {{profile: llama.cpp-2026-03-fork, bin: {}}}}}\n\
         hosts: {{box: {{memory: 900 GB}}}}\nstores: {{s: {{path: {}}}}}\ntiers: {{A: {{title: A}}}}\n\
         residencies: {{hot: {{title: hot, start: boot}}}}\nfamilies: {{f: {{arch: qwen2}}}}\n",
        folder(&format!("a=b {}", words[0])),
        folder(&words[words.len() - 1]),
    );
    let (mut models, mut roles) = (String::new(), String::new());
    for (n, word) in words.iter().enumerate() {
        let (file, said) = (quoted(&as_file(word, n)), quoted(word));
        let title = quoted(&format!("EOF {word}"));
        writeln!(models, "  m{n}: {{family: f, title: {title}, quant: Q, size: 1 kB, file: {file}}}")
            .unwrap();
        writeln!(
            roles,
            "  r{n}: {{tier: A, residency: hot, model: m{n}, port: {}, context: 512, placement: {{numa: interleave 0}}, \
             option: [{{name: alias, value: {said}}}], env: {{WORD: {said}}}}}",
            22000 + n
        )
        .unwrap();
    }
    write!(text, "models:\n{models}roles:\n{roles}").unwrap();
    text
}

fn arrives(words: &[String]) {
    let dir = outside::folder();
    let text = hostile(dir.path(), words);
    let rig = Rig::of(dir, &compile(&[("hostile.yaml", &text)]));
    let env = rig.dir.path().join("env");
    for (role, word) in rig.plan.roles.iter().zip(words) {
        let wanted = argv(role, &role.processes[0]);
        assert!(wanted.contains(word), "{word:?} is not in {wanted:?}");
        let mut command = Command::new(rig.out(&format!("bin/{}", role.name)));
        assert_eq!(words_of(&outside::run(command.env("STUB_ENV", &env), "numactl")), wanted);
        let env = fs::read(&env).unwrap();
        assert!(env.split(|byte| *byte == 0).any(|entry| entry == format!("WORD={word}").as_bytes()));
    }
    let scripts = rig.plan.roles.iter().map(|role| rig.out(&format!("bin/{}", role.name)));
    assert_eq!(outside::shellcheck(scripts), "");
}

#[test]
fn hostile_paths_arrive_byte_for_byte() {
    let words = [
        " a ",
        "it's",
        "\"",
        "$(id)",
        "${HOME}",
        "%n",
        ";",
        "a\nb",
        "é🦀\u{2019}",
        "-x",
        "`id`",
        "\\",
        "a=b",
    ];
    arrives(&words.map(str::to_owned));
}

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn anything_arrives_byte_for_byte(words in words()) {
        let words: Vec<String> = words.into_iter().filter(|word| !word.trim().is_empty()).take(12).collect();
        prop_assume!(!words.is_empty());
        arrives(&words);
    }
}
