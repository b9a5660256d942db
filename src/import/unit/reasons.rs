//! Settings of a service that no registry has, and the reasons.

use super::settings::Settings;
use super::syntax::Setting;
use crate::import::source::Server;

const DROP_IN: &str = "no field of a registry; write a drop-in for the generated unit";
const HARDENING: &str = "orchgen writes a sandbox; set `hardening` of the stack or of the role";

/// Settings that are read elsewhere, or need no report. The first part is the section, a `*` at the end is any ending.
const SILENT: &[&str] = &[
    "Unit.Description",
    "Unit.Documentation",
    "Unit.After",
    "Unit.Before",
    "Unit.Wants",
    "Unit.SourcePath",
    "Unit.DefaultDependencies=yes",
    "Service.ExecStart",
    "Service.Environment",
    "Service.EnvironmentFile",
    "Service.PassEnvironment",
    "Service.UnsetEnvironment",
    "Service.WorkingDirectory",
    "Service.CPUAffinity",
    "Service.NUMAPolicy",
    "Service.NUMAMask",
    "Service.Type=simple",
    "Service.Type=exec",
    "Service.Nice=0",
    "Service.StandardInput=null",
    "Service.StandardOutput=journal",
    "Service.StandardOutput=inherit",
    "Service.StandardError=journal",
    "Service.StandardError=inherit",
    "Service.RemainAfterExit=no",
    "Service.KillMode=control-group",
    "Service.KillSignal=SIGTERM",
    "Install.WantedBy",
    "Install.RequiredBy",
    "Install.DefaultInstance",
];

/// Settings that the units of orchgen have with the same value. Those of a container are settings of podman.
const SAME: &[&str] = &[
    "Service.KillMode=mixed",
    "Service.TimeoutStopSec=30",
    "Service.TimeoutStopSec=30s",
    "Service.RestartSec=2",
    "Service.RestartSec=2s",
    "Service.LimitCORE=0",
    "Service.NoNewPrivileges=yes",
    "Service.ProtectSystem=strict",
    "Service.ProtectHome=tmpfs",
    "Service.PrivateTmp=yes",
    "Service.PrivateMounts=yes",
    "Service.ProtectClock=yes",
    "Service.ProtectControlGroups=yes",
    "Service.ProtectHostname=yes",
    "Service.ProtectKernelLogs=yes",
    "Service.ProtectKernelModules=yes",
    "Service.ProtectKernelTunables=yes",
    "Service.ProtectProc=invisible",
    "Service.KeyringMode=private",
    "Service.LockPersonality=yes",
    "Service.RemoveIPC=yes",
    "Service.RestrictNamespaces=yes",
    "Service.RestrictRealtime=yes",
    "Service.RestrictSUIDSGID=yes",
    "Service.SystemCallArchitectures=native",
    "Service.SystemCallErrorNumber=EPERM",
    "Service.SystemCallFilter=@system-service",
    "Service.SystemCallFilter=~@privileged",
    "Service.UMask=0077",
    "Service.UMask=077",
];

