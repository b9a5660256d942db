//! Numbers with separators, exponents and suffixes.

use super::plain_text;

/// The decimal numbers that a text may mean, without separators, best first: `4,700` is `4700` or `4.700`.
pub(in crate::hir::lower) fn decimals(text: &str) -> Vec<String> {
    let text = text.trim().replace(['_', '\'', ' '], "");
    if let Some(whole) = without_exponent(&text) {
        return vec![whole];
    }
    let is_number = text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.');
    if !is_number {
        return Vec::new();
    }
    let is_thousands =
        |mark: char| text.split(mark).skip(1).all(|group| group.len() == 3 && !group.contains(['.', ',']));
    let removed = |mark: char| text.replace(mark, "");
    let count = |mark: char| text.matches(mark).count();
    match (text.rfind(','), text.rfind('.')) {
        (Some(comma), Some(dot)) if comma > dot => vec![removed('.').replace(',', ".")],
        (Some(_), Some(_)) => vec![removed(',')],
        (Some(_), None) if count(',') > 1 => vec![removed(',')],
        (None, Some(_)) if count('.') > 1 => vec![removed('.')],
        (Some(_), None) if is_thousands(',') => vec![removed(','), text.replace(',', ".")],
        (Some(_), None) => vec![text.replace(',', ".")],
        (None, _) => vec![text],
    }
}

/// The whole number of `1e3` in digits. `None` if the text has no exponent or is not a whole number below 10^15.
fn without_exponent(text: &str) -> Option<String> {
    let is_number = |c: char| c.is_ascii_digit() || "eE.+-".contains(c);
    let (base, _) = text.split_once(['e', 'E'])?;
    let value: f64 = text.parse().ok().filter(|_| !base.is_empty() && text.chars().all(is_number))?;
    (value.fract() == 0.0 && (0.0..1e15).contains(&value)).then(|| format!("{value:.0}"))
}

/// The whole number that a text may mean: `32768` for `32k`, `32_768`, `32,768`, `32768.0` and `32768 tokens`.
pub(in crate::hir::lower) fn whole(text: &str) -> Option<u64> {
    let text = plain_text(text);
    let text = text.strip_prefix('+').unwrap_or(&text).trim_start_matches(['~', '=', ':', '<', '>']).trim();
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok();
    }
    let exponent = without_exponent(text).map(|whole| (whole, ""));
    let end = text.find(|c: char| !c.is_ascii_digit() && !"_', .".contains(c)).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let (number, unit) = exponent.unwrap_or_else(|| (number.trim().to_owned(), unit.trim()));
    let scale: u64 = match unit.to_ascii_lowercase().trim_end_matches(['i', 'b']).trim() {
        "" if unit.is_empty() => 1,
        "k" => 1024,
        "m" => 1024 * 1024,
        word if word.len() > 2 && word.chars().all(char::is_alphabetic) => 1,
        _ => return None,
    };
    let is_grouped = |mark: char| {
        let mut groups = number.split(mark);
        let first = groups.next().unwrap_or_default();
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let rest: Vec<&str> = groups.collect();
        (1..=3).contains(&first.len())
            && digits(first)
            && !rest.is_empty()
            && rest.iter().all(|group| group.len() == 3 && digits(group))
    };
    let digits = if [',', '.', '\'', ' '].iter().any(|mark| is_grouped(*mark)) {
        number.replace([',', '.', '\'', ' '], "")
    } else {
        decimals(&number).into_iter().next()?
    };
    scaled(&digits, scale)
}

/// A decimal number times a scale, if the product is a whole number.
fn scaled(digits: &str, scale: u64) -> Option<u64> {
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    let tens = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    let value: u64 = format!("{whole}{part}").parse().ok()?;
    let product = value.checked_mul(scale)?;
    product.is_multiple_of(tens).then(|| product / tens)
}

/// The port in a mapping, an address or a URL: `8080` for `8080:80`, `127.0.0.1:8080`, `:8080` and `8080/tcp`. Also the
/// address, if there is one.
pub(in crate::hir::lower) fn port(text: &str) -> Option<(u16, Option<std::net::IpAddr>)> {
    let text = plain_text(text);
    let text = text.split_once("://").map_or(&*text, |(_, rest)| rest);
    let text = text.split('/').next().unwrap_or_default().trim();
    let number = |part: &str| part.trim().parse::<u16>().ok().filter(|port| *port > 0);
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        return Some((number(rest.split(':').next()?)?, address.parse().ok()));
    }
    let mut parts = text.split(':').map(str::trim);
    let first = parts.next()?;
    if let Some(port) = number(first) {
        return Some((port, None));
    }
    let port = number(parts.next()?)?;
    let is_host = first.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '*'));
    is_host.then(|| (port, first.parse().ok()))
}
