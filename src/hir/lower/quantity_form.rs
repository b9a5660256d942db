//! How each quantity is written: for parsing, for findings and for the JSON Schema.

use super::typed_value::TypedValue;
use crate::diag::words;
use crate::hir::quantity::{SIZE_UNITS, TIME_UNITS, whole};
use crate::hir::{Bytes, CpuList, Date, Factor, NumaPolicy, PortRange, Rate, Seconds, Shape, Share};
use std::net::IpAddr;

/// How a quantity is written. `{sizes}` and `{times}` mean the units of size and of time, `{decimal}` a decimal number and
/// `{range}` a whole number or a range.
pub(in crate::hir) struct QuantityForm {
    pub(super) shape: Shape,
    /// The meaning: `a size`.
    pub(super) what: &'static str,
    /// The text after the meaning.
    form: &'static str,
    /// The regular expression of the JSON Schema.
    pattern: &'static str,
    /// The unit for users, if the type has one.
    pub(in crate::hir) unit: Option<&'static str>,
    /// An example value.
    pub(in crate::hir) example: &'static str,
    /// Parses the text.
    pub(super) parse: fn(&str) -> Option<TypedValue>,
}

static FORMS: &[QuantityForm] = &[
    QuantityForm {
        shape: Shape::Size,
        what: "a size",
        form: " in {sizes}, such as `17.5 GB`",
        pattern: "{decimal}\\s*({sizes})",
        unit: Some("bytes, in TB, GB, MB, kB (powers of 1000) or TiB, GiB, MiB, KiB (powers of 1024)"),
        example: "17.5 GB",
        parse: |text| Bytes::parse(text).map(TypedValue::Size),
    },
    QuantityForm {
        shape: Shape::SizeOrZero,
        what: "a size",
        form: " in {sizes}, such as `4 GiB`, or `0 B` for none",
        pattern: "{decimal}\\s*({sizes})",
        unit: Some("bytes, in TB, GB, MB, kB (powers of 1000) or TiB, GiB, MiB, KiB (powers of 1024)"),
        example: "4 GiB",
        parse: |text| Bytes::parse(text).map(TypedValue::Size),
    },
    QuantityForm {
        shape: Shape::ByteRate,
        what: "a rate",
        form: " in {sizes} per second, such as `2 GB/s`",
        pattern: "{decimal}\\s*({sizes})/s",
        unit: Some("bytes per second, such as GB/s or MB/s"),
        example: "2 GB/s",
        parse: |text| text.strip_suffix("/s").and_then(Bytes::parse).map(TypedValue::Size),
    },
    QuantityForm {
        shape: Shape::Share,
        what: "a share",
        form: " in percent or {sizes}, such as `5 percent` or `40 GB`",
        pattern: "([0-9]+\\s*(percent|%)|{decimal}\\s*({sizes}))",
        unit: Some("percent of the whole, or bytes"),
        example: "5 percent",
        parse: |text| Share::parse(text).map(TypedValue::Share),
    },
    QuantityForm {
        shape: Shape::Duration,
        what: "a duration of whole seconds",
        form: " in {times}, such as `15 min`",
        pattern: "{decimal}\\s*({times})",
        unit: Some("seconds, in s, min, h or d"),
        example: "15 min",
        parse: |text| Seconds::parse(text).map(TypedValue::Duration),
    },
    QuantityForm {
        shape: Shape::TokenRate,
        what: "a rate",
        form: " in tokens per second (t/s), such as `6.3 t/s` or `~15 t/s`",
        pattern: "~?\\s*{decimal}\\s*t/s",
        unit: Some("tokens per second (t/s)"),
        example: "6.3 t/s",
        parse: |text| Rate::parse(text).map(TypedValue::Rate),
    },
    QuantityForm {
        shape: Shape::Factor,
        what: "a factor",
        form: " that ends in x, such as `5.4x`",
        pattern: "{decimal}x",
        unit: Some("factor (x)"),
        example: "5.4x",
        parse: |text| Factor::parse(text).map(TypedValue::Factor),
    },
    QuantityForm {
        shape: Shape::Date,
        what: "a valid date",
        form: ", such as `2026-02-03`",
        pattern: "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
        unit: Some("date (year-month-day)"),
        example: "2026-02-03",
        parse: |text| Date::parse(text).map(TypedValue::Date),
    },
    QuantityForm {
        shape: Shape::Ports,
        what: "a port range",
        form: " within 1 to 65535, lower port first, such as `8090-8095`",
        pattern: "{range}",
        unit: None,
        example: "8090-8095",
        parse: |text| PortRange::parse(text).map(TypedValue::Ports),
    },
    QuantityForm {
        shape: Shape::Cpus,
        what: "a list of CPUs",
        form: ", such as `0-15` or `0-47,96-143`",
        pattern: "{range}(,{range})*",
        unit: Some("CPU numbers of the kernel"),
        example: "0-47,96-143",
        parse: |text| CpuList::parse(text).map(TypedValue::Cpus),
    },
    QuantityForm {
        shape: Shape::Numa,
        what: "a NUMA policy",
        form: ": `interleave`, `interleave 0,1`, `bind 0`, `spread` or `distribute`",
        pattern: "((spread|distribute|interleave)( \\s*)?|interleave \\s*[0-9]+\\s*(,\\s*[0-9]+\\s*)*|bind \\s*[0-9]+\\s*)",
        unit: None,
        example: "interleave",
        parse: |text| numa(text).map(TypedValue::Numa),
    },
    QuantityForm {
        shape: Shape::Address,
        what: "an IP address",
        form: ", such as `127.0.0.1` or `::1`",
        pattern: "[0-9A-Fa-f:.]+",
        unit: None,
        example: "10.0.0.7",
        parse: |text| {
            let address: IpAddr = text.parse().ok()?;
            Some(TypedValue::Text(address.to_canonical().to_string().into()))
        },
    },
    QuantityForm {
        shape: Shape::HostAddress,
        what: "an IP address or a DNS name",
        form: " of one machine, such as `10.0.0.7` or `big.example.org`",
        pattern: "([0-9A-Fa-f:.]+|{label}(\\.{label})*)",
        unit: None,
        example: "10.0.0.7",
        parse: |text| {
            let address = text.parse().ok().map(|address: IpAddr| address.to_canonical());
            if address.is_some_and(is_of_many) {
                return None;
            }
            let address = address.map(|address| address.to_string());
            let name = || is_dns_name(text).then(|| text.to_ascii_lowercase());
            Some(TypedValue::Text(address.or_else(name)?.into()))
        },
    },
];

