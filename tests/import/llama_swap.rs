//! The reader of llama-swap files.

use std::fmt::Write as _;

use orchgen::import::llama_swap::{is_llama_swap, read};
use orchgen::import::source::{FixedSurroundings, MemoryPolicy, Program, Reader, Server, Sources, Start};

fn sources_with(text: &str, variables: &[(&str, &str)]) -> Sources {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let around = FixedSurroundings { variables, ..FixedSurroundings::default() };
    let mut reader = Reader::new(&around);
    let file = reader.add_file("swap.yaml", text);
    read(&mut reader, file);
    reader.found
}

fn sources(text: &str) -> Sources {
    sources_with(text, &[])
}

fn server<'s>(sources: &'s Sources, name: &str) -> &'s Server {
    sources.servers.iter().find(|server| server.name == name).unwrap()
}

/// The program and its arguments.
fn command(server: &Server) -> String {
    let Program::Path(program) = &server.program else { panic!("{} has no program", server.name) };
    let words = std::iter::once(program).chain(&server.args).map(|word| word.text.as_str());
    words.collect::<Vec<_>>().join("|")
}

/// The losses of a server as `LINE WHAT`.
fn losses(server: &Server) -> Vec<String> {
    server.losses.iter().map(|loss| format!("{} {}", loss.at.line, loss.what)).collect()
}

fn file_losses(sources: &Sources) -> Vec<String> {
    sources.losses.iter().map(|loss| format!("{} {}", loss.at.line, loss.what)).collect()
}

/// The sets by the names of the servers.
fn sets(sources: &Sources) -> Vec<String> {
    let name = |at: &usize| sources.servers[*at].name.clone();
    let set = |set: &Vec<usize>| set.iter().map(name).collect::<Vec<_>>().join("+");
    sources.gateways[0].sets.as_ref().unwrap().iter().map(set).collect()
}

#[test]
fn files_are_recognized() {
    assert!(is_llama_swap("models:\n  a:\n    cmd: serve\n"));
    assert!(is_llama_swap("\"models\": {a: {cmd: serve}}\n"));
    assert!(is_llama_swap("{\"models\": {\"a\": {\"cmd\": \"serve\"}}}"));
    assert!(!is_llama_swap("models:\n  a:\n    file: a.gguf\n"));
    assert!(!is_llama_swap("services:\n  a:\n    command: cmd:\n"));
}

#[test]
fn each_word_has_the_line_of_its_source() {
    let text = "models:\n  a:\n    cmd: |\n      # first\n      serve --port ${PORT}\n\n        -c 4096 \\\n        -m 'x\n        y'\n  b:\n    cmd: >\n      serve -m b\n      -ngl 9\n";
    let sources = sources(text);
    let lines = |name: &str| {
        let server = server(&sources, name);
        server.args.iter().map(|word| format!("{}:{}", word.at.line, word.text)).collect::<Vec<_>>()
    };
    assert_eq!(lines("a"), ["5:--port", "5:${PORT}", "7:-c", "7:4096", "8:-m", "8:x\n  y"]);
    assert_eq!(lines("b"), ["12:-m", "12:b", "13:-ngl", "13:9"]);
    assert!(server(&sources, "a").is_port_automatic);
    assert!(!server(&sources, "b").is_port_automatic);
    assert_eq!((server(&sources, "a").at.line, server(&sources, "a").last_line), (2, 9));
}

#[test]
fn macros_are_replaced_from_the_last_to_the_first() {
    let text = r#"macros:
  early: "[${late}]"
  size: 1.50
  kind: fast
  fast-args: --quick
  late: "<${size} ${kind}>"
models:
  m:
    macros: {kind: slow, own: "${MODEL_ID}-${size}", slow-args: --calm}
    cmd: serve ${late} ${own} ${${kind}-args} ${early}
    proxy: http://localhost:1
    aliases: ["${own}x"]
"#;
    let sources = sources(text);
    let model = server(&sources, "m");
    // `early` comes before `late`, so its use of it is left. `kind` comes before `slow-args`.
    assert_eq!(command(model), "serve|<1.5|slow>|m-1.5|${slow-args}|[${late}]");
    assert_eq!(model.aliases[0].text, "m-1.5x");
    assert_eq!(losses(model), ["10 cmd: ${late}"]);
    assert_eq!(model.unreadable.as_ref().unwrap().what, "cmd: ${slow-args}");
    assert!(model.args.last().unwrap().is_dynamic);
}

