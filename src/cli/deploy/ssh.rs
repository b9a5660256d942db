//! A host over ssh. The ssh client of the system connects, so its configuration has users, ports and keys. On the other side,
//! `orchgen on-host` answers: an installed orchgen of the same version, or a temporary copy of the running program.

use super::on_host::{COMMAND, Reply, Request};
use super::programs::{Background, Ran, ShowLine, run_live, run_with, start};
use super::status::escaped;
use crate::cli::{RunStatus, command, session};
use crate::deploy::{DeployError, PrivateFolder, own_program};
use crate::diag::words::{printable, quoted};
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

/// The time limit of a connection, without the login. In words for ssh.
const CONNECT: &str = "ConnectTimeout=10";

/// The time limit of the connection and the login, where the user may have to type a password.
const LOGIN_LIMIT: Duration = Duration::from_mins(3);

/// The time limit of a question, and of the copy of the program over a slow line.
const ASK_LIMIT: Duration = Duration::from_mins(15);

/// The time limit of a run that changes the host: its steps have own limits.
const CHANGE_LIMIT: Duration = Duration::from_hours(24 * 7);

/// The exit code of ssh if the connection fails.
const SSH_FAILED: i32 = 255;

/// The mark before the answer of the login, because the shell of the user may print other lines first.
const MARK: &str = "orchgen-login";

/// Prints the system, the user, the installed version of orchgen, and if `sudo` needs no password.
const LOGIN: &str = "echo orchgen-login; uname -sm; id -u; orchgen --version 2>/dev/null || echo none; \
sudo -n true 2>/dev/null && echo sudo || echo no sudo";

/// Copies the program into a new folder, and prints the folder.
const COPY: &str = "umask 077; d=$(mktemp -d /var/tmp/orchgen.XXXXXX) && cat >\"$d/orchgen\" && chmod 700 \"$d/orchgen\" && \
echo orchgen-login && echo \"$d\"";

/// A connection to a host.
pub(super) struct Connection {
    host: String,
    address: String,
    /// The options of each further ssh, which uses the connection.
    options: Vec<String>,
    /// The folder of a copy of the program on the host.
    copied: Option<String>,
    login: Login,
    /// The process that has the connection.
    _master: Background,
    /// The folder of its socket. The path of a socket has at most 107 bytes.
    _folder: PrivateFolder,
}

/// The user and the system on the other side.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Login {
    /// For example `Linux x86_64`.
    system: String,
    is_root: bool,
    /// The output of `orchgen --version`.
    version: String,
    has_sudo: bool,
}

/// The rights that a request needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rights {
    /// Those of the user who logs in.
    User,
    /// Those of root, if `sudo` gives them.
    RootIfPossible,
    /// Those of root.
    Root,
}

impl Connection {
    /// Connects to a host, and makes sure that orchgen can run there.
    pub(super) fn open(host: &str, address: &str) -> Result<Self, DeployError> {
        let silent = |why: &str| DeployError::new(silent(host, address, why));
        if address.starts_with('-') {
            return Err(silent("this is no address"));
        }
        let folder = PrivateFolder::create(Path::new("/tmp"))?;
        let socket = folder.path().join("ssh");
        let options = options(&format!("ControlPath={}", socket.display()));
        let mut arguments: Vec<&str> = options.iter().map(String::as_str).collect();
        arguments.extend(["-o", "ControlMaster=yes", "-N", "--", address]);
        let mut master = start("ssh", &arguments)?;
        master.wait_for(|| socket.exists(), LOGIN_LIMIT).map_err(|why| silent(&why))?;
        let mut connection = Self {
            host: host.to_owned(),
            address: address.to_owned(),
            options,
            copied: None,
            login: Login::default(),
            _master: master,
            _folder: folder,
        };
        connection.login = connection.ask_login()?;
        if connection.login.version != own_version() {
            connection.copied = Some(connection.copy()?);
        }
        Ok(connection)
    }

    /// Sends a request. Its standard error is shown at once, and its status is that of the run.
    pub(super) fn send(&self, request: &Request, rights: Rights) -> Result<(RunStatus, Reply), DeployError> {
        let program =
            self.copied.as_ref().map_or_else(|| "orchgen".to_owned(), |folder| format!("{folder}/orchgen"));
        let sudo = match (rights, self.login.has_sudo) {
            (Rights::User, _) => "",
            _ if self.login.is_root => "",
            (Rights::Root | Rights::RootIfPossible, true) => "sudo -n -- ",
            (Rights::RootIfPossible, false) => "",
            (Rights::Root, false) => return Err(self.no_rights()),
        };
        let host = self.host.clone();
        let show: ShowLine = Box::new(move |line| {
            session::print_stderr(&format!("{host}: {}\n", escaped(line.trim_end_matches('\r'))));
        });
        let input = serde_json::to_vec(request).map_err(|error| DeployError::new(error.to_string()))?;
        let limit = if rights == Rights::Root { CHANGE_LIMIT } else { ASK_LIMIT };
        let ran = self.ssh(&format!("{sudo}{program} {COMMAND}"), &input, (limit, show))?;
        let status = match ran.code {
            Some(0) => RunStatus::Clean,
            Some(1) => RunStatus::Findings,
            Some(2) => RunStatus::CannotRun,
            Some(3) => RunStatus::Restored,
            Some(4) => RunStatus::Broken,
            _ => return Err(self.failed(&ran)),
        };
        let text = String::from_utf8_lossy(&ran.out).into_owned();
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("{}");
        let reply = serde_json::from_str(last);
        reply.map(|reply| (status, reply)).map_err(|error| {
            DeployError::new(format!("the answer of {} cannot be read: {error}", quoted(&self.host)))
        })
    }

