//! `allow` entries of items: they silence warnings with a reason. This check reports entries that silence nothing.

use super::codes;
use crate::derive;
use crate::diag::{
    Absence, Change, Code, Diagnostic, Diagnostics, ProposedFix, Safety, Severity, SilenceReason, Suggestion,
    suggest, words,
};
use crate::hir::{Allow, Head, Registry, codes as hir_codes};
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// An `allow` that silences nothing: its item has no such warning, the code does not exist, or is an error.
    ///
    /// ## Why
    /// An entry that remains after its warning is fixed would silently hide the next warning. Errors cannot be allowed:
    /// such a stack does not start, or does not do what the registry declares.
    ///
    /// An `allow` of a store also covers the models of the store. There, `unused-item` is never reported as unused: such a
    /// store is an inventory, and roles can use all or none of its models.
    ///
    /// Unused entries are not reported while part of the registry cannot be read, or if `--ignore` excludes their code.
    ///
    /// ## Example
    /// ```kdl
    /// family "odd" arch="qwen3moe" {
    ///     allow "unknown-architecture" because="a build of our own"
    /// }
    /// ban target="odd" draft="*" failure="it stutters"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "odd" arch="our-own-arch" {
    ///     allow "unknown-architecture" because="a build of our own"
    /// }
    /// ban target="odd" draft="*" failure="it stutters"
    /// ```
    pub(super) static UNUSED_ALLOW = 322, "unused-allow", Warning;
}

/// Silences the warnings that their items allow, and reports the entries that silence nothing.
pub(super) fn silence(registry: &Registry, findings: &mut Diagnostics) {
    let all: Vec<(&Head, &Allow)> =
        registry.heads().flat_map(|head| head.allow.iter().map(move |allow| (head, allow))).collect();
    let mut by_item: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (at, (head, _)) in all.iter().enumerate() {
        by_item.entry((head.kind, &head.name)).or_default().push(at);
    }
    let stores = stores_of_models(registry);
    let mut used = BTreeSet::new();
    findings.silence(|finding| {
        let subject = finding.subject.as_ref().filter(|_| finding.code.severity != Severity::Error)?;
        let store = stores.get(&(subject.kind, &*subject.name));
        let items = std::iter::once((subject.kind, &*subject.name)).chain(store.copied());
        let here = items.filter_map(|item| by_item.get(&item)).flatten();
        let mut allowed = here.filter_map(|at| all.get(*at).map(|(_, allow)| (*at, *allow)));
        let (at, allow) = allowed.find(|(_, allow)| finding.code.is_named(&allow.code))?;
        used.insert(at);
        Some(SilenceReason::Allowed { because: allow.because.value.to_string() })
    });
    for (at, (head, allow)) in all.iter().enumerate() {
        let known = item_codes().find(|code| code.is_named(&allow.code));
        let warning = known.filter(|code| code.severity != Severity::Error);
        let is_inventory = || stores.values().any(|store| *store == (head.kind, &*head.name.value));
        // A missing reason is already reported.
        if used.contains(&at)
            || allow.because.is_empty()
            || is_unused_item(&allow.code) && is_inventory()
            || warning.is_some_and(|code| findings.ignores(code))
        {
            continue;
        }
        let finding = unused(head, allow, known);
        findings.report(if warning.is_some() { finding.absent(Absence::Finding) } else { finding });
    }
}

/// The store of each model that has one, both as the subjects of findings.
fn stores_of_models(registry: &Registry) -> BTreeMap<(&str, &str), (&str, &str)> {
    let stores = registry.models.iter().filter_map(|model| {
        let store = &registry.stores.get(model.store?.value).head;
        Some(((model.head.kind, &*model.head.name.value), (store.kind, &*store.name.value)))
    });
    stores.collect()
}

/// True for the code of an item without any use.
fn is_unused_item(code: &str) -> bool {
    codes().any(|known| known.name == "unused-item" && known.is_named(code))
}

/// The codes of findings about an item.
fn item_codes() -> impl Iterator<Item = &'static Code> {
    hir_codes::ALL.iter().chain(derive::CODES).copied().chain(codes())
}

fn unused(head: &Head, allow: &Allow, known: Option<&Code>) -> Diagnostic {
    let word: &str = &allow.code;
    let near = suggest(word, item_codes().map(|code| code.name));
    let (label, help) = match known {
        Some(code) if code.severity == Severity::Error => {
            ("an error cannot be allowed".to_owned(), "fix the error, and remove `allow`".to_owned())
        }
        Some(_) => ("this item has no such warning".to_owned(), "remove `allow`".to_owned()),
        None => match near {
            Some(Suggestion { name, .. }) => (format!("did you mean `{name}`?"), format!("write `{name}`")),
            None => {
                let label = "no warning about an item has this code".to_owned();
                (label, "remove `allow`; `orchgen explain` lists all codes".to_owned())
            }
        },
    };
    let message = format!("{head} allows {}, which silences nothing", words::quoted(word));
    let place = allow.code.span;
    let finding = UNUSED_ALLOW.at(place, label, message).about(head).help(help);
    if known.is_none() {
        return finding.suggest(near, place);
    }
    let change = Change::Field { name: "allow", value_span: place };
    finding.propose(ProposedFix {
        title: "remove `allow`".to_owned(),
        safety: Safety::Safe,
        is_help: false,
        texts_before: 0,
        change,
    })
}