#[test]
fn variables_are_replaced_in_the_text_of_the_file() {
    let text = "models:\n  a:\n    cmd: serve -m ${env.ROOT}/a.gguf ${env.NONE} # ${env.OTHER}\n    env: [X=${env.NONE}]\n";
    let sources = sources_with(text, &[("ROOT", "/srv/x")]);
    let model = server(&sources, "a");
    assert_eq!(command(model), "serve|-m|/srv/x/a.gguf|${env.NONE}");
    let unreadable = model.unreadable.as_ref().unwrap();
    assert_eq!((unreadable.what.as_str(), unreadable.at.line), ("cmd: ${env.NONE}", 3));
    assert!(unreadable.why.starts_with("the variable `NONE` is not set, so llama-swap does not start"));
    assert_eq!(losses(model), ["4 env: ${env.NONE}", "2 proxy"]);
    assert!(model.env.is_empty());
    assert!(sources.losses.is_empty());
}

#[test]
fn settings_around_the_command_have_fields() {
    let text = "globalTTL: 60\nhooks: {on_startup: {preload: [short, gone]}}\nmodels:\n  a:\n    cmd: env X=1 numactl -m 0 serve --port 7\n    proxy: http://127.0.0.1:7\n    env: ['Y=a b', X=2, broken]\n    aliases: [short]\n    checkEndpoint: none\n    ttl: -1\n  b:\n    cmd: serve --port ${PORT}\n    checkEndpoint: /health\n    ttl: 0\n";
    let sources = sources(text);
    let (a, b) = (server(&sources, "a"), server(&sources, "b"));
    assert_eq!(a.env.iter().map(|(n, v)| format!("{n}={}", v.text)).collect::<Vec<_>>(), ["Y=a b", "X=1"]);
    assert_eq!(a.placement.memory.as_ref().unwrap().0, MemoryPolicy::Bind);
    assert_eq!(a.idle.map(|(seconds, at)| (seconds, at.line)), Some((60, 1)));
    assert_eq!(b.idle.map(|(seconds, at)| (seconds, at.line)), Some((0, 14)));
    assert_eq!(a.health.as_ref().unwrap().text, "none");
    assert_eq!((b.health.is_none(), b.start.0), (true, Start::OnDemand));
    assert_eq!((a.start.0, a.start.1.unwrap().line), (Start::Boot, 2));
    assert_eq!(losses(a), ["7 env: broken"]);
    assert_eq!(file_losses(&sources), ["2 preload: gone"]);
}

#[test]
fn settings_without_a_field_are_reported() {
    let text = "apiKeys: [top-secret]\nlogLevel: info\nlogRequests: true\nsendLoadingState: true\nstrange: 1\ntemplate: &t {unlisted: true}\npeers:\n  far: {proxy: 'http://me:pw@far', apiKey: hidden, models: [z]}\nmodels:\n  a:\n    <<: *t\n    cmd: serve ${PORT}\n    name: A\n    concurrencyLimit: 0\n    sendLoadingState: true\n    timeouts: {connect: 5}\n    odd: [1]\n    filters: {stripParams: temperature, setParams: {top_k: 5}}\nrouting: {scheduler: {settings: {fifo: {priority: {a: 3}}}}}\n";
    let sources = sources(text);
    assert_eq!(
        file_losses(&sources),
        [
            "1 apiKeys: 1 keys",
            "3 logRequests: true",
            "4 sendLoadingState: true",
            "5 strange: 1",
            "8 peers: far (proxy: http://…@far)",
            "19 scheduler priority: a 3",
        ]
    );
    assert_eq!(
        losses(server(&sources, "a")),
        [
            "13 name: A",
            "16 timeouts: connect 5",
            "17 odd: 1",
            "18 stripParams: temperature",
            "18 setParams: top_k 5",
            "6 unlisted: true"
        ]
    );
    assert!(!format!("{:?}", sources.losses).contains("secret]"));
    assert!(!format!("{:?}{:?}", sources.losses, sources.servers).contains("hidden"));
}