    fn ask_login(&self) -> Result<Login, DeployError> {
        let ran = self.ssh(LOGIN, b"", (ASK_LIMIT, Box::new(|_| ())))?;
        let text = String::from_utf8_lossy(&ran.out).into_owned();
        login(&text).ok_or_else(|| self.failed(&ran))
    }

    /// Copies the running program to the host. Returns the folder there.
    fn copy(&self) -> Result<String, DeployError> {
        let own = own_system();
        if self.login.system != own {
            return Err(DeployError::new(format!(
                "host {} has the system {}, and this program is for {}: install {} on the host",
                quoted(&self.host),
                printable(&self.login.system),
                own,
                own_version(),
            )));
        }
        let ran = self.ssh(COPY, &own_program()?, (ASK_LIMIT, Box::new(|_| ())))?;
        let text = String::from_utf8_lossy(&ran.out).into_owned();
        let folder = answer(&text).and_then(|mut lines| lines.next()).map(str::to_owned);
        let is_plain = |path: &String| {
            path.starts_with('/')
                && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
        };
        folder.filter(is_plain).filter(|_| ran.success).ok_or_else(|| self.failed(&ran))
    }

    /// Runs a command on the host.
    fn ssh(&self, command: &str, input: &[u8], how: (Duration, ShowLine)) -> Result<Ran, DeployError> {
        let command = format!("exec sh -c '{command}'");
        let options = self.options.iter().map(String::as_str);
        let arguments: Vec<&str> = options.chain(["--", &self.address, &command]).collect();
        run_live("ssh", &arguments, input, how)
    }

    fn failed(&self, ran: &Ran) -> DeployError {
        if ran.code == Some(SSH_FAILED) {
            return DeployError::new(silent(&self.host, &self.address, &ran.err));
        }
        let why = printable(last_line(&ran.err));
        DeployError::new(format!("orchgen cannot run on host {}: {why}", quoted(&self.host)))
    }

    fn no_rights(&self) -> DeployError {
        DeployError::new(format!(
            "only root can install units of the system on host {}: write `User root` for `Host {}` in ~/.ssh/config, or allow \
             `sudo` without a password there",
            quoted(&self.host),
            self.address
        ))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(folder) = &self.copied {
            let command = format!("exec rm -rf -- {folder}");
            let options = self.options.iter().map(String::as_str);
            let arguments: Vec<&str> = options.chain(["--", &self.address, &command]).collect();
            // A copy that stays is in a folder for temporary files.
            let _ = run_with("ssh", &arguments, b"", ASK_LIMIT);
        }
    }
}

/// The options of all connections. Without a terminal, ssh asks nothing.
fn options(socket: &str) -> Vec<String> {
    let is_batch = !std::io::stdin().is_terminal();
    let all = [
        socket,
        CONNECT,
        "ControlPersist=no",
        "ClearAllForwardings=yes",
        "RemoteCommand=none",
        "RequestTTY=no",
    ];
    let alive = ["ServerAliveInterval=15", "ServerAliveCountMax=4"];
    let all = all.into_iter().chain(alive).chain(is_batch.then_some("BatchMode=yes"));
    all.flat_map(|option| ["-o".to_owned(), option.to_owned()]).collect()
}

/// The message about a host that does not answer.
fn silent(host: &str, address: &str, why: &str) -> String {
    format!("host {} does not answer at {}: {}", quoted(host), printable(address), printable(last_line(why)))
}

/// The last line of a message.
fn last_line(text: &str) -> &str {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no message")
}

/// The lines after the mark.
fn answer(text: &str) -> Option<impl Iterator<Item = &str>> {
    let mut lines = text.lines().map(str::trim);
    lines.by_ref().find(|line| *line == MARK)?;
    Some(lines)
}

/// The answer of [`LOGIN`].
fn login(text: &str) -> Option<Login> {
    let mut lines = answer(text)?;
    Some(Login {
        system: lines.next()?.to_owned(),
        is_root: lines.next()? == "0",
        version: lines.next()?.to_owned(),
        has_sudo: lines.next()? == "sudo",
    })
}

/// The output of `orchgen --version` of this program.
fn own_version() -> String {
    let command = command();
    format!("{} {}", command.get_name(), command.get_version().unwrap_or_default())
}

/// The output of `uname -sm` on systems that run this program.
fn own_system() -> String {
    format!("Linux {}", std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_is_read_after_other_lines() {
        let text = "Welcome!\norchgen-login\nLinux x86_64\n1000\norchgen 0.1.0 (abc)\nno sudo\n";
        let expected = Login {
            system: "Linux x86_64".to_owned(),
            is_root: false,
            version: "orchgen 0.1.0 (abc)".to_owned(),
            has_sudo: false,
        };
        assert_eq!(login(text), Some(expected));
        assert!(
            login(&text.replace("1000", "0").replace("no sudo", "sudo"))
                .is_some_and(|login| login.is_root && login.has_sudo)
        );
        assert_eq!(login("orchgen-login\nLinux"), None);
        assert_eq!(login("This account is not available.\n"), None);
        assert!(LOGIN.contains(MARK) && COPY.contains(MARK));
    }

    #[test]
    fn a_host_without_an_answer_is_reported_with_the_last_line() {
        let why = "debug\nssh: connect to host 192.0.2.1 port 22: Connection timed out\n\n";
        assert_eq!(
            silent("small", "192.0.2.1", why),
            "host `small` does not answer at 192.0.2.1: ssh: connect to host 192.0.2.1 port 22: Connection timed out"
        );
    }
}
