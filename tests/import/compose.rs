//! The reader of compose files.

use orchgen::import::compose::{is_compose, read};
use orchgen::import::source::{FixedSurroundings, Program, Reader, Server, Sources, Start};

fn sources_of(path: &str, files: &[(&str, &str)], variables: &[(&str, &str)]) -> Sources {
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let around = FixedSurroundings { files: map(files), variables: map(variables) };
    let text = around.files[path].clone();
    let mut reader = Reader::new(&around);
    let file = reader.add_file(path, text);
    read(&mut reader, file);
    reader.found
}

fn sources(text: &str) -> Sources {
    sources_of("compose.yaml", &[("compose.yaml", text)], &[])
}

fn only(sources: &Sources) -> &Server {
    assert_eq!(sources.servers.len(), 1, "{:?}", sources.losses);
    &sources.servers[0]
}

fn args(server: &Server) -> String {
    server.args.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join("|")
}

fn tool(server: &Server) -> Option<&str> {
    let Program::Image { tool, .. } = &server.program else { panic!("{} has no image", server.name) };
    tool.as_ref().map(|word| word.text.as_str())
}

fn losses(server: &Server) -> Vec<String> {
    server.losses.iter().map(|loss| format!("{} {}", loss.at.line, loss.what)).collect()
}

fn env(server: &Server) -> Vec<String> {
    server.env.iter().map(|(name, value)| format!("{name}={}", value.text)).collect()
}

const IMAGE: &str = "reg.example/llama.cpp:server";

#[test]
fn files_are_recognized() {
    assert!(is_compose("services:\n  a:\n    image: x\n"));
    assert!(is_compose("services: {a: {image: x}}\n"));
    assert!(!is_compose("models:\n  a:\n    cmd: x\n"));
    assert!(!is_compose("services: 3\n"));
}

#[test]
fn variables_have_defaults_and_conditions() {
    let command = "[$A, '${B}', '${C:-c}', '${B:-b}', '${B-b}', '${A:+set}', '${C+set}', '${C:-${A}x}', $$A, '${D?why}', a$$$$b, '$', '${A}}']";
    let text = format!("services:\n  s:\n    image: {IMAGE}\n    command: {command}\n");
    let files = [("compose.yaml", text.as_str()), (".env", "A=file\nB=\n")];
    let sources = sources_of("compose.yaml", &files, &[("A", "own")]);
    let server = only(&sources);
    assert_eq!(args(server), "own||c|b||set||ownx|$A|${D?why}|a$$b|$|own}");
    assert_eq!(losses(server), ["4 ${D?why}", "4 $"]);
    assert!(server.args[9].is_dynamic);
}

#[test]
fn unset_variables_are_empty_and_reported() {
    let sources = sources(&format!("services:\n  s:\n    image: {IMAGE}\n    command: -m /m/$NAME.gguf\n"));
    assert_eq!(args(only(&sources)), "-m|/m/.gguf");
    assert_eq!(losses(only(&sources)), ["4 ${NAME}"]);
}

#[test]
fn environment_wins_over_files() {
    let text = format!(
        "services:\n  s:\n    image: {IMAGE}\n    env_file:\n      - one.env\n      - {{path: two.env, required: false}}\n      - path: raw.env\n        format: raw\n      - gone.env\n    environment:\n      A: 1.0\n      B: 'on'\n      FROM_USER:\n      NONE:\n"
    );
    let one =
        "# note\nexport A=0\nC = \"x\\n$$y ${A}\" # note\nD='${A}' \nE=a b # note\nF: yaml\n\"bad\nINHERIT\n";
    let files = [
        ("compose.yaml", text.as_str()),
        ("one.env", one),
        ("two.env", "E=2\nG=\"two\nlines\"\n"),
        ("raw.env", "H=\"q\"\n"),
    ];
    let sources = sources_of("compose.yaml", &files, &[("FROM_USER", "u"), ("INHERIT", "i")]);
    let server = only(&sources);
    let expected = [
        "C=x\n$y 0",
        "D=${A}",
        "F=yaml",
        "INHERIT=i",
        "E=2",
        "G=two\nlines",
        "H=\"q\"",
        "A=1",
        "B=on",
        "FROM_USER=u",
    ];
    assert_eq!(env(server), expected);
    let lost = losses(server);
    assert!(
        lost.contains(&"9 env_file: gone.env".to_owned())
            && lost.contains(&"14 environment: NONE".to_owned()),
        "{lost:?}"
    );
    assert_eq!(lost.len(), 3, "{lost:?}");
}

