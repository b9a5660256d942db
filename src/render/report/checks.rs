//! The state of the checks of each role, as links to the findings.

use crate::plan::report::{Findings, ReportRole, Subject};
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

/// The positions of findings, by kind and name of the item. Those beyond the list of the page follow it.
type Positions<'f> = BTreeMap<(&'static str, &'f str), Vec<usize>>;

/// The findings by item.
pub(super) struct Checks<'f> {
    findings: &'f Findings,
    found: Positions<'f>,
    unchecked: Positions<'f>,
}

impl<'f> Checks<'f> {
    pub(super) fn new(findings: &'f Findings) -> Self {
        let listed = findings.listed.iter().map(|finding| finding.subject.as_ref());
        let found = listed.chain(findings.unlisted.iter().map(|(_, subject)| subject.as_ref()));
        let unchecked = findings.unchecked.iter().map(|entry| &entry.subject);
        let unchecked = unchecked.chain(&findings.unlisted_unchecked).map(Some);
        Self { findings, found: positions(found), unchecked: positions(unchecked) }
    }

    /// The links of a role: findings about it and the items that it uses, the most severe first. Empty if all checks passed.
    pub(super) fn links(&self, role: &ReportRole) -> Vec<CheckLink> {
        let items = items(role);
        let of_items = |all: &Positions<'_>| {
            let mut found: Vec<usize> =
                items.iter().filter_map(|item| all.get(item)).flatten().copied().collect();
            // The findings are in the order of severity.
            found.sort_unstable();
            found.dedup();
            found
        };
        let (found, unchecked) = (of_items(&self.found), of_items(&self.unchecked));
        let mut links: Vec<CheckLink> = found.iter().take(MAX_LINKS).map(|at| self.link(*at)).collect();
        if let Some(hidden) = found.get(MAX_LINKS) {
            links.push(CheckLink {
                target: "findings".to_owned(),
                severity: self.severity(*hidden),
                text: format!("{} more", found.len() - MAX_LINKS),
            });
        }
        let is_whole = role.served.as_ref().is_none_or(|served| served.is_whole);
        let not_checked =
            |target: &str, text: String| CheckLink { target: target.to_owned(), severity: "unchecked", text };
        if let Some(first) = unchecked.first() {
            let is_listed = *first < self.findings.unchecked.len();
            let target = if is_listed { format!("unchecked-{}", first + 1) } else { "unchecked".to_owned() };
            links.push(not_checked(&target, format!("{} not checked", unchecked.len())));
        } else if !is_whole {
            links.push(not_checked("memory", "memory not checked".to_owned()));
        } else if links.is_empty() && role.served.is_some() && !self.findings.is_complete() {
            links.push(not_checked("findings", "not known".to_owned()));
        }
        links
    }

    /// The link to a finding.
    fn link(&self, at: usize) -> CheckLink {
        let severity = self.severity(at);
        match self.findings.listed.get(at) {
            Some(finding) => CheckLink {
                target: format!("finding-{}", at + 1),
                severity,
                text: format!("{severity} {}", finding.code),
            },
            None => CheckLink { target: "findings".to_owned(), severity, text: severity.to_owned() },
        }
    }

    fn severity(&self, at: usize) -> &'static str {
        let listed = self.findings.listed.iter().map(|finding| finding.severity);
        let mut all = listed.chain(self.findings.unlisted.iter().map(|(severity, _)| *severity));
        all.nth(at).unwrap_or("note")
    }
}

fn positions<'f>(subjects: impl Iterator<Item = Option<&'f Subject>>) -> Positions<'f> {
    let mut positions = Positions::new();
    for (at, subject) in subjects.enumerate() {
        if let Some(subject) = subject {
            positions.entry((subject.kind, &subject.name)).or_default().push(at);
        }
    }
    positions
}

/// The role and the items that it uses: the role that it shares, its models, its host, its gateway.
fn items(role: &ReportRole) -> Vec<(&'static str, &str)> {
    let mut items = vec![("role", &*role.name)];
    items.extend(role.shares.as_deref().map(|shared| ("role", shared)));
    items.extend(role.model.as_ref().map(|(name, _)| ("model", &**name)));
    items.extend(role.draft.as_deref().map(|draft| ("model", draft)));
    if let Some(served) = &role.served {
        items.push(("host", &served.host));
        items.extend(served.gateway.as_deref().map(|gateway| ("gateway", gateway)));
    }
    items
}
