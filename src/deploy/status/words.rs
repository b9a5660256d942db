//! Commands in help texts.

/// The service manager that commands are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Words<'w> {
    /// True for that of the user.
    pub(super) is_user: bool,
    /// The name of the host, if it is another machine.
    pub(super) remote: Option<&'w str>,
}

impl Words<'_> {
    /// A command about a unit.
    pub(super) fn systemctl(self, verb: &str, unit: &str) -> String {
        let user = if self.is_user { " --user" } else { "" };
        // systemd escapes with backslashes, which a shell would remove.
        let unit = if unit.contains('\\') { format!("'{unit}'") } else { unit.to_owned() };
        format!("run `systemctl{user} {verb} {unit}`{}", self.on_host())
    }

    pub(super) fn daemon_reload(self) -> String {
        let user = if self.is_user { " --user" } else { "" };
        format!("run `systemctl{user} daemon-reload`{}", self.on_host())
    }

    /// The command that prints the log of a unit.
    pub(super) fn journal(self, unit: &str) -> String {
        let option = if self.is_user { "--user-unit" } else { "--unit" };
        let unit = if unit.contains('\\') { format!("'{unit}'") } else { unit.to_owned() };
        format!("`journalctl {option} {unit}`{} prints its log", self.on_host())
    }

    /// The place of a command on another machine.
    fn on_host(self) -> String {
        self.remote.map(|host| format!(" on `{host}`")).unwrap_or_default()
    }
}
