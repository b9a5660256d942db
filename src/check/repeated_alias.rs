//! A name at the API that a role has twice.

use super::owner;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, Line, words};
use crate::hir::{Id, Role, RoleKind, Text};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// An `alias` that repeats another name of the same role: an earlier alias, the name of the role, or the name of a
    /// role that shares it.
    ///
    /// ## Why
    /// A server answers to the name of its role, to the names of the roles that share it, and to its aliases. A name that
    /// it already has adds nothing; another name was probably meant.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     alias "gpt-4o" "extra"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     alias "gpt-4o"
    /// }
    /// ```
    pub(super) static REPEATED_ALIAS = 329, "repeated-alias", Error;
}

const EARLIER: &str = "an earlier alias";

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    if !registry.served().any(|(_, serving)| !serving.aliases().is_empty()) {
        return;
    }
    let mut sharers: BTreeMap<Id<Role>, Vec<&Text>> = BTreeMap::new();
    for role in registry.roles.iter() {
        if let RoleKind::Shares(shared) = &role.kind {
            sharers.entry(shared.value).or_default().push(&role.head.name);
        }
    }
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for (id, role) in registry.roles.entries() {
        let Some(serving) = role.serving() else { continue };
        let mut names: BTreeMap<&str, (&str, Span)> = BTreeMap::new();
        let sharing =
            sharers.get(&id).into_iter().flatten().map(|name| ("the name of a role that shares it", *name));
        for (what, name) in [("the name of the role", &role.head.name)].into_iter().chain(sharing) {
            names.insert(&name.value, (what, name.span));
        }
        for alias in serving.aliases() {
            let Some((what, place)) = names.get(&*alias.value).copied() else {
                names.insert(&alias.value, (EARLIER, alias.span));
                continue;
            };
            let owner = owner(registry, role, alias.span);
            // A default, or a YAML alias, applies to many roles, but is reported once.
            if !reported.insert(alias.span) {
                continue;
            }
            let message = format!("alias {} of {role} is also {what}", words::quoted(alias));
            let finding = REPEATED_ALIAS.at(alias.span, "repeats a name", message).about(owner);
            let finding = finding.also(place, "the same name");
            findings.report(match (serving.aliases(), owner.kind) {
                ([_], _) => finding.remedy("remove `{}`", Change::remove(alias.span)),
                (all, "role") => {
                    finding.remedy("write `{}`", Change::set(role.head.span, distinct(all, &names)))
                }
                _ => finding.help("remove this name from `alias`"),
            });
        }
    }
}

/// The field with each name once, without the names that the role has anyway.
fn distinct(aliases: &[Text], names: &BTreeMap<&str, (&str, Span)>) -> Line {
    let is_kept = |(at, alias): &(usize, &Text)| {
        let is_new = names.get(&*alias.value).is_none_or(|(what, _)| *what == EARLIER);
        is_new && !aliases.iter().take(*at).any(|earlier| earlier.value == alias.value)
    };
    let kept = aliases.iter().enumerate().filter(is_kept);
    kept.fold(Line::new("alias"), |line, (_, alias)| line.value(&*alias.value))
}
