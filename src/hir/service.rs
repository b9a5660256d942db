//! A service: an external process that uses a port, memory or CPUs of a host.

use super::{Bytes, CpuList, Host, Id, Shape, Text};
use crate::source::Spanned;

declare! {
    /// A process that orchgen does not start.
    pub item Service {
        // If the only host is implied, the place is the name of the service.
        /// The host of the service. Optional if there is only one host.
        host: Spanned<Id<Host>> = optional("host", Shape::Name("host")),
        /// The port that the service listens on, 1 to 65535.
        port: Option<Spanned<u16>> = optional("port", Shape::Port).example("8890"),
        /// An IP address that the service listens on; default 127.0.0.1.
        listen: Vec<Text> = repeated("listen", Shape::Address).default("127.0.0.1"),
        /// The memory that the service uses, such as `1 GB`.
        memory: Option<Spanned<Bytes>> = optional("memory", Shape::Size),
        /// The CPUs that the service uses, such as `0-3`.
        cpus: Option<Spanned<CpuList>> = optional("cpus", Shape::Cpus),
    }
}
