//! `orchgen diff`, `plan`, `apply`, `generations`, `rollback` and `status`.
//!
//! `fleet` chooses the hosts of a command. Those on other machines are reached by `ssh`, where `on_host` answers.

mod apply;
pub(super) mod args;
mod diff;
mod fleet;
mod generations;
mod here;
mod host;
mod http;
mod markdown;
mod on_host;
mod plan;
mod programs;
mod ssh;
pub mod status;
mod system;
mod text;
mod wanted;

pub(super) use apply::{apply, rollback};
pub(super) use diff::run as diff;
pub(super) use generations::generations;
pub(super) use here::is_here;
pub(super) use host::{installed_generations, installed_stacks};
pub(super) use on_host::run as on_host;
pub(super) use plan::run as plan;
