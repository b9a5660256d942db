//! A quirk that was fixed before it was found.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics};
use crate::hir::Date;

declare_code! {
    /// ## What it finds
    /// A quirk whose `fixed` is an earlier date than its `found`.
    ///
    /// ## Why
    /// One of the two dates is wrong. From these dates, users decide whether the workaround is still needed. A `fixed`
    /// that names a build is not compared.
    ///
    /// ## Example
    /// ```yaml
    /// quirks:
    ///   odd answers: {models: plain, issue: "answers twice", found: 2026-02-01, fixed: 2026-01-01}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// quirks:
    ///   odd answers: {models: plain, issue: "answers twice", found: 2026-01-01, fixed: 2026-02-01}
    /// ```
    pub(super) static IMPOSSIBLE_DATES = 361, "impossible-dates", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for quirk in derived.registry.quirks.iter() {
        let (Some(found), Some(fixed)) = (quirk.found, &quirk.fixed) else { continue };
        let Some(day) = Date::parse(fixed).filter(|day| *day < found.value) else { continue };
        let message = format!("{quirk} was fixed on {day}, before it was found on {}", found.value);
        let finding = IMPOSSIBLE_DATES
            .at(fixed.span, "fixed on this date", message)
            .also(found.span, "found on this date")
            .about(quirk);
        findings.report(
            finding.help("correct one of the two dates").remedy("or remove `{}`", Change::remove(found.span)),
        );
    }
}
