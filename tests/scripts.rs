//! Launch scripts, one-shot commands and placement wrappers, which are executed; and `stack.json`.

use crate::containers::{HOSTILE, PLAIN, stack};
use crate::outside;
use crate::quote::{cases, words};
use crate::support::assert_snapshot;
use crate::support::{Compiled, compile};
use orchgen::plan::{Plan, Process, Role, Word, plan};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

mod gateways;
mod ports;

const KITCHEN_SINK: &str = include_str!("scripts/kitchen.kdl");
const TWO_NODES: &str = include_str!("scripts/two-nodes.kdl");

/// A program that prints its name and its arguments, with a NUL after each. It also writes its environment and its NUMA
/// policy to the files that `STUB_ENV` and `STUB_NUMA` name.
const STUB: &str = "#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\"\n\
    [ -z \"$STUB_ENV\" ] || env -0 >\"$STUB_ENV\"\n[ -z \"$STUB_NUMA\" ] || numactl --show >\"$STUB_NUMA\"\n";

/// A generated stack in a temporary folder, with stubs of all programs and with all files.
struct InstalledStack {
    dir: TempDir,
    plan: Plan,
}

impl InstalledStack {
    /// Installs the kitchen-sink registry after a change of its text.
    fn new(change: impl Fn(String) -> String) -> Self {
        let dir = outside::folder();
        let text = change(KITCHEN_SINK.replace("/rig", dir.path().to_str().unwrap()));
        Self::install(dir, &compile(&[("kitchen.kdl", &text)]))
    }

    fn install(dir: TempDir, compiled: &Compiled) -> Self {
        compiled.write(&dir.path().join("out"));
        let plan = plan(compiled.checked().clone());
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

    /// Runs a script that must succeed without output on stderr. Returns the words that it prints.
    #[track_caller]
    fn words(&self, path: &str, args: &[&str]) -> Vec<String> {
        printed_words(&self.run(path, args))
    }

    /// Asserts that a script exits with this code before it runs the program, and prints the reason in one line.
    #[track_caller]
    fn assert_refuses(&self, path: &str, args: &[&str], code: i32, reason: &str) {
        assert_refused(&self.run(path, args), code, reason);
    }
}

#[track_caller]
pub(crate) fn assert_refused(output: &Output, code: i32, reason: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(reason) && stderr.lines().count() == 1, "{stderr}");
    assert!(output.stdout.is_empty());
}

#[track_caller]
pub(crate) fn printed_words(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut words: Vec<String> = text.split('\0').map(str::to_owned).collect();
    assert_eq!(words.pop().as_deref(), Some(""));
    words
}

/// The argv of a process, as its script passes it.
fn expected_argv(role: &Role, process: &Process) -> Vec<String> {
    let word = |word: &Word| match (word, word.text()) {
        (Word::KeyFile(_), _) => role.key_file.as_deref().unwrap().to_owned(),
        // A process started by hand has the address of the socket.
        (Word::Port(_), _) => process.port.to_string(),
        (Word::Host(_), _) => role.own_addresses.join(","),
        (Word::Prompt | Word::Image, _) => unreachable!("a role has no prompt"),
        (_, text) => text.to_owned(),
    };
    std::iter::once(role.program.to_string()).chain(process.args.iter().map(word)).collect()
}

/// Lets bash split a line into words.
pub(crate) fn split_by_bash(line: &[u8]) -> Vec<String> {
    let line = std::str::from_utf8(line).unwrap().strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{line}");
    let script = format!("printf '%s\\0' {line}");
    printed_words(&outside::run(Command::new("bash").args(["-c", &script]), "bash"))
}

#[test]
fn generated_files_match_the_snapshots() {
    let files = compile(&[("kitchen.kdl", KITCHEN_SINK)]).files();
    for (name, path) in [
        ("role", "bin/front"),
        ("role_with_instances", "bin/embed"),
        ("prompt", "bin/prompt/seer"),
        ("wrapper", "numactl/interleave-0"),
        ("stack_json", "stack.json"),
    ] {
        assert_snapshot!("scripts", name, files[path].0);
    }
    let files = compile(&[("two-nodes.kdl", TWO_NODES)]).files();
    assert_snapshot!("scripts", "two_nodes_stack_json", files["stack.json"].0);
    let many = &files["bin/many"].0;
    let arms: Vec<&str> = many.lines().filter(|line| line.contains(") port=")).collect();
    assert_snapshot!("scripts", "two_nodes_instances", arms.join("\n"));
}

