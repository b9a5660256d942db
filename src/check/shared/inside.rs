//! Settings of a role that no container can have: those of podman and Docker, and those of pods.

use crate::derive::{Derived, MountSource, RoleCommand, ServedRole};
use crate::diag::{Code, Diagnostic, words};
use crate::engine::Access;
use crate::engine::dialect::{OptionPath, devices_in, is_device_name, of_variables};
use crate::hir::{Registry, Role, Setting};
use crate::source::{Span, Spanned};
use std::net::IpAddr;
use std::sync::Arc;

/// Folders that images have. A mount would hide them. The last one has the keys of a pod.
const OF_IMAGES: [&str; 34] = [
    "/",
    "/app",
    "/bin",
    "/dev",
    "/etc",
    "/etc/ssl",
    "/lib",
    "/lib64",
    "/opt",
    "/opt/intel",
    "/opt/intel/oneapi",
    "/opt/rocm",
    "/opt/rocm/lib",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/cuda",
    "/usr/local/lib",
    "/usr/sbin",
    "/usr/share",
    "/var",
    "/var/lib",
    "/run/secrets",
    "/run/secrets/orchgen",
];

/// The only folder that a server can write in each container.
const TMP: &str = "/tmp";

/// A finding with its place.
pub(in crate::check) type Found = Option<(Span, Diagnostic)>;

/// A finding with its place.
pub(in crate::check) fn found(
    code: &'static Code,
    place: Span,
    label: &str,
    message: &str,
) -> (Span, Diagnostic) {
    (place, code.at(place, label, words::printable(message)))
}

/// A role in a container or a pod.
#[derive(Clone, Copy)]
pub(in crate::check) struct Inside<'r> {
    /// The code of the findings.
    pub(in crate::check) code: &'static Code,
    /// `container` or `pod`.
    pub(in crate::check) noun: &'static str,
    pub(in crate::check) derived: &'r Derived,
    pub(in crate::check) served: &'r ServedRole,
}

/// A setting with a text: a description, its value, and the place of that.
type SettingText<'r> = (String, &'r str, Span);

