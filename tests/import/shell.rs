//! Scripts of a shell, and files of command lines.

use orchgen::import::shell::{read, read_commands};
use orchgen::import::source::{FixedSurroundings, Program, Reader, Server, Sources, Word};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

fn surroundings(files: &[(&str, &str)]) -> FixedSurroundings {
    let mut around = FixedSurroundings::default();
    around.variables.insert("HOME".to_owned(), "/home/mia".to_owned());
    around.variables.insert("PORT".to_owned(), "1".to_owned());
    around.files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    around
}

fn sources(script: &str) -> Sources {
    let around = surroundings(&[
        ("bin/site.env", "POOL=/pool/gguf\nexport GGML_OP_OFFLOAD_MIN_BATCH=64\n"),
        ("bin/busy.env", "ls\n"),
    ]);
    let mut reader = Reader::new(&around);
    let file = reader.add_file("bin/up.sh", script);
    read(&mut reader, file);
    reader.found
}

/// The words of a server. Unknown words begin with a question mark.
fn words(server: &Server) -> Vec<String> {
    let show = |word: &Word| format!("{}{}", if word.is_dynamic { "?" } else { "" }, word.text);
    let Program::Path(program) = &server.program else { return Vec::new() };
    std::iter::once(program).chain(&server.args).map(show).collect()
}

fn lines(script: &str) -> Vec<String> {
    sources(script).servers.iter().map(|server| words(server).join(" ")).collect()
}

fn line(script: &str) -> String {
    lines(script).join(" / ")
}

fn losses(script: &str) -> Vec<(u32, String)> {
    let found = sources(script);
    let own = found.servers.iter().flat_map(|server| server.losses.clone());
    own.chain(found.losses.clone()).map(|loss| (loss.at.line, loss.what)).collect()
}

#[test]
fn quotes_escapes_and_continued_lines_are_those_of_bash() {
    let script =
        "llama-server -m '/a b.gguf' \"c \\\"d\\\" \\x\" e\\ f $'g\\t\\x41\\'' '' \\\n  --port 1 # no word\n";
    let found = sources(script);
    assert_eq!(
        words(&found.servers[0]),
        ["llama-server", "-m", "/a b.gguf", "c \"d\" \\x", "e f", "g\tA'", "", "--port", "1"]
    );
    assert_eq!((found.servers[0].at.line, found.servers[0].last_line), (1, 2));
    assert_eq!(found.servers[0].args[6].at.line, 2);
}

#[test]
fn variables_are_replaced_and_split_at_blanks_unless_quoted() {
    assert_eq!(
        line("A='x  y'\nB=\"$A z\"\nllama-server $A \"$A\" ${B}1 $EMPTY_"),
        "llama-server x y x  y x y z1 ?$EMPTY_"
    );
    assert_eq!(line("A=\nllama-server $A \"$A\" --end"), "llama-server  --end");
    assert_eq!(
        line("llama-server ~/m.gguf $HOME/n.gguf ~mia/o.gguf"),
        "llama-server /home/mia/m.gguf /home/mia/n.gguf ?~mia/o.gguf"
    );
    assert_eq!(
        line("A=/m/kite.Q4_0.gguf\nllama-server ${A##*/} ${A%.gguf} ${A%%.*} ${A#/m/} ${#A}"),
        "llama-server kite.Q4_0.gguf /m/kite.Q4_0 /m/kite kite.Q4_0.gguf 17"
    );
    assert_eq!(
        line("N=3\nllama-server --port $((8000 + N * 2)) -t $((16 / $M))"),
        "llama-server --port 8006 -t ?$((16 / $M))"
    );
    assert_eq!(line("A=x\nunset A\nllama-server \"$A\" end"), "llama-server  end");
}

#[test]
fn the_environment_of_the_user_is_not_that_of_the_script() {
    assert_eq!(line("llama-server --port $PORT"), "llama-server --port ?$PORT");
    let script = "PORT=${PORT:-8711}\nllama-server --port $PORT ${X:+--verbose} -c ${1:-512}";
    assert_eq!(line(script), "llama-server --port 8711 -c 512");
    let expected = [(1, "PORT: ${PORT:-8711}"), (2, "X: ${X:+--verbose}"), (2, "$1: ${1:-512}")];
    assert_eq!(losses(script), expected.map(|(line, what)| (line, what.to_owned())));
}

