//! A name that would take the place of a unit of the system.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Registry, TargetName};

declare_code! {
    /// ## What it finds
    /// A stack whose units would stand in the place of the system's own: its name is that of a target or slice of systemd, as
    /// `multi-user` or `system`, or the first word of its services, as `systemd`.
    ///
    /// ## Why
    /// What stands in `/etc/systemd/system` wins over what the distribution brought: a `system.slice` of ours would bound every service
    /// of the machine.
    ///
    /// ## Instead
    /// Give the stack a name of its own, as `stack "llm"`.
    static RESERVED_UNIT = 323, "reserved-unit", Error;
}

pub(super) static CHECK: Check = Check { code: &RESERVED_UNIT, run };

/// Targets and slices of systemd.special(7) and of systemd.unit files that distributions bring, without their endings.
const UNITS: &[&str] = &[
    "basic",
    "bluetooth",
    "cryptsetup",
    "ctrl-alt-del",
    "default",
    "emergency",
    "exit",
    "factory-reset",
    "final",
    "first-boot-complete",
    "getty",
    "graphical",
    "halt",
    "hibernate",
    "hybrid-sleep",
    "initrd",
    "integritysetup",
    "kexec",
    "local-fs",
    "machine",
    "machines",
    "multi-user",
    "network",
    "network-online",
    "nss-lookup",
    "nss-user-lookup",
    "paths",
    "poweroff",
    "printer",
    "reboot",
    "remote-fs",
    "rescue",
    "rpcbind",
    "runlevel",
    "shutdown",
    "sigpwr",
    "sleep",
    "slices",
    "smartcard",
    "sockets",
    "soft-reboot",
    "sound",
    "storage-target-mode",
    "suspend",
    "suspend-then-hibernate",
    "swap",
    "sysinit",
    "system",
    "system-update",
    "time-set",
    "time-sync",
    "timers",
    "umount",
    "usb-gadget",
    "user",
    "veritysetup",
];

/// First words of the names of services that machines cannot do without.
const PREFIXES: &[&str] =
    &["systemd", "dbus", "user", "getty", "serial-getty", "console-getty", "ssh", "sshd", "cron", "udev"];

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let stack = &registry.stack;
    let makes_units =
        stack.targets.is_empty() || stack.targets.iter().any(|target| target.value == TargetName::Systemd);
    let name = stack.head.name.to_lowercase();
    let reserved = UNITS.contains(&&*name)
        || PREFIXES.iter().any(|prefix| name == *prefix || name.starts_with(&format!("{prefix}-")));
    if !makes_units || !reserved {
        return;
    }
    let message = format!(
        "units of stack {} would take the place of the system's own",
        words::quoted(&stack.head.name)
    );
    let finding = RESERVED_UNIT
        .at(stack.head.name.span, "a name of the system", message)
        .about("stack", &*stack.head.name.value);
    findings.report(finding.help("give the stack a name of its own, as `llm`"));
}
