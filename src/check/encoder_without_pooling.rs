//! A role with an encoder but without `pooling`.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, Line, words};
use crate::engine::architecture;

declare_code! {
    /// ## What it finds
    /// A role without `pooling` whose model is an encoder, such as `bert`, `nomic-bert` or `gemma-embedding`.
    ///
    /// ## Why
    /// An encoder generates no text: it only computes embeddings. Without `pooling`, orchgen does not write
    /// `--embeddings`. Then llama-server b11669 aborts at the start with one slot. With several slots it starts, and
    /// answers completions with status 500 and embeddings with status 501.
    ///
    /// ## Example
    /// ```kdl
    /// family "encoders" arch="nomic-bert"
    /// model "embed" family="encoders" title="Embed" quant="F16" size="0.3 GB" file="embed.gguf"
    /// role "extra" tier="A" residency="hot" model="embed" port=9000 context=512
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "encoders" arch="nomic-bert"
    /// model "embed" family="encoders" title="Embed" quant="F16" size="0.3 GB" file="embed.gguf"
    /// role "extra" tier="A" residency="hot" model="embed" port=9000 context=512 pooling="mean"
    /// ```
    pub(super) static ENCODER_WITHOUT_POOLING = 340, "encoder-without-pooling", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for (role, serving) in derived.registry.served().filter(|(_, serving)| serving.pooling.is_none()) {
        let model = derived.registry.model_of(serving).0;
        let Some(arch) = derived.registry.arch_of(model) else { continue };
        if !architecture::architecture(arch).is_some_and(architecture::Architecture::is_encoder) {
            continue;
        }
        let message = format!("{role} has no `pooling`, but {} is an encoder", words::quoted(&model.title));
        let label = format!("`{}` computes only embeddings", words::printable(arch));
        let finding = ENCODER_WITHOUT_POOLING.at(serving.model.span, "generates no text", message);
        let pooling = |word: &str| Change::set(role.head.span, Line::of("pooling", word));
        findings.report(
            finding
                .also(arch.span, label)
                .about(role)
                .remedy("write `{}` if the model card names mean pooling", pooling("mean"))
                .remedy("or write `{}` if it names the CLS token", pooling("cls")),
        );
    }
}
