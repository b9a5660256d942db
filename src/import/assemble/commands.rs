//! Roles of programs that are no engine.

use super::Assembly;
use super::paths::host_path;
use crate::diag::Line;
use crate::engine::command::PORT;
use crate::engine::llama_swap::HEALTH_PATH as HEALTH;
use crate::import::source::{Program, Server};

impl Assembly<'_> {
    /// The role of a program that is no engine.
    pub(super) fn command_role(&mut self, index: usize, server: &Server) -> Option<Vec<Line>> {
        let Program::Path(program) = &server.program else { return None };
        let dynamic = server.args.iter().find(|word| word.is_dynamic);
        if let Some(word) = Some(program).filter(|program| program.is_dynamic).or(dynamic) {
            self.lose(index, &program.text, word.at, "its command is known only when the script runs");
            return None;
        }
        let path = self.program_path(index, server, program.text.as_str());
        let port = port_of(server);
        let mut command = Line::new("command").value(path);
        let mut words = server.args.iter().peekable();
        let mut before: Option<&str> = None;
        while let Some(word) = words.next() {
            if let Some(empty) = words.next_if(|next| next.text.is_empty()) {
                self.lose(
                    index,
                    &format!("{} \"\"", word.text),
                    empty.at,
                    "a word of `command` is not empty",
                );
                continue;
            }
            let text = Self::with_port(server, &word.text, port);
            if server.gateway.is_some() && text != word.text && text != PORT {
                let option = before.filter(|option| option.starts_with('-')).unwrap_or(&word.text);
                self.reform(index, (option, &word.text, &text), word.at, "the gateway selects the port");
            }
            before = Some(&word.text);
            command = command.value(text);
        }
        let mut lines = vec![command];
        lines.extend(self.address(index, server, port, &[]));
        match &server.health {
            Some(health) if health.text.starts_with('/') => {
                lines.push(Line::of("health", health.text.as_str()));
            }
            Some(health) => {
                let why = "llama-swap would send requests before the program is ready: \
                           write the path that answers with a success as soon as it is";
                self.change(index, ("checkEndpoint", &health.text, HEALTH), health.at, why.to_owned());
                lines.push(Line::of("health", HEALTH));
            }
            // The default of llama-swap.
            None if server.gateway.is_some() => lines.push(Line::of("health", HEALTH)),
            None => {}
        }
        let env: Vec<Line> = server
            .env
            .iter()
            .map(|(name, value)| Line::of(name.as_str(), Self::with_port(server, &value.text, port)))
            .collect();
        if !env.is_empty() {
            lines.push(Line::new("env").with_each(env));
        }
        Some(lines)
    }

    /// The full path of a program that is no engine.
    fn program_path(&mut self, index: usize, server: &Server, program: &str) -> String {
        if program.starts_with('/') {
            return program.to_owned();
        }
        let path = if program.contains('/') {
            host_path(self.sources, server, program)
        } else {
            self.engines.program(program).map_or_else(|| format!("/usr/bin/{program}"), str::to_owned)
        };
        let why = "systemd needs the full path of a program: `command -v` prints it";
        self.change(index, ("command", program, &path), server.at, why.to_owned());
        path
    }

    /// A word with the placeholder of the port.
    fn with_port(server: &Server, word: &str, port: Option<u16>) -> String {
        if server.is_port_automatic {
            return word.replace("${PORT}", PORT);
        }
        let Some(port) = port.map(|port| port.to_string()) else { return word.to_owned() };
        if word == port { PORT.to_owned() } else { word.replace(&format!(":{port}"), &format!(":{PORT}")) }
    }
}

/// The port in the words of a program that is no engine: the value of an option with `port` in its name.
fn port_of(server: &Server) -> Option<u16> {
    let words = server.args.iter().zip(server.args.iter().skip(1));
    let value = words.filter(|(option, _)| option.text.starts_with('-') && option.text.contains("port"));
    { value }.find_map(|(_, value)| value.text.parse().ok())
}
