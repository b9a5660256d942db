//! Roles of programs that are no engine.

use super::Assembly;
use super::paths::host_path;
use crate::diag::Line;
use crate::engine::command::PORT;
use crate::engine::llama_swap::HEALTH_PATH as HEALTH;
use crate::import::raise::Numa;
use crate::import::secret::{has_password, is_secret_name};
use crate::import::source::{Program, Server, Word};

/// The reason for a secret.
const SECRET: &str = "a registry has no secrets: set it where the program runs";

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
        let command = self.command_words(index, server, (path, port));
        let mut lines = vec![command];
        lines.extend(self.address(index, server, port, &[]));
        lines.extend(self.health(index, server));
        lines.extend(self.command_placement(index, server));
        if let Some(folder) = &server.folder {
            let what = format!("working folder {}", folder.text);
            self.lose(index, &what, folder.at, "a role has no working folder: write absolute paths");
        }
        let is_secret = |(name, value): &&(String, Word)| is_secret_name(name) || has_password(&value.text);
        for (name, value) in server.env.iter().filter(is_secret) {
            self.lose(index, name, value.at, SECRET);
        }
        let env: Vec<Line> = server
            .env
            .iter()
            .filter(|variable| !is_secret(variable))
            .map(|(name, value)| Line::of(name.as_str(), Self::with_port(server, &value.text, port)))
            .collect();
        if !env.is_empty() {
            lines.push(Line::new("env").with_each(env));
        }
        Some(lines)
    }

    /// The path of the health check.
    fn health(&mut self, index: usize, server: &Server) -> Option<Line> {
        match &server.health {
            Some(health) if health.text.starts_with('/') => Some(Line::of("health", health.text.as_str())),
            Some(health) => {
                let why = "llama-swap would send requests before the program is ready: \
                           write the path that answers with a success as soon as it is";
                self.change(index, ("checkEndpoint", &health.text, HEALTH), health.at, why.to_owned());
                Some(Line::of("health", HEALTH))
            }
            // The default of llama-swap.
            None => server.gateway.is_some().then(|| Line::of("health", HEALTH)),
        }
    }

    fn command_placement(&mut self, index: usize, server: &Server) -> Option<Line> {
        let numa = Numa::of(server);
        let cpus = server.placement.cpus.as_ref().map(|cpus| Line::of("cpus", cpus.text.as_str()));
        let policy = numa.policy.map(|policy| Line::of("numa", policy));
        let placement: Vec<Line> = policy.into_iter().chain(cpus).collect();
        self.out.losses.extend(numa.lost.into_iter().map(|loss| (index, loss)));
        self.out.changes.extend(numa.changed.into_iter().map(|change| (index, change)));
        (!placement.is_empty()).then(|| Line::new("placement").with_each(placement))
    }

    /// The words of a command, without secrets.
    fn command_words(&mut self, index: usize, server: &Server, (path, port): (String, Option<u16>)) -> Line {
        let mut command = Line::new("command").value(path);
        let mut words = server.args.iter().peekable();
        let mut before: Option<&str> = None;
        while let Some(word) = words.next() {
            let name = word.text.split('=').next().unwrap_or_default();
            if is_secret_name(name) && (word.text.starts_with('-') || word.text.contains('=')) {
                self.lose(index, name, word.at, SECRET);
                if !word.text.contains('=') {
                    words.next_if(|next| !next.text.starts_with('-'));
                } else if before.is_some_and(|option| matches!(option, "-e" | "--env")) {
                    // The container engine passes the variable of its caller.
                    command = command.value(name);
                }
                continue;
            }
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
        command
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
