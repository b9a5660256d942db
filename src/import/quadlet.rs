//! Container units of podman (Quadlet): `*.container`.
//!
//! The rules are those of podman-container.unit(5) for podman 5 and 6, and of `pkg/systemd/quadlet/quadlet.go`. The syntax, the drop-ins and
//! the specifiers are those of systemd. `Exec=` is a part of a command line of systemd, so `${X}` is a variable of `[Service]`.

mod container;
mod image;
mod mounts;
mod ports;
mod reasons;

use super::prefix;
use super::source::{At, Loss, Program, Reader, Server, Start, Word};
use super::unit::install::{self, Instance};
use super::unit::name::UnitName;
use super::unit::settings::Settings;
use super::unit::specifiers::Context;
use super::unit::{file_name, last_line, only_template, reasons as unit_reasons, without_instance};

const SECTIONS: &[&str] = &["Unit", "Service", "Install"];

/// True if a text is a container unit.
pub fn is_quadlet(text: &str) -> bool {
    text.lines().map(str::trim).take(100_000).any(|line| line == "[Container]")
}

/// Reads a container unit.
pub fn read(reader: &mut Reader<'_>, file: usize) {
    let name = UnitName::new(file_name(reader, file), "container");
    let instances = if name.is_template() { install::instances(reader, file, &name) } else { Vec::new() };
    for instance in &instances {
        read_unit(reader, file, &instance.name, Some(instance));
    }
    if instances.is_empty() {
        let first = reader.found.servers.len();
        read_unit(reader, file, &name, None);
        if name.is_template() {
            only_template(reader, first);
        }
    }
}

fn read_unit(reader: &mut Reader<'_>, file: usize, name: &UnitName, instance: Option<&Instance>) {
    let settings = Settings::load(reader, file, name);
    let path = reader.found.files.get(file).map(|file| file.path.clone()).unwrap_or_default();
    let is_user = install::is_user(&path, &settings);
    // systemd sees the service that podman writes.
    let service = UnitName { suffix: "service", ..name.clone() };
    let context = Context { name: service, is_user, path, around: reader.around };
    let mut server = Server::new(name.stem.clone(), At { file, line: 1 }, Program::Path(Word::default()));
    server.last_line = last_line(reader, file);
    server.is_user = is_user;
    server.losses.clone_from(&settings.faults);
    install::apply(&settings, &mut server);
    if let Some(instance) = instance {
        let start = if instance.is_wanted { Start::Boot } else { Start::Manual };
        server.start = (start, server.start.1.filter(|_| instance.is_wanted));
    }
    if name.is_template() {
        without_instance(name, &mut server);
    }
    container::apply(reader, &settings, &context, &mut server);
    unit_reasons::report(&settings, &mut server, SECTIONS);
    reasons::report(&settings, &mut server);
    unit_reasons::report_others(
        &settings,
        &mut server,
        &["Unit", "Service", "Install", "Container", "Quadlet"],
    );
    reader.found.servers.push(server);
}

/// The path of a file that the unit names: relative paths start at the unit.
fn absolute(path: &str, context: &Context<'_>) -> String {
    let folder = context.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    if path.starts_with('%') || path.starts_with('/') {
        return context.expand(path).text;
    }
    let path = context.expand(path).text;
    let mut parts: Vec<&str> = folder.split('/').collect();
    if folder.is_empty() {
        parts.clear();
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

fn lose(server: &mut Server, what: String, at: At, why: &str) {
    server.losses.push(Loss { what, at, why: why.to_owned() });
}