#[test]
fn a_dry_run_prints_the_argv_of_the_plan() {
    for text in [KITCHEN_SINK, TWO_NODES] {
        let compiled = compile(&[("stack.kdl", text)]);
        let dir = outside::folder();
        compiled.write(dir.path());
        let plan = plan(compiled.checked().clone());
        let mut processes = 0;
        for role in &plan.roles {
            let script = dir.path().join("bin").join(&*role.name);
            for (n, process) in role.processes.iter().enumerate() {
                let run = |option: &[&str]| {
                    let mut command = Command::new(&script);
                    outside::run(command.args(option).arg(n.to_string()), "bash")
                };
                let expected = expected_argv(role, process);
                assert_eq!(printed_words(&run(&["--dry-run", "--print0"])), expected);
                let line = run(&["--dry-run"]);
                assert!(line.stderr.is_empty());
                assert_eq!(split_by_bash(&line.stdout), expected);
                processes += 1;
            }
        }
        assert!(processes >= 6, "{processes}");
    }
}

/// A folder with links to these programs and no others.
pub(crate) fn path_with(dir: &Path, programs: &[&str]) -> PathBuf {
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
fn a_missing_numactl_is_reported() {
    let stack = InstalledStack::new(|text| text);
    let path = path_with(stack.dir.path(), &["bash", "readlink", "env"]);
    let run = |script: &str, args: &[&str]| {
        let mut command = Command::new(stack.out(script));
        command.args(args).env("PATH", &path).output().unwrap()
    };
    assert_refused(&run("bin/front", &[]), 69, "numactl is missing");
    assert_refused(&run("numactl/interleave-0", &["true"]), 69, "install the package numactl");
    assert_eq!(run("numactl/interleave-0", &["--dry-run", "true"]).status.code(), Some(0));
    let bare = run("bin/guarded", &[]);
    assert_eq!(
        printed_words(&bare),
        expected_argv(stack.role("guarded"), &stack.role("guarded").processes[0])
    );
}

#[test]
fn help_lists_the_model_the_address_and_the_exit_codes() {
    let stack = InstalledStack::new(|text| text);
    for (path, words) in [
        ("bin/front", &["Dense-7B", "127.0.0.1 port 21080", "numactl/interleave-0", "OMP_NUM_THREADS=1"][..]),
        ("bin/eye", &["127.0.0.1 port 21082", "systemctl stop", "-eye.socket"]),
        ("bin/embed", &["instance 2 at 127.0.0.1 port 21092"]),
        ("bin/prompt/seer", &["TEXT IMAGE", "Seer-VL-7B", "role eye"]),
        ("numactl/bind-0-cpus-0", &["numactl --membind=0 --physcpubind=0"]),
    ] {
        for option in ["--help", "-h"] {
            let output = stack.run(path, &[option]);
            let help = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success() && output.stderr.is_empty());
            assert!(words.iter().all(|word| help.contains(word)), "{help}");
            assert!(help.contains("Exit codes of this script: 64 usage error"), "{help}");
        }
    }
    let traced = outside::run(Command::new(stack.out("bin/eye")).arg("-h").env("ORCHGEN_TRACE", "1"), "bash");
    assert!(String::from_utf8(traced.stderr).unwrap().contains("+ usage"));
}

#[test]
fn the_target_bin_includes_the_wrappers_of_its_scripts() {
    let text = KITCHEN_SINK.replace("engine=\"fork\"\n", "engine=\"fork\" { targets \"bin\"; }\n");
    let files = compile(&[("kitchen.kdl", &text)]).files();
    assert!(files.contains_key("numactl/interleave-0") && !files.contains_key("stack.json"));
}

/// A valid file name that contains at most 60 characters of the word, and is unique by `n`. Paths with variables, patterns
/// and backslashes are refused, so their characters are replaced.
fn as_file(word: &str, n: usize) -> String {
    let allowed = |c: char| if "/$%{<*\\~".contains(c) { '_' } else { c };
    let name: String = word.chars().take(60).map(allowed).collect();
    let prefix = if n.is_multiple_of(2) { "-" } else { "x" };
    format!("{prefix}{name}{n}")
}

