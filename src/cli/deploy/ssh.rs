//! A host over ssh. The ssh client of the system connects, so its configuration has users, ports and keys. On the other side,
//! `orchgen on-host` answers: an installed orchgen of the same version, or a temporary copy of the running program.
//!
//! One ssh process has the connection. Its command on the host prints the login, and waits until this program ends, however it
//! ends: then it removes the copy. All other ssh processes use this connection, and ask nothing.

use super::on_host::{Action, COMMAND, Reply, Request};
use super::programs::{Background, Ran, ShowLine, run_live, start};
use super::status::escaped;
use crate::cli::{RunStatus, command, session};
use crate::deploy::{DeployError, PrivateFolder, own_program};
use crate::diag::words::{printable, quoted};
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

/// The time limit for the connection, without the login.
const CONNECT: &str = "ConnectTimeout=10";

/// The time limit for the connection and the login, where the user may have to type a password.
const LOGIN_LIMIT: Duration = Duration::from_mins(3);

/// The time limit of a question, and of the copy of the program over a slow line.
const ASK_LIMIT: Duration = Duration::from_mins(15);

/// The time limit of a run that changes the host: its steps have their own limits.
const CHANGE_LIMIT: Duration = Duration::from_hours(24 * 7);

/// The exit code of ssh if the connection fails.
const SSH_FAILED: i32 = 255;

/// The mark before an answer, because the shell of the user may print other lines first.
const MARK: &str = "orchgen-login";

/// Prints the system, the user, the version and the path of orchgen, if `sudo` needs no password, and a new folder. Removes the
/// folder at the end of standard input. A version without the command `on-host` counts as none. `mkdir` fails if the name is
/// taken, so no other user can prepare the folder.
const LOGIN: &str = "echo orchgen-login; uname -sm; id -u; orchgen on-host --help >/dev/null 2>&1 && orchgen --version || echo none; \
command -v orchgen || echo none; sudo -n true 2>/dev/null && echo sudo || echo no sudo; \
d=/var/tmp/orchgen-$$; if mkdir -m 700 $d; then echo $d; cat >/dev/null; exec rm -rf $d; fi; echo none; exec cat >/dev/null";

/// A connection to a host.
pub(super) struct Connection {
    host: String,
    address: String,
    /// The options of all further ssh processes.
    options: Vec<String>,
    login: Login,
    /// The process that has the connection.
    _master: Background,
    /// The folder of its socket. The path of a socket has at most 107 bytes.
    _folder: PrivateFolder,
}

