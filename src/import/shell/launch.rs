//! Commands that start a program: servers, and commands that change how servers run.

use super::run::{Kind, Pipe, Run};
use super::tree::{Body, Command, Redirect};
use super::variables::Value;
use super::{name, unread};
use crate::import::prefix;
use crate::import::source::{At, Program, Server, Word};

/// Commands that change how a server runs.
const CHANGES: &[&str] = &[
    "ulimit",
    "renice",
    "sysctl",
    "modprobe",
    "insmod",
    "mount",
    "umount",
    "swapoff",
    "swapon",
    "cpupower",
    "hugeadm",
    "hugectl",
    "umask",
    "conda",
    "mamba",
    "module",
    "spack",
    "setcap",
    "cset",
    "tuned-adm",
    "powerprofilesctl",
    "alias",
    "cgcreate",
    "cgset",
    "nvidia-persistenced",
    "rocm-smi",
    "enable",
    "ip",
    "iptables",
    "ufw",
];

/// Options with which `nvidia-smi` changes a GPU.
const GPU_SETTINGS: &[&str] = &["-pl", "-pm", "-lgc", "-lmc", "-ac", "-c", "-mig"];

/// Commands whose words may name a server without starting it.
pub(super) const MENTIONS: &[&str] = &[
    "echo",
    "printf",
    "pkill",
    "pgrep",
    "kill",
    "killall",
    "grep",
    "systemctl",
    "journalctl",
    "which",
    "type",
    "command",
    "ls",
    "logger",
    "curl",
    "test",
    "[",
    "trap",
    "cat",
    "ps",
    "rm",
    "wait",
    "man",
    "chmod",
    "cp",
    "mv",
    "ln",
    "fuser",
    "lsof",
];

/// Options with the port of a program that is not a server of llama.cpp.
const PORT_OPTIONS: &[&str] = &["--port", "--http-port", "--listen", "--listen-port", "--bind", "-port"];

/// Clients and other programs that are no servers, although they have such an option.
const NO_SERVERS: &[&str] =
    &["ssh", "scp", "rsync", "curl", "wget", "nc", "socat", "psql", "mysql", "redis-cli", "iperf3", "nmap"];

const LAUNCH_OPTIONS: &[&str] =
    &["-m", "--model", "-hf", "-hfr", "--hf-repo", "--models-preset", "--models-dir"];

/// True if a text has the command line of a server.
pub(super) fn mentions_server(text: &str) -> bool {
    let mut words = text.split_whitespace().map(|word| word.trim_matches(['"', '\'', '`', '(', ')', ';']));
    let mut is_after_server = false;
    words.any(|word| {
        let is_command = is_after_server && (word.starts_with('-') || word == "\\" || word == "serve");
        is_after_server = prefix::is_server(word);
        is_command
    })
}

impl Run<'_, '_> {
    /// Follows a command that starts a program.
    pub(super) fn launch(
        &mut self,
        words: Vec<Word>,
        in_front: Vec<(String, Word)>,
        command: &Command,
        pipe: Pipe<'_>,
    ) {
        let mut words = words;
        if self.kind == Kind::Commands
            && words.first().is_some_and(|word| word.text == "$" && !word.is_dynamic)
        {
            words.remove(0);
        }
        let is_exec = words.first().is_some_and(|word| word.text == "exec");
        let mut server = Server::new("", command.at, Program::Gateway);
        self.environment(&mut server);
        for (name, value) in in_front {
            server.set_variable(name, value);
        }
        let words = prefix::strip(words, &mut server);
        let Some(program) = words.first().cloned() else {
            if is_exec {
                self.compound_output(command, pipe);
            }
            return;
        };
        if let Some(script) = script_of(&words).cloned() {
            self.string(&script, command, &server);
        } else if prefix::is_server_command(&words) || is_unknown_server(&words) || is_container(&words) {
            self.add(words, server, command, pipe);
        } else if self.other_command(&words, command) || self.window(&words, command, &server) {
            // It is reported, or it is followed.
        } else if has_port(&words)
            && !NO_SERVERS.contains(&prefix::base_name(&program.text))
            && !unread::is_llama_swap(&words)
        {
            self.add_other(words, server, command, pipe);
        } else if let Some(why) = unread::reason(&words).filter(|_| !self.is_ended) {
            self.lose(command.head.clone(), command.at, why);
        } else if let Some(loss) = server.unreadable {
            self.lose(command.head.clone(), loss.at, loss.why);
        }
        if is_exec && self.kind == Kind::Script {
            self.is_ended = true;
        }
    }

