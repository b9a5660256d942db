//! Commands in help texts.

/// The service manager that commands are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Words {
    /// True for that of the user.
    pub(super) is_user: bool,
}

impl Words {
    /// A command about a unit.
    pub(super) fn systemctl(self, verb: &str, unit: &str) -> String {
        let user = if self.is_user { " --user" } else { "" };
        // systemd escapes with backslashes, which a shell would remove.
        let unit = if unit.contains('\\') { format!("'{unit}'") } else { unit.to_owned() };
        format!("run `systemctl{user} {verb} {unit}`")
    }

    pub(super) fn daemon_reload(self) -> String {
        let user = if self.is_user { " --user" } else { "" };
        format!("run `systemctl{user} daemon-reload`")
    }

    /// The command that prints the log of a unit.
    pub(super) fn journal(self, unit: &str) -> String {
        let option = if self.is_user { "--user-unit" } else { "--unit" };
        let unit = if unit.contains('\\') { format!("'{unit}'") } else { unit.to_owned() };
        format!("`journalctl {option} {unit}` prints its log")
    }
}