/// The user and the system on the other side.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Login {
    /// For example `Linux x86_64`.
    system: String,
    is_root: bool,
    /// The output of `orchgen --version`.
    version: String,
    /// The path of orchgen: the installed one, or the copy.
    program: String,
    has_sudo: bool,
    /// An empty folder. `none` if it could not be created.
    folder: String,
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
        let socket = format!("ControlPath={}", folder.path().join("ssh").display());
        // Without a terminal, ssh asks nothing.
        let silent_login = (!std::io::stdin().is_terminal()).then_some("BatchMode=yes");
        let own: Vec<&str> = [&*socket, "ControlMaster=yes"].into_iter().chain(silent_login).collect();
        let arguments = options(&own);
        let login = on_shell(LOGIN);
        let words: Vec<&str> = arguments.iter().map(String::as_str).chain(["--", address, &login]).collect();
        let mut master = start("ssh", &words)?;
        let login = login_of(|| master.line(LOGIN_LIMIT)).map_err(|why| silent(&why))?;
        let mut connection = Self {
            host: host.to_owned(),
            address: address.to_owned(),
            options: options(&[&socket, "ControlMaster=no", "BatchMode=yes"]),
            login,
            _master: master,
            _folder: folder,
        };
        if connection.login.version != own_version() || !is_plain(&connection.login.program) {
            connection.login.program = connection.copy()?;
        }
        Ok(connection)
    }

    /// Sends a request. Its standard error is shown at once, and its status is that of the run.
    pub(super) fn send(&self, request: &Request, rights: Rights) -> Result<(RunStatus, Reply), DeployError> {
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
        let limit = if request.action() == Action::Apply { CHANGE_LIMIT } else { ASK_LIMIT };
        let ran = self.ssh(&format!("{sudo}{} {COMMAND}", self.login.program), &input, (limit, show))?;
        let text = String::from_utf8_lossy(&ran.out).into_owned();
        // Only an answer of orchgen has a line, also if it failed.
        let reply = text.lines().rfind(|line| !line.trim().is_empty()).and_then(Reply::read);
        let status = ran.code.and_then(RunStatus::of_code);
        match (status, reply) {
            (Some(status), Some(reply)) => Ok((status, reply.with_reason(last_line(&ran.err)))),
            _ if ran.code == Some(SSH_FAILED) => Err(DeployError::new(format!(
                "the connection to host {} was lost: {}",
                quoted(&self.host),
                printable(last_line(&ran.err))
            ))),
            _ => Err(self.cannot_run(&ran.err)),
        }
    }

    /// Copies the running program to the host, and tests that it runs there. Returns its path.
    fn copy(&self) -> Result<String, DeployError> {
        let (own, version) = (own_system(), own_version());
        let host = quoted(&self.host);
        if self.login.system != own {
            return Err(DeployError::new(format!(
                "host {host} has the system {}, and this program is for {own}: install {version} on the host",
                printable(&self.login.system)
            )));
        }
        let program = format!("{}/orchgen", self.login.folder);
        if !is_plain(&program) {
            return Err(DeployError::new(format!(
                "/var/tmp of host {host} cannot be written: install {version} on the host"
            )));
        }
        let copy =
            format!("umask 077; cat >{program} && chmod 700 {program} && {program} --version >/dev/null");
        let ran = self.ssh(&copy, &own_program()?, (ASK_LIMIT, Box::new(|_| ())))?;
        if ran.success { Ok(program) } else { Err(self.cannot_run(&ran.err)) }
    }

    /// Runs a command on the host.
    fn ssh(&self, command: &str, input: &[u8], how: (Duration, ShowLine)) -> Result<Ran, DeployError> {
        let command = on_shell(command);
        let options = self.options.iter().map(String::as_str);
        let arguments: Vec<&str> = options.chain(["--", &self.address, &command]).collect();
        run_live(("ssh", &format!("ssh {}", self.address)), &arguments, input, how)
    }

    fn cannot_run(&self, message: &str) -> DeployError {
        DeployError::new(format!(
            "orchgen cannot run on host {}: {}; install {} on the host",
            quoted(&self.host),
            printable(last_line(message)),
            own_version()
        ))
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

/// A command line for the shell of any user. The command has no single quotes.
fn on_shell(command: &str) -> String {
    format!("exec sh -c '{command}'")
}

/// Options of ssh. Those that a configuration may have for other uses are reset.
fn options(own: &[&str]) -> Vec<String> {
    let reset = [
        "IgnoreUnknown=SessionType,StdinNull,ForkAfterAuthentication",
        "SessionType=default",
        "StdinNull=no",
        "ForkAfterAuthentication=no",
        "ControlPersist=no",
        "ClearAllForwardings=yes",
        "RemoteCommand=none",
        "RequestTTY=no",
    ];
    let all = reset.into_iter().chain([CONNECT, "ServerAliveInterval=15", "ServerAliveCountMax=4"]);
    all.chain(own.iter().copied()).flat_map(|option| ["-o".to_owned(), option.to_owned()]).collect()
}

/// The message about a host that does not answer, or refuses the login.
fn silent(host: &str, address: &str, why: &str) -> String {
    let last = last_line(why);
    let help = if last.contains("Host key verification failed") {
        format!("run `ssh {address}` once to accept its key")
    } else if last.contains("Permission denied") {
        format!("write `User` and `IdentityFile` for `Host {address}` in ~/.ssh/config")
    } else {
        return format!(
            "host {} does not answer at {}: {}",
            quoted(host),
            printable(address),
            printable(last)
        );
    };
    format!(
        "cannot log in to host {} at {}: {}; {help}",
        quoted(host),
        printable(address),
        printable(last.trim_end_matches('.'))
    )
}

/// The last line of a message.
fn last_line(text: &str) -> &str {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no message")
}

/// True for an absolute path that needs no quotes.
fn is_plain(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
}

/// The answer of [`LOGIN`].
fn login_of(mut line: impl FnMut() -> Result<String, String>) -> Result<Login, String> {
    while line()?.trim() != MARK {}
    let mut next = || line().map(|line| line.trim().to_owned());
    Ok(Login {
        system: next()?,
        is_root: next()? == "0",
        version: next()?,
        program: next()?,
        has_sudo: next()? == "sudo",
        folder: next()?,
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

    fn login(text: &str) -> Result<Login, String> {
        let mut lines = text.lines();
        login_of(|| lines.next().map(str::to_owned).ok_or_else(|| "the end".to_owned()))
    }

    #[test]
    fn the_login_is_read_after_other_lines() {
        let text = "Welcome!\norchgen-login\nLinux x86_64\n1000\norchgen 0.1.0 (abc)\n/usr/bin/orchgen\nno sudo\n/var/tmp/x\n";
        let expected = Login {
            system: "Linux x86_64".to_owned(),
            is_root: false,
            version: "orchgen 0.1.0 (abc)".to_owned(),
            program: "/usr/bin/orchgen".to_owned(),
            has_sudo: false,
            folder: "/var/tmp/x".to_owned(),
        };
        assert_eq!(login(text), Ok(expected));
        let root = login(&text.replace("1000", "0").replace("no sudo", "sudo")).unwrap();
        assert!(root.is_root && root.has_sudo);
        assert_eq!(login("orchgen-login\nLinux"), Err("the end".to_owned()));
        assert_eq!(login("This account is not available.\n"), Err("the end".to_owned()));
        assert!(LOGIN.contains(MARK) && !LOGIN.contains('\''));
    }

    #[test]
    fn a_host_without_an_answer_is_reported_with_the_last_line() {
        let why = "debug\nssh: connect to host 192.0.2.1 port 22: Connection timed out\n\n";
        assert_eq!(
            silent("small", "192.0.2.1", why),
            "host `small` does not answer at 192.0.2.1: ssh: connect to host 192.0.2.1 port 22: Connection timed out"
        );
        assert_eq!(
            silent("small", "small.lan", "Host key verification failed.\n"),
            "cannot log in to host `small` at small.lan: Host key verification failed; run `ssh small.lan` once to accept its key"
        );
    }
}
