//! Lists of CPUs, ranges of ports, NUMA policies and addresses in other spellings.

use super::plain_text;
use crate::hir::CpuList;
use crate::hir::lower::quantity_form::is_of_many;

/// The number of CPUs of a mask that is printed as a list. A longer mask is probably not one.
const MAX_MASK_DIGITS: usize = 32;

/// The text with `-` between the ends of a range, and `,` between the members of a list.
fn usual_marks(text: &str) -> String {
    let text = plain_text(text).to_ascii_lowercase();
    let text = text.trim_matches(['[', ']', '(', ')', '{', '}']);
    let text = text.replace("...", "-").replace("..", "-").replace(['…', '~'], "-");
    let text = text.replace(" to ", "-").replace(" through ", "-").replace(" and ", ",");
    let text = text.replace([';', '|', '+', '&'], ",").replace(" - ", "-").replace(", ", ",");
    text.split_whitespace().collect::<Vec<_>>().join(",")
}

/// The list of CPUs that a text may mean: `0..15`, `0xff`, `5-2`, `0 1 2`.
pub(in crate::hir::lower) fn cpus(text: &str) -> Vec<String> {
    let plain = plain_text(text).to_ascii_lowercase();
    let bare = plain.trim_start_matches("cpus").trim_start_matches("cpu").trim_start_matches([' ', ':', '=']);
    if let Some(digits) = bare.strip_prefix("0x") {
        return mask(digits).into_iter().collect();
    }
    let count = bare.strip_suffix("cores").or_else(|| bare.strip_suffix("cpus"));
    let count = count.and_then(|count| count.trim().parse::<u32>().ok()?.checked_sub(1));
    if let Some(last) = count {
        return vec![format!("0-{last}")];
    }
    let list = usual_marks(bare).replace(':', "-");
    let ordered: Vec<String> = list.split(',').filter(|part| !part.is_empty()).map(ascending).collect();
    CpuList::parse(&ordered.join(",")).map(|list| list.to_string()).into_iter().collect()
}

/// A range with its ends in ascending order.
fn ascending(range: &str) -> String {
    let ends = range
        .split_once('-')
        .and_then(|(a, b)| Some((a.trim().parse::<u32>().ok()?, b.trim().parse::<u32>().ok()?)));
    match ends {
        Some((first, last)) if first > last => format!("{last}-{first}"),
        _ => range.to_owned(),
    }
}

/// The CPUs of a mask in hexadecimal digits.
fn mask(digits: &str) -> Option<String> {
    let digits = digits.replace([',', '_'], "");
    if digits.is_empty() || digits.len() > MAX_MASK_DIGITS {
        return None;
    }
    let mut cpus = Vec::new();
    for (digit, at) in digits.chars().rev().zip((0..).step_by(4)) {
        let bits = digit.to_digit(16)?;
        cpus.extend((0..4).filter(|bit| bits >> bit & 1 == 1).map(|bit: u32| (at + bit).to_string()));
    }
    CpuList::parse(&cpus.join(",")).map(|list| list.to_string())
}

/// The range of ports that a text may mean: `8090..8095`, `8095-8090`, `8090,8091`, `8090:8090`.
pub(in crate::hir::lower) fn ports(text: &str) -> Vec<String> {
    let plain = plain_text(text);
    let mapping = plain.split('/').next().unwrap_or_default();
    // The part before the colon of a mapping is the port of the host.
    let parts: Vec<&str> = mapping.split(':').collect();
    let text = match parts.as_slice() {
        [host, container] if host.contains('-') || host == container => host,
        [_, host, _] => host,
        _ => mapping,
    };
    let list = usual_marks(text).replace(':', "-");
    let list = list.split(',').filter(|part| !part.is_empty()).map(ascending).collect::<Vec<_>>().join(",");
    let Some(ports) = PortList::parse(&list) else { return Vec::new() };
    vec![ports]
}

