//! Servers that run on this machine.

use orchgen::import::running::read;
use orchgen::import::source::{FixedSurroundings, MemoryPolicy, Program, Reader, Sources, Start};
use orchgen::source::{RunningProcess, running};

fn process(pid: u32, parent: u32, command: &str) -> RunningProcess {
    let args = command.split(' ').map(str::to_owned).collect();
    let env = Some(vec![
        ("HOME".to_owned(), "/root".to_owned()),
        ("CUDA_VISIBLE_DEVICES".to_owned(), "1".to_owned()),
    ]);
    let online_cpus = "0-7".to_owned();
    RunningProcess {
        pid,
        parent,
        args,
        env,
        cpus: "0-7".to_owned(),
        online_cpus,
        ..RunningProcess::default()
    }
}

fn found(processes: &[RunningProcess]) -> Sources {
    let around = FixedSurroundings::default();
    let mut reader = Reader::new(&around);
    read(&mut reader, processes);
    reader.found
}

fn whats(sources: &Sources) -> Vec<&str> {
    let own = sources.servers.iter().flat_map(|server| &server.losses);
    own.chain(&sources.losses).map(|loss| loss.what.as_str()).collect()
}

#[test]
fn a_process_of_a_unit_starts_with_the_machine() {
    let mut one = process(40, 1, "./llama-server -m /m/kite.gguf --port 8080 --chat-template {a} ");
    one.program = Some("/opt/llama/llama-server".to_owned());
    one.folder = Some("/opt/llama".to_owned());
    one.cgroup = "0::/system.slice/kite.service\n".to_owned();
    let found = found(&[one]);
    let server = &found.servers[0];
    assert_eq!((server.name.as_str(), server.start.0, server.is_user), ("kite", Start::Boot, false));
    assert!(matches!(&server.program, Program::Path(word) if word.text == "/opt/llama/llama-server"));
    assert_eq!(server.args.last().map(|word| (word.text.as_str(), word.at.line)), Some(("", 8)));
    assert_eq!(
        server.env.iter().map(|(name, value)| (name.as_str(), value.text.as_str())).collect::<Vec<_>>(),
        [("CUDA_VISIBLE_DEVICES", "1")]
    );
    assert_eq!(server.folder.as_ref().map(|word| word.text.as_str()), Some("/opt/llama"));
    assert_eq!(found.files[0].path, "/proc/40");
    let lines: Vec<&str> = found.files[0].text.lines().collect();
    assert_eq!(lines[..3], ["./llama-server", "-m", "/m/kite.gguf"]);
    assert_eq!(lines[6..10], ["'{a}'", "''", "cwd: /opt/llama", "CUDA_VISIBLE_DEVICES=1"]);
    assert_eq!(server.last_line as usize, lines.len());
    assert!(server.losses.is_empty());
}

#[test]
fn services_of_other_programs_and_sessions_are_no_units() {
    for cgroup in [
        "0::/system.slice/cron.service",
        "0::/user.slice/user-1.slice/session-3.scope",
        "0::/user.slice/user@1.service/init.scope",
        "",
    ] {
        let one = RunningProcess {
            cgroup: cgroup.to_owned(),
            ..process(40, 1, "llama-server -m /m/kite-Q4_0.gguf")
        };
        let found = found(&[one]);
        assert_eq!(
            (found.servers[0].name.as_str(), found.servers[0].start.0),
            ("kite", Start::Manual),
            "{cgroup}"
        );
    }
    let one = RunningProcess {
        cgroup: "0::/user.slice/user@1.service/app.slice/a.service".to_owned(),
        ..process(4, 1, "llama serve")
    };
    assert_eq!(
        (found(std::slice::from_ref(&one)).servers[0].is_user, found(&[one]).servers[0].name.as_str()),
        (true, "a")
    );
}