/// A quoted YAML string.
fn quoted(text: &str) -> String {
    let plain = |c: char| c == ' ' || c.is_ascii_graphic() && c != '"' && c != '\\';
    let escape = |c: char| if plain(c) { c.to_string() } else { format!("\\U{:08x}", u32::from(c)) };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// A YAML registry with a hostile word in each place that accepts free text.
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
        let (file, value) = (quoted(&as_file(word, n)), quoted(word));
        let title = quoted(&format!("EOF {word}"));
        writeln!(models, "  m{n}: {{family: f, title: {title}, quant: Q, size: 1 kB, file: {file}}}")
            .unwrap();
        writeln!(
            roles,
            "  r{n}: {{tier: A, residency: hot, model: m{n}, port: {}, context: 512, placement: {{numa: interleave 0}}, \
             option: [{{name: tags, value: {value}}}], env: {{WORD: {value}}}}}",
            22000 + n
        )
        .unwrap();
    }
    write!(text, "models:\n{models}roles:\n{roles}").unwrap();
    text
}

/// Asserts that each word reaches the program unchanged, and that shellcheck has no findings.
fn assert_words_arrive(words: &[String]) {
    let dir = outside::folder();
    let text = hostile(dir.path(), words);
    let stack = InstalledStack::install(dir, &compile(&[("hostile.yaml", &text)]));
    let env = stack.dir.path().join("env");
    for (role, word) in stack.plan.roles.iter().zip(words) {
        let expected = expected_argv(role, &role.processes[0]);
        assert!(expected.contains(word), "{word:?} is not in {expected:?}");
        let mut command = Command::new(stack.out(&format!("bin/{}", role.name)));
        assert_eq!(printed_words(&outside::run(command.env("STUB_ENV", &env), "numactl")), expected);
        let env = fs::read(&env).unwrap();
        assert!(env.split(|byte| *byte == 0).any(|entry| entry == format!("WORD={word}").as_bytes()));
    }
    let scripts = stack.plan.roles.iter().map(|role| stack.out(&format!("bin/{}", role.name)));
    assert_eq!(outside::shellcheck(scripts), "");
}

mod tools {
    use super::*;

    #[test]
    fn bash_and_shellcheck_accept_every_script() {
        let texts = [KITCHEN_SINK, TWO_NODES, gateways::GATEWAYS, gateways::LLAMA_SWAP, &ports::stack()];
        let of_hosts = texts.map(|text| compile(&[("stack.kdl", text)]));
        let of_containers = [&PLAIN, &HOSTILE].map(|texts| stack(texts, ""));
        for compiled in of_hosts.into_iter().chain(of_containers) {
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
            assert!(scripts.len() > 2, "{scripts:?}");
            for script in &scripts {
                let output = outside::run(Command::new("bash").arg("-n").arg(script), "bash");
                assert!(output.status.success() && output.stderr.is_empty(), "{}", script.display());
            }
            assert_eq!(outside::shellcheck(&scripts), "");
        }
    }

    #[test]
    fn the_program_gets_the_argv_of_the_plan_and_additional_arguments() {
        let stack = InstalledStack::new(|text| text);
        for role in &stack.plan.roles {
            let path = format!("bin/{}", role.name);
            for (n, process) in role.processes.iter().enumerate() {
                let mut expected = expected_argv(role, process);
                assert_eq!(stack.words(&path, &[&n.to_string()]), expected);
                expected.extend(["-v", "--", "", "it's $(id)\n"].map(str::to_owned));
                assert_eq!(
                    stack.words(&path, &[&n.to_string(), "--", "-v", "--", "", "it's $(id)\n"]),
                    expected
                );
            }
            assert_eq!(stack.words(&path, &[]), expected_argv(role, &role.processes[0]));
        }
    }

    #[test]
    fn the_program_gets_its_placement_and_environment_without_llama_variables_of_the_caller() {
        let stack = InstalledStack::new(|text| text);
        let (env, numa) = (stack.dir.path().join("env"), stack.dir.path().join("numa"));
        let mut command = Command::new(stack.out("bin/front"));
        command.envs([("STUB_ENV", &env), ("STUB_NUMA", &numa)]);
        command.envs([
            ("LLAMA_ARG_X", "1"),
            ("LLAMA_ARG_DRAFT_MAX", "2"),
            ("LLAMA_API_KEY", "k"),
            ("XDG_CONFIG_HOME", "/tmp"),
        ]);
        printed_words(&outside::run(&mut command, "numactl"));
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

        let mut command = Command::new(stack.out("bin/eye"));
        printed_words(&outside::run(command.env("STUB_NUMA", &numa), "numactl"));
        let shown = fs::read_to_string(numa).unwrap();
        assert!(shown.contains("policy: bind") && shown.contains("physcpubind: 0 \n"), "{shown}");
    }

