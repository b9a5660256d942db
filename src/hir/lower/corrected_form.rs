//! Guesses the right form of a quantity that could not be parsed, for the help of its finding.

/// Units without a space or in another spelling, with the unit of the registry language.
const UNIT_SPELLINGS: &[(&str, &str)] = &[
    ("t", "TB"),
    ("tb", "TB"),
    ("g", "GB"),
    ("gb", "GB"),
    ("gbyte", "GB"),
    ("gi", "GiB"),
    ("gib", "GiB"),
    ("mb", "MB"),
    ("mi", "MiB"),
    ("mib", "MiB"),
    ("k", "kB"),
    ("kb", "kB"),
    ("ki", "KiB"),
    ("kib", "KiB"),
    ("gb/s", "GB/s"),
    ("mb/s", "MB/s"),
    ("sec", "s"),
    ("second", "s"),
    ("m", "min"),
    ("m", "MB"),
    ("mins", "min"),
    ("minute", "min"),
    ("hour", "h"),
    ("hr", "h"),
    ("day", "d"),
    ("tok/s", "t/s"),
    ("tokens/s", "t/s"),
];

/// The probable units of a number without a unit.
const IMPLIED_UNITS: &[&str] = &[" GB", " GB/s", " min", " t/s", "x"];

/// True if the quantity needs a unit.
pub(super) fn needs_unit(is_valid: impl Fn(&str) -> bool) -> bool {
    IMPLIED_UNITS.iter().any(|unit| is_valid(&format!("1{unit}")))
}

/// A help with the text that the user probably means, if `is_valid` accepts it: `64 GB` for `64G`.
pub(super) fn corrected_form(text: &str, is_valid: impl Fn(&str) -> bool) -> Option<String> {
    let has_several_units = is_valid("1 percent");
    if let (Ok(count), true) = (text.parse::<u32>(), is_valid("0-1")) {
        let last = count.checked_sub(1)?;
        return Some(format!("write `0-{last}` for {count} CPUs, or `\"{count}\"` for CPU {count} alone"));
    }
    let text = text.trim().replace(',', ".");
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(unit_at)?;
    let unit = unit.trim();
    let mut candidates = vec![text.clone()];
    if unit.is_empty() && number != "0" && !has_several_units {
        candidates.extend(IMPLIED_UNITS.iter().map(|unit| format!("{number}{unit}")));
    }
    let lower = unit.to_lowercase();
    let is_unit = |spelling: &str| spelling == lower || Some(spelling) == lower.strip_suffix('s');
    let known = UNIT_SPELLINGS.iter().filter(|(spelling, _)| is_unit(spelling));
    candidates.extend(known.map(|(_, unit)| format!("{number} {unit}")));
    let form = candidates.into_iter().find(|candidate| is_valid(candidate))?;
    Some(format!("write `{form}`"))
}
