//! `orchgen diff`, `plan`, `apply`, `generations`, `rollback` and `status`.

mod apply;
pub(super) mod args;
mod diff;
mod here;
mod host;
mod http;
mod markdown;
mod plan;
pub mod status;
mod system;
mod text;
mod wanted;

pub(super) use apply::{apply, generations, rollback};
pub(super) use diff::run as diff;
pub(super) use here::is_here;
pub(super) use host::{installed_generations, installed_stacks};
pub(super) use plan::run as plan;