    /// The exported variables.
    fn environment(&mut self, server: &mut Server) {
        let mut used = Vec::new();
        for (name, variable) in self.variables.exported() {
            let word = match &variable.value {
                Value::Text(text) => {
                    Word { text: text.text(), at: variable.at, is_dynamic: text.is_dynamic() }
                }
                Value::Unknown => Word { text: format!("${name}"), at: variable.at, is_dynamic: true },
                Value::List(_) => continue,
            };
            used.extend(variable.defaults.iter().copied());
            server.env.push((name.clone(), word));
        }
        self.spend(server.env.len());
        self.used.extend(used);
    }

    fn add(&mut self, words: Vec<Word>, mut server: Server, command: &Command, pipe: Pipe<'_>) {
        if self.is_ended {
            let why = "a command in front of it ends the script, so this command never runs";
            return self.lose(command.head.clone(), command.at, why);
        }
        self.describe(words, &mut server, command, pipe);
        self.found.push(server);
    }

    fn add_other(&mut self, words: Vec<Word>, mut server: Server, command: &Command, pipe: Pipe<'_>) {
        if !self.is_ended {
            self.describe(words, &mut server, command, pipe);
            self.others.push(server);
        }
    }

    fn describe(&mut self, words: Vec<Word>, server: &mut Server, command: &Command, pipe: Pipe<'_>) {
        let (at, last_line) = self.call.unwrap_or((command.at, command.last_line));
        (server.at, server.last_line) = (at, last_line.max(at.line));
        if server.folder.is_none() {
            server.folder = self.variables.get("PWD").map(|folder| match &folder.value {
                Value::Text(text) => Word { text: text.text(), at: folder.at, is_dynamic: text.is_dynamic() },
                Value::List(_) | Value::Unknown => {
                    Word { text: "$PWD".to_owned(), at: folder.at, is_dynamic: true }
                }
            });
        }
        for note in self.used.union(&self.inherited) {
            server.losses.extend(self.notes.get(*note).cloned());
        }
        let outputs = self.outputs(command, pipe);
        let log = self.log_name(&command.redirects);
        server.losses.extend(outputs.into_iter().map(|(what, at, why)| crate::import::source::Loss {
            what,
            at,
            why: why.to_owned(),
        }));
        let words = self.without_unknown_lists(words, server);
        server.name = name::derive(&words, log.as_deref(), self.script_name());
        server.set_command(words);
    }

    /// The name of the script, without its folder and ending.
    fn script_name(&self) -> String {
        let path = self.reader.found.files.get(self.file).map_or("", |file| &file.path);
        let base = prefix::base_name(path);
        base.rsplit_once('.').map_or(base, |(stem, _)| stem).to_owned()
    }

    /// The reports about redirections and pipes of a server.
    fn outputs(&mut self, command: &Command, pipe: Pipe<'_>) -> Vec<(String, At, &'static str)> {
        let mut found = Vec::new();
        for redirect in &command.redirects {
            let target = self.value(&redirect.target).text();
            let sign = redirect.operator.trim_start_matches(|c: char| c.is_ascii_digit());
            let is_number = target.parse::<u32>().is_ok() || target == "-";
            let is_silent =
                ["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"].contains(&target.as_str());
            let at = redirect.target.at;
            if (sign.contains('&') && is_number && !sign.starts_with('&')) || is_silent {
                continue;
            }
            if sign.starts_with('<') {
                found.push((format!("input: {} {target}", redirect.operator), at, "a server reads no input"));
            } else {
                let why =
                    "the journal has the output; use `journalctl -u` or a drop-in with `StandardOutput=`";
                found.push((format!("output: {} {target}", redirect.operator), at, why));
            }
        }
        if let Some(after) = pipe.after {
            found.push((
                format!("output: | {}", after.head),
                after.at,
                "the journal has the output; use `journalctl -u`",
            ));
        }
        if let Some(before) = pipe.before {
            found.push((format!("input: {} |", before.head), before.at, "a server reads no input"));
        }
        found
    }