#[test]
fn unknown_keys_of_every_level_are_reported() {
    let text = "models: {a: {cmd: 'serve ${PORT}'}}\nhooks: {later: 1}\nrouting:\n  scheduler:\n    use: fifo\n    settings:\n      other: 1\n      fifo: {surprise: 2}\n";
    assert_eq!(
        file_losses(&sources(text)),
        [
            "7 routing.scheduler.settings.other: 1",
            "8 routing.scheduler.settings.fifo.surprise: 2",
            "2 hooks.later: 1",
        ]
    );
}

#[test]
fn names_with_settings_are_personas() {
    let text = "macros: {t: 0.5}\nmodels:\n  a:\n    cmd: serve ${PORT}\n    filters:\n      setParamsByID:\n        ${MODEL_ID}:x: {temperature: '${t}', top_p: 1.0, stop: [a, true], model: z, note: 'v${t}'}\n";
    let sources = sources(text);
    let model = server(&sources, "a");
    assert_eq!(model.personas[0].name.text, "a:x");
    let settings: Vec<String> =
        model.personas[0].settings.iter().map(|(n, v, at)| format!("{}:{n}={v}", at.line)).collect();
    assert_eq!(settings, ["7:temperature=0.5", "7:top_p=1", "7:stop=[\"a\",true]", "7:note=\"v0.5\""]);
    assert_eq!((model.changes[0].option.as_str(), model.changes[0].at.line), ("setParamsByID", 6));
}

#[test]
fn scripts_in_a_shell_are_read() {
    let text = r#"models:
  a:
    cmd: |
      bash -lc "cd /srv/run; export N=3; . ./vars.sh
      exec taskset -c 0-3 serve --port ${PORT} -t $N $UNKNOWN 2>/tmp/log"
  b:
    cmd: sh -c 'for x in 1 2; do serve ${PORT}; done'
  c:
    cmd: sh -c 'sleep 2 && llama-server --port ${PORT} -m "$MODEL"'
    env: [MODEL=/m/c.gguf, CUDA_VISIBLE_DEVICES=1]
"#;
    let sources = sources(text);
    let a = server(&sources, "a");
    assert_eq!(command(a), "serve|--port|${PORT}|-t|3|$UNKNOWN");
    assert_eq!(a.folder.as_ref().unwrap().text, "/srv/run");
    assert_eq!((a.args[0].at.line, a.args[4].is_dynamic, a.args[3].is_dynamic), (5, true, false));
    assert_eq!(a.unreadable.as_ref().unwrap().what, "cmd: $UNKNOWN");
    assert_eq!(losses(a), ["4 . ./vars.sh", "5 2>/tmp/log"]);
    assert!(server(&sources, "b").unreadable.as_ref().unwrap().why.contains("`for`"));
    let c = server(&sources, "c");
    assert_eq!(command(c), "llama-server|--port|${PORT}|-m|/m/c.gguf");
    assert_eq!(c.env.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["CUDA_VISIBLE_DEVICES"]);
    assert_eq!(losses(c), ["9 sleep 2"]);
}

#[test]
fn containers_and_other_addresses_are_reported() {
    let text = "models:\n  a:\n    cmd: podman run -p ${PORT}:80 reg.example/x:1 serve\n  b:\n    cmd: serve\n    proxy: http://localhost:99\n  c:\n    cmd: serve --listen 10.0.0.5:90\n    proxy: http://10.0.0.5:90/\n  d:\n    cmd: ''\n";
    let sources = sources(text);
    let change = &server(&sources, "a").changes[0];
    assert_eq!((change.option.as_str(), change.at.line), ("podman run", 3));
    assert_eq!(losses(server(&sources, "b")), ["6 proxy: http://localhost:99"]);
    assert!(losses(server(&sources, "c")).is_empty());
    assert!(server(&sources, "d").unreadable.is_some());
}

