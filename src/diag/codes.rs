//! Codes that speak of the findings themselves.

use super::Code;

/// All codes of this room.
pub static ALL: &[&Code] = &[&STALE_BASELINE];

declare_code! {
    /// ## What it finds
    /// With `--baseline FILE`: an entry of the file that nothing found in this run belongs to.
    ///
    /// ## Why
    /// What was once known and has been mended would be let through unseen when it comes back. Nothing is said of it while the text
    /// or the shape of the registry is at fault, since what cannot be read is not checked.
    ///
    /// ## Instead
    /// Run `orchgen check --baseline FILE --update-baseline` and commit what it changes: the file then has what is found, and no more.
    pub static STALE_BASELINE = 380, "stale-baseline", Warning;
}
