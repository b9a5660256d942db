//! Drafts and lookup.

use super::Raiser;
use super::placement::value_line;
use crate::diag::Line;
use crate::engine::dialect::{DRAFT_KINDS, LOOKUP_KINDS};

/// The name of the draft model in the line of a draft, which the caller replaces by the name of the model.
pub const DRAFT_MODEL: &str = "\0draft";

impl Raiser<'_> {
    pub(super) fn speculation(&mut self) {
        let types = self.take("spec-type");
        let words: Vec<String> = types
            .iter()
            .flat_map(|given| given.text().split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let draft_kind = words.iter().find_map(|word| DRAFT_KINDS.iter().find(|(_, name)| name == word));
        let lookup_kind =
            words.iter().find_map(|word| LOOKUP_KINDS.iter().find(|kind| kind.spec_type == *word));
        let known = usize::from(draft_kind.is_some()) + usize::from(lookup_kind.is_some());
        let others = words.iter().filter(|word| *word != "none").count();
        if let Some(given) = types.as_ref().filter(|_| others > known) {
            self.reason(given, "a role has one kind of draft and one of lookup");
        }
        if self.raised.draft.is_some() || draft_kind.is_some() {
            self.draft(draft_kind.map(|(kind, _)| *kind));
        }
        if let Some(kind) = lookup_kind {
            let size = self.text(kind.length_option());
            let mut line = Line::new("lookup");
            let default = (kind.word == "simple").then(|| "12".to_owned());
            if let Some(size) = size.or(default) {
                line = line.with(value_line("ngram-min", &size));
            }
            self.field("lookup", line.with(Line::of("kind", kind.word)));
        }
        if let Some(given) = self.take("ctx-size-draft") {
            self.reason(&given, "a draft has the context of its role");
        }
    }

    fn draft(&mut self, kind: Option<&'static str>) {
        let mut line = Line::new("draft").principal("model");
        if self.raised.draft.is_some() {
            line = line.value(DRAFT_MODEL);
        } else {
            line = line.with(Line::of("self", true));
        }
        if let Some(kind) = kind.filter(|kind| *kind != "simple" || self.raised.draft.is_none()) {
            line = line.with(Line::of("kind", kind));
        }
        // orchgen has another default for independent drafts. The engine's is 3 since b10434 and 16 before (`common/common.h`).
        let is_new = self.builds.find("--spec-draft-n-max").is_some_and(|(.., is_known)| is_known);
        let max = self.text("spec-draft-n-max").or_else(|| is_new.then(|| "3".to_owned()));
        for (name, value) in
            [("max", max), ("min", self.text("spec-draft-n-min")), ("p-min", self.text("spec-draft-p-min"))]
        {
            if let Some(value) = value {
                line = line.with(value_line(name, &value));
            }
        }
        self.field("draft", line);
    }
}