#[test]
fn arrays_grow_and_keep_their_words() {
    let script =
        "A=(\n  -m '/a b.gguf' # a comment\n  -c 1\n)\nA+=(--temp \"0.5\")\nllama-server \"${A[@]}\" ${A[1]}";
    let found = sources(script);
    assert_eq!(
        words(&found.servers[0]),
        ["llama-server", "-m", "/a b.gguf", "-c", "1", "--temp", "0.5", "/a", "b.gguf"]
    );
    assert_eq!(found.servers[0].args[2].at.line, 3);
    assert_eq!(line("A=()\nllama-server \"${A[@]}\" \"${B[@]}\""), "llama-server");
    assert_eq!(line("S=-a\nS+=' -b'\nllama-server $S"), "llama-server -a -b");
    assert_eq!(line("declare -A M=([a]=1)\nllama-server ${M[a]}"), "llama-server ?${M[a]}");
}

#[test]
fn lists_in_braces_make_words_and_patterns_of_files_are_unknown() {
    assert_eq!(line("llama-server {a,b}c -p {1..3} '{x,y}' {z}"), "llama-server ac bc -p 1 2 3 {x,y} {z}");
    assert_eq!(
        line("llama-server -m /m/*.gguf -ot blk.*=CPU '*.x'"),
        "llama-server -m ?/m/*.gguf -ot blk.*=CPU *.x"
    );
}

#[test]
fn exported_variables_and_those_in_front_reach_the_process() {
    let script = "export A=1\nB=2\nC=3\nexport C\nset -a\nD=4\nset +a\nE=5\nexport F=6\nunset F\nA=7 G='x y' env H=8 -u D llama-server";
    let found = sources(script);
    let env: Vec<_> =
        found.servers[0].env.iter().map(|(name, value)| format!("{name}={}", value.text)).collect();
    assert_eq!(env, ["C=3", "A=7", "G=x y", "H=8"]);
}

#[test]
fn folders_follow_each_other() {
    let folder = |script: &str| {
        let folder = sources(script).servers[0].folder.clone();
        folder.map(|word| format!("{}{}", if word.is_dynamic { "?" } else { "" }, word.text))
    };
    assert_eq!(folder("cd /opt || exit 1\ncd tools\nllama-server"), Some("/opt/tools".to_owned()));
    assert_eq!(folder("(cd /opt)\nllama-server"), None);
    assert_eq!(folder("cd \"$(dirname \"$0\")\"\nllama-server"), Some("?$(dirname \"$0\")".to_owned()));
    assert_eq!(folder("cd /a\nif x; then cd /b; fi\nllama-server"), Some("?$PWD".to_owned()));
}

#[test]
fn names_come_from_the_alias_the_log_or_the_model() {
    let names =
        |script: &str| sources(script).servers.iter().map(|server| server.name.clone()).collect::<Vec<_>>();
    assert_eq!(names("llama-server -m /a.gguf --alias big,b > /l/c.log"), ["big"]);
    assert_eq!(names("llama-server -m /a.gguf > /l/c.log 2>&1"), ["c"]);
    assert_eq!(names("llama-server -m /a-7b-UD-Q4_K_XL-00001-of-00002.gguf"), ["a-7b"]);
    assert_eq!(names("llama-server -hf who/Finch-2B-GGUF:Q8_0"), ["Finch-2B"]);
    assert_eq!(names("llama-server -m $X"), ["up"]);
    assert_eq!(names("llama-server -m a.gguf --port 1\nllama-server -m a.gguf --port 2"), ["a-1", "a-2"]);
}

