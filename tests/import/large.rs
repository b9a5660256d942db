//! A large llama-swap file becomes a short registry.

use super::workspace::Workspace;
use std::fmt::Write;

const MODELS: usize = 72;

/// A file as users have it: a command of several lines, with macros, aliases and sampling settings.
fn config() -> String {
    let mut text = "healthCheckTimeout: 300
macros:
  server: |
    /opt/llama/bin/llama-server
    --host 127.0.0.1 --port ${PORT}
    --n-gpu-layers 99
    --flash-attn on
  folder: /srv/weights
models:
"
    .to_owned();
    for number in 0..MODELS {
        let context = [8192, 16384, 32768][number % 3];
        let _ = write!(
            text,
            "  marble-{number:02}-{size}b:
    cmd: |
      ${{server}}
      --model ${{folder}}/marble-{number:02}/marble-{number:02}-{size}b-Q4_K_M.gguf
      --ctx-size {context}
      --parallel 1
      --temp 0.{temp}
      --top-p 0.95
      --min-p 0.02
      --jinja
    aliases:
      - marble-{number:02}
    ttl: 600
",
            size = number % 9 + 1,
            temp = number % 4 + 5,
        );
    }
    text
}

#[test]
fn a_large_file_becomes_a_short_registry() {
    let text = config();
    let workspace = Workspace::new(&[("config.yaml", &text)]);
    let report = workspace.import(&["config.yaml"], &[]);
    assert_eq!(report["servers"].as_array().unwrap().len(), MODELS + 1);
    let lines = workspace.registry().lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines * 4 < text.lines().count(), "{lines} lines of {}", text.lines().count());
    let out = workspace.build();
    let written = std::fs::read_to_string(out.join("llama-swap/config.yaml")).unwrap();
    assert_eq!(written.matches("    cmd: ").count(), MODELS);
}
