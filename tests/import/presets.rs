//! The reader of preset files. The expected command lines are those that llama-server b11669 prints at `/v1/models`.

use orchgen::import::presets::{OptionTable, PresetOption, is_presets, read};
use orchgen::import::source::{
    At, FixedSurroundings, Program, Published, Reader, Server, SourceGatewayKind, Sources, Start, Word,
};
use proptest::prelude::*;

/// Names, negative names, the variable, and true if a value follows.
const ROWS: &[(&[&str], &[&str], &str, bool)] = &[
    (&["-c", "--ctx-size"], &[], "LLAMA_ARG_CTX_SIZE", true),
    (&["-ngl", "--n-gpu-layers"], &[], "LLAMA_ARG_N_GPU_LAYERS", true),
    (&["-t", "--threads"], &[], "LLAMA_ARG_THREADS", true),
    (&["-m", "--model"], &[], "LLAMA_ARG_MODEL", true),
    (&["-hf", "--hf-repo"], &[], "LLAMA_ARG_HF_REPO", true),
    (&["-a", "--alias"], &[], "LLAMA_ARG_ALIAS", true),
    (&["--hf-token"], &[], "HF_TOKEN", true),
    (&["--log-colors"], &[], "LLAMA_ARG_LOG_COLORS", true),
    (&["--jinja"], &["--no-jinja"], "LLAMA_ARG_JINJA", false),
    (&["-kvu", "--kv-unified"], &["-no-kvu", "--no-kv-unified"], "LLAMA_ARG_KV_UNIFIED", false),
    (&["--warmup"], &["--no-warmup"], "LLAMA_ARG_WARMUP", false),
    (&["--metrics"], &[], "LLAMA_ARG_ENDPOINT_METRICS", false),
];

struct Table;

impl OptionTable for Table {
    fn find(&self, key: &str) -> Option<PresetOption> {
        let name = key.trim_start_matches('-');
        let row = ROWS.iter().find_map(|row| {
            let (names, negative, variable, _) = row;
            let has = |names: &[&str]| names.iter().any(|one| one.trim_start_matches('-') == name);
            let off = variable.replace("LLAMA_ARG_", "LLAMA_ARG_NO_");
            let is_off = has(negative) || (!negative.is_empty() && off == name);
            (is_off || has(names) || *variable == name).then_some((row, is_off))
        });
        let ((names, negative, _, takes_value), is_negative) = row?;
        Some(PresetOption {
            title: (*names.last()?).to_owned(),
            takes_value: *takes_value,
            is_negative,
            negative: negative.last().map(|name| (*name).to_owned()),
        })
    }
}

fn sources_of(text: &str, router: Option<Server>) -> Sources {
    let around = FixedSurroundings::default();
    let mut reader = Reader::new(&around);
    let file = reader.add_file("fleet.ini", text);
    read(&mut reader, file, router, &Table);
    reader.found
}

fn sources(text: &str) -> Sources {
    sources_of(text, None)
}

fn router(line: &str) -> Server {
    let at = At { file: 9, line: 3 };
    let mut server = Server::new("router", at, Program::Path(Word::default()));
    server.set_command(line.split_whitespace().map(|word| Word::new(word, at)).collect());
    server
}

fn server<'s>(sources: &'s Sources, name: &str) -> &'s Server {
    sources.servers.iter().find(|server| server.name == name).unwrap()
}

fn args(server: &Server) -> Vec<String> {
    let mut options: Vec<String> = Vec::new();
    for word in &server.args {
        match options.last_mut() {
            Some(option) if !word.text.starts_with("--") => {
                option.push(' ');
                option.push_str(&word.text);
            }
            _ => options.push(word.text.clone()),
        }
    }
    options.sort();
    options
}

fn all_losses(sources: &Sources) -> Vec<(u32, &str)> {
    let own = sources.servers.iter().flat_map(|server| server.losses.iter().chain(&server.unreadable));
    let mut losses: Vec<_> =
        sources.losses.iter().chain(own).map(|loss| (loss.at.line, loss.what.as_str())).collect();
    losses.sort_unstable();
    losses
}

#[test]
fn section_wins_over_common_section_by_option_and_not_by_spelling() {
    let sources = sources(
        "version = 1\n[*]\nc = 1024\nngl = 5\njinja = on\n\n[gull]\nmodel = /g.gguf\nctx-size = 2048\nno-jinja = 1\n\n[rook]\nhf = a/b\n",
    );
    let gull = server(&sources, "gull");
    assert_eq!(args(gull), ["--ctx-size 2048", "--model /g.gguf", "--n-gpu-layers 5", "--no-jinja"]);
    assert_eq!(
        args(server(&sources, "rook")),
        ["--ctx-size 1024", "--hf-repo a/b", "--jinja", "--n-gpu-layers 5"]
    );
    let lines: Vec<u32> = gull.args.iter().map(|word| word.at.line).collect();
    assert_eq!(lines, [4, 4, 8, 8, 9, 9, 10]);
    assert_eq!((gull.at.line, gull.last_line), (7, 10));
    assert!(gull.is_api_name && gull.is_port_automatic);
    assert_eq!((gull.gateway, gull.start), (Some(0), (Start::OnDemand, None)));
    assert_eq!(gull.program, Program::Gateway);
    assert_eq!(all_losses(&sources), []);
    assert_eq!(sources.gateways[0].kind, SourceGatewayKind::Router);
}

