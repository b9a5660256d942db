//! Brings output to a host: compares it with what is installed, installs it, rolls back, and reports the state of the host.
//!
//! ```text
//! out/ or a generation --Tree--> plan (Seen: what is on the host) --> apply --> host
//! ```
//!
//! - `tree` is a set of output files with their description, `deploy.json`; `layout` knows where each file is installed.
//! - `seen` is the state of the host; `changes` describes the differences of roles in words; `order` finds an order of steps
//!   in which old and new processes fit together; `plan` combines them.
//! - `own` has files of the run: a private folder, and the program.
//! - `state` keeps generations and the journal; `apply` is the state machine; `status` compares processes with the plan.
//!
//! `Manager` is the service manager. Only `cli` implements it, with `systemctl`.

mod apply;
mod changes;
mod error;
mod layout;
mod manager;
mod notes;
mod order;
mod own;
mod plan;
mod restore;
mod seen;
mod state;
mod status;
mod steps;
mod timeline;
mod tree;

pub use apply::{Applied, Deployer, Failure, Outcome, Prepared};
pub use changes::{RoleChange, RoleChangeKind, ValueChange};
pub use error::DeployError;
pub use layout::{
    Layout, UserFolders, binds_foreign_addresses, installable, is_of_user, is_root, machine_name, stacks,
};
pub use manager::{LoadRequest, Manager, UnitState};
pub use order::{PlacePeak, Reorder};
pub use own::{PrivateFolder, own_program};
pub use plan::{FileAction, FileChange, HostPlan, PlanInput, Target, plan_host};
pub use seen::{Seen, UnitSeen};
pub use state::{Generation, Journal, State, digest};
pub use status::{
    ArgumentChange, Difference, DifferenceKind, FailedHost, MemoryStatus, OutFolder, ProcessStatus,
    RoleState, RoleStatus, STATUS_VERSION, StackStatus, StatusInput, StatusReport, Verdict, Web, WebAnswer,
    status,
};
pub use steps::{Action, Step};
pub use tree::{Tree, TreeFile};
