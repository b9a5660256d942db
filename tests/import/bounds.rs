//! Any bytes give an error or losses: the import never panics, and it ends.

use super::workspace::Workspace;

const FORMATS: &[&str] = &["llama-swap", "router", "systemd", "quadlet", "compose", "shell"];

fn repeated(start: &str, part: &str, count: usize) -> Vec<u8> {
    format!("{start}{}", part.repeat(count)).into_bytes()
}

/// Texts that are hard for some reader.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let many = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let macros = many(40, &|n| format!("  m{n}: ${{m{}}}${{m{}}}\n", n + 1, n + 1));
    let growing = many(60, &|n| match n {
        0 => "  g0: xxxxxxxxxxxxxxxx\n".to_owned(),
        _ => format!("  g{n}: ${{g{m}}}${{g{m}}}\n", m = n - 1),
    });
    let laughs = many(30, &|n| match n {
        0 => "a0: &a0 {cmd: llama-server, y: 2}\n".to_owned(),
        _ => format!("a{n}: &a{n} {{x: *a{m}, y: *a{m}}}\n", m = n - 1),
    });
    let variables = many(60, &|n| match n {
        0 => "V0=xxxxxxxxxxxxxxxx\n".to_owned(),
        _ => format!("V{n}=\"$V{m}$V{m}\"\n", m = n - 1),
    });
    let model = "models:\n  a:\n    cmd: llama-server -m /m.gguf";
    vec![
        ("empty", Vec::new()),
        ("blank", b"\n \t\n".to_vec()),
        ("not UTF-8", b"models:\n  a:\n    cmd: \xff\xfe llama-server\n".to_vec()),
        ("NUL", b"[a]\nmodel = /m\0.gguf\n\0llama-server\0-m\0".to_vec()),
        ("brackets", repeated("", "[", 1 << 20)),
        ("braces", repeated("", "{a: ", 1 << 18)),
        ("parentheses", repeated("llama-server ", "$(", 1 << 18)),
        ("expansions", repeated("llama-server ", "${a:-", 1 << 17)),
        ("quotes", repeated("llama-server -m ", "\"'", 1 << 19)),
        ("backslashes", repeated("ExecStart=llama-server ", "\\\n", 1 << 12)),
        ("one long line", repeated("[Service]\nExecStart=llama-server -m /m.gguf", " -c 1", 1 << 16)),
        ("many sections", repeated("", "[a]\nmodel = /m.gguf\n", 20_000)),
        ("many functions", repeated("", "f() { f; llama-server -m /m.gguf; }\nf\n", 40)),
        ("endless recursion", b"f() { f; f; }\nf\nllama-server -m /m.gguf --port 1\n".to_vec()),
        ("endless loops", b"while :; do for i in {1..1000000}; do for j in {1..1000000}; do llama-server -m /m.gguf; done; done; done\n".to_vec()),
        ("recursive macros", format!("macros:\n{macros}{model} ${{m0}}\n").into_bytes()),
        ("growing macros", format!("macros:\n{growing}{model} ${{g59}}\n").into_bytes()),
        ("macro of itself", format!("macros:\n  a: ${{a}}\n{model} ${{a}}\n").into_bytes()),
        ("growing variables", format!("{variables}llama-server -m \"$V59\"\n").into_bytes()),
        ("aliases", format!("{laughs}models: {{a: *a29}}\nservices: {{b: *a29}}\n").into_bytes()),
        ("alias of itself", b"models: &a\n  x: *a\nservices: &b\n  y: *b\n".to_vec()),
        ("merge of itself", b"services:\n  a: &a\n    <<: *a\n    image: llama.cpp:server\n".to_vec()),
        ("extends", b"services:\n  a: {extends: {service: b}, image: x}\n  b: {extends: {service: a}, command: -m /m.gguf}\n  c: {extends: {file: input, service: c}, image: llama.cpp:server}\n".to_vec()),
        ("included environment", b"[Service]\nEnvironmentFile=input\nEnvironmentFile=/\nEnvironmentFile=%h/%z\nExecStart=llama-server -m ${X} $X\n".to_vec()),
        ("sourced", b". ./input\nsource input\nbash input\nllama-server -m /m.gguf --models-preset input\n".to_vec()),
        ("numbers", format!("{model} -c 99999999999999999999999 --port 99999999999 -np -9999999999999 --temp 1e999\n    ttl: 99999999999999999999999999\n").into_bytes()),
        ("compose numbers", b"services:\n  a:\n    image: llama.cpp:server\n    ports: ['99999999:1', '1-60000:1-60000', ':', 0, -1]\n    command: [-m, /m.gguf, -c, 1e400]\n".to_vec()),
        ("long matrix", format!("{model}\nmatrix:\n  vars: {{v: a}}\n  sets: {{s: \"{}\"}}\n", "(v | v) & ".repeat(2000) + "v").into_bytes()),
        ("control characters", b"llama-server -m '/m\x01\x1b[31m\x7f.gguf' --alias $'a\\x00b\\nc' --port 1\n".to_vec()),
    ]
}

#[test]
fn hostile_files_give_an_error_or_losses() {
    let mut faults = Vec::new();
    for (title, bytes) in hostile() {
        let workspace = Workspace::new(&[]);
        workspace.write("input", &bytes);
        for format in FORMATS {
            let output =
                workspace.run(&["import", "input", "--from", format, "--dry-run", "--report", "json"]);
            let stderr = String::from_utf8_lossy(&output.stderr);
            let is_ended = matches!(output.status.code(), Some(0 | 2));
            if !is_ended || stderr.contains("panicked") {
                faults.push(format!("{title} as {format}: {:?}: {stderr}", output.status));
            }
            if output.status.code() == Some(0) {
                let report: Result<serde_json::Value, _> = serde_json::from_slice(&output.stdout);
                if report.is_err() {
                    faults.push(format!("{title} as {format}: no report"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A folder, a missing file, and a file of a program.
#[test]
fn other_inputs_give_an_error() {
    let workspace = Workspace::new(&[("folder/notes.txt", "no configuration\n"), ("notes.txt", "nothing\n")]);
    for args in [&["missing.yaml"][..], &["folder"], &["notes.txt"], &["/dev/null"], &["-"], &[""]] {
        let output = workspace.run(&[&["import"], args].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: ") && !stderr.contains("panicked"), "{args:?}: {stderr}");
        assert!(!workspace.at("registry").exists(), "{args:?}");
    }
}