#[test]
fn last_key_in_byte_order_wins_among_spellings_and_last_line_among_equal_keys() {
    let sources = sources(
        "[a]\nmodel = /1\nm = /2\nctx-size = 3\nc = 4\nLLAMA_ARG_CTX_SIZE = 5\nthreads = 6\nthreads = 7\n",
    );
    assert_eq!(args(server(&sources, "a")), ["--ctx-size 3", "--model /1", "--threads 7"]);
    assert_eq!(
        all_losses(&sources),
        [(3, "m = /2"), (5, "c = 4"), (6, "LLAMA_ARG_CTX_SIZE = 5"), (7, "threads = 6")]
    );
}

#[test]
fn switches_are_on_unless_off_and_negative_keys_are_reversed() {
    let common = "[*]\nmetrics = true\n";
    let sources = sources(&format!(
        "{common}[a]\nm = /x\nmetrics = off\nno-kv-unified = 0\nwarmup = disabled\njinja = maybe\n[b]\nm = /x\nno-warmup = maybe\nLLAMA_ARG_NO_KV_UNIFIED = 1\n"
    ));
    let (one, other) = (server(&sources, "a"), server(&sources, "b"));
    assert_eq!(args(one), ["--jinja", "--kv-unified", "--model /x", "--no-warmup"]);
    assert_eq!(args(other), ["--kv-unified", "--metrics", "--model /x", "--warmup"]);
    let changes = |server: &Server| {
        server.changes.iter().map(|change| format!("{} {}", change.at.line, change.is)).collect::<Vec<_>>()
    };
    assert_eq!(changes(one), ["8 --jinja"]);
    assert_eq!(changes(other), ["11 --warmup", "12 --kv-unified"]);
}

#[test]
fn comments_end_values_and_cut_text_is_reported() {
    let sources = sources("[a] ; first\nm = /x # path\nthreads=4;five\nalias = \"b ; c\n# end\n");
    assert_eq!(args(server(&sources, "a")), ["--model /x", "--threads 4"]);
    assert_eq!(
        all_losses(&sources),
        [
            (3, "threads: text behind a semicolon or number sign"),
            (4, "alias: text behind a semicolon or number sign")
        ]
    );
}

