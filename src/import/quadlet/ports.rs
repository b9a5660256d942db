//! `PublishPort=` and `--publish`: `[[ADDRESS:]PORT:]PORT[/PROTOCOL]`, also with ranges.

use crate::import::source::{At, Published};

/// The maximum number of ports of a range.
const MAX_PORTS: u16 = 64;

/// The addresses of a setting. The error is the reason why they are not known.
pub(super) fn parse(text: &str, at: At) -> Result<Vec<Published>, &'static str> {
    let (text, protocol) = text.rsplit_once('/').unwrap_or((text, "tcp"));
    if protocol != "tcp" {
        return Err("servers use TCP");
    }
    let (host, rest) = match text.strip_prefix('[').and_then(|inner| inner.split_once("]:")) {
        Some((host, rest)) => (host, rest),
        None => {
            match text.rsplit_once(':').and_then(|(outer, inside)| Some((outer.split_once(':')?, inside))) {
                Some(((host, outside), _)) => {
                    (host, text.get(text.len() - outside.len() - inside_len(text)..).unwrap_or_default())
                }
                None => ("0.0.0.0", text),
            }
        }
    };
    let Some((outside, inside)) = rest.split_once(':') else {
        return Err("podman selects the port of the host");
    };
    if outside.is_empty() {
        return Err("podman selects the port of the host");
    }
    let range = |text: &str| {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        Some((from.parse::<u16>().ok()?, to.parse::<u16>().ok()?)).filter(|(from, to)| from <= to)
    };
    let (Some(outside), Some(inside)) = (range(outside), range(inside)) else {
        return Err("this is no port");
    };
    let count = outside.1 - outside.0;
    if count != inside.1 - inside.0 || count >= MAX_PORTS {
        return Err("the range of ports is too large, or both ranges differ in size");
    }
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    let pairs = (outside.0..=outside.1).zip(inside.0..=inside.1);
    Ok(pairs.map(|(port, inside)| Published { host: host.to_owned(), port, inside, at }).collect())
}

/// The length of the last port with its colon.
fn inside_len(text: &str) -> usize {
    text.rsplit_once(':').map_or(0, |(_, inside)| inside.len() + 1)
}
