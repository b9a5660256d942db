//! The reader of KDL: the official suite, the `kdl` crate as oracle, typical mistakes, hostile text.

mod faults;
mod hostile;
mod oracle;
mod suite;

use orchgen::diag::Diagnostics;
use orchgen::source::FileId;
use orchgen::syntax::{Document, kdl};

fn read(text: &str) -> (Document<'_>, Diagnostics) {
    let mut findings = Diagnostics::default();
    let document = kdl::parse(FileId(0), text, &mut findings);
    (document, findings)
}