#[test]
fn redirections_and_pipes_are_reported_at_their_line() {
    let script = "llama-server \\\n  >> /l/a.out 2>/l/b.err < /dev/null\nllama-server >/dev/null 2>&1 &\nllama-server |& tee /l/c";
    let expected = [(2, "output: >> /l/a.out"), (2, "output: 2> /l/b.err"), (4, "output: | tee /l/c")];
    assert_eq!(losses(script), expected.map(|(line, what)| (line, what.to_owned())));
    assert_eq!(losses("{\n llama-server\n} &> /l/all"), [(3, "output: &> /l/all".to_owned())]);
    assert_eq!(losses("exec > /l/x\nllama-server"), [(1, "output: > /l/x".to_owned())]);
}

#[test]
fn functions_with_known_arguments_and_loops_over_words_are_followed() {
    let script = "go() {\n  local p=$1; shift\n  llama-server --port \"$p\" \"$@\" &\n}\ngo 1 -c 2\nfor i in 3 4; do go $i; done\nllama-server $p";
    assert_eq!(
        lines(script),
        ["llama-server --port 1 -c 2", "llama-server --port 3", "llama-server --port 4", "llama-server ?$p"]
    );
    let found = sources(script);
    assert_eq!((found.servers[0].at.line, found.servers[1].at.line), (5, 6));
    assert!(found.losses.is_empty(), "{:?}", found.losses);
    assert_eq!(losses("f() {\n llama-server\n}"), [(1, "f()".to_owned())]);
}

#[test]
fn conditions_make_the_values_that_they_change_unknown() {
    let script = "A=1\nB=2\nif [[ -n $X ]]; then A=3; fi\ncase $1 in a) C=1 ;; b|c) llama-server $A -c ;; esac\nllama-server $A $B $C";
    assert_eq!(lines(script), ["llama-server ?$A -c", "llama-server ?$A 2 ?$C"]);
    assert_eq!(losses(script), [(3, "if [[ -n $X ]]".to_owned()), (4, "case $1".to_owned())]);
    let grown = "A=(-x)\n[ -n \"$D\" ] && A+=(-y)\nllama-server \"${A[@]}\"";
    assert_eq!(line(grown), "llama-server -x");
    let expected = [(1, "${A[@]}"), (2, "[ -n \"$D\" ]")];
    assert_eq!(losses(grown), expected.map(|(line, what)| (line, what.to_owned())));
    assert_eq!(line("while :; do llama-server -a; sleep 1; done"), "llama-server -a");
    assert_eq!(line("mkdir -p /x && A=1\ncd /y || exit 1\nllama-server $A"), "llama-server 1");
}

#[test]
fn files_with_assignments_are_read_and_others_are_reported() {
    let script = "D=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\n. \"$D/site.env\"\nllama-server -m $POOL/a.gguf";
    let found = sources(script);
    assert_eq!(words(&found.servers[0]), ["llama-server", "-m", "/pool/gguf/a.gguf"]);
    assert_eq!(found.servers[0].env[0].0, "GGML_OP_OFFLOAD_MIN_BATCH");
    assert_eq!(losses("source busy.env\nllama-server"), [(1, "source busy.env".to_owned())]);
    assert_eq!(losses("source /none.env\nllama-server"), [(1, "source /none.env".to_owned())]);
}

#[test]
fn commands_that_change_the_start_are_reported_and_others_are_not() {
    let script = "mkdir -p /l\nulimit -l unlimited\necho always | sudo tee /sys/kernel/mm/x\necho 1 > /proc/sys/vm/y\nnvidia-smi\nnvidia-smi -pl 300\nsleep 1\nllama-server";
    let lines: Vec<u32> = losses(script).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [2, 3, 4, 6]);
}

#[test]
fn strings_for_a_shell_are_followed() {
    assert_eq!(
        line("export M=/m\nN=1\nsudo -u mia bash -c 'cd /x && exec llama-server -m $M $N'"),
        "llama-server -m /m ?$N"
    );
    assert_eq!(line("tmux new -d -s t 'llama-server -c 1'"), "llama-server -c 1");
    assert_eq!(line("C='llama-server -c 1'\neval \"$C\"\n$C"), "llama-server -c 1 / llama-server -c 1");
    assert_eq!(losses("ssh far llama-server -c 1"), [(1, "ssh far llama-server -c 1".to_owned())]);
    assert_eq!(
        losses("bash <<X\nllama-server -c 1\nX\n"),
        [(1, "here-document <<X".to_owned()), (1, "bash <<X".to_owned())]
    );
}

