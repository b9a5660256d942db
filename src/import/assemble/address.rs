//! The addresses and names of roles.

use super::{Assembly, is_loopback};
use crate::diag::Line;
use crate::import::source::{At, Published, Server, Start, Word};

impl Assembly<'_> {
    /// The address of a role: its gateway, or a port.
    pub(super) fn address(
        &mut self,
        index: usize,
        server: &Server,
        port: Option<u16>,
        listen: &[String],
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some((seconds @ 1.., at)) = server.idle.filter(|_| server.start.0 == Start::Boot) {
            let why = "a role that starts at boot stays loaded";
            self.lose(index, &format!("ttl {seconds}: unload when idle"), at, why);
        }
        if let Some(gateway) = server.gateway.and_then(|gateway| self.out.gateways.get(gateway)) {
            lines.push(Line::of("gateway", gateway.as_str()));
            lines.push(Line::of("residency", self.residency_name(server)));
            self.report_routed(index, server, port);
            return lines;
        }
        let published = self.published(index, server, port);
        if server.start.0 == Start::Manual {
            let why = "the role starts with the machine: for another start, select a `residency`";
            self.change(index, ("start", "by hand", "at boot"), server.at, why.to_owned());
        }
        let wanted = published.map(|published| published.port).or(port);
        let at = published.map_or(server.at, |published| published.at);
        let port = self.port(index, wanted, at);
        lines.push(Line::of("port", u64::from(port)));
        let hosts: Vec<String> = match published {
            Some(published) => vec![published.host.clone()],
            None => listen.to_vec(),
        };
        let hosts: Vec<&String> = hosts.iter().filter(|host| !is_loopback(host)).collect();
        if !hosts.is_empty() {
            lines.push(hosts.into_iter().fold(Line::new("listen"), |line, host| line.value(host.as_str())));
        }
        lines.push(Line::of("residency", self.residency_name(server)));
        lines
    }

    /// The address of a container at which its server is reached. Reports the others.
    fn published<'p>(
        &mut self,
        index: usize,
        server: &'p Server,
        port: Option<u16>,
    ) -> Option<&'p Published> {
        let inside = port.unwrap_or(8080);
        let fitting = server.published.iter().position(|published| published.inside == inside).unwrap_or(0);
        for (_, other) in server.published.iter().enumerate().filter(|(at, _)| *at != fitting) {
            let what = format!("ports {}:{}:{}", other.host, other.port, other.inside);
            self.lose(index, &what, other.at, "a role has one port");
        }
        server.published.get(fitting)
    }

    /// The port of a role: the wanted one if it is free.
    fn port(&mut self, index: usize, wanted: Option<u16>, at: At) -> u16 {
        match wanted {
            Some(wanted) if self.ports.insert(wanted) => wanted,
            Some(wanted) => {
                let free = self.free_port(wanted);
                self.change(
                    index,
                    ("--port", &wanted.to_string(), &free.to_string()),
                    at,
                    "another server of the sources has this port: both cannot run at the same time"
                        .to_owned(),
                );
                free
            }
            None => {
                let free = self.free_port(8080);
                if free != 8080 {
                    let why = "the source has no port: llama-server would use 8080, which another server has";
                    self.change(index, ("--port", "8080", &free.to_string()), at, why.to_owned());
                }
                free
            }
        }
    }

    /// Reports the settings of a server that its gateway selects or writes in another form.
    fn report_routed(&mut self, index: usize, server: &Server, port: Option<u16>) {
        if let Some(port) = port.filter(|_| !server.is_port_automatic) {
            let why = "the gateway selects the ports of its models";
            self.reform(index, ("--port", &port.to_string(), "selected by the gateway"), server.at, why);
        }
        let placed = &server.placement;
        let words =
            placed.memory.iter().map(|(.., word)| word).chain(placed.cpu_nodes.iter().map(|(_, word)| word));
        let words: Vec<&Word> = words.chain(&placed.cpus).collect();
        if let Some(first) = words.first() {
            let was = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
            let why = "orchgen writes the placement as numactl in front of the command";
            self.reform(index, ("placement", &was, "placement of the role"), first.at, why);
        }
    }

    /// Reports names that clients know and that are not the name of the role.
    pub(super) fn report_names(&mut self, index: usize, server: &Server, name: &str, aliases: &[String]) {
        if server.is_api_name && server.name != *name {
            let why = "the name of a role has letters, digits, `.`, `_` and `-`; the other name is an alias";
            self.reform(index, ("name", &server.name, name), server.at, why);
        }
        let router = server.gateway.filter(|gateway| self.is_router(*gateway));
        if let Some(gateway) = router.and_then(|gateway| self.sources.gateways.get(gateway)) {
            if !aliases.is_empty() {
                let why = "the section of the preset file has these names next to its own";
                let names = aliases.join(",");
                self.reform(index, ("alias", &names, &format!("alias = {names}")), server.at, why);
            }
            if let Some(program) = gateway.program.as_ref().filter(|program| program.text.contains('/')) {
                let why = "the router runs its own program for each model";
                self.reform(index, ("program", &program.text, "llama-server of the engine"), server.at, why);
            }
        }
    }
}
