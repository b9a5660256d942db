//! A stack name that would replace units of the system.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics};
use crate::hir::{TargetName, UnitScope};

declare_code! {
    /// ## What it finds
    /// A stack whose units would replace units of the system. Its name is that of a systemd target or slice, such as
    /// `multi-user` or `system`, or it starts with the first word of system services, such as `systemd`.
    ///
    /// ## Why
    /// Units in `/etc/systemd/system` override units of the distribution, and those in `~/.config/systemd/user` override
    /// units that the distribution has for users. A generated `system.slice` would limit every
    /// service of the machine.
    ///
    /// ## Instead
    /// Choose another name, such as `stack "llm"`.
    pub(super) static RESERVED_UNIT = 323, "reserved-unit", Error;
}

/// Targets and slices from systemd.special(7) and from units of distributions, without suffixes.
const UNITS: &str = "
    basic bluetooth cryptsetup ctrl-alt-del default emergency exit factory-reset final first-boot-complete
    getty graphical halt hibernate hybrid-sleep initrd integritysetup kexec local-fs machine machines
    multi-user network network-online nss-lookup nss-user-lookup paths poweroff printer reboot remote-fs
    rescue rpcbind runlevel shutdown sigpwr sleep slices smartcard sockets soft-reboot sound
    storage-target-mode suspend suspend-then-hibernate swap sysinit system system-update time-set time-sync
    timers umount usb-gadget user veritysetup
";

/// Further targets and slices of the service manager of a user.
const UNITS_OF_USERS: &str =
    "app background graphical-session graphical-session-pre session xdg-desktop-autostart";

/// First words of the names of essential services.
const PREFIXES: &[&str] =
    &["systemd", "dbus", "user", "getty", "serial-getty", "console-getty", "ssh", "sshd", "cron", "udev"];

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let stack = &derived.registry.stack;
    let makes_units = stack.has_target(TargetName::Systemd);
    let name = stack.head.name.to_lowercase();
    let of_users = if stack.scope == UnitScope::User { UNITS_OF_USERS } else { "" };
    let reserved = UNITS.split_whitespace().chain(of_users.split_whitespace()).any(|unit| unit == name)
        || PREFIXES.iter().any(|prefix| name == *prefix || name.starts_with(&format!("{prefix}-")));
    if !makes_units || !reserved {
        return;
    }
    let message = format!("units of {stack} would replace units of the system");
    let finding = RESERVED_UNIT.at(stack.head.name.span, "reserved by the system", message).about(stack);
    let change = Change::Word { span: stack.head.name.span, replacement: "llm".to_owned() };
    findings.report(finding.remedy("write another name, such as `{}`", change));
}