#[test]
fn models_are_alone_without_groups() {
    let sources = sources("models:\n  a: {cmd: 'serve ${PORT}'}\n  b: {cmd: 'serve ${PORT}'}\n");
    assert_eq!(sets(&sources), ["a", "b"]);
    assert_eq!(sources.gateways[0].sets_at, None);
}

fn models(names: &[&str]) -> String {
    let model = |name: &&str| format!("  {name}: {{cmd: 'serve ${{PORT}}'}}\n");
    format!("models:\n{}", names.iter().map(model).collect::<String>())
}

#[test]
fn groups_give_the_largest_sets() {
    let groups = "groups:\n  big: {members: [a, b]}\n  kept: {persistent: true, swap: false, members: [c, d]}\n  pair: {exclusive: false, members: [e, f]}\n";
    let sources = sources(&(models(&["a", "b", "c", "d", "e", "f", "g"]) + groups));
    let expected = ["a+c+d+e", "a+c+d+f", "b+c+d+e", "b+c+d+f", "c+d+e+g", "c+d+f+g"];
    let mut found = sets(&sources);
    found.sort();
    assert_eq!(found, expected);
    // `kept` is exclusive: it unloads the other groups if it is loaded later.
    let changes = |name: &str| {
        server(&sources, name).changes.iter().map(|change| change.was.clone()).collect::<Vec<_>>()
    };
    assert_eq!(changes("c"), ["loading it unloads a, b, e, f, g"]);
    assert_eq!(changes("a"), ["loading it unloads e, f"]);
    assert!(changes("e").is_empty());
    assert_eq!(sources.gateways[0].sets_at.unwrap().line, 9);
}

#[test]
fn groups_may_be_below_routing() {
    let groups = "routing:\n  router:\n    use: group\n    settings:\n      groups:\n        all: {swap: false, members: [a, b, ghost]}\n      matrix: {sets: {x: a}}\n";
    let sources = sources(&(models(&["a", "b", "c"]) + groups));
    assert_eq!(sets(&sources), ["a+b", "c"]);
    assert_eq!(file_losses(&sources), ["11 matrix: not in use", "10 groups: all has ghost"]);
}

#[test]
fn too_many_combinations_of_groups_are_reported() {
    let mut text = String::from("models:\n");
    let mut groups = String::from("groups:\n");
    for group in 0..12 {
        let names: Vec<String> = (0..10).map(|n| format!("m{group}-{n}")).collect();
        text.extend(names.iter().map(|name| format!("  {name}: {{cmd: 'serve ${{PORT}}'}}\n")));
        let _ = writeln!(groups, "  g{group}: {{exclusive: false, members: [{}]}}", names.join(", "));
    }
    let sources = sources(&(text + &groups));
    assert_eq!(sources.gateways[0].sets, None);
    assert_eq!(file_losses(&sources), ["122 groups"]);
}

#[test]
fn a_matrix_gives_the_largest_sets() {
    let matrix = "matrix:\n  vars: {x: a, y: b}\n  evict_costs: {x: 3}\n  sets:\n    one: (x | y) & c\n    two: +one & d\n    three: x\n    loop: +loop & x\n    wrong: x &\n";
    let sources = sources(&(models(&["a", "b", "c", "d", "e"]) + matrix));
    assert_eq!(sets(&sources), ["a+c+d", "b+c+d", "e"]);
    assert_eq!(file_losses(&sources), ["9 evict_costs: x 3", "14 sets: loop", "15 sets: wrong"]);
}

#[test]
fn too_many_combinations_of_a_matrix_are_reported() {
    let names: Vec<String> = (0..100).map(|n| format!("m{n}")).collect();
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    let matrix = format!("matrix:\n  sets:\n    x: {}\n    y: +x & +x & +x & +x\n", names.join(" | "));
    let sources = sources(&(models(&refs) + &matrix));
    assert_eq!(sources.gateways[0].sets, None);
    assert_eq!(file_losses(&sources), ["102 matrix"]);
}

