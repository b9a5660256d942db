//! Settings of a container that no registry has, and the reasons.

use crate::import::source::Server;
use crate::import::unit::settings::Settings;
use crate::import::unit::syntax::Setting;

/// Keys of which only the last setting counts.
const SCALARS: &[&str] = &[
    "AutoUpdate",
    "CgroupsMode",
    "ContainerName",
    "Entrypoint",
    "EnvironmentHost",
    "Exec",
    "Group",
    "HealthCmd",
    "HealthInterval",
    "HealthOnFailure",
    "HealthRetries",
    "HealthStartPeriod",
    "HealthStartupCmd",
    "HealthTimeout",
    "HostName",
    "IP",
    "IP6",
    "Image",
    "LogDriver",
    "Memory",
    "NoNewPrivileges",
    "Notify",
    "PidsLimit",
    "Pod",
    "Pull",
    "ReadOnly",
    "ReadOnlyTmpfs",
    "Rootfs",
    "RunInit",
    "SeccompProfile",
    "SecurityLabelDisable",
    "ServiceName",
    "ShmSize",
    "StartWithPod",
    "StopSignal",
    "StopTimeout",
    "Timezone",
    "User",
    "UserNS",
    "WorkingDir",
];

/// Keys that are read elsewhere.
const SILENT: &[&str] = &["Environment", "EnvironmentFile", "Exec", "PublishPort", "WorkingDir"];

const REASONS: &[(&str, &str)] = &[
    ("Image", "the roles run a program of the host; for a container, set `image` of the engine"),
    ("Entrypoint", "orchgen starts the server of the engine"),
    ("Volume", "paths of the host replace those of the container"),
    ("Mount", "paths of the host replace those of the container"),
    ("AddDevice", "declare the GPU as `gpu` of the host"),
    ("ContainerName", "a container has the name of its role"),
    ("PodmanArgs", "orchgen writes the command line of podman"),
    ("Secret", "a secret is not copied; set `key-file` of the role"),
    ("HealthCmd", "orchgen writes the health check"),
    ("EnvironmentHost", "only the host knows the variables; set `env` of the role"),
    ("Memory", "orchgen compares the `budget` of a residency, but sets no limit"),
    ("Network", "orchgen publishes the port of the role"),
    ("Pod", "orchgen writes no pods; the pod publishes the ports"),
    ("User", "orchgen writes the user of the container"),
    ("AutoUpdate", "pin the image with a digest, and change it in the registry"),
];

/// Reports the settings of a container.
pub(super) fn report(settings: &Settings, server: &mut Server) {
    for setting in settings.effective(|setting| !SCALARS.contains(&setting.key.as_str())) {
        let is_option = setting.section == "Container" && !SILENT.contains(&setting.key.as_str());
        if is_option || setting.section == "Quadlet" {
            server.lose(setting.written(), setting.at, reason(setting));
        }
    }
}

fn reason(setting: &Setting) -> &'static str {
    let row = REASONS.iter().find(|(key, _)| *key == setting.key);
    row.map_or("no field of a registry; write a drop-in for the generated container unit", |(_, why)| why)
}
