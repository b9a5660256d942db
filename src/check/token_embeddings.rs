//! An embedder that returns an embedding for each token.

use crate::derive::Derived;
use crate::diag::Diagnostics;

declare_code! {
    /// ## What it finds
    /// A role with `pooling` `none`.
    ///
    /// ## Why
    /// The server then returns an embedding for each token, at `/embeddings`. It answers requests of OpenAI clients, at
    /// `/v1/embeddings`, with status 400 (llama.cpp b11434, `tools/server/server-context.cpp`).
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 pooling="none"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 pooling="last"
    /// ```
    pub(super) static TOKEN_EMBEDDINGS = 382, "token-embeddings", Note;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for (role, serving) in derived.registry.served() {
        let Some(pooling) = serving.pooling.as_ref().filter(|pooling| &*pooling.value == "none") else {
            continue;
        };
        let message =
            format!("{role} has the pooling `none`: its server answers `/v1/embeddings` with status 400");
        let help =
            "if OpenAI clients use this role, write the pooling of the model card: `mean`, `cls` or `last`";
        findings.report(
            TOKEN_EMBEDDINGS.at(pooling.span, "an embedding for each token", message).about(role).help(help),
        );
    }
}
