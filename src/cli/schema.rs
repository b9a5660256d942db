//! `orchgen schema`.

use super::End;
use super::session;
use crate::hir::schema::schema;

pub(super) fn run() -> End {
    session::print(&schema())
}