#[test]
fn services_extend_others() {
    let text = "services:\n  s:\n    extends: {file: base/common.yml, service: top}\n    environment: [B=2]\n    command: -c 1\n    ports: !override [\"90:80\"]\n    cpuset: !reset null\n";
    let base = format!(
        "services:\n  root:\n    image: {IMAGE}\n    environment: {{A: 1, B: 1}}\n    cpuset: 0-1\n    volumes: [\"./m:/m\"]\n  top:\n    extends: root\n    ports: [\"70:80\"]\n    command: -c 2\n    hostname: x\n"
    );
    let sources = sources_of("compose.yaml", &[("compose.yaml", text), ("base/common.yml", &base)], &[]);
    let server = only(&sources);
    assert_eq!((args(server), env(server)), ("-c|1".to_owned(), vec!["A=1".to_owned(), "B=2".to_owned()]));
    assert_eq!(server.published.iter().map(|port| port.port).collect::<Vec<_>>(), [90]);
    assert_eq!(server.mounts, [("/m".to_owned(), "./base/./m".replace("/./", "/"))]);
    assert_eq!(losses(server), ["11 hostname: x"]);
    assert_eq!(sources.files[server.losses[0].at.file].path, "base/common.yml");
}

#[test]
fn text_commands_are_split_without_a_shell() {
    let text = format!(
        "services:\n  s:\n    image: {IMAGE}\n    command: >\n      -m \"/a b.gguf\" --x '{{\"k\": 1}}'\n      -y a\\ b \"\"; rm x\n"
    );
    let sources = sources(&text);
    let server = only(&sources);
    assert_eq!(args(server), "-m|/a b.gguf|--x|{\"k\": 1}|-y|a b|");
    assert_eq!((server.args[0].at.line, server.args[4].at.line), (5, 6));
    assert_eq!(losses(server), ["6 command: ; rm x"]);
}

#[test]
fn programs_come_from_image_entrypoint_or_script() {
    let text = "services:
  full:
    image: reg.example/llama.cpp:full-cuda
    command: --server -m a
  bench:
    image: reg.example/llama.cpp:full
    command: --bench -m a
  light: {image: 'reg.example/llama.cpp:light'}
  own:
    image: me/box
    entrypoint: [numactl, --interleave=all, /opt/llama-server]
    command: [-m, a]
  script:
    image: reg.example/llama.cpp:server-vulkan
    entrypoint: /bin/sh -c
    command: ['exec /app/llama-server -m $$MODEL --x $${Y:-1}']
    environment: {MODEL: /m/a, GGML_X: 1}
  start:
    image: reg.example/llama.cpp:server
    entrypoint: ./start.sh
  web: {image: nginx}
";
    let sources = sources(text);
    let names: Vec<&str> = sources.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["full", "own", "script", "start"]);
    let [full, own, script, start] = &sources.servers[..] else { panic!() };
    assert_eq!((tool(full), args(full), full.gpus), (None, "-m|a".to_owned(), Some("CUDA")));
    assert_eq!((tool(own), args(own)), (Some("/opt/llama-server"), "-m|a".to_owned()));
    assert!(own.placement.memory.is_some());
    assert_eq!((tool(script), args(script)), (Some("/app/llama-server"), "-m|/m/a|--x|1".to_owned()));
    assert_eq!((env(script), script.gpus), (vec!["GGML_X=1".to_owned()], Some("Vulkan")));
    assert_eq!(start.unreadable.as_ref().unwrap().what, "entrypoint: ./start.sh");
    let lost: Vec<String> =
        sources.losses.iter().map(|loss| format!("{} {}", loss.at.line, loss.what)).collect();
    assert_eq!(
        lost,
        ["5 bench: reg.example/llama.cpp:full", "8 light: reg.example/llama.cpp:light", "21 web: nginx"]
    );
}

