//! The KDL parser: the official test suite, comparison with the `kdl` crate, typical mistakes, malicious text.

mod faults;
mod hostile;
mod oracle;
pub(crate) mod suite;

use orchgen::diag::Diagnostics;
use orchgen::source::FileId;
use orchgen::syntax::{Document, kdl};

fn read(text: &str) -> (Document<'_>, Diagnostics) {
    let mut findings = Diagnostics::default();
    let document = kdl::parse(FileId(0), text, &mut findings);
    (document, findings)
}