#[test]
fn placement_is_that_of_the_process() {
    let mut one = process(40, 1, "llama-server");
    (one.cpus, one.policy) = ("0-3".to_owned(), Some("interleave:0-1".to_owned()));
    (one.nodes, one.online_nodes) = ("0-1".to_owned(), "0-1".to_owned());
    let sources = found(std::slice::from_ref(&one));
    let placement = &sources.servers[0].placement;
    assert_eq!(placement.cpus.as_ref().map(|word| word.text.as_str()), Some("0-3"));
    assert!(matches!(&placement.memory, Some((MemoryPolicy::Interleave, nodes, _)) if *nodes == [0, 1]));
    (one.nodes, one.policy) = ("0".to_owned(), Some("prefer (many):0-1".to_owned()));
    let sources = found(std::slice::from_ref(&one));
    assert_eq!(whats(&sources), ["Mems_allowed_list: 0", "numa_maps: prefer (many):0-1"]);
    one.policy = Some("bind=static:1".to_owned());
    assert!(
        matches!(&found(&[one]).servers[0].placement.memory, Some((MemoryPolicy::Bind, nodes, _)) if *nodes == [1])
    );
    assert_eq!(found(&[process(1, 0, "llama-server")]).servers[0].placement.cpus, None);
}

#[test]
fn hidden_variables_secrets_containers_and_replaced_programs_are_reported() {
    let mut one = process(40, 1, "llama-server");
    one.env = None;
    one.cgroup = "0::/system.slice/docker-0f.scope".to_owned();
    one.program = Some("/a/llama-server (deleted)".to_owned());
    assert_eq!(whats(&found(std::slice::from_ref(&one))), ["environment", "container", "program"]);
    one.env = Some(vec![("HF_TOKEN".to_owned(), "secret".to_owned())]);
    let sources = found(&[one]);
    assert_eq!(whats(&sources)[0], "HF_TOKEN");
    assert!(sources.servers[0].env.is_empty() && !sources.files[0].text.contains("secret"));
}

#[test]
fn children_of_a_router_have_its_gateway() {
    let router =
        process(50, 1, "llama-server --models-preset /etc/p.ini --port 9000 --host 0.0.0.0 --models-max 2");
    let child = process(51, 50, "llama-server --port 41000 --alias finch --model /m/f.gguf");
    let sources = found(&[child, router]);
    let gateway = &sources.gateways[0];
    assert_eq!((gateway.port.map(|port| port.0), gateway.most.map(|most| most.0)), (Some(9000), Some(2)));
    assert_eq!(gateway.listen.as_ref().map(|word| word.text.as_str()), Some("0.0.0.0"));
    let server = &sources.servers[0];
    assert_eq!((sources.servers.len(), server.gateway, server.name.as_str()), (1, Some(0), "finch"));
    assert_eq!((server.is_port_automatic, server.is_api_name, server.start.0), (true, true, Start::OnDemand));
    assert_eq!(whats(&sources), ["--models-preset /etc/p.ini"]);
}

#[test]
fn children_of_llama_swap_are_marked() {
    let mut one = process(60, 59, "llama-server --port 5800");
    one.parent_args = ["/usr/bin/llama-swap", "--config", "/etc/swap.yaml"].map(str::to_owned).to_vec();
    one.cgroup = "0::/system.slice/llama-swap.service".to_owned();
    let sources = found(&[one]);
    assert_eq!(whats(&sources), ["parent: /usr/bin/llama-swap --config /etc/swap.yaml"]);
    assert_eq!(
        (sources.servers[0].name.as_str(), sources.servers[0].start.0),
        ("server-60", Start::OnDemand)
    );
}

#[test]
fn other_commands_of_a_program_are_no_servers() {
    let sources = found(&[process(1, 0, "llama run -m x"), process(2, 0, "llama serve")]);
    assert_eq!((sources.servers.len(), sources.files.len(), sources.servers[0].at.file), (1, 1, 0));
}

#[cfg(target_os = "linux")]
#[test]
fn the_processes_of_this_machine_have_this_test() {
    let own = std::process::id();
    let found = running(&|_| true).unwrap();
    let own = found.iter().find(|process| process.pid == own).unwrap();
    assert!(own.args.len() == std::env::args().len() && own.env.is_some() && !own.cpus.is_empty());
    assert!(running(&|_| false).unwrap().is_empty());
}
