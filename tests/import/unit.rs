//! The reader of units. The expected words are those that `systemd --test` of systemd 252 prints, and those of systemd.service(5).

use orchgen::import::source::{
    FixedSurroundings, MemoryPolicy, Program, Reader, Server, Sources, Start, Surroundings,
};
use orchgen::import::unit::{is_unit, read};
use proptest::prelude::*;

const HOME: (&str, &str) = ("HOME", "/home/ida");

/// Files in memory, whose folders are listed too.
struct Folders(FixedSurroundings);

impl Surroundings for Folders {
    fn text(&self, path: &str) -> Result<String, String> {
        self.0.text(path)
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let rest = self.0.files.keys().filter_map(|path| path.strip_prefix(&start));
        let mut names: Vec<String> =
            rest.map(|rest| rest.split('/').next().unwrap_or(rest).to_owned()).collect();
        names.dedup();
        names
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.variable(name)
    }
}

fn sources_of(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Sources {
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let around = Folders(FixedSurroundings { files: map(files), variables: map(variables) });
    let mut reader = Reader::new(&around);
    let file = reader.add_file(files[0].0, files[0].1);
    read(&mut reader, file);
    reader.found
}

fn service(text: &str) -> Server {
    let sources = sources_of(&[("a.service", &format!("[Service]\n{text}"))], &[HOME]);
    assert_eq!(sources.servers.len(), 1, "{:?}", sources.losses);
    sources.servers[0].clone()
}

fn words(server: &Server) -> Vec<String> {
    let Program::Path(program) = &server.program else { panic!("no program") };
    let words = std::iter::once(program).chain(&server.args);
    words.map(|word| if word.is_dynamic { format!("?{}", word.text) } else { word.text.clone() }).collect()
}

fn losses(server: &Server) -> Vec<String> {
    server.losses.iter().map(|loss| format!("{} {}", loss.at.line, loss.what)).collect()
}

fn env(server: &Server) -> Vec<String> {
    server.env.iter().map(|(name, value)| format!("{name}={}", value.text)).collect()
}

#[test]
fn quotes_and_escapes_are_those_of_systemd() {
    let server = service(
        "ExecStart=/bin/s a\"b c\"d \\x41\\u00e9\\101\\s\\q \\; ;x \"a;\" '' %% %i|%n|%N|%p \\\n # no comment\n# comment\n  more \\\n; comment\n end",
    );
    let expected =
        ["/bin/s", "ab cd", "A\u{e9}A \\q", ";", ";x", "a;", "", "%", "|a.service|a|a", "more", "end"];
    assert_eq!(words(&server), expected);
    let lines: Vec<u32> = server.args.iter().map(|word| word.at.line).collect();
    assert_eq!(lines, [2, 2, 2, 2, 2, 2, 2, 2, 5, 7]);
    assert_eq!(server.last_line, 7);
}

#[test]
fn variables_are_replaced_as_words_or_split() {
    let server = service(
        "Environment=A=1 \"B=x 'y z'\" C=%h \"D=\\x41\" OMP_NUM_THREADS=2\nExecStart=/bin/s $A ${A}x x$A $$A $B ${B} $NO ${NO} ${NO}z $A/x ${C} $OMP_NUM_THREADS",
    );
    let expected = ["/bin/s", "1", "1x", "x$A", "$A", "x", "y z", "x 'y z'", "", "z", "/root", "2"];
    assert_eq!(words(&server), expected);
    assert_eq!(env(&server), ["D=A", "OMP_NUM_THREADS=2"]);
    assert_eq!(losses(&server), ["3 $NO", "3 $A/x"]);
    assert_eq!(
        words(&service("Environment=A=1\nExecStart=:/bin/s $A ${A} %%")),
        ["/bin/s", "$A", "${A}", "%"]
    );
}

#[test]
fn later_settings_win_and_empty_ones_discard() {
    let server = service(
        "Environment=A=1 B=2\nEnvironment=\nEnvironment=C=3\nRestart=no\nRestart=always\nNice=5\nNice=\nExecStartPre=/bin/x\nExecStartPre=\nExecStartPre=/bin/y\nExecStart=/bin/old\nExecStart=\nExecStart=/bin/new",
    );
    assert_eq!((words(&server), env(&server)), (vec!["/bin/new".to_owned()], vec!["C=3".to_owned()]));
    assert_eq!(losses(&server), ["6 Restart=always", "11 ExecStartPre=/bin/y"]);
}

#[test]
fn files_of_variables_win_over_the_unit() {
    let unit = "[Service]\nEnvironment=A=unit B=unit\nEnvironmentFile=/etc/x/one.env\nEnvironmentFile=-%h/two.env\nEnvironmentFile=no.env\nExecStart=/bin/s ${A} ${B} ${LOST}\n";
    let one = "# c\nA=\"first line\nsecond\\\" \" \nB = it's \\\n  \\'open\\'  \n; d\nE='a'\"b\" c\nno line\n1x=2\n";
    let sources = sources_of(&[("u/a.service", unit), ("u/one.env", one)], &[HOME]);
    let server = &sources.servers[0];
    assert_eq!(words(server), ["/bin/s", "first line\nsecond\" ", "it's   'open'", "?${LOST}"]);
    assert_eq!(env(server), ["E=abc"]);
    let places: Vec<String> =
        server.losses.iter().map(|loss| format!("{}:{} {}", loss.at.file, loss.at.line, loss.what)).collect();
    assert_eq!(
        places,
        [
            "1:8 no line",
            "1:9 1x",
            "0:4 EnvironmentFile=-%h/two.env",
            "0:5 EnvironmentFile=no.env",
            "0:6 ${LOST}"
        ]
    );
    assert_eq!(server.env[0].1.at.line, 7);
}

#[test]
fn passed_and_removed_variables_are_respected() {
    let server = service(
        "Environment=A=1 B=2 C=3\nPassEnvironment=TOKEN\nUnsetEnvironment=A B=9\nExecStart=/bin/s ${A}. ${TOKEN} $PATH",
    );
    assert_eq!(words(&server), ["/bin/s", ".", "?${TOKEN}", "?$PATH"]);
    assert_eq!(env(&server), ["B=2", "C=3"]);
    assert_eq!(losses(&server), ["3 PassEnvironment=TOKEN", "4 UnsetEnvironment=A B=9", "5 ${A}"]);
}

#[test]
fn drop_ins_are_read_in_the_order_of_their_names() {
    let files = [
        ("d/x-y.service", "[Service]\nExecStart=/bin/s 1\nNice=1\n"),
        ("d/x-y.service.d/20.conf", "[Service]\nExecStart=\nExecStart=/bin/s 2 ${A}\n"),
        ("d/x-.service.d/10.conf", "[Service]\nEnvironment=A=5\nCPUWeight=2\n"),
        ("d/x-.service.d/20.conf", "[Service]\nExecStart=/bin/hidden\n"),
        ("d/service.d/30.conf", "[Service]\nNice=2\n"),
        ("d/x-y.service.d/readme.txt", "[Service]\nNice=3\n"),
    ];
    let sources = sources_of(&files, &[]);
    let server = &sources.servers[0];
    assert_eq!(words(server), ["/bin/s", "2", "5"]);
    let places: Vec<_> = server
        .losses
        .iter()
        .map(|loss| (&*sources.files[loss.at.file].path, loss.at.line, &*loss.what))
        .collect();
    assert_eq!(places, [("d/x-.service.d/10.conf", 3, "CPUWeight=2"), ("d/service.d/30.conf", 2, "Nice=2")]);
}

#[test]
fn users_and_specifiers_depend_on_the_manager() {
    let text = "[Service]\nExecStart=/bin/s %h %t %u %C %S\nWorkingDirectory=~\n[Install]\nWantedBy=default.target\n";
    let user = sources_of(&[("a.service", text)], &[HOME, ("XDG_RUNTIME_DIR", "/run/user/7")]);
    let server = &user.servers[0];
    assert_eq!(words(server), ["/bin/s", "/home/ida", "/run/user/7", "?%u", "/home/ida/.cache", "?%S"]);
    assert!(server.is_user);
    assert!(losses(server).is_empty(), "{:?}", losses(server));
    assert_eq!(server.folder.as_ref().map(|word| word.text.as_str()), Some("/home/ida"));
    let system = sources_of(&[("/etc/systemd/system/a.service", text)], &[HOME]);
    let server = &system.servers[0];
    assert_eq!(words(server), ["/bin/s", "/root", "/run", "root", "/var/cache", "/var/lib"]);
    assert!(!server.is_user && server.losses.is_empty());
}

#[test]
fn templates_have_the_instances_that_are_known() {
    let text = "[Service]\nEnvironment=P=1\nExecStart=/bin/s %i %I ${P}\n[Install]\nDefaultInstance=main\nWantedBy=multi-user.target\n";
    let files = [
        ("s/m@.service", text),
        ("s/m@two.service.d/p.conf", "[Service]\nEnvironment=P=2\n"),
        ("s/m@.service.d/a.conf", "[Service]\nNice=1\n"),
        ("s/multi-user.target.wants/m@a-b.service", ""),
        ("s/other@x.service", ""),
    ];
    let sources = sources_of(&files, &[]);
    let found: Vec<_> = sources
        .servers
        .iter()
        .map(|server| (&*server.name, server.start.0, server.args.iter().map(|word| &*word.text).collect()))
        .collect::<Vec<(&str, Start, Vec<&str>)>>();
    assert_eq!(
        found,
        [
            ("m@a-b", Start::Boot, vec!["a-b", "a/b", "1"]),
            ("m@main", Start::Boot, vec!["main", "main", "1"]),
            ("m@two", Start::Manual, vec!["two", "two", "2"]),
        ]
    );
    assert!(sources.servers.iter().all(|server| losses(server) == ["2 Nice=1"]));
    let alone = sources_of(&[("m@.service", "[Service]\nExecStart=/bin/s %i\n")], &[]);
    assert!(alone.servers[0].unreadable.is_some());
    assert_eq!(words(&alone.servers[0]), ["/bin/s", "?%i"]);
    let text = "[Service]\nNice=1\nUser=a\nType=oneshot\nExecStart=/bin/s %i $A\nExecStart=/bin/t\n";
    let alone = sources_of(&[("m@.service", text)], &[]);
    assert_eq!((alone.servers.len(), losses(&alone.servers[0]), alone.losses.len()), (1, vec![], 0));
}

#[test]
fn sockets_start_units_on_demand() {
    let unit = "[Service]\nExecStart=/bin/s\n";
    let sources = sources_of(&[("a.service", unit), ("a.socket", "[Socket]\nListenStream=8080\n")], &[]);
    let server = &sources.servers[0];
    assert_eq!(server.start.0, Start::OnDemand);
    assert_eq!((server.losses[0].at.file, losses(server)), (1, vec!["2 ListenStream=8080".to_owned()]));
    assert_eq!(service("ExecStart=/bin/s").start, (Start::Manual, None));
}

#[test]
fn placement_is_read() {
    let server = service(
        "CPUAffinity=0-3 8\nCPUAffinity=9,8\nNUMAPolicy=interleave\nNUMAMask=0-1,3\nExecStart=/bin/s",
    );
    let placement = &server.placement;
    assert_eq!(placement.cpus.as_ref().map(|word| word.text.as_str()), Some("0-3,8,9"));
    let memory = placement.memory.as_ref().map(|(policy, nodes, _)| (*policy, nodes.clone()));
    assert_eq!(memory, Some((MemoryPolicy::Interleave, vec![0, 1, 3])));
    let server = service("CPUAffinity=numa\nNUMAPolicy=bind\nNUMAMask=all\nExecStart=/bin/s");
    assert_eq!(server.placement.cpu_nodes.as_ref().map(|(nodes, _)| nodes.clone()), Some(vec![]));
    let server = service("CPUAffinity=x\nNUMAPolicy=bind\nExecStart=/bin/s");
    assert_eq!(losses(&server), ["2 CPUAffinity=x", "3 NUMAPolicy=bind"]);
}

#[test]
fn words_in_front_of_the_program_are_removed() {
    let server =
        service("Environment=A=1\nExecStart=/usr/bin/env -u A B=2 /usr/bin/numactl -N 1 -m 1 /bin/s x");
    assert_eq!((words(&server), env(&server)), (vec!["/bin/s".into(), "x".into()], vec!["B=2".into()]));
    assert!(server.placement.memory.is_some());
}

#[test]
fn marks_in_front_of_the_program_are_reported() {
    let server = service("ExecStart=-!!/bin/s x");
    assert_eq!(words(&server), ["/bin/s", "x"]);
    assert_eq!(losses(&server), ["2 ExecStart=-/bin/s", "2 ExecStart=!/bin/s", "2 ExecStart=!/bin/s"]);
    let server = service("ExecStart=@/bin/s name x");
    assert_eq!(words(&server), ["/bin/s", "x"]);
    assert_eq!(losses(&server), ["2 ExecStart: name name"]);
}

#[test]
fn simple_strings_for_shells_are_read() {
    let server = service(
        "Environment=M=/m.gguf\nExecStart=/bin/sh -c 'cd /srv && export X=1; exec /bin/s -m $M \"$$M\" \\'a b\\' \\\\;'",
    );
    assert_eq!(words(&server)[..3], ["/bin/s", "-m", "/m.gguf"]);
    assert_eq!(server.folder.as_ref().map(|word| word.text.as_str()), Some("/srv"));
    assert!(env(&server).contains(&"X=1".to_owned()));
    for text in
        ["a | b", "s $(nproc)", "s *.gguf", "if x; then y; fi", "a & b", "s $UNSET", "s > log", "a; b"]
    {
        let server = service(&format!("ExecStart=/bin/bash -lc '{text}'"));
        assert!(server.unreadable.is_some(), "{text}");
    }
}

#[test]
fn units_that_systemd_refuses_are_unreadable() {
    for text in [
        "ExecStart=/bin/a\nExecStart=/bin/b",
        "ExecStart=${P} x",
        "ExecStart=/bin/a \"open",
        "ExecStart=/bin/a 50%x",
        "ExecStart=/bin/a ; /bin/b",
    ] {
        assert!(service(text).unreadable.is_some(), "{text}");
    }
    let sources = sources_of(&[("o.service", "[Service]\nType=oneshot\nExecStart=/bin/a ; /bin/b 1\n")], &[]);
    assert_eq!(sources.servers.iter().map(words).collect::<Vec<_>>(), [vec!["/bin/a"], vec!["/bin/b", "1"]]);
    let sources = sources_of(&[("o.service", "[Service]\nNice=1\n")], &[]);
    assert_eq!((sources.servers.len(), sources.losses.len()), (0, 2));
}

#[test]
fn other_settings_are_reported_with_a_reason() {
    let text = "[Unit]\nDescription=x\nAfter=y\nRequires=z\nConditionPathExists=/a\n[Service]\nUser=ida\nProtectSystem=full\nX-Note=1\nSetCredential=key:secret\nLimitNOFILE=\\\n 10\nodd line\nExecStart=/bin/s\n[Foo]\nA=1\n[X-Bar]\nB=2\n[Install]\nAlias=b.service\nWantedBy=fleet.target\n";
    let sources = sources_of(&[("a.service", text)], &[]);
    let server = &sources.servers[0];
    let mut found = losses(server);
    found.sort();
    let expected = [
        "10 SetCredential=key:…",
        "11 LimitNOFILE=10",
        "13 odd line",
        "16 [Foo] A=1",
        "20 Alias=b.service",
        "21 WantedBy=fleet.target",
        "4 Requires=z",
        "5 ConditionPathExists=/a",
        "7 User=ida",
        "8 ProtectSystem=full",
    ];
    assert_eq!(found, expected);
    let why = |what: &str| &server.losses.iter().find(|loss| loss.what == what).expect(what).why;
    assert!(why("User=ida").contains("`user` of the host to `ida`"));
    assert!(why("ProtectSystem=full").contains("hardening"));
    assert_eq!(server.start.0, Start::Boot);
}

#[test]
fn variables_without_a_value_are_reported_once() {
    let command = "ExecStart=/bin/s --port ${PORT} --host $HOST -c ${PORT} -ngl ${NGL}\n";
    let server = service(command);
    assert_eq!(words(&server), ["/bin/s", "--port", "", "--host", "-c", "", "-ngl", ""]);
    assert_eq!(losses(&server), ["2 ${PORT}", "2 $HOST", "2 ${NGL}"]);
    assert_eq!(server.losses[1].why, "the unit does not set it, so systemd passes nothing");
    let server = service(&format!("EnvironmentFile=/etc/x.env\n{command}"));
    assert_eq!(words(&server)[1..5], ["--port", "?${PORT}", "--host", "?$HOST"]);
    assert_eq!(losses(&server)[1..], ["3 ${PORT}", "3 $HOST", "3 ${NGL}"]);
    let why = "the unit does not set it, and its environment file cannot be read";
    assert!(server.losses[1..].iter().all(|loss| loss.why == why));
}

#[test]
fn settings_that_the_units_of_orchgen_have_need_no_report() {
    let server = service(
        "KillMode=mixed\nNoNewPrivileges=true\nPrivateTmp=yes\nProtectSystem=strict\nProtectKernelModules=on\nLimitCORE=0\nUMask=0077\nPrivateTmp=1\nReadWritePaths=/x\nProtectHome=yes\nNoNewPrivileges=yes\nExecStart=/bin/s",
    );
    assert_eq!(losses(&server), ["10 ReadWritePaths=/x", "11 ProtectHome=yes"]);
    assert_eq!(server.losses[0].why, "the unit writes only where options name files; add a drop-in");
    assert_eq!(losses(&service("NoNewPrivileges=no\nExecStart=/bin/s")), ["2 NoNewPrivileges=no"]);
}

#[test]
fn scripts_are_imported_on_their_own() {
    let unreadable = |command: &str| {
        let unit = format!("[Service]\nExecStart={command}\n");
        let files = [
            ("a.service", unit.as_str()),
            ("/opt/run", "#!/usr/bin/env bash\nllama-server\n"),
            ("/opt/py", "#!/usr/bin/python3\n"),
        ];
        sources_of(&files, &[]).servers[0].unreadable.clone().map(|loss| (loss.what, loss.why))
    };
    for (command, script) in [
        ("/opt/start.sh", "/opt/start.sh"),
        ("/opt/start.sh --port 1", "/opt/start.sh"),
        ("/usr/bin/env bash /opt/start a", "/opt/start"),
        ("/bin/bash -e /opt/llama-server.sh", "/opt/llama-server.sh"),
        ("/opt/run x", "/opt/run"),
    ] {
        let why = format!("the script is not read: import it too (`orchgen import {script}`)");
        assert_eq!(unreadable(command), Some((format!("ExecStart={script}"), why)), "{command}");
    }
    for command in ["/opt/run --port 1", "/opt/py x", "/opt/vllm serve --port=1", "/bin/llama-server -m x"] {
        assert_eq!(unreadable(command), None, "{command}");
    }
}

#[test]
fn reports_leave_secrets_out() {
    let server = service(
        "ExecStartPre=/bin/x --api-key abc HF_TOKEN=abc --key=abc \"MY_SECRET=abc\"\nPassEnvironment=A\nExecStart=/bin/s",
    );
    let expected = "2 ExecStartPre=/bin/x --api-key … HF_TOKEN=… --key=… \"MY_SECRET=…";
    assert_eq!(losses(&server)[1], expected);
}

#[test]
fn units_are_recognized() {
    assert!(is_unit("# x\n[Unit]\n[Service]\nExecStart=/bin/s\n"));
    for text in ["", "[a]\nm = 1\n", "[Container]\nImage=x\n[Service]\n", "services:\n"] {
        assert!(!is_unit(text), "{text}");
    }
}

#[test]
fn hostile_units_are_read_to_a_limit() {
    let long = "x".repeat(1 << 20);
    let many = "$A ".repeat(20_000);
    assert!(service(&format!("Environment=A={long}\nExecStart=/bin/s {many}")).unreadable.is_some());
    let server = service(&format!("ExecStart=/bin/s\n{}", "Nice=1\n".repeat(30_000)));
    assert!(server.losses.iter().any(|loss| loss.why.contains("20000")));
}

proptest! {
    #[test]
    fn any_unit_is_read(text in "([a-z$%{}\\\\\"';=# \n@:!-]|\\$\\{A\\}|ExecStart=/s |Environment=A=|%i|sh -c '){0,60}") {
        sources_of(&[("u@x.service", &format!("[Service]\n{text}\nExecStart=/bin/sh -c {text}"))], &[]);
        sources_of(&[("u.service", &text), ("u.service.d/a.conf", &text)], &[]);
    }

    #[test]
    fn any_file_of_variables_is_read(text in "([a-z\\\\\"' =#;\n\r]|A=){0,60}") {
        let unit = "[Service]\nEnvironmentFile=/x.env\nExecStart=/bin/s $A\n";
        sources_of(&[("u.service", unit), ("x.env", &text)], &[]);
    }
}