    #[test]
    fn each_kind_of_failure_has_a_separate_exit_code() {
        // Separate ports: other tests run the same scripts at the same time, and each script checks that its port is
        // free.
        let stack = InstalledStack::new(|text| text.replace("2108", "2208").replace("2109", "2209"));
        let models = stack.dir.path().join("models");
        stack.assert_refuses("bin/front", &["--nothing"], 64, "'--nothing'");
        stack.assert_refuses("bin/front", &["1"], 64, "unknown instance '1'");
        for instance in ["3", "-1", "00", "port", "0 ", "18446744073709551616", "$(id)", ""] {
            stack.assert_refuses("bin/embed", &[instance], 64, "");
        }
        stack.assert_refuses("bin/embed", &["0", "-v"], 64, "after --");
        stack.assert_refuses("bin/embed", &["0", "1"], 64, "after --");

        let busy = TcpListener::bind("127.0.0.1:22091").unwrap();
        stack.assert_refuses("bin/embed", &["1"], 75, "port 22091 on 127.0.0.1 is already in use");
        assert_eq!(
            stack.words("bin/embed", &["2"]),
            expected_argv(stack.role("embed"), &stack.role("embed").processes[2])
        );
        drop(busy);
        let _busy = TcpListener::bind("127.0.0.1:22082").unwrap();
        stack.assert_refuses("bin/eye", &[], 75, "port 22082 on 127.0.0.1 is already in use");
        let _busy = TcpListener::bind("0.0.0.0:22081").unwrap();
        stack.assert_refuses("bin/guarded", &[], 75, "port 22081 on 127.0.0.1 is already in use");

        fs::remove_file(stack.dir.path().join("keys")).unwrap();
        stack.assert_refuses("bin/guarded", &[], 66, "keys' is missing or cannot be read");
        fs::remove_file(models.join("tiny.gguf")).unwrap();
        stack.assert_refuses("bin/front", &[], 66, "tiny.gguf' is missing or cannot be read");
        fs::create_dir(models.join("tiny.gguf")).unwrap();
        stack.assert_refuses("bin/front", &[], 66, "tiny.gguf' is missing or cannot be read");
        fs::remove_file(stack.out("numactl/bind-0-cpus-0")).unwrap();
        stack.assert_refuses("bin/embed", &[], 69, "numactl/bind-0-cpus-0' is missing");
        fs::remove_file(stack.dir.path().join("bin/llama-server")).unwrap();
        stack.assert_refuses("bin/front", &[], 69, "llama-server' is missing or cannot be executed");
        assert_eq!(
            stack.words("bin/front", &["--print0"]),
            expected_argv(stack.role("front"), &stack.role("front").processes[0])
        );
    }

    #[test]
    fn a_low_limit_on_locked_memory_is_reported() {
        let stack = InstalledStack::new(|text| text);
        let who = outside::run(Command::new("id").arg("-u"), "coreutils").stdout;
        let drop = if who == b"0\n" { "setpriv --reuid 65534 --clear-groups --" } else { "" };
        let script = format!("ulimit -l 1; exec {drop} \"$1\"");
        let run = |role: &str| {
            let mut command = Command::new("bash");
            outside::run(command.args(["-c", &script, "bash"]).arg(stack.out(role)), "util-linux")
        };
        assert_refused(&run("bin/front"), 77, "the role locks 2000 B in memory, but the limit is 1 KiB");
        assert_eq!(
            printed_words(&run("bin/eye")),
            expected_argv(stack.role("eye"), &stack.role("eye").processes[0])
        );
    }

    #[test]
    fn scripts_work_through_symlinks_and_from_other_folders() {
        let stack = InstalledStack::new(|text| text);
        let elsewhere = stack.dir.path().join("else where");
        fs::create_dir(&elsewhere).unwrap();
        let link = elsewhere.join("serve it");
        std::os::unix::fs::symlink("../out/bin/front", &link).unwrap();
        let expected = expected_argv(stack.role("front"), &stack.role("front").processes[0]);
        assert_eq!(printed_words(&outside::run(Command::new(&link).current_dir("/"), "numactl")), expected);
        let mut by_name = Command::new("bash");
        by_name.args(["-c", "exec 'serve it'"]).current_dir("/");
        by_name.env("PATH", format!("{}:/usr/bin:/bin", elsewhere.display()));
        assert_eq!(printed_words(&outside::run(&mut by_name, "numactl")), expected);
        let mut relative = Command::new("bash");
        relative.args(["front"]).current_dir(stack.out("bin"));
        assert_eq!(printed_words(&outside::run(&mut relative, "numactl")), expected);
        let mut prompt = Command::new("bash");
        prompt.args(["prompt/dense", "x"]).current_dir(stack.out("bin"));
        assert!(printed_words(&outside::run(&mut prompt, "numactl")).contains(&"x".to_owned()));
    }

