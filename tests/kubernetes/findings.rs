//! The findings about roles, gateways, stores and names that cannot be pods, or that are different there.

use crate::support::{Compiled, compile};
use orchgen::diag::{Diagnostic, Severity};

/// A stack without findings, with the facts of its models.
const STACK: &str = "stack \"home\" engine=\"e\" { targets \"kubernetes\" }
engine \"e\" profile=\"llama.cpp-b11669\" image=\"ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\"
host \"box\" memory=\"64 GB\" { numa 0 cpus=\"0-3\"; numa 1 cpus=\"4-7\"; gpu \"CUDA0\" memory=\"24 GB\" }
store \"models\" path=\"/srv/models\" claim=\"models\"
residency \"warm\" title=\"on demand\" start=\"on-demand\"
residency \"hot\" title=\"at boot\" start=\"boot\"
family \"qwen2\" arch=\"qwen2\"
model \"plain\" family=\"qwen2\" size=\"2 GB\" file=\"plain.gguf\"
role \"chat\" residency=\"hot\" model=\"plain\" port=8080 context=4096 key-file=\"/etc/keys/chat\"
";

fn lock(file: &str) -> String {
    format!(
        "{{\"format_version\": 1, \"models\": {{\"plain\": {{\"file\": \"{file}\", \"header\": \"0\", \"size\": 2000000000, \
         \"architecture\": \"qwen2\", \"parameters\": {{\"block_count\": 4, \"embedding_length\": 256, \"context_length\": 8192, \
         \"feed_forward_length\": 512, \"attention.head_count\": 4, \"attention.head_count_kv\": 2}}, \
         \"vocabulary\": {{\"type\": \"gpt2\", \"size\": 1000}}, \"tensors\": {{\"bytes\": {{\"q6_K\": 2000000000}}}}}}}}}}"
    )
}

/// The stack with some texts replaced.
fn registry(changes: &[(&str, &str)]) -> (String, Compiled) {
    let text = changes.iter().fold(STACK.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    });
    let file = text.split_once("file=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap();
    let compiled = compile(&[("a.kdl", &text), ("registry.lock", &lock(file))]);
    (text.clone(), compiled)
}

/// The findings of the codes of Kubernetes.
fn findings(compiled: &Compiled) -> Vec<&Diagnostic> {
    let all = compiled.findings.findings().iter();
    all.filter(|finding| finding.code.name.starts_with("kubernetes-")).collect()
}

/// The only finding of Kubernetes: its code, message and helps.
#[track_caller]
fn only(changes: &[(&str, &str)]) -> (&'static str, String, Vec<String>) {
    let (_, compiled) = registry(changes);
    let [finding] = findings(&compiled)[..] else { panic!("{changes:?}: {}", compiled.report()) };
    let is_note = finding.code.name == "kubernetes-differs";
    assert_eq!(finding.severity == Severity::Note, is_note);
    assert_eq!(compiled.checked.is_some(), is_note, "{}", compiled.report());
    (finding.code.name, finding.message.clone(), finding.help.clone())
}

/// A mistake, its message, and the same registry with the text that a help names.
struct Mistake {
    changes: &'static [(&'static str, &'static str)],
    code: &'static str,
    message: &'static str,
    help: &'static str,
    /// The registry after the help. Empty if nothing of it can be written.
    solution: &'static [(&'static str, &'static str)],
}

const ROLE: &str = "key-file=\"/etc/keys/chat\"";

const MISTAKES: &[Mistake] = &[Mistake {
    changes: &[(
        "image=\"ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\"",
        "bin=\"/opt/bin\"",
    )],
    code: "kubernetes-cannot",
    message: "engine `e` has no `image`, so role `chat` cannot run in a pod",
    help: "",
    solution: &[("engine \"e\"", "engine \"e\" bin=\"/opt/bin\"")],
}];

#[test]
fn the_stack_has_no_findings() {
    let (_, compiled) = registry(&[]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}