#[test]
fn ports_and_folders_are_read() {
    let text = format!(
        "services:\n  s:\n    image: {IMAGE}\n    ports:\n      - 8001-8002:81-82\n      - \"[::1]:9000:90\"\n      - {{target: 80, published: 8010, host_ip: 127.0.0.1}}\n      - '80'\n      - 53:53/udp\n    volumes:\n      - ../models:/m:ro\n      - {{type: bind, source: ./t, target: /t}}\n      - cache:/c\n"
    );
    let sources = sources_of("/srv/stack/compose.yaml", &[("/srv/stack/compose.yaml", &text)], &[]);
    let server = only(&sources);
    let published: Vec<String> =
        server.published.iter().map(|p| format!("{}:{}:{}", p.host, p.port, p.inside)).collect();
    assert_eq!(published, ["0.0.0.0:8001:81", "0.0.0.0:8002:82", "::1:9000:90", "127.0.0.1:8010:80"]);
    let mounts: Vec<(&str, &str)> =
        server.mounts.iter().map(|(inside, host)| (inside.as_str(), host.as_str())).collect();
    assert_eq!(mounts, [("/m", "/srv/models"), ("/t", "/srv/stack/t")]);
    assert_eq!(losses(server), ["8 ports: 80", "9 ports: 53:53/udp", "13 volumes: cache:/c"]);
    assert_eq!((server.changes[0].option.as_str(), server.changes[0].at.line), ("volumes", 10));
}

#[test]
fn the_container_around_the_server_is_reported() {
    let text = format!(
        "name: x\nvolumes: {{c: }}\nservices:\n  s:\n    image: {IMAGE}\n    restart: always\n    runtime: nvidia\n    network_mode: host\n    depends_on: [db]\n    deploy:\n      replicas: 2\n      resources:\n        limits: {{memory: 4g}}\n        reservations:\n          devices: [{{driver: nvidia, count: all}}]\n    labels: {{api.token: abc}}\n    mystery: 1\n"
    );
    let sources = sources(&text);
    let server = only(&sources);
    assert_eq!((server.start.0, server.start.1.unwrap().line, server.gpus), (Start::Boot, 6, Some("CUDA")));
    let expected = [
        "7 runtime: nvidia",
        "11 deploy.replicas: 2",
        "13 deploy.resources.limits.memory: 4g",
        "15 deploy.resources.reservations.devices: driver nvidia, count all",
        "16 labels: api.token …",
        "17 mystery: 1",
    ];
    assert_eq!(losses(server), expected);
    let options: Vec<&str> = server.changes.iter().map(|change| change.option.as_str()).collect();
    assert_eq!(options, ["restart", "network_mode"]);
    assert_eq!(sources.losses[0].what, "volumes: c");
    assert_eq!((server.at.line, server.last_line), (4, 17));
}

#[test]
fn an_override_file_is_reported() {
    let text = format!("services: {{s: {{image: '{IMAGE}'}}}}");
    let files = [("compose.yaml", text.as_str()), ("compose.override.yaml", "services: {}")];
    let sources = sources_of("compose.yaml", &files, &[]);
    assert_eq!(sources.losses[0].what, "compose.override.yaml");
    assert_eq!(only(&sources).start.0, Start::Manual);
}

#[test]
fn hostile_files_are_bounded() {
    let long = "x".repeat(10_000);
    let text = format!("services:\n  s:\n    image: {IMAGE}\n    command: ['{}']\n", "$A".repeat(10_000));
    let found = sources_of("compose.yaml", &[("compose.yaml", &text)], &[("A", &long)]);
    assert!(only(&found).args[0].is_dynamic && only(&found).args[0].text.len() < 2_000_000);
    let nested = "${X:-".repeat(2_000) + &"}".repeat(2_000);
    let text = format!("services:\n  s:\n    image: {IMAGE}\n    command: ['{nested}']\n");
    assert!(!losses(only(&sources(&text))).is_empty());
    let text =
        format!("services:\n  a: {{image: '{IMAGE}', extends: b}}\n  b: {{image: '{IMAGE}', extends: a}}\n");
    assert_eq!(sources(&text).servers.len(), 2);
    let script = "A=x; ".to_owned() + &"A=$$A$$A; ".repeat(100) + "exec llama-server $$A";
    let text =
        format!("services:\n  s:\n    image: {IMAGE}\n    entrypoint: [sh, -c]\n    command: ['{script}']\n");
    assert!(only(&sources(&text)).unreadable.is_some());
}

