//! Context, slots, batches and embeddings.

use super::Raiser;
use crate::diag::{Line, Literal};

impl Raiser<'_> {
    /// Context, slots, batches, embeddings.
    pub(super) fn serving(&mut self) {
        let slots = self.number::<i64>("parallel").filter(|slots| *slots > 0);
        let unified = self.switch("kv-unified");
        // llama-server selects 4 slots with one cache if their number is not given (`tools/server/server-context.cpp` of
        // b11669). `ik_llama.cpp` has one slot.
        let (count, is_shared) = match slots {
            None if self.is_ik() => (1, false),
            None => (4, unified != Some(false)),
            Some(count) => (count, count > 1 && unified == Some(true)),
        };
        self.pooling();
        let context = self.context(if is_shared { 1 } else { count });
        let is_trained = context.values == [Literal::from("trained")];
        // Separate caches divide the trained context, which only a lock has.
        let is_shared = is_shared || is_trained && count > 1;
        if count != 1 || is_shared {
            let line = Line { values: vec![Literal::Number(count.to_string())], ..Line::new("slots") };
            let line = line.principal("n");
            let line = if is_shared { line.with(Line::of("shared", true)) } else { line };
            self.field("slots", line);
        }
        self.field("context", context);
        self.batch();
    }

    /// The context. `streams` is the number of caches that divide it.
    fn context(&mut self, streams: i64) -> Line {
        let is_embedder = self.fields.contains_key("pooling");
        let is_fit = self.take("fit").is_none_or(|given| given.text() != "off");
        self.never_fits = !is_fit;
        let least = self.number::<u64>("fit-ctx");
        // With these options the engine gives up fitting (`common/fit.cpp` of llama.cpp b11669).
        let is_fit = is_fit
            && !self.given.has_number("gpu-layers")
            && !["n-cpu-moe", "cpu-moe", "tensor-split", "override-tensor"]
                .iter()
                .any(|name| self.given.has(name));
        let given = self.take("ctx-size");
        let total = given.as_ref().and_then(|given| given.text().trim().parse::<i64>().ok());
        match total {
            Some(total) if total > 0 => {
                let tokens = total / streams.max(1);
                let tokens = u64::try_from(tokens).unwrap_or_default().max(1);
                Line::of("context", tokens)
            }
            _ if is_embedder => Line::of("context", self.longest_request()),
            Some(_) => Line::of("context", "trained"),
            None if self.is_ik() || !is_fit => Line::of("context", "trained"),
            None => {
                let line = Line::of("context", "fit").principal("tokens");
                match least {
                    Some(least) => line.with(Line::of("least", least)),
                    None => line,
                }
            }
        }
    }

    /// The tokens of the longest request of a server of embeddings without a context: its physical batch, by default 512.
    fn longest_request(&self) -> u64 {
        let given = self.given.all.iter().find(|given| given.name() == "ubatch-size");
        given.and_then(|given| given.text().parse().ok()).filter(|tokens| *tokens > 0).unwrap_or(512)
    }

    /// The field `pooling` of a server of embeddings.
    fn pooling(&mut self) {
        let pooling = self.text("pooling");
        let reranks = self.switch("reranking") == Some(true);
        let embeds = self.switch("embeddings") == Some(true);
        let word = match pooling {
            _ if reranks => "rank".to_owned(),
            Some(word) => word,
            None if embeds => "model".to_owned(),
            None => return,
        };
        self.field("pooling", Line::of("pooling", word));
    }

    fn batch(&mut self) {
        if let Some(batch) = self.number::<u64>("batch-size") {
            self.field("batch", Line::of("batch", batch));
        }
        if self.fields.contains_key("pooling")
            && let Some(given) = self.take("ubatch-size")
        {
            self.reason(
                &given,
                "a server of embeddings reads each request in one batch, as large as its context",
            );
        }
    }
}