    /// The stem of the file that gets the output, if it is a log.
    fn log_name(&mut self, redirects: &[Redirect]) -> Option<String> {
        let outputs = redirects.iter().filter(|redirect| redirect.operator.contains('>'));
        let targets: Vec<String> =
            outputs.filter_map(|redirect| self.value(&redirect.target).if_known()).collect();
        targets.iter().find_map(|target| Some(prefix::base_name(target).strip_suffix(".log")?.to_owned()))
    }

    /// Redirections and pipes of a compound command with servers.
    pub(super) fn compound_output(&mut self, command: &Command, pipe: Pipe<'_>) {
        for (what, at, why) in self.outputs(command, pipe) {
            self.lose(what, at, why);
        }
    }

    /// The commands of a string for another shell: it gets only exported variables.
    pub(super) fn string(&mut self, script: &Word, command: &Command, server: &Server) {
        if script.is_dynamic {
            return self.lose(
                command.head.clone(),
                command.at,
                "the string for a shell is known only when the script runs",
            );
        }
        let servers = self.found.len();
        let (outer, was_ended) = (self.variables_of_string(server), self.is_ended);
        self.script(&script.text, command.at);
        (self.variables, self.is_ended) = (outer, was_ended);
        for found in self.found.iter_mut().skip(servers) {
            found.losses.extend(server.losses.iter().cloned());
            let placement = std::mem::take(&mut found.placement);
            found.placement.memory = placement.memory.or_else(|| server.placement.memory.clone());
            found.placement.cpu_nodes = placement.cpu_nodes.or_else(|| server.placement.cpu_nodes.clone());
            found.placement.cpus = placement.cpus.or_else(|| server.placement.cpus.clone());
            found.is_user |= server.is_user;
        }
    }

    /// Reports a command that changes how servers run. False for other commands.
    fn other_command(&mut self, words: &[Word], command: &Command) -> bool {
        let Some(program) = words.first().map(|word| prefix::base_name(&word.text)) else { return true };
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let targets: Vec<String> =
            command.redirects.iter().map(|redirect| self.value(&redirect.target).text()).collect();
        let is_setting = |path: &str| path.starts_with("/sys/") || path.starts_with("/proc/");
        let writes = targets.iter().any(|path| is_setting(path))
            || (program == "tee" && texts.iter().any(|path| is_setting(path)));
        let is_gpu = program == "nvidia-smi" && texts.iter().skip(1).any(|text| GPU_SETTINGS.contains(text));
        let why = if CHANGES.contains(&program) || writes || is_gpu {
            "it changes the machine or the process before the start; do this outside of orchgen"
        } else if !MENTIONS.contains(&program) && mentions_server(&texts.join(" ")) {
            "it starts a server through another program; write the command of the server"
        } else if has_here_document(command) && ["sh", "bash", "ssh", "zsh", "dash"].contains(&program) {
            "a here-document for another shell is not read"
        } else {
            return false;
        };
        self.lose(command.head.clone(), command.at, why);
        true
    }
}

/// The string that a shell runs, also in a window of tmux.
fn script_of(words: &[Word]) -> Option<&Word> {
    if words.first().is_some_and(|word| prefix::base_name(&word.text) == "tmux") {
        return words.iter().skip(1).find(|word| word.text.contains(' ') && mentions_server(&word.text));
    }
    words.get(prefix::shell_string(words)?)
}

fn has_here_document(command: &Command) -> bool {
    matches!(command.body, Body::Simple(_))
        && command.redirects.iter().any(|redirect| redirect.operator.contains("<<"))
}

/// True if the program is not known, but its options are those of a server.
fn is_unknown_server(words: &[Word]) -> bool {
    let is_dynamic = words.first().is_some_and(|word| word.is_dynamic);
    is_dynamic && words.iter().skip(1).any(|word| LAUNCH_OPTIONS.contains(&word.text.as_str()))
}

/// True if a container of llama.cpp starts.
fn is_container(words: &[Word]) -> bool {
    let is_runtime = words
        .first()
        .is_some_and(|word| ["docker", "podman", "nerdctl"].contains(&prefix::base_name(&word.text)));
    let is_start = words.get(1).is_some_and(|word| word.text == "run" || word.text == "container");
    is_runtime && is_start && words.iter().skip(2).any(|word| word.text.contains("llama"))
}

fn has_port(words: &[Word]) -> bool {
    words.iter().skip(1).any(|word| {
        let name = word.text.split('=').next().unwrap_or_default();
        PORT_OPTIONS.contains(&name)
    })
}
