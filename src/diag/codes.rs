//! Codes about the findings themselves.

use super::Code;

/// All codes of this module.
pub static ALL: &[&Code] = &[&STALE_BASELINE];

declare_code! {
    /// ## What it finds
    /// With `--baseline FILE`: an entry of the file that matches no finding of this run.
    ///
    /// ## Why
    /// The problem has been fixed, but the entry would silence it if it came back. Stale entries are not reported while
    /// the registry has syntax or shape errors, because items that cannot be read are not checked.
    ///
    /// ## Instead
    /// Run `orchgen check --baseline FILE --update-baseline` and commit the change. The file then lists exactly the
    /// current findings.
    pub static STALE_BASELINE = 380, "stale-baseline", Warning, absent Finding;
}
