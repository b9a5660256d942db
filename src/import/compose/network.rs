//! The addresses and folders of a service: `ports` and `volumes`, in their short and long form.

use super::ServiceReader;
use super::files::Part;
use crate::import::source::{At, Change, Published, join};
use crate::syntax::yaml::Tree;

/// The maximum number of ports in a range.
const MAX_RANGE: u16 = 100;

/// `ports`: the addresses that the host publishes.
pub(super) fn ports(service: &mut ServiceReader<'_, '_>, part: Part<'_>) {
    for item in part.value.items() {
        let at = At { file: part.source.file, line: item.line };
        let (written, port) = if item.entries().is_empty() {
            let text = service.text(part, item);
            let port = short_port(&text);
            (text, port)
        } else {
            long_port(service, part, item)
        };
        match port {
            Ok(published) => {
                let published =
                    published.into_iter().map(|(host, port, inside)| Published { host, port, inside, at });
                service.server.published.extend(published);
            }
            Err(why) => service.server.lose(format!("ports: {written}"), at, why),
        }
    }
}

type Ports = Result<Vec<(String, u16, u16)>, &'static str>;

/// `[[host:]published:]inside[/protocol]`.
fn short_port(text: &str) -> Ports {
    let (address, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (rest, inside) = address.rsplit_once(':').unwrap_or(("", address));
    let (host, published) = rest.rsplit_once(':').unwrap_or(("", rest));
    pair(host, published, inside, protocol)
}

fn long_port(service: &mut ServiceReader<'_, '_>, part: Part<'_>, item: &Tree) -> (String, Ports) {
    let mut field =
        |key: &str| item.get(key).map(|entry| service.text(part, &entry.value)).unwrap_or_default();
    let [host, published, target, protocol] = ["host_ip", "published", "target", "protocol"].map(&mut field);
    let written = format!("{host}:{published}:{target}");
    for entry in item.entries() {
        let known = ["host_ip", "published", "target", "protocol", "mode", "name", "app_protocol"];
        if !known.contains(&entry.key.as_str()) {
            let at = At { file: part.source.file, line: entry.line };
            service.server.lose(format!("ports: {}", entry.key), at, "compose has no such setting");
        }
    }
    let protocol = if protocol.is_empty() { "tcp" } else { &protocol };
    (written, pair(&host, &published, &target, protocol))
}

/// The published ports with the ports inside. Both may be ranges of the same length.
fn pair(host: &str, published: &str, inside: &str, protocol: &str) -> Ports {
    if !protocol.eq_ignore_ascii_case("tcp") {
        return Err("the server uses only TCP");
    }
    if published.is_empty() {
        return Err("the container engine selects the port of the host; set `port` of the role");
    }
    let (published, inside) = (range(published), range(inside));
    let (Some((first, last)), Some((from, to))) = (published, inside) else {
        return Err("it is no port");
    };
    if last - first > MAX_RANGE || to - from != last - first {
        return Err("it is no port, and no pair of ranges of the same length");
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    Ok((first..=last).zip(from..=to).map(|(port, inside)| (host.to_owned(), port, inside)).collect())
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (range.0 <= range.1).then_some(range)
}

/// `volumes`: the folders of the host that the container has.
pub(super) fn volumes(service: &mut ServiceReader<'_, '_>, part: Part<'_>) {
    let mut found: Vec<(String, String, u32)> = Vec::new();
    for item in part.value.items() {
        let at = At { file: part.source.file, line: item.line };
        let (host, inside, kind) = if item.entries().is_empty() {
            short_volume(&service.text(part, item))
        } else {
            let mut field =
                |key: &str| item.get(key).map(|entry| service.text(part, &entry.value)).unwrap_or_default();
            let [host, inside, kind] = ["source", "target", "type"].map(&mut field);
            (host, inside, kind)
        };
        if kind == "bind" {
            let host = service.host_path(part, &host);
            service.server.mounts.retain(|(known, _)| *known != inside);
            found.push((host.clone(), inside.clone(), item.line));
            service.server.mounts.push((inside, host));
        } else {
            let what = if host.is_empty() { inside } else { format!("{host}:{inside}") };
            let why = "the container engine selects its folder; copy its files into a folder of the host";
            service.server.lose(format!("volumes: {what}"), at, why);
        }
    }
    let Some((_, _, line)) = found.first() else { return };
    let line = if part.value.items().len() == 1 { *line } else { part.line };
    let list =
        |pick: fn(&(String, String, u32)) -> String| found.iter().map(pick).collect::<Vec<_>>().join(", ");
    service.server.changes.push(Change {
        option: "volumes".to_owned(),
        was: list(|(host, inside, _)| format!("{host}:{inside}")),
        is: list(|(host, ..)| host.clone()),
        why: "paths in the container become paths of the host".to_owned(),
        at: At { file: part.source.file, line },
    });
}

/// The host path, the path inside and the type of `HOST:INSIDE[:OPTIONS]`.
fn short_volume(text: &str) -> (String, String, String) {
    let mut parts = text.splitn(3, ':');
    match (parts.next(), parts.next()) {
        (Some(host), Some(inside)) => {
            let is_path = host.starts_with(['.', '/', '~']);
            (host.to_owned(), inside.to_owned(), if is_path { "bind" } else { "volume" }.to_owned())
        }
        (inside, _) => (String::new(), inside.unwrap_or_default().to_owned(), "volume".to_owned()),
    }
}

impl ServiceReader<'_, '_> {
    /// A path of the host. It is absolute if the folder of the file is absolute, or else it begins with `.`.
    pub(super) fn host_path(&self, part: Part<'_>, path: &str) -> String {
        if let Some(rest) = path.strip_prefix('~') {
            let home = self.around.variable("HOME");
            return home.map_or_else(|| path.to_owned(), |home| format!("{home}{rest}"));
        }
        if path.starts_with('/') {
            return path.to_owned();
        }
        let own = join(&part.source.folder, path);
        if self.folder.starts_with('/') {
            return normal(&join(&self.folder, &own));
        }
        if own.starts_with('.') { own } else { format!("./{own}") }
    }
}

/// An absolute path without `.` and `..`.
fn normal(path: &str) -> String {
    let mut found: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                found.pop();
            }
            part => found.push(part),
        }
    }
    format!("/{}", found.join("/"))
}