/// The reasons by setting. The first row that fits counts.
const REASONS: &[(&str, &str)] = &[
    ("Unit.RequiresMountsFor", "orchgen's units require the mounts of their model files"),
    ("Unit.WantsMountsFor", "orchgen's units require the mounts of their model files"),
    ("Unit.StartLimit*", "orchgen's units give up after five failed starts in an hour"),
    ("Unit.*", "orchgen writes the dependencies of its units; write a drop-in for others"),
    ("Service.Restart=on-failure", "orchgen's units also restart on failure, but not on exit code 1"),
    ("Service.Restart=no", "orchgen's units restart on failure; write a drop-in to change it"),
    ("Service.Restart", "orchgen's units restart only on failure; write a drop-in to change it"),
    ("Service.RestartSec", "orchgen's units wait 2 seconds"),
    ("Service.Restart*", DROP_IN),
    ("Service.DynamicUser", "orchgen's units run as the `user` of the host"),
    ("Service.LimitMEMLOCK", "orchgen sets it for roles that lock their model in memory"),
    ("Service.LimitCORE", "orchgen's units write no core dumps"),
    ("Service.TimeoutStartSec", "orchgen computes it from the size of the model"),
    ("Service.TimeoutStopSec", "orchgen's units wait 30 seconds"),
    ("Service.TimeoutSec", "orchgen computes the time to start, and waits 30 seconds at the end"),
    (
        "Service.Memory*",
        "orchgen compares the `budget` of a residency, but sets no limit; write a drop-in for one",
    ),
    ("Service.AllowedCPUs", "set `cpus` in the `placement` of the role"),
    ("Service.AllowedMemoryNodes", "set `numa` in the `placement` of the role"),
    ("Service.ExecStart*", "orchgen writes the commands around the server; write a drop-in for others"),
    ("Service.ExecStop*", "systemd stops the process; write a drop-in for other commands"),
    ("Service.ExecReload", "the server cannot reload; systemd restarts it"),
    ("Service.ExecCondition", "write a drop-in for it"),
    ("Service.Type", "orchgen's units have `Type=exec`, and wait for the health check"),
    ("Service.KillMode", "orchgen's units have `KillMode=mixed`"),
    ("Service.Slice", "orchgen writes a slice for each residency"),
    ("Service.Standard*", "the journal has the output; write a drop-in for a file"),
    ("Service.Syslog*", DROP_IN),
    ("Service.LoadCredential*", "orchgen passes key files as credentials; set `key-file` of the role"),
    ("Service.SetCredential*", "a secret is not copied; set `key-file` of the role"),
    ("Service.StateDirectory*", "orchgen's units create no folders; write a drop-in for it"),
    ("Service.CacheDirectory*", "orchgen's units create no folders; write a drop-in for it"),
    ("Service.LogsDirectory*", "orchgen's units create no folders; write a drop-in for it"),
    ("Service.ConfigurationDirectory*", "orchgen's units create no folders; write a drop-in for it"),
    ("Service.RuntimeDirectory*", "orchgen's units create no folders; write a drop-in for it"),
    ("Service.Protect*", HARDENING),
    ("Service.Private*", HARDENING),
    ("Service.Restrict*", HARDENING),
    ("Service.SystemCall*", HARDENING),
    ("Service.NoNewPrivileges", HARDENING),
    ("Service.CapabilityBoundingSet", HARDENING),
    ("Service.AmbientCapabilities", HARDENING),
    ("Service.SecureBits", HARDENING),
    ("Service.LockPersonality", HARDENING),
    ("Service.MemoryDenyWriteExecute", HARDENING),
    ("Service.KeyringMode", HARDENING),
    ("Service.RemoveIPC", HARDENING),
    ("Service.UMask", HARDENING),
    ("Service.ReadWrite*", "the unit writes only where options name files; add a drop-in"),
    ("Service.ReadOnly*", HARDENING),
    ("Service.Inaccessible*", HARDENING),
    ("Service.ExecPaths", HARDENING),
    ("Service.NoExecPaths", HARDENING),
    ("Service.Bind*", HARDENING),
    ("Service.TemporaryFileSystem", HARDENING),
    ("Service.ProcSubset", HARDENING),
    ("Service.IPAddress*", HARDENING),
    ("Service.SocketBind*", HARDENING),
    ("Service.Device*", HARDENING),
    ("Service.*", DROP_IN),
    ("Install.*", "orchgen writes how its units are enabled"),
    ("Socket.*", "orchgen writes a socket for roles that start on demand"),
];