/// True for an address that is not that of one machine: all addresses, broadcast or multicast.
pub(super) fn is_of_many(address: IpAddr) -> bool {
    let is_broadcast = match address {
        IpAddr::V4(address) => address.is_broadcast(),
        IpAddr::V6(_) => false,
    };
    address.is_unspecified() || address.is_multicast() || is_broadcast
}

/// A label of a DNS name, as a regular expression.
const LABEL: &str = "[0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?";

/// True for the name of a host (RFC 1123, section 2.1; RFC 1035, section 2.3.4): labels of 1 to 63 letters, digits and
/// hyphens, at most 253 characters. The last label is not a number, or the name would look like an IP address.
fn is_dns_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|c| c.is_ascii_digit());
    text.len() <= 253 && text.split('.').all(is_label) && !text.rsplit('.').next().is_some_and(is_number)
}

impl QuantityForm {
    /// The form of a type. `None` if the type is not a quantity.
    pub(in crate::hir) fn of(shape: &Shape) -> Option<&'static Self> {
        FORMS.iter().find(|form| form.shape == *shape)
    }

    /// The text that a quantity expects: ``a size in TB, GB .., such as `17.5 GB` ``.
    pub(in crate::hir) fn expected(&self) -> String {
        let units = |table: &[(&str, u64)]| words::any_of(&names(table));
        let form = self.form.replace("{sizes}", &units(SIZE_UNITS)).replace("{times}", &units(TIME_UNITS));
        format!("{}{form}", self.what)
    }

    /// The regular expression of the whole text.
    pub(in crate::hir) fn regex(&self) -> String {
        let pattern = self.pattern.replace("{decimal}", "[0-9]+(\\.[0-9]+)?").replace("{label}", LABEL);
        let pattern = pattern.replace("{range}", "\\s*[0-9]+\\s*(-\\s*[0-9]+\\s*)?");
        let pattern = pattern.replace("{sizes}", &names(SIZE_UNITS).join("|"));
        format!("^{}$", pattern.replace("{times}", &names(TIME_UNITS).join("|")))
    }
}

fn names<'t>(units: &[(&'t str, u64)]) -> Vec<&'t str> {
    units.iter().map(|(name, _)| *name).collect()
}

fn numa(text: &str) -> Option<NumaPolicy> {
    let (word, nodes) = text.split_once(' ').unwrap_or((text, ""));
    let number = |text: &str| whole::<u32>(text.trim()).filter(|node| *node < 1024);
    match (word, nodes.trim()) {
        ("spread", "") => Some(NumaPolicy::Spread),
        ("distribute", "") => Some(NumaPolicy::Distribute),
        ("interleave", "") => Some(NumaPolicy::Interleave(Vec::new())),
        ("interleave", nodes) => {
            let mut nodes = nodes.split(',').map(number).collect::<Option<Vec<u32>>>()?;
            nodes.sort_unstable();
            nodes.dedup();
            Some(NumaPolicy::Interleave(nodes))
        }
        ("bind", node) => number(node).map(NumaPolicy::Bind),
        _ => None,
    }
}