/// A list of ports without gaps, as one range.
struct PortList;

impl PortList {
    fn parse(list: &str) -> Option<String> {
        let mut ports: Vec<(u16, u16)> = Vec::new();
        for part in list.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            ports.push((first.trim().parse().ok()?, last.trim().parse().ok()?));
        }
        ports.sort_unstable();
        let (first, mut end) = ports.first().copied()?;
        for (from, to) in ports.into_iter().skip(1) {
            if u32::from(from) > u32::from(end) + 1 {
                return None;
            }
            end = end.max(to);
        }
        Some(if first == end { first.to_string() } else { format!("{first}-{end}") })
    }
}

/// The NUMA policy that a text may mean: `0`, `0,1`, `all`, `interleave=0,1`.
pub(in crate::hir::lower) fn numa(text: &str) -> Vec<String> {
    let plain = plain_text(text).to_ascii_lowercase().replace(['=', ':'], " ");
    let (word, nodes) = plain.split_once(' ').unwrap_or((&plain, ""));
    let nodes = usual_marks(if nodes.is_empty() { word } else { nodes });
    let nodes = nodes.trim_start_matches("nodes").trim_start_matches("node").trim_start_matches(',');
    let list = CpuList::parse(nodes).map(|list| {
        let all = list.ranges().iter().flat_map(|(first, last)| *first..=(*last).min(1023));
        all.map(|node| node.to_string()).collect::<Vec<_>>()
    });
    let word = word.trim_start_matches('-');
    match (word, list) {
        (word, Some(list)) if word.starts_with("interleave") => {
            vec![format!("interleave {}", list.join(","))]
        }
        (_, Some(list)) if list.len() == 1 => {
            list.first().map(|node| format!("bind {node}")).into_iter().collect()
        }
        (_, Some(list)) => vec![format!("interleave {}", list.join(","))],
        ("all" | "interleave" | "true" | "yes" | "on", None) => vec!["interleave".to_owned()],
        (_, None) => Vec::new(),
    }
}

/// The address that a text may mean: `localhost`, `*`, `127.0.0.1:8080`, `[::1]`, `http://10.0.0.7`.
pub(in crate::hir::lower) fn address(text: &str) -> Vec<String> {
    let plain = plain_text(text).to_ascii_lowercase();
    let address = match host_of_url(&plain) {
        "localhost" | "local" | "loopback" => "127.0.0.1",
        "*" | "any" | "all" => "0.0.0.0",
        other => other,
    };
    vec![address.to_owned()]
}

/// The address or name of a host that a text may mean: `big.lan:8080`, `http://big.lan/`, `user@big.lan`, `big.lan.`.
pub(in crate::hir::lower) fn host_address(text: &str) -> Vec<String> {
    let plain = plain_text(text).to_ascii_lowercase();
    let host = host_of_url(&plain);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    vec![host.trim_end_matches('.').to_owned()]
}

/// The reason why a text is neither an IP address nor a DNS name, as a clause.
pub(in crate::hir::lower) fn host_fault(text: &str) -> Option<&'static str> {
    let is_number = |label: &str| !label.is_empty() && label.bytes().all(|c| c.is_ascii_digit());
    match () {
        () if text.parse().is_ok_and(is_of_many) => Some("which is not the address of one machine"),
        () if text.contains('_') => Some("with `_`, which a DNS name cannot have"),
        () if text.rsplit('.').next().is_some_and(is_number) => {
            Some("which ends in a number, but is not an IP address")
        }
        () if text.len() > 253 || text.split('.').any(|label| label.len() > 63) => {
            Some("which is longer than a DNS name can be: 253 characters, and 63 between dots")
        }
        () => None,
    }
}

/// The host of a URL, or of a text that is a part of one.
fn host_of_url(plain: &str) -> &str {
    let host = plain.split_once("://").map_or(plain, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inner, _)) => inner,
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => host,
    }
}