#[test]
fn later_section_of_a_name_discards_the_first() {
    let sources = sources("[a]\nm = /1\nc = 5\n[b]\nm = /2\n[a]\nm = /3\n");
    assert_eq!(sources.servers.iter().map(|server| &*server.name).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(args(server(&sources, "a")), ["--model /3"]);
    assert_eq!(all_losses(&sources), [(1, "[a]: repeated section")]);
}

#[test]
fn keys_in_front_of_the_first_section_are_a_model() {
    let sources = sources("c = 5\nm = /x\n[a]\nm = /y\n");
    assert_eq!(args(server(&sources, "default")), ["--ctx-size 5", "--model /x"]);
    let sources = self::sources("version = 2\n[default]\nm = /y\n");
    assert_eq!((sources.servers.len(), all_losses(&sources).len()), (1, 0));
}

#[test]
fn names_and_aliases_are_those_of_the_api() {
    let sources = sources(
        "[x/y:q5_k_s]\nm = /1\nalias = one, two,,one:low-er\n[z:deep-fast]\nm = /2\n[z:v1.2-]\nm = /3\n",
    );
    let names = |name: &str| {
        server(&sources, name).aliases.iter().map(|alias| alias.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("x/y:q5_k_s"), ["x/y:Q5_K_S", "one", "two", "one:low-er"]);
    assert_eq!(names("z:deep-fast"), ["z:FAST"]);
    assert_eq!(names("z:v1.2-"), ["z:V1.2-"]);
}

#[test]
fn common_alias_is_that_of_models_without_their_own() {
    let sources = sources("[*]\nalias = all\n[a]\nm = /1\nalias = b\n[c]\nm = /1\n");
    let alias = |name: &str| server(&sources, name).aliases[0].text.clone();
    assert_eq!((alias("a"), alias("c")), ("b".to_owned(), "all".to_owned()));
}

#[test]
fn router_wins_over_sections_and_keeps_its_own_options() {
    let line = "/opt/llama-server --models-preset fleet.ini --models_max 2 -ngl 9 -c 1 -c 2 --no-kv-unified --host ::1 --port 9000 --api-key-file /k --alias r --no-models-autoload --api-key top-secret --surprise 3 --models-dir /m";
    let mut launcher = router(line);
    launcher.folder = Some(Word::new("/srv", At::default()));
    launcher.set_variable("CUDA_VISIBLE_DEVICES", Word::new("1", At::default()));
    launcher.set_variable("LLAMA_ARG_PORT", Word::new("1", At::default()));
    let text = "[*]\nngl = 3\nkv-unified = on\n[a]\nm = /x\nc = 4096\nn-gpu-layers = 9\n";
    let sources = sources_of(text, Some(launcher));
    let model = server(&sources, "a");
    assert_eq!(args(model), ["--ctx-size 2", "--model /x", "--n-gpu-layers 9", "--no-kv-unified"]);
    assert_eq!(model.env, [("CUDA_VISIBLE_DEVICES".to_owned(), Word::new("1", At::default()))]);
    assert_eq!(model.folder.as_ref().map(|word| word.text.as_str()), Some("/srv"));
    let gateway = &sources.gateways[0];
    assert_eq!((gateway.port.map(|port| port.0), gateway.most.map(|most| most.0)), (Some(9000), Some(2)));
    assert_eq!(gateway.listen.as_ref().map(|word| word.text.as_str()), Some("::1"));
    assert_eq!(gateway.key_file.as_ref().map(|word| word.text.as_str()), Some("/k"));
    assert_eq!(gateway.program.as_ref().map(|word| word.text.as_str()), Some("/opt/llama-server"));
    let losses = all_losses(&sources);
    let expected = [
        (0, "LLAMA_ARG_PORT=1"),
        (2, "ngl = 3"),
        (3, "--alias r"),
        (3, "--api-key"),
        (3, "--models-dir /m"),
        (3, "--no-models-autoload"),
        (3, "--surprise 3"),
        (3, "-c 1"),
        (3, "kv-unified = on"),
        (6, "c = 4096"),
    ];
    assert_eq!(losses, expected);
}

#[test]
fn router_with_a_model_is_reported() {
    let sources = sources_of("[a]\nm = /x\n", Some(router("llama serve --models-preset f -m /y")));
    assert_eq!(all_losses(&sources), [(3, "-m /y")]);
}

#[test]
fn published_port_of_a_container_is_that_of_the_gateway() {
    let mut launcher = router("llama-server --port 80");
    launcher.published = vec![Published { host: "127.0.0.1".into(), port: 9, inside: 80, at: At::default() }];
    let sources = sources_of("[a]\nm = /x\n", Some(launcher));
    let gateway = &sources.gateways[0];
    assert_eq!(gateway.port.map(|port| port.0), Some(9));
    assert_eq!(gateway.listen.as_ref().map(|word| word.text.as_str()), Some("127.0.0.1"));
}

#[test]
fn start_and_reserved_keys_are_read() {
    let text = "[a]\nm = /x\nload-on-startup = 1\nstop-timeout = 9\nport = 80\nlog-colors = on\napi-key = abc\n[b]\nm = /x\nload-on-startup = yes\nhf-token = abc\nhf-token = abd\nodd = 1\nctx_size = 5\n";
    let sources = sources(text);
    assert_eq!(server(&sources, "a").start, (Start::Boot, Some(At { file: 0, line: 3 })));
    assert_eq!(server(&sources, "b").start.0, Start::OnDemand);
    let expected = [
        (4, "stop-timeout = 9"),
        (5, "port = 80"),
        (6, "log-colors = on"),
        (7, "api-key"),
        (10, "load-on-startup = yes"),
        (11, "hf-token"),
        (13, "odd = 1"),
        (14, "ctx_size = 5"),
    ];
    assert_eq!(all_losses(&sources), expected);
}

#[test]
fn refused_lines_and_models_without_a_file_are_reported() {
    let sources = sources("[a]x\n[b]\n m = /x\nm : 5\n[]\n--c = 5\n");
    assert_eq!(
        all_losses(&sources),
        [(1, "[a]x"), (2, "[b]: no model"), (3, "m = /x"), (4, "m : 5"), (5, "[]"), (6, "--c = 5")]
    );
    assert!(server(&sources, "b").unreadable.is_some());
}

#[test]
fn preset_files_are_recognized() {
    for text in ["[a]\nm = 1\n", "; x\nversion = 1\n\n[*]\n", "c = 1\n[b] # y\n"] {
        assert!(is_presets(text), "{text}");
    }
    for text in
        ["", "a = 1\n", "[Unit]\nA=b\n", "models:\n  a:\n", "#!/bin/sh\n[ -f x ] && y\n", "[a]\n  - b\n"]
    {
        assert!(!is_presets(text), "{text}");
    }
}

#[test]
fn large_files_are_read_to_a_limit() {
    let sections: Vec<String> = (0..5000).map(|number| format!("[m{number}]\nm = /x\n")).collect();
    let sources = sources(&format!("[*]\nc = 1\n{}", sections.concat()));
    assert!(sources.servers.len() < 3000);
    assert!(sources.losses.iter().any(|loss| loss.why.contains("2048")));
    let sources = self::sources(&"c = 1\n".repeat(200_000));
    assert!(sources.losses.iter().any(|loss| loss.why.contains("65536")));
}

proptest! {
    #[test]
    fn any_text_is_read(text in "(\\[|\\]|[a-c*:=;# \n\r\u{feff}\u{e9}]|ngl|version|alias|-){0,60}") {
        is_presets(&text);
        for server in sources_of(&text, Some(router(&text))).servers {
            prop_assert!(server.last_line >= server.at.line);
        }
    }
}