#[test]
fn commands_after_exec_never_run_except_in_files_of_command_lines() {
    let script = "exec llama-server -c 1\nllama-server -c 2\n";
    assert_eq!(line(script), "llama-server -c 1");
    assert_eq!(losses(script), [(2, "llama-server -c 2".to_owned())]);
    let around = surroundings(&[]);
    let mut reader = Reader::new(&around);
    let file = reader.add_file("commands.txt", format!("# mine\n$ {script}"));
    read_commands(&mut reader, file);
    assert_eq!(reader.found.servers.len(), 2);
}

#[test]
fn other_programs_count_only_without_a_server() {
    assert_eq!(line("asr --port 1"), "asr --port 1");
    assert_eq!(line("curl --port 1 x"), "");
    let both = "asr --port 1\nllama-server";
    assert_eq!((line(both), losses(both)), ("llama-server".to_owned(), vec![(1, "asr".to_owned())]));
}

#[test]
fn unreadable_lines_do_not_hide_the_others() {
    let script = "echo )\nllama-server -c 1\nfi\necho 'never ends\nllama-server -c 2";
    assert_eq!(lines(script), ["llama-server -c 1", "llama-server -c 2"]);
    assert_eq!(losses(script).len(), 2);
}

#[test]
fn servers_of_other_programs_are_reported() {
    let script = "llama-swap -config /c.yaml -listen 0.0.0.0:1 &\nOLLAMA_HOST=0.0.0.0 ollama serve &\nollama pull x\ntmux new -d 'cd /x; ollama serve'\ntmux new -d -s a ./up\ntmux new -d -s b\ntmux send-keys -t b top C-m\nstart --model /m/a.gguf\n./x.sh -m a.gguf\npython3 -m llama_cpp.server --model=/m/a.gguf\ngrep -m 1 x.gguf\nllama-swap --listen :2\nllama-server";
    let lines: Vec<u32> = losses(script).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [1, 2, 4, 5, 8, 9, 10, 12]);
    let found = sources(script);
    assert_eq!(found.servers.len(), 1);
    let why: Vec<_> = found.losses.iter().map(|loss| loss.why.as_str()).collect();
    assert_eq!(why[0], "import its configuration file (`orchgen import /c.yaml`)");
    assert_eq!(why[1], "no server of llama.cpp; write it as a role with `command`");
    assert!(why[5].contains("`orchgen import ./x.sh`"), "{why:?}");
}

#[test]
fn words_that_a_condition_adds_are_reported_once() {
    let script = "A=(-c 1)\nif x; then A+=(-v); fi\nS='-b 2'\n[ $y ] && S+=' -w'\nllama-server \"${A[@]}\" $S --port $P";
    let found = sources(script);
    assert_eq!(words(&found.servers[0]), ["llama-server", "-c", "1", "-b", "2", "--port", "?$P"]);
    let own: Vec<_> = found.servers[0].losses.iter().map(|loss| (&*loss.what, &*loss.why)).collect();
    let why = "more words follow if a condition is true at run time";
    assert_eq!(own, [("${A[@]}", why), ("${S[@]}", why)]);
}

#[test]
fn ports_and_programs_that_are_not_known_stay_dynamic() {
    assert_eq!(
        line("\"$D/x/llama-server\" -m a --port \"$1\" --host ${H}"),
        "?$D/x/llama-server -m a --port ?$1 --host ?${H}"
    );
    assert_eq!(line("./llama-server"), "./llama-server");
}

#[test]
fn elements_of_arrays_have_an_index_that_is_computed() {
    let script = "A=(0-3 4-7)\nfor i in 0 1; do taskset -c \"${A[$i]}\" llama-server ${A[i]} ${A[$((1 - i))]} ${A[$k]}; done";
    assert_eq!(lines(script), ["llama-server 0-3 4-7 ?${A[$k]}", "llama-server 4-7 0-3 ?${A[$k]}"]);
    let cpus: Vec<_> =
        sources(script).servers.iter().map(|server| server.placement.cpus.clone().unwrap().text).collect();
    assert_eq!(cpus, ["0-3", "4-7"]);
}

