//! `orchgen schema`.

use super::RunStatus;
use super::session;
use crate::hir::schema::schema;

pub(super) fn run() -> RunStatus {
    session::print_stdout(&schema())
}
