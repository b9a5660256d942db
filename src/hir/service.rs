//! A service: a process that is not ours, but takes a port and memory of a host.

use super::shape::{Field, Shape, Table};
use super::{Bytes, CpuList, Head, Host, Id, Named, Text};
use crate::source::Spanned;

/// A process that is not started from here.
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    /// Its name.
    pub head: Head,
    /// Where it runs; the place is its name where the only host is implied.
    pub host: Spanned<Id<Host>>,
    /// The port it listens at.
    pub port: Option<Spanned<u16>>,
    /// Addresses it listens at; empty means 127.0.0.1.
    pub listen: Vec<Text>,
    /// The memory it takes.
    pub memory: Option<Spanned<Bytes>>,
    /// The CPUs it runs on.
    pub cpus: Option<Spanned<CpuList>>,
}

impl Named for Service {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The fields of a service.
pub(super) static TABLE: Table = Table::of(&[
    Field::optional("host", Shape::Name("host"), "Where it runs; may be left out where there is one host."),
    Field::optional("port", Shape::Port, "The port it listens at, 1 to 65535.").example("8890"),
    Field::repeated("listen", Shape::Address, "An address it listens at; default 127.0.0.1.")
        .default("127.0.0.1"),
    Field::optional("memory", Shape::Size, "The memory it takes, as `1 GB`."),
    Field::optional("cpus", Shape::Cpus, "The CPUs it runs on, as `0-3`."),
]);