    #[test]
    fn a_one_shot_command_passes_prompt_image_and_additional_arguments() {
        let stack = InstalledStack::new(|text| text);
        let image = stack.dir.path().join("an image.png");
        let image = image.to_str().unwrap();
        let (text, more) = ("it's $(id) and \"`x`\"\n", ["--", "--temp", "0"]);
        for prompt in &stack.plan.prompts {
            let path = format!("bin/prompt/{}", prompt.model);
            let has_image = prompt.args.contains(&Word::Image);
            let args: &[&str] = if has_image { &[text, image] } else { &[text] };
            if has_image {
                stack.assert_refuses(&path, args, 66, "an image.png' is missing");
                fs::write(image, "").unwrap();
            }
            let word = |word: &Word| match (word, word.text()) {
                (Word::Prompt, _) => text.to_owned(),
                (Word::Image, _) => image.to_owned(),
                (Word::KeyFile(_), _) => unreachable!("a one-shot command has no key"),
                (_, text) => text.to_owned(),
            };
            let mut expected = vec![format!("{}/{}", prompt.bin, prompt.tool)];
            expected.extend(prompt.args.iter().map(word));
            assert_eq!(stack.words(&path, args), expected);
            assert_eq!(stack.words(&path, &[&["--print0"], args].concat()), expected);
            assert_eq!(split_by_bash(&stack.run(&path, &[&["--dry-run"], args].concat()).stdout), expected);
            expected.extend(["--temp", "0"].map(str::to_owned));
            assert_eq!(stack.words(&path, &[args, &more].concat()), expected);
            stack.assert_refuses(&path, &[], 64, "expected");
            stack.assert_refuses(&path, &["a", "b", "c"], 64, "expected");
            stack.assert_refuses(&path, &["--dryrun", "a"], 64, "unknown option '--dryrun'");
            let blank: &[&str] = if has_image { &[" \n", image] } else { &[" \n"] };
            stack.assert_refuses(&path, blank, 64, "the text is empty");
            let command: &[&str] = if has_image { &["/exit", image] } else { &["/exit"] };
            let is_chat = &*prompt.tool == "llama-cli";
            let sent = if is_chat { " /exit" } else { "/exit" };
            assert!(stack.words(&path, command).contains(&sent.to_owned()), "{path}");
            fs::remove_file(&*prompt.files[0]).unwrap();
            stack.assert_refuses(&path, args, 66, "gguf' is missing");
        }
        assert_eq!(stack.plan.prompts.len(), 3);
    }

    #[test]
    fn a_wrapper_runs_any_command_with_its_placement() {
        let stack = InstalledStack::new(|text| text);
        let wrapper = "numactl/interleave-0";
        let stub = stack.dir.path().join("bin/llama-server");
        let stub = stub.to_str().unwrap();
        let hostile = ["--", "-x", "it's", "$(id)", "", "a\nb"];
        let expected = [&[stub], &hostile[..]].concat();
        assert_eq!(stack.words(wrapper, &expected), expected);
        assert_eq!(stack.words(wrapper, &[&["--"], &expected[..]].concat()), expected);
        let line = stack.run(wrapper, &[&["--dry-run"], &expected[..]].concat()).stdout;
        assert_eq!(split_by_bash(&line), [&["numactl", "--interleave=0", "--"], &expected[..]].concat());
        stack.assert_refuses(wrapper, &[], 64, "a command is missing");
        stack.assert_refuses(wrapper, &["--"], 64, "a command is missing");
        stack.assert_refuses(wrapper, &["--membind=0", "true"], 64, "unknown option '--membind=0'");
        let placements = compile(&[("two-nodes.kdl", TWO_NODES)]);
        let placements = plan(placements.checked().clone()).placements;
        let options: Vec<String> = placements
            .iter()
            .map(|placement| format!("{}: {}", placement.name, placement.numactl().join(" ")))
            .collect();
        assert_snapshot!("scripts", "numactl_options", options.join("\n"));
    }

    #[test]
    fn hostile_words_reach_the_program_unchanged() {
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
        assert_words_arrive(&words.map(str::to_owned));
    }

    proptest! {
        #![proptest_config(cases(6))]

        #[test]
        fn any_words_reach_the_program_unchanged(words in words()) {
            let words: Vec<String> = words.into_iter().filter(|word| !word.trim().is_empty()).take(12).collect();
            prop_assume!(!words.is_empty());
            assert_words_arrive(&words);
        }
    }
}
