//! The state of the checks of each role, as links to the findings.

use crate::plan::report::{Findings, ReportRole};
use serde::Serialize;
use std::collections::BTreeMap;

/// The maximum number of links of a role.
const MAX_LINKS: usize = 4;

/// A link to a finding, or to the checks that could not run.
#[derive(Serialize)]
pub(super) struct CheckLink {
    /// The anchor.
    target: String,
    /// `error`, `warning`, `note` or `unchecked`.
    severity: &'static str,
    /// The text.
    text: String,
}

/// The positions of findings, by kind and name of the item.
type Positions<'f> = BTreeMap<(&'static str, &'f str), Vec<usize>>;

/// The findings by item.
pub(super) struct Checks<'f> {
    findings: &'f Findings,
    found: Positions<'f>,
    unchecked: Positions<'f>,
}

impl<'f> Checks<'f> {
    pub(super) fn new(findings: &'f Findings) -> Self {
        let (mut found, mut unchecked) = (Positions::new(), Positions::new());
        for (at, finding) in findings.listed.iter().enumerate() {
            if let Some(subject) = &finding.subject {
                found.entry((subject.kind, &subject.name)).or_default().push(at);
            }
        }
        for (at, entry) in findings.unchecked.iter().enumerate() {
            unchecked.entry((entry.subject.kind, &entry.subject.name)).or_default().push(at);
        }
        Self { findings, found, unchecked }
    }

    /// The links of a role: findings about it and about its model. Empty if all checks passed.
    pub(super) fn links(&self, role: &ReportRole) -> Vec<CheckLink> {
        let model = role.model.as_ref().map(|(name, _)| ("model", &**name));
        let items = std::iter::once(("role", &*role.name)).chain(model);
        let of_items = |all: &Positions<'_>| -> Vec<usize> {
            items.clone().filter_map(|item| all.get(&item)).flatten().copied().collect()
        };
        let (found, unchecked) = (of_items(&self.found), of_items(&self.unchecked));
        let listed = found.iter().filter_map(|at| Some((*at, self.findings.listed.get(*at)?)));
        let mut links: Vec<CheckLink> = listed
            .take(MAX_LINKS)
            .map(|(at, finding)| CheckLink {
                target: format!("finding-{}", at + 1),
                severity: finding.severity,
                text: format!("{} {}", finding.severity, finding.code),
            })
            .collect();
        if let Some(more) = found.len().checked_sub(MAX_LINKS + 1) {
            links.push(CheckLink {
                target: "findings".to_owned(),
                severity: "note",
                text: format!("{} more", more + 1),
            });
        }
        if let Some(first) = unchecked.first() {
            links.push(CheckLink {
                target: format!("unchecked-{}", first + 1),
                severity: "unchecked",
                text: format!("{} not checked", unchecked.len()),
            });
        }
        links
    }
}
