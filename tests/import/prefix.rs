//! Words in front of a program.

use orchgen::import::prefix::{apply, is_server, is_server_command};
use orchgen::import::source::{At, MemoryPolicy, Program, Server, Word};

const AT: At = At { file: 0, line: 3 };

fn words(command: &str) -> Vec<Word> {
    command.split(' ').map(|text| Word { is_dynamic: text.contains('$'), ..Word::new(text, AT) }).collect()
}

fn server(command: &str) -> Server {
    let mut server = Server::new("a", AT, Program::Gateway);
    server.set_variable("OLD", Word::new("0", AT));
    apply(words(command), &mut server);
    server
}

fn command(server: &Server) -> String {
    let Program::Path(program) = &server.program else { return String::new() };
    let words = std::iter::once(program).chain(&server.args);
    words.map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn losses(server: &Server) -> Vec<&str> {
    server.losses.iter().map(|loss| loss.what.as_str()).collect()
}

#[test]
fn variables_are_those_of_the_process() {
    let env = |text: &str| {
        let server = server(text);
        assert_eq!(command(&server), "llama-server -c 1", "{text}");
        server.env.iter().map(|(name, value)| format!("{name}={}", value.text)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(env("A=1 B= llama-server -c 1"), "OLD=0 A=1 B=");
    assert_eq!(env("env A=x=y OLD=1 llama-server -c 1"), "A=x=y OLD=1");
    assert_eq!(env("/usr/bin/env -u OLD A=1 llama-server -c 1"), "A=1");
    assert_eq!(env("env A=1 -u OLD llama-server -c 1"), "A=1");
    assert_eq!(env("A=1 env -i B=2 llama-server -c 1"), "B=2");
    assert_eq!(env("exec -c llama-server -c 1"), "");
    assert_eq!(env("sudo A=1 llama-server -c 1"), "OLD=0 A=1");
    assert_eq!(env("systemd-run --setenv=A=1 -E B=2 llama-server -c 1"), "OLD=0 A=1 B=2");
}

#[test]
fn programs_that_change_nothing_need_no_report() {
    for text in
        ["exec", "nohup", "setsid -f", "exec nohup setsid", "command", "builtin", "tini --", "/usr/bin/nohup"]
    {
        let server = server(&format!("{text} llama-server -c 1"));
        assert_eq!((command(&server).as_str(), losses(&server)), ("llama-server -c 1", Vec::new()), "{text}");
    }
}

#[test]
fn other_programs_are_named() {
    for text in [
        "nice",
        "nice -n 5",
        "nice -10",
        "nice --adjustment=3",
        "ionice -c2 -n7",
        "ionice -c 2 -t",
        "chrt -r 5",
        "chrt --batch 0",
        "prlimit --memlock=unlimited",
        "prlimit -n=4096",
        "stdbuf -oL",
        "stdbuf -o L",
        "timeout -k 5 1h",
        "time -p",
        "flock -n /run/x",
        "unbuffer",
        "systemd-inhibit --what sleep",
        "cgexec -g cpu:x",
        "gosu mia",
        "setpriv --reuid mia",
    ] {
        let server = server(&format!("{text} llama-server -c 1"));
        assert_eq!((command(&server).as_str(), losses(&server)), ("llama-server -c 1", vec![text]), "{text}");
        assert_eq!(server.losses[0].at, AT);
    }
    let server = server("sudo -E -u mia -- nice -n -5 llama-server");
    assert_eq!(losses(&server), ["sudo -E -u mia", "nice -n -5"]);
    assert!(server.losses[0].why.contains("`user` of the host to `mia`"));
}

#[test]
fn folders_and_managers_are_read() {
    let found = server("env -C /x llama-server");
    assert_eq!(found.folder.map(|word| word.text).as_deref(), Some("/x"));
    let found = server("systemd-run --user --working-directory /y -p Nice=1 --unit u llama serve");
    assert_eq!((found.is_user, found.folder.as_ref().map(|word| word.text.as_str())), (true, Some("/y")));
    assert_eq!(
        (command(&found).as_str(), losses(&found)),
        ("llama serve", vec!["systemd-run -p Nice=1 --unit u"])
    );
}

#[test]
fn numactl_and_taskset_are_placement() {
    let memory = |text: &str| {
        let found = server(&format!("numactl {text} llama-server -c 1"));
        assert_eq!(command(&found), "llama-server -c 1", "{text}");
        found.placement.memory.map(|(policy, nodes, word)| (policy, nodes, word.text))
    };
    assert_eq!(
        memory("--interleave=all"),
        Some((MemoryPolicy::Interleave, vec![], "--interleave=all".to_owned()))
    );
    assert_eq!(memory("-i 0,2-3"), Some((MemoryPolicy::Interleave, vec![0, 2, 3], "-i 0,2-3".to_owned())));
    assert_eq!(memory("--membind 1"), Some((MemoryPolicy::Bind, vec![1], "--membind 1".to_owned())));
    assert_eq!(memory("-m1"), Some((MemoryPolicy::Bind, vec![1], "-m1".to_owned())));
    assert_eq!(memory("--preferred=1"), Some((MemoryPolicy::Preferred, vec![1], "--preferred=1".to_owned())));
    assert_eq!(memory("-N 1 -m same"), Some((MemoryPolicy::Bind, vec![1], "-m same".to_owned())));
    assert_eq!(memory("--local"), Some((MemoryPolicy::Local, vec![], "--local".to_owned())));
    assert_eq!(memory("-a -l --"), Some((MemoryPolicy::Local, vec![], "-l".to_owned())));
    assert_eq!(memory("--inter=0"), Some((MemoryPolicy::Interleave, vec![0], "--inter=0".to_owned())));
    let nodes = server("numactl -N 0-1 llama-server").placement.cpu_nodes;
    assert_eq!(nodes.map(|(nodes, word)| (nodes, word.text)), Some((vec![0, 1], "-N 0-1".to_owned())));
    let cpus = |text: &str| server(&format!("{text} llama-server")).placement.cpus.map(|word| word.text);
    assert_eq!(cpus("numactl --physcpubind=0-3,8"), Some("0-3,8".to_owned()));
    assert_eq!(cpus("taskset -c 0-11"), Some("0-11".to_owned()));
    assert_eq!(cpus("taskset --cpu-list 0-6:2"), Some("0,2,4,6".to_owned()));
    assert_eq!(cpus("taskset 0xff0f"), Some("0-3,8-15".to_owned()));
    assert_eq!(cpus("taskset f0000000,00000001"), Some("0,60-63".to_owned()));
}

#[test]
fn placement_that_depends_on_the_machine_is_named() {
    for text in [
        "numactl -N +0",
        "numactl -m !0",
        "numactl --membind=netdev:eth0",
        "numactl -C +0-3",
        "numactl -P 0,1",
        "numactl -w all",
        "numactl -b",
        "numactl -N all",
        "numactl -m $NODE",
        "numactl -m 3-1",
        "numactl -m 99999",
        "taskset -c $CPUS",
        "taskset -c 0-x",
        "taskset zz",
        "numactl --shm /x",
    ] {
        let found = server(&format!("{text} llama-server"));
        assert_eq!((command(&found).as_str(), losses(&found)), ("llama-server", vec![text]), "{text}");
    }
    let found = server("taskset -c 0-3 numactl -N 1 llama-server");
    assert_eq!((losses(&found), &found.placement.cpus), (vec!["CPU affinity 0-3"], &None));
}

#[test]
fn strings_for_a_shell_and_missing_programs_are_unreadable() {
    for text in
        ["bash -c exec", "exec /bin/sh -lc x", "su mia -c x", "runuser -u mia -c x", "env A=1", "nice", "A=1"]
    {
        assert!(server(text).unreadable.is_some(), "{text}");
    }
    assert_eq!(server("bash -c x").unreadable.unwrap().what, "bash -c …");
    for text in ["bash run.sh -c x", "llama-server", "command -v llama-server", "sh -x run.sh"] {
        let found = server(text);
        assert_eq!((command(&found).as_str(), found.unreadable), (text, None));
    }
}

#[test]
fn words_of_the_program_stay() {
    let found = server("llama-server env nice -n 5 A=1");
    assert_eq!((command(&found).as_str(), losses(&found)), ("llama-server env nice -n 5 A=1", Vec::new()));
    assert_eq!(command(&server("$RUN llama-server")), "$RUN llama-server");
    assert_eq!(command(&server("env -S llama-server")), "llama-server");
}

#[test]
fn lists_of_taskset_are_read_in_each_form() {
    for text in ["-c 0-7", "-c0-7", "--cpu-list 0-7", "--cpu-list=0-7"] {
        let server = server(&format!("taskset {text} llama-server -c 1"));
        assert_eq!((command(&server).as_str(), losses(&server)), ("llama-server -c 1", Vec::new()), "{text}");
        assert_eq!(server.placement.cpus.map(|word| word.text).as_deref(), Some("0-7"), "{text}");
    }
}

#[test]
fn servers_are_known_by_their_name() {
    for program in [
        "llama-server",
        "/a b/llama-server",
        "./llama-server-vulkan",
        "llama_server",
        "llama-server.exe",
        "llama",
    ] {
        assert!(is_server(program), "{program}");
    }
    for program in ["server", "llama-cli", "llama-serverless", "ollama", "llama-swap", "/llama-server/x", ""]
    {
        assert!(!is_server(program), "{program}");
    }
    assert!(is_server_command(&words("llama serve -m x")) && is_server_command(&words("llama-server")));
    assert!(!is_server_command(&words("llama run -m x")) && !is_server_command(&[]));
}

#[test]
fn any_number_of_prefixes_ends() {
    let found = server(&"nice ".repeat(100_000));
    assert!(found.unreadable.is_some() || found.losses.len() > 1000);
    assert!(server(&format!("{}x", "env A=1 ".repeat(20_000))).unreadable.is_some());
}