#[test]
fn hostile_files_are_bounded() {
    let mut text = String::from("macros:\n  m0: xxxxxxxxxx\n");
    for n in 1..200 {
        let _ = writeln!(text, "  m{n}: ${{m{}}}${{m{}}}", n - 1, n - 1);
    }
    text += "models:\n  a: {cmd: 'serve ${m199}'}\n";
    let found = sources(&text);
    assert_eq!(server(&found, "a").unreadable.as_ref().unwrap().at.line, 203);
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..30 {
        let before = n - 1;
        let _ = writeln!(text, "a{n}: &a{n} [{}]", vec![format!("*a{before}"); 10].join(", "));
    }
    let found = sources(&(text + "models: {a: {cmd: x}}\n"));
    assert!(found.servers.is_empty());
    assert_eq!(found.losses.len(), 1);
    let found = sources(&("models: ".to_owned() + &"[".repeat(100_000)));
    assert_eq!(found.losses.len(), 1);
    let deep = "(".repeat(10_000) + "a" + &")".repeat(10_000);
    let found = sources(&(models(&["a"]) + &format!("matrix: {{sets: {{x: '{deep}'}}}}\n")));
    assert_eq!(file_losses(&found), ["3 sets: x"]);
}

#[test]
fn errors_of_the_file_are_reported() {
    let found = sources("models:\n  a: {cmd: 'serve ${PORT}'}\n  a: {cmd: other}\n");
    assert_eq!(found.servers.len(), 1);
    assert_eq!(found.losses[0].at.line, 3);
    let found = sources("models:\n  a: [b\n");
    assert!(found.servers.is_empty());
    assert_eq!((found.losses.len(), found.gateways.len()), (1, 0));
    assert!(found.losses[0].what.starts_with("the file is not valid YAML"));
    let found = sources("models:\n  a: {cmd: 'serve ${PORT}'}\n---\nmodels: {}\n");
    assert_eq!(found.servers.len(), 1);
    assert_eq!(found.losses[0].at.line, 3);
}

#[test]
fn secrets_are_not_imported() {
    let text = r#"macros: {hub: "${env.HUB_TOKEN}"}
models:
  a:
    cmd: serve --api-key ${env.API_KEY} --port ${PORT} --auth=${hub} --hf-token literal-1
    env: ['DB_PASSWORD=literal-2', 'OTHER=x ${hub}', 'KEEP=1', 'GONE=${env.NO_SECRET}']
  b:
    cmd: docker run --rm -it -e HF_TOKEN=${env.HUB_TOKEN} -e A=1 --env API_KEY=literal-3 --env=X_PASS=literal-4 reg/x serve --api-key literal-5 -p ${PORT}
    aliases: ["${env.API_KEY}"]
"#;
    let sources = sources_with(text, &[("API_KEY", "value-1"), ("HUB_TOKEN", "value-2")]);
    let a = server(&sources, "a");
    assert_eq!((command(a), a.env.len()), ("serve|--port|${PORT}".to_owned(), 1));
    let mut lost = losses(a);
    lost.sort();
    assert_eq!(lost, ["4 --api-key", "4 --auth", "4 --hf-token", "5 DB_PASSWORD", "5 GONE", "5 OTHER"]);
    assert!(a.losses.iter().all(|loss| loss.why.starts_with("a registry has no secrets: ")));
    let b = server(&sources, "b");
    let expected = "docker|run|--rm|-it|-e|HF_TOKEN|-e|A=1|--env|API_KEY|--env=X_PASS|reg/x|serve|-p|${PORT}";
    assert_eq!(command(b), expected);
    assert_eq!(losses(b), ["8 aliases: ${env.API_KEY}", "7 --api-key"]);
    assert_eq!((b.changes[0].is.as_str(), b.changes[2].is.as_str()), ("-e HF_TOKEN", "-e X_PASS"));
    let shown = format!("{:?}{:?}", sources.servers, sources.losses);
    assert!(!shown.contains("value-") && !shown.contains("literal-"), "{shown}");
}