/// Keys that are lists: each setting counts, and an empty one discards those before.
const LISTS: &[&str] = &[
    "Unit.Requires*",
    "Unit.Requisite",
    "Unit.BindsTo",
    "Unit.PartOf",
    "Unit.Upholds",
    "Unit.Conflicts",
    "Unit.On*",
    "Unit.Propagates*",
    "Unit.ReloadPropagatedFrom",
    "Unit.StopPropagatedFrom",
    "Unit.JoinsNamespaceOf",
    "Unit.WantsMountsFor",
    "Unit.Condition*",
    "Unit.Assert*",
    "Service.Exec*",
    "Service.SupplementaryGroups",
    "Service.*Paths",
    "Service.*Directory",
    "Service.LoadCredential*",
    "Service.SetCredential*",
    "Service.ImportCredential",
    "Service.SystemCallFilter",
    "Service.SystemCallLog",
    "Service.CapabilityBoundingSet",
    "Service.AmbientCapabilities",
    "Service.RestrictAddressFamilies",
    "Service.RestrictNamespaces",
    "Service.IPAddress*",
    "Service.SocketBind*",
    "Service.DeviceAllow",
    "Service.IODevice*",
    "Service.IORead*",
    "Service.IOWrite*",
    "Service.TemporaryFileSystem",
    "Service.Sockets",
    "Service.OpenFile",
    "Service.SuccessExitStatus",
    "Service.RestartPreventExitStatus",
    "Service.RestartForceExitStatus",
    "Service.LogExtraFields",
    "Service.Delegate",
    "Install.*",
    "Socket.*",
    "Container.*",
];

/// Reports the settings of a unit that no registry has.
pub(crate) fn report(settings: &Settings, server: &mut Server, sections: &[&str]) {
    let is_container = settings.all.iter().any(|setting| setting.section == "Container");
    let is_same = |setting: &Setting| SAME.iter().any(|pattern| fits(pattern, setting));
    for setting in settings.effective(is_list) {
        if !sections.contains(&setting.section.as_str()) || (!is_container && is_same(setting)) {
            continue;
        }
        if let Some(why) = reason(setting) {
            server.lose(setting.written(), setting.at, why);
        }
    }
}

/// Reports sections that systemd ignores.
pub(crate) fn report_others(settings: &Settings, server: &mut Server, sections: &[&str]) {
    for setting in &settings.all {
        let is_known = sections.contains(&setting.section.as_str()) || setting.section.starts_with("X-");
        if !is_known {
            let what = format!("[{}] {}", setting.section, setting.written());
            server.lose(what, setting.at, "the unit has no such section");
        }
    }
}

/// The reason why a setting is lost. `None` for those that need no report.
pub(crate) fn reason(setting: &Setting) -> Option<String> {
    let is_extension = setting.key.starts_with("X-");
    if is_extension || SILENT.iter().any(|pattern| fits(pattern, setting)) {
        return None;
    }
    let value = &setting.value;
    match (setting.section.as_str(), setting.key.as_str()) {
        ("Service", "User") => return Some(format!("set `user` of the host to `{value}`")),
        ("Service", "Group") => return Some(format!("set `group` of the host to `{value}`")),
        _ => {}
    }
    let row = REASONS.iter().find(|(pattern, _)| fits(pattern, setting));
    Some(row.map_or(DROP_IN, |(_, why)| why).to_owned())
}

fn is_list(setting: &Setting) -> bool {
    LISTS.iter().any(|pattern| fits(pattern, setting))
}

/// True if a setting fits a pattern such as `Service.Type=exec`, `Service.Exec*` or `Service.*Paths`.
fn fits(pattern: &str, setting: &Setting) -> bool {
    let (pattern, value) = pattern.split_once('=').map_or((pattern, None), |(key, value)| (key, Some(value)));
    let Some((section, key)) = pattern.split_once('.') else { return false };
    let fits_key = match key.split_once('*') {
        Some((start, end)) => setting.key.starts_with(start) && setting.key.ends_with(end),
        None => setting.key == key,
    };
    section == setting.section && fits_key && value.is_none_or(|value| is_value(value, &setting.value))
}

/// True if two values are equal. `yes` also matches the other spellings of a true value.
fn is_value(value: &str, given: &str) -> bool {
    let is_true =
        |text: &str| ["1", "yes", "y", "true", "t", "on"].iter().any(|yes| yes.eq_ignore_ascii_case(text));
    value == given || (value == "yes" && is_true(given))
}
