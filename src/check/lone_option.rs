//! An option that needs another one.

use super::ground::Ground;
use super::{GroundCheck, options};
use crate::diag::Diagnostics;
use crate::engine::dialect::Fault;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that does its work only beside another option or field, which is not there.
    ///
    /// ## Why
    /// The engine says nothing: with `--spec-type draft-eagle3` and no draft it serves without speculation, at a fifth of its speed.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "spec-type" value="ngram-cache"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "spec-type" value="ngram-cache"
    ///     option "lookup-cache-static" value="/srv/models/ngrams.bin"
    /// }
    /// ```
    static LONE_OPTION = 375, "lone-option", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &LONE_OPTION, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    for wrong in options::each(ground, Fault::Alone) {
        findings.report(wrong.at_name(&LONE_OPTION, "not by itself"));
    }
}