#[test]
fn functions_of_sourced_files_are_not_reported_if_a_script_calls_them() {
    let library = "go() { llama-server -c $1; }\nnever() { llama-server; }\n";
    let busy = "ls\nup() {\n llama-server -c $1\n}\n";
    let main = ". ./lib.sh\n. ./busy.sh\ngo 1\nup 2\n. ./lib.sh\n";
    let texts = [("lib.sh", library), ("busy.sh", busy), ("main.sh", main)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let around = surroundings(&texts);
        let mut reader = Reader::new(&around);
        for (path, text) in order.map(|index| texts[index]) {
            let file = reader.add_file(path, text);
            read(&mut reader, file);
        }
        let mut found: Vec<_> = reader.found.losses.iter().map(|loss| loss.what.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, ["never()", "source ./busy.sh", "up 2"], "{order:?}");
        assert_eq!(reader.found.servers.len(), 1);
    }
}

/// Long values, deep nesting and endless calls end with a report.
#[test]
#[expect(clippy::disallowed_methods, reason = "the time is limited")]
fn hostile_scripts_end_soon() {
    let repeat = |text: &str, times: usize| text.repeat(times);
    let mut doubled = "A=xxxxxxxxxxxxxxxx\n".to_owned();
    (0..100).for_each(|_| doubled.push_str("A=\"$A$A\"\nB+=($A $A)\nB=(\"${B[@]}\" \"${B[@]}\")\n"));
    let mut calls = "f0() { llama-server; }\n".to_owned();
    (1..40).for_each(|n| writeln!(calls, "f{n}() {{ f{0}; f{0}; }}", n - 1).unwrap());
    calls.push_str("f39\nf12\n");
    let scripts = [
        doubled,
        calls,
        "f() { f; f; }\nf\n".to_owned(),
        repeat("(", 100_000),
        repeat("if a; then\n", 50_000),
        repeat("\"$(\"", 100_000),
        repeat("${a:-", 100_000),
        repeat("'\n", 100_001),
        repeat("if a; then A+=(b); fi\n", 30_000),
        repeat("A+=(b)\nB+=c\n", 50_000),
        format!("A={}\nllama-server {}", repeat("x", 100_000), repeat("$A", 200_000)),
        "for a in {1..1000}; do for b in {1..1000}; do for c in {1..1000}; do llama-server $a $b $c; done; done; done".to_owned(),
        repeat("{1..999}{1..999}{a,b,c} ", 20_000),
        repeat("X=1 ", 100_000) + "llama-server",
        repeat("env ", 200_000) + "llama-server",
        repeat("cat <<A\n", 50_000),
        repeat("llama-server -m a &\n", 20_000),
        repeat("x", 3 << 20),
        format!("llama-server {}", repeat("--a ", 200_000)),
        format!("eval {}", repeat("eval \"", 1000)),
    ];
    for script in scripts {
        let before = Instant::now();
        let found = sources(&script);
        let start: String = script.chars().take(20).collect();
        assert!(before.elapsed() < Duration::from_secs(20), "{start}: {:?}", before.elapsed());
        assert!(
            !found.losses.is_empty()
                || !found.servers.is_empty()
                || script.contains("+=(b)")
                || script.contains("cat"),
            "{start}"
        );
    }
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    fn part() -> impl Strategy<Value = &'static str> {
        let parts = concat!(
            "llama-server ·-m /a.gguf ·'·\"·$(·)·${X·}·[@]·:-·((·))·[[ · ]]·A=(·A+=·\n·; ·&·|",
            "·<<E·>·if ·then ·fi\n·for i in ·do ·done\n·case x in ·;;·esac\n·f() {·}\n·\\·#·`",
            "·$'·~·{1..3}·ü·$·export ·sudo -u ·exec ·numactl -N 0 ·eval ",
        );
        prop::sample::select(parts.split('·').collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn never_panics(parts in prop::collection::vec(part(), 0..40)) {
            sources(&parts.concat());
        }
    }
}