#[test]
fn secrets_in_scripts_are_not_imported() {
    let script = "A_SECRET=literal sleep 1; export T_KEY=literal U_KEY=${env.API_KEY}; exec serve ${PORT}";
    let text = format!("models: {{c: {{cmd: \"sh -c '{script}'\"}}}}\n");
    let sources = sources_with(&text, &[("API_KEY", "value")]);
    let c = server(&sources, "c");
    assert_eq!((command(c), c.env.len()), ("serve|${PORT}".to_owned(), 0));
    assert_eq!(losses(c), ["1 A_SECRET=… sleep 1", "1 T_KEY", "1 U_KEY"]);
}

#[test]
fn hidden_ports_are_reported() {
    let models = "models: {a: {cmd: 'serve ${PORT}'}}\n";
    let lost = |text: &str| file_losses(&sources(&format!("{text}{models}")));
    assert_eq!(lost("startPort: 9100\nincludeAliasesInList: true\n"), ["1 startPort: 9100"]);
    assert!(lost("startPort: 5800\n").is_empty());
}

#[test]
fn settings_of_the_own_name_are_defaults() {
    let text = "models:\n  a:\n    cmd: serve ${PORT}\n    concurrencyLimit: 3\n    filters:\n      setParamsByID:\n        ${MODEL_ID}: {temperature: 0.5, model: z}\n        a-x: {top_k: 1}\n";
    let sources = sources(text);
    let model = server(&sources, "a");
    assert_eq!((model.personas.len(), model.personas[0].name.text.as_str()), (1, "a-x"));
    assert_eq!(losses(model), ["4 concurrencyLimit: 3", "7 setParamsByID: temperature 0.5 of a"]);
    assert!(model.losses[1].why.contains("`options` of the role"));
    assert_eq!(model.changes[0].was, "a-x");
}

#[test]
fn paths_of_windows_are_reported() {
    let text = r#"macros: {bin: 'C:/llama/llama-server.exe'}
models:
  a: {cmd: 'C:\llama\llama-server.exe -m F:\ai\a.gguf --port ${PORT}'}
  b: {cmd: '${bin} --port ${PORT}'}
  c:
    cmd: |
      "D:\my files\llama-server.exe" --port ${PORT}
  d: {cmd: 'llama-server -m F:\ai\d.gguf --port ${PORT}'}
  e: {cmd: 'llama-server -m a:b --url http://x --port ${PORT}'}
"#;
    let sources = sources(text);
    let what = |name: &str| server(&sources, name).unreadable.as_ref().map(|loss| loss.what.as_str());
    let found = ["a", "b", "c", "d", "e"].map(|name| what(name).unwrap_or("none").replace('\\', "/"));
    assert_eq!(found[..2], ["C:/llama/llama-server.exe", "C:/llama/llama-server.exe"]);
    assert_eq!(found[2..], ["D:/my files/llama-server.exe", "F:/ai/d.gguf", "none"]);
    assert!(server(&sources, "a").unreadable.as_ref().unwrap().why.contains("Windows"));
}

#[test]
fn images_of_containers_are_found() {
    let text = "models:\n  a: {cmd: 'docker run --gpus all -v ${env.MD}:/models -p ${PORT}:80 --rm -dit --name=x reg.example/img:1 -m reg/z:2'}\n  b: {cmd: 'docker run -v ${env.NONE}:/models img'}\n  c: {cmd: 'podman container run -e A=b -p80:${PORT} plain'}\n";
    let sources = sources_with(text, &[("MD", "srv/m")]);
    let was = |name: &str| server(&sources, name).changes[0].was.clone();
    assert_eq!(was("a"), "container with the image reg.example/img:1");
    assert_eq!(was("c"), "container with the image plain");
    let b = server(&sources, "b");
    assert!(b.changes.is_empty() && b.unreadable.as_ref().unwrap().why.contains("`NONE`"));
}