#[test]
fn secrets_are_not_imported() {
    let text = format!(
        "services:\n  s:\n    image: {IMAGE}\n    command: --api-key ${{API_KEY}} -c 1 --hf-token $HF_TOKEN\n    env_file: one.env\n    environment:\n      HF_TOKEN: ${{HF_TOKEN:-literal-2}}\n      MINE: ${{API_KEY}}\n      FROM_DOTENV: $COPY\n      KEEP: 1\n    build: {{context: ., args: [X_TOKEN=literal-3]}}\n  t:\n    image: {IMAGE}\n    environment: [A_PASSWORD=literal-4, USER_TOKEN]\n"
    );
    let files = [
        ("compose.yaml", text.as_str()),
        (".env", "B_SECRET=literal-5\nCOPY=$B_SECRET\n"),
        ("one.env", "C_PASS=literal-6\nD=${C_PASS}\n"),
    ];
    let variables = [("API_KEY", "value-1"), ("USER_TOKEN", "value-2"), ("HF_TOKEN", "value-3")];
    let sources = sources_of("compose.yaml", &files, &variables);
    let [s, t] = &sources.servers[..] else { panic!() };
    assert_eq!((args(s), env(s)), ("-c|1".to_owned(), vec!["KEEP=1".to_owned()]));
    let mut lost = losses(s);
    lost.sort();
    let expected = [
        "1 C_PASS",
        "11 build: context ., args X_TOKEN=…",
        "2 D",
        "4 --api-key",
        "4 --hf-token",
        "7 HF_TOKEN",
        "8 MINE",
        "9 FROM_DOTENV",
    ];
    assert_eq!(lost, expected);
    assert_eq!((losses(t), env(t).len()), (vec!["14 A_PASSWORD".to_owned(), "14 USER_TOKEN".to_owned()], 0));
    let shown = format!("{:?}{:?}", sources.servers, sources.losses);
    assert!(!shown.contains("literal-") && !shown.contains("value-"), "{shown}");
}

#[test]
fn servers_are_recognized_by_their_options() {
    let text = "services:
  named: {image: 'llama-server:latest', command: -c 1}
  local: {image: 'local/llama.cpp:server', command: -c 1}
  variable: {image: 'me/box', environment: {LLAMA_ARG_MODEL: /m/a.gguf}}
  model: {image: 'me/box', command: --model /m/a.gguf}
  repo: {image: 'me/box', command: [-hf, a/b]}
  program: {image: 'me/box', command: ./run -m /m/a.gguf}
  built: {build: ., command: -m /m/a.gguf}
  other: {image: 'vllm/vllm-openai', command: --model /m/a.gguf}
  module: {image: 'me/box', command: python -m serve}
  web: {build: .}
";
    let sources = sources(text);
    let found: Vec<String> = sources
        .servers
        .iter()
        .map(|server| {
            let reason = server.unreadable.as_ref().map_or("", |loss| loss.what.as_str());
            format!("{} {reason}", server.name).trim_end().to_owned()
        })
        .collect();
    let expected =
        ["named", "local", "variable", "model", "repo", "program entrypoint: ./run", "built build: ."];
    assert_eq!(found, expected);
    let built = sources.servers.last().unwrap();
    assert!(built.unreadable.as_ref().unwrap().why.contains("write the name of the built image"));
    assert!(losses(built).is_empty());
    let lost: Vec<&str> = sources.losses.iter().map(|loss| loss.what.as_str()).collect();
    assert_eq!(lost, ["other: vllm/vllm-openai", "module: me/box", "web"]);
}

#[test]
fn images_with_unset_variables_are_reported() {
    let text = "services:
  tag: {image: 'reg.example/llama.cpp:${TAG}', command: -c 1}
  folder: {image: 'reg.example/${OWNER}/llama.cpp:server'}
  all: {image: '${IMAGE}'}
  needed: {image: 'reg.example/llama.cpp:${TAG?why}'}
  end: {image: 'reg.example/llama.cpp:server${KIND}'}
";
    let sources = sources(text);
    let what = |at: usize| sources.servers[at].unreadable.as_ref().map(|loss| loss.what.as_str());
    assert_eq!((what(0), what(1)), (Some("image: ${TAG}"), Some("image: ${OWNER}")));
    assert_eq!((what(2), what(3)), (Some("image: ${TAG?why}"), None));
    let why = &sources.servers[0].unreadable.as_ref().unwrap().why;
    assert!(why.contains("`TAG` is not set") && why.contains("`.env`"), "{why}");
    assert!(losses(&sources.servers[0]).is_empty());
    assert_eq!(losses(&sources.servers[3]), ["6 ${KIND}"]);
    assert_eq!(sources.losses[0].what, "all");
    assert!(sources.losses[0].why.contains("`IMAGE` is not set"));
}

#[test]
fn broken_files_have_one_report() {
    let sources = sources("services:\n  a:\n    image: x\n   command: [b\n");
    assert!(sources.servers.is_empty());
    assert_eq!(sources.losses.len(), 1, "{:?}", sources.losses);
}