impl<'r> Inside<'r> {
    fn registry(self) -> &'r Registry {
        &self.derived.registry
    }

    fn role(self) -> &'r Role {
        self.registry().roles.get(self.served.id)
    }

    fn options(self) -> impl Iterator<Item = (&'r str, &'r str, Span)> {
        let options = self.served.serving.options.iter();
        options.filter_map(|option| match option.value.as_ref().map(|value| (&value.value, value.span)) {
            Some((Setting::Text(text), span)) => Some((&*option.name.value, &**text, span)),
            _ => None,
        })
    }

    /// The variables of the role and its engine, without those of the engine that the role replaces.
    fn variables(self) -> impl Iterator<Item = (&'r Spanned<Arc<str>>, &'r Spanned<Arc<str>>)> {
        let (registry, serving) = (self.registry(), &self.served.serving);
        let of_engine = serving.engine.iter().flat_map(|engine| &registry.engines.get(engine.value).env);
        let is_own = |name: &Arc<str>| serving.env.iter().any(|(own, _)| own.value == *name);
        let of_engine = of_engine.filter(move |(name, _)| !is_own(&name.value));
        of_engine.chain(&serving.env).map(|(name, value)| (name, value))
    }

    /// An option with a GPU that the container does not have.
    pub(in crate::check) fn missing_gpu(self) -> Found {
        let gpus = self.served.used_gpus().unwrap_or_default();
        let is_missing = |gpu: &&str| is_device_name(gpu) && !gpus.iter().any(|own| **own == **gpu);
        let mut missing = self
            .options()
            .filter_map(|(name, text, span)| Some((name, devices_in(name, text).find(is_missing)?, span)));
        let (name, gpu, span) = missing.next()?;
        let message = format!(
            "option {} of {} names {}, which its {} does not have",
            words::quoted(name),
            self.role(),
            words::quoted(gpu),
            self.noun
        );
        let (place, finding) = found(self.code, span, &format!("not in the {}", self.noun), &message);
        Some((place, finding.help("name a GPU of the role, or add it to `gpu` of `placement`")))
    }

    /// An option or a variable with an address of this machine.
    pub(in crate::check) fn local_peer(self) -> Found {
        let command = self.served.known_command()?;
        let local: Vec<&str> =
            command.peers.iter().map(|peer| &**peer).filter(|peer| is_local(peer)).collect();
        let hosts = |text: &'r str| text.split(',').filter_map(|peer| Some(peer.split_once(':')?.0));
        let in_option = self.options().find_map(|(name, text, span)| {
            let peer = hosts(text).find(|host| local.contains(host))?;
            Some((format!("option {}", words::quoted(name)), peer, span))
        });
        let in_variable = || {
            self.variables().find_map(|(name, value)| {
                let (_, peers) = of_variables(&command.profile, &[(name.value.clone(), value.value.clone())]);
                peers.iter().find(|peer| is_local(peer))?;
                let peer = hosts(&value.value).find(|host| is_local(host))?;
                Some((format!("variable {}", words::quoted(&name.value)), peer, value.span))
            })
        };
        let (what, peer, span): SettingText<'r> = in_option.or_else(in_variable)?;
        let message = format!(
            "{what} of {} connects to {}, which is the {} itself",
            self.role(),
            words::quoted(peer),
            self.noun
        );
        let (place, finding) = found(self.code, span, "not this machine", &message);
        Some((
            place,
            finding.help(match self.noun {
                "pod" => "write an address of the other server that the pod can reach, such as the name of its Service",
                _ => "write an address of this machine that the container can reach",
            }),
        ))
    }

    /// Model files, or the path of an option, in a folder that would hide one of the image.
    pub(in crate::check) fn hidden_folder(self) -> Found {
        let folders = if self.noun == "pod" { self.folders_of_pod() } else { self.folders_of_container() };
        let hidden = folders.iter().find(|folder| OF_IMAGES.contains(&folder.as_str()))?;
        // The innermost mount has a file.
        let has = |path: &str| {
            let above = folders.iter().filter(|folder| path == **folder || is_below(path, folder));
            above.max_by_key(|folder| folder.len()) == Some(hidden)
        };
        if self.served.files.iter().any(|(_, file)| has(&file.path)) {
            let message = format!(
                "the model files of {} are in `{hidden}`, which would hide that folder of the image",
                self.role()
            );
            let place = self.served.serving.model.span;
            let (place, finding) = found(self.code, place, "in a folder of the system", &message);
            return Some((place, finding.help("move the files to a separate folder, such as `/srv/models`")));
        }
        let command = self.served.known_command()?;
        let one = command.paths.iter().find(|one| has(&one.path) || has(one.path.trim_end_matches('/')))?;
        let (what, place) = self.cause(command, one);
        let shown = words::quoted(&one.path);
        let message = if **hidden == *"/" && one.access == Access::Write {
            format!("{what} of {} names {shown}, but a {} cannot write in `/`", self.role(), self.noun)
        } else {
            format!(
                "{what} of {} names {shown}, but a mount of `{hidden}` would hide that folder of the image",
                self.role()
            )
        };
        let (place, finding) = found(self.code, place, "in a folder of the system", &message);
        Some((
            place,
            finding.help(match (one.access, one.is_folder) {
                (Access::Write, false) => "write the file to a separate folder, such as `/var/log/llama`",
                (Access::Write, true) => "write a separate folder, such as `/var/lib/llama`",
                (Access::Read, _) => "move the files to a separate folder, such as `/srv/llama`",
            }),
        ))
    }

    /// The folders that the mounts of its pod would hide.
    fn folders_of_pod(self) -> Vec<String> {
        let mounts = self.derived.mounts(self.served).into_iter();
        mounts.filter(|mount| mount.source != MountSource::File).map(|mount| mount.path.to_string()).collect()
    }

    /// The folders that the mounts of its container would hide.
    fn folders_of_container(self) -> Vec<String> {
        let files = self.served.files.iter().map(|(_, file)| folder_of(&file.path).to_owned());
        let paths = self.served.known_command().into_iter().flat_map(|command| &command.paths);
        let written = paths.filter(|one| one.path.starts_with('/')).filter_map(|one| match one.access {
            Access::Write if !one.is_folder => Some(folder_of(&one.path)),
            Access::Write | Access::Read if one.is_folder => Some(one.path.trim_end_matches('/')),
            Access::Write | Access::Read => None,
        });
        files.chain(written.filter(|folder| *folder != TMP).map(str::to_owned)).collect()
    }

    /// The option or the variable with a path.
    fn cause(self, command: &RoleCommand, one: &OptionPath) -> (String, Span) {
        let option = one.option.and_then(|at| self.served.serving.options.get(at));
        if let Some(option) = option {
            let place = option.value.as_ref().map_or(option.name.span, |value| value.span);
            return (format!("option {}", words::quoted(&option.name)), place);
        }
        let names = |name: &Spanned<Arc<str>>, value: &Spanned<Arc<str>>| {
            of_variables(&command.profile, &[(name.value.clone(), value.value.clone())]).0.contains(one)
        };
        match self.variables().find(|(name, value)| names(name, value)) {
            Some((name, value)) => (format!("variable {}", words::quoted(&name.value)), value.span),
            None => ("a setting".to_owned(), self.role().head.name.span),
        }
    }
}

fn is_local(peer: &str) -> bool {
    peer == "localhost" || peer.parse().is_ok_and(|peer: IpAddr| peer.is_loopback())
}

/// True if a path is below a folder.
fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

/// The folder of a path.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder })
}
