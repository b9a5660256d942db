//! A service: an external process that uses a port, memory or CPUs of a host.

use super::shape::{Field, Shape, Table};
use super::{Bytes, CpuList, Head, Host, Id, Named, Text};
use crate::source::Spanned;

/// A process that orchgen does not start.
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    /// Its name.
    pub head: Head,
    /// The host. If the only host is implied, the place is the name of the service.
    pub host: Spanned<Id<Host>>,
    /// The port that it listens on.
    pub port: Option<Spanned<u16>>,
    /// The addresses that it listens on. Empty means 127.0.0.1.
    pub listen: Vec<Text>,
    /// The memory that it uses.
    pub memory: Option<Spanned<Bytes>>,
    /// The CPUs that it uses.
    pub cpus: Option<Spanned<CpuList>>,
}

impl Named for Service {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The fields of a service.
pub(super) static TABLE: Table = Table::of(&[
    Field::optional(
        "host",
        Shape::Name("host"),
        "The host of the service. Optional if there is only one host.",
    ),
    Field::optional("port", Shape::Port, "The port that the service listens on, 1 to 65535.").example("8890"),
    Field::repeated(
        "listen",
        Shape::Address,
        "An IP address that the service listens on; default 127.0.0.1.",
    )
    .default("127.0.0.1"),
    Field::optional("memory", Shape::Size, "The memory that the service uses, such as `1 GB`."),
    Field::optional("cpus", Shape::Cpus, "The CPUs that the service uses, such as `0-3`."),
]);
